"""docs/walkthrough.md shows the numbers of the sample, and its sentences hold."""

from conventions.conftest import TestedBuild
from warehouse.walkthrough import CHECK, PAGE, QUERY, broken_checks, connect, filled


def test_every_number_is_that_of_the_sample(tested_build: TestedBuild) -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert len(QUERY.findall(page)) > 20
    with connect(tested_build.folder) as connection:
        expected = filled(page, connection)
    differing = [
        f"page: {shown} | sample: {wanted}"
        for shown, wanted in zip(page.splitlines(), expected.splitlines(), strict=False)
        if shown != wanted
    ]
    assert page == expected, "\n".join(["write the page again: python -m warehouse.walkthrough FOLDER", *differing[:5]])


def test_every_sentence_holds(tested_build: TestedBuild) -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert len(CHECK.findall(page)) >= 8
    with connect(tested_build.folder) as connection:
        assert broken_checks(page, connection) == []
