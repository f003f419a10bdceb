"""Good files damaged at random: no run ends in a traceback or hangs, and no row is lost without a word."""

import gzip
import io
import re
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from landing.conftest import Warehouse
from warehouse.landing.delimited import DelimitedReader
from warehouse.landing.personal_data import Tokens

SETTINGS = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
NAMES = ["Café", "شركة النيل", "חברה", "Syarikat Ali", "O'Neil", "株式会社", "plain", "", "Müller & Söhne"]
COMMENTS = [
    "",
    "fine",
    "a, b and c",
    'said "yes"',
    "two\nlines",
    "many\n\nlines, and\ncommas",
    " padded ",
    "a;b|c",
    "#1",
]


@dataclass(frozen=True)
class Export:
    """A good file of survey responses, the keys of its rows, and their lines and cells."""

    text: str
    keys: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str | None, ...]], ...] = ()


@st.composite
def exports(draw: st.DrawFn) -> Export:
    """Return a well-formed export in one of many dialects."""
    delimiter = draw(st.sampled_from([",", ";", "\t", "|"]))
    end = draw(st.sampled_from(["\n", "\r\n"]))
    quotes_all = draw(st.booleans())
    count = draw(st.integers(1, 12))
    lines = [["response_id", "account_id", "survey", "score", "comment", "responded_at"]]
    for number in range(count):
        lines.append([
            f"R{number:04d}", draw(st.sampled_from(NAMES)), "nps", str(draw(st.integers(0, 10))),
            draw(st.sampled_from(COMMENTS)), f"2024-06-{number + 1:02d}T10:00:00Z",
        ])  # fmt: skip

    def cell(text: str) -> str:
        if quotes_all or any(sign in text for sign in (delimiter, '"', "\n", "\r")):
            return '"' + text.replace('"', '""') + '"'
        return text

    text = end.join(delimiter.join(cell(each) for each in line) for line in lines)
    return Export(text + (end if draw(st.booleans()) else ""), tuple(f"R{number:04d}" for number in range(count)))


@st.composite
def damages(draw: st.DrawFn, data: bytes) -> bytes:
    """Return the bytes of a file with something wrong."""
    kind = draw(st.sampled_from(["flip", "cut", "insert", "drop", "delimiter", "join", "shuffle", "repeat", "start"]))
    place = draw(st.integers(0, max(len(data) - 1, 0)))
    if kind == "flip":
        return data[:place] + bytes([draw(st.integers(0, 255))]) + data[place + 1 :]
    if kind == "cut":
        return data[:place]
    if kind == "insert":
        piece = draw(
            st.sampled_from([b'"', b"\n", b"\r", b"\0", b",", b"\xff", b"\xef\xbb\xbf", b"\r\n\r\n", b"   ", b'""'])
        )
        return data[:place] + piece + data[place:]
    if kind == "drop":
        return data[:place] + data[place + draw(st.integers(1, 40)) :]
    if kind == "delimiter":
        half = data[place:].replace(b",", b";")
        return data[:place] + half
    if kind == "join":
        return data + data
    if kind == "start":
        return draw(st.sampled_from([b"Report\n\n", b"\n\n", b"sep=,\n", b"\xff\xfe"])) + data
    lines = data.split(b"\n")
    if kind == "repeat":
        line = draw(st.sampled_from(lines))
        return b"\n".join([*lines[:2], line, *lines[2:]])
    return b"\n".join([lines[0], *draw(st.permutations(lines[1:]))])


def landed_and_quarantined(warehouse: Warehouse) -> tuple[set[str], str]:
    keys = {str(row[0]) for row in warehouse.rows("survey_responses", "response_id")}
    return keys, "\n".join(row["raw_line"] for row in warehouse.quarantine())


def check(data: bytes, name: str, export: Export | None = None) -> None:
    """Land damaged bytes: every intact physical line is landed or in quarantine, or the file is rejected."""
    with tempfile.TemporaryDirectory() as folder:
        warehouse = Warehouse(Path(folder) / "w")
        path = Path(folder) / name
        path.write_bytes(data)
        (result,) = warehouse.land(path).files
        if result.verdict == "rejected":
            assert result.reason
            assert "\n" not in result.reason
            assert warehouse.deliveries() == []
            return
        assert result.rows_in == result.rows_landed + result.rows_quarantined
        rows = warehouse.rows("survey_responses", "response_id, line_number, record_number", "record_number")
        bad = warehouse.quarantine()
        assert len(rows) == result.rows_landed
        assert len(bad) == result.rows_quarantined
        numbers = sorted([row[2] for row in rows] + [row["record_number"] for row in bad])
        assert numbers == list(range(1, result.rows_in + 1))
        landed, quarantined = landed_and_quarantined(warehouse)
        if export is not None:
            check_cells(data, export, warehouse)
        text = data.decode("utf-8", "backslashreplace").replace("\0", "\\x00").replace("\r\n", "\n").replace("\r", "\n")
        _, *lines = text.split("\n")
        starts = {line.lstrip('"')[:5] for line in lines}
        for key in {start for start in starts if re.fullmatch(r"R\d{4}", start)}:
            # Without the one before or after it a quote is a sign like any other.
            assert key in {each.strip('"') for each in landed} or key in quarantined, f"{key} is lost"


