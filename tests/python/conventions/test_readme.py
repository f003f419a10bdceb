"""What the README shows of a build is what a build says."""

import re
from io import StringIO

from rich.console import Console

from conventions.conftest import PROJECT_DIR, TestedBuild
from warehouse.publishing.headline import headline, print_headline


def test_the_figures_of_the_readme_are_those_of_the_sample(tested_build: TestedBuild) -> None:
    written = StringIO()
    print_headline(Console(file=written, width=120), headline(tested_build.folder / "marts_build.duckdb"))
    said = {" ".join(line.split()) for line in written.getvalue().splitlines()}
    text = (PROJECT_DIR / "README.md").read_text(encoding="utf-8")
    (block,) = re.findall(
        r"^Retention in the last complete month$.*?(?=^published run)", text, re.DOTALL | re.MULTILINE
    )
    shown = {" ".join(line.split()) for line in block.splitlines() if not line.lstrip().startswith("─")}
    assert len(shown) > 15
    assert shown - said == set()