def check_cells(data: bytes, export: Export, warehouse: Warehouse) -> None:
    """Check that rows whose line is untouched have the cells they had: no damage elsewhere shifts them."""
    columns = "response_id, account_id, survey, score, comment, responded_at"
    landed = {row[-1]: row[:-1] for row in warehouse.rows("survey_responses", f"{columns}, line_number")}
    header = export.text.encode().splitlines()[0]
    if data.splitlines()[:1] != [header]:
        return
    for line, text in enumerate(data.decode("utf-8", "replace").splitlines(), 1):
        for raw, cells in export.rows:
            if text == raw and line in landed:
                assert landed[line] == cells


@SETTINGS
@given(st.data())
def test_damaged_text_loses_no_row(data: st.DataObject) -> None:
    export = data.draw(exports())
    damaged = data.draw(damages(export.text.encode()))
    if data.draw(st.booleans()):
        damaged = data.draw(damages(damaged))
    check(damaged, "survey_responses.csv", export)


@SETTINGS
@given(exports())
def test_good_text_lands_whole(export: Export) -> None:
    with tempfile.TemporaryDirectory() as folder:
        warehouse = Warehouse(Path(folder) / "w")
        path = Path(folder) / "survey_responses.csv"
        path.write_text(export.text, encoding="utf-8", newline="")
        (result,) = warehouse.land(path).files
        assert (result.verdict, result.rows_quarantined) == ("accepted", 0)
        assert tuple(row[0] for row in warehouse.rows("survey_responses", "response_id")) == export.keys


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_damaged_containers_and_encodings(data: st.DataObject) -> None:
    export = data.draw(exports())
    kind = data.draw(st.sampled_from(["gz", "zip", "utf-16", "jsonl"]))
    if kind == "gz":
        check(data.draw(damages(gzip.compress(export.text.encode(), mtime=0))), "survey_responses.csv.gz")
    elif kind == "zip":
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("survey_responses.csv", export.text)
        check_container(data.draw(damages(buffer.getvalue())), "survey_responses.zip")
    elif kind == "utf-16":
        check_container(data.draw(damages(export.text.encode("utf-16"))), "survey_responses.csv")
    else:
        lines = "".join(f'{{"response_id": "{key}", "survey": "nps", "responded_at": "x"}}\n' for key in export.keys)
        check_container(data.draw(damages(lines.encode())), "survey_responses.jsonl")


def outcome(data: bytes, folder: str) -> tuple[object, ...]:
    """Return all that landing makes of a file, but for the names of the load."""
    warehouse = Warehouse(Path(folder))
    path = Path(folder) / "survey_responses.csv"
    path.write_bytes(data)
    (result,) = warehouse.land(path).files
    columns = "response_id, account_id, survey, score, comment, responded_at, line_number, record_number"
    rows = warehouse.rows("survey_responses", columns, "record_number") if result.verdict == "accepted" else []
    bad = [(row["line_number"], row["record_number"], row["reason"], row["raw_line"]) for row in warehouse.quarantine()]
    return result, rows, bad


@SETTINGS
@given(st.data())
def test_the_fast_and_the_careful_way_agree_on_damaged_text(data: st.DataObject) -> None:
    export = data.draw(exports())
    damaged = data.draw(st.one_of(st.just(export.text.encode()), damages(export.text.encode())))
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as two:
        for folder in (one, two):
            (Path(folder) / "token.key").write_text("the same key for both")
        fast = outcome(damaged, one)
        with patch.object(DelimitedReader, "_parse_fast", lambda *_: None):
            careful = outcome(damaged, two)
    assert fast == careful


def check_container(data: bytes, name: str) -> None:
    """Land damaged bytes whose lines cannot be compared; the counts must add up all the same."""
    with tempfile.TemporaryDirectory() as folder:
        warehouse = Warehouse(Path(folder) / "w")
        path = Path(folder) / name
        path.write_bytes(data)
        (result,) = warehouse.land(path).files
        assert result.rows_in == result.rows_landed + result.rows_quarantined
        assert (result.verdict == "rejected") == bool(result.reason)
        assert len(warehouse.rows("survey_responses")) == result.rows_landed


def test_every_byte_value_at_every_place_of_a_row() -> None:
    text = (
        "response_id,survey,responded_at,comment\nR0001,nps,2024-01-01,a\n"
        'R0002,nps,2024-01-02,"b, c"\nR0003,nps,2024-01-03,d\n'
    )
    data = text.encode()
    start = data.index(b"R0002")
    for place in range(start, start + 10):
        for value in (0, 9, 10, 13, 34, 44, 59, 124, 128, 255):
            check(data[:place] + bytes([value]) + data[place + 1 :], "survey_responses.csv")


def test_tokens_do_not_hide_rows() -> None:
    assert Tokens(b"k" * 16).text("R0001") == "R0001"
