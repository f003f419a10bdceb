"""The command itself: its output, its exit status, seeds and explanations."""

import csv
import json
import re
import subprocess
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from landing.conftest import ORDERS, shared
from warehouse.cli import SHOW_TRACEBACK, app, main
from warehouse.contract import entities
from warehouse.errors import WarehouseError
from warehouse.landing import zone
from warehouse.landing.mapping import load_mapping
from warehouse.paths import PROJECT_DIR, warehouse_paths

Write = Callable[..., Path]


@pytest.fixture(autouse=True)
def own_warehouse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAREHOUSE_DIR", str(tmp_path / "warehouse"))
    monkeypatch.delenv("WAREHOUSE_TOKEN_KEY", raising=False)


def run(*arguments: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["land", *map(str, arguments)])
    return result.exit_code, result.stdout, result.stderr


def test_json_is_one_object_and_nothing_else(write: Write) -> None:
    status, out, _ = run(write("orders.csv", ORDERS), write("deals.csv", "a\n1\n"), "--json")
    report = json.loads(out)
    assert status == 1
    assert set(report) >= {"load_id", "files"}
    assert set(report["files"][0]) == {
        "file", "entity", "verdict", "reason", "rows_in", "rows_landed", "rows_quarantined", "repairs",
    }  # fmt: skip
    assert [each["verdict"] for each in report["files"]] == ["accepted", "rejected"]
    assert (report["files"][1]["entity"], report["files"][1]["rows_in"]) == ("deals", 0)


def test_one_line_per_file_for_people(write: Write) -> None:
    status, out, _ = run(write("orders.csv", ORDERS + "O9,torn\n"))
    assert status == 0
    assert "orders.csv -> orders: 4 rows in, 3 landed, 1 quarantined" in out
    assert "1 ragged_row" in out


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["x.csv", "--entity", "order"],
        ["x.csv", "--exported-at", "soon"],
        ["x.csv", "--exported-at", "0001-01-01T00:00:00+05:00"],
        ["x.csv", "--explain", "--json"],
        ["x.csv", "--nonsense"],
        ["x.csv", "--source", "nonsense"],
        ["x.csv", "--source", "nowhere.yml"],
        # What a shell makes of an unset variable is not the folder one is in.
        [""],
    ],
)
def test_wrong_usage(arguments: list[str]) -> None:
    assert run(*arguments)[0] == 2


def test_a_path_that_is_not_there_says_so(tmp_path: Path) -> None:
    status, out, _ = run(tmp_path / "exprots")
    assert (status, "rejected  exprots: there is no such file or folder" in out) == (1, True)
    (tmp_path / "notes.pdf").write_text("x")
    assert "unknown file type: give .csv, .tsv, .txt, .jsonl, .ndjson, " in run(tmp_path / "notes.pdf")[1]


@pytest.mark.parametrize(
    "command", [command.callback.__name__ for command in app.registered_commands if command.callback]
)
def test_the_help_of_every_command_has_an_example(command: str) -> None:
    text = CliRunner().invoke(app, [command, "--help"]).output
    assert f"warehouse {command}" in text.split("For example:")[1]


def test_a_folder_for_seeds_that_cannot_be_one(write: Write, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("", "utf-8")
    with pytest.raises(WarehouseError, match=r"cannot write seeds to .*give another folder"):
        CliRunner().invoke(
            app, ["land", str(write("orders.csv", ORDERS)), "--to-seeds", str(tmp_path / "taken")],
            catch_exceptions=False,
        )  # fmt: skip


def test_a_damaged_registry_is_named(write: Write, tmp_path: Path) -> None:
    run(write("orders.csv", ORDERS))
    (registry,) = (
        path for path in (tmp_path / "warehouse/landing/_loads").glob("*.parquet") if path.name != zone.EMPTY_FILE
    )
    registry.write_bytes(b"PAR1 and no more")
    with pytest.raises(WarehouseError, match=rf"{registry.name} is damaged"):
        CliRunner().invoke(app, ["land", str(write("deals.csv", "deal_id,stage\nD1,Won\n"))], catch_exceptions=False)


def test_a_damaged_landed_file_is_named(write: Write, tmp_path: Path) -> None:
    path = write("orders.csv", ORDERS + "O9,torn\n")
    run(path, "--full")
    (landed,) = (path for path in (tmp_path / "warehouse/landing/orders").glob("*.parquet") if path.name[0] == "0")
    landed.write_bytes(b"PAR1 and no more")
    path.write_text(ORDERS, "utf-8")
    with pytest.raises(WarehouseError, match="a landed file of orders cannot be read"):
        CliRunner().invoke(app, ["land", str(path), "--full"], catch_exceptions=False)
    published = tmp_path / "warehouse/published/warehouse.duckdb"
    published.parent.mkdir()
    published.write_bytes(b"no database")
    with pytest.raises(WarehouseError, match="`warehouse rollback` brings it back"):
        CliRunner().invoke(app, ["quarantine"], catch_exceptions=False)


def test_with_json_a_refusal_is_one_object_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.setattr("sys.argv", ["warehouse", "land", str(tmp_path / "empty"), "--json"])
    with pytest.raises(SystemExit) as stopped:
        main()
    out, errors = capsys.readouterr()
    assert stopped.value.code == 1
    assert errors == f"error: {json.loads(out)['error']}\n"
    assert "no export files there" in errors


def noted(message: str) -> str:
    """Return what the file says that a message names."""
    found = re.search(r"\S+\.txt", message)
    assert found
    path = Path(found.group())
    assert path.parent == warehouse_paths().logs
    return path.read_text()


def test_an_error_of_ours_in_a_file_is_noted_without_a_value(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        try:
            raise KeyError("secret@private.example")
        except KeyError as error:
            raise RuntimeError("secret@private.example") from error

    monkeypatch.setattr("warehouse.landing.deliveries.load_lookups", broken)
    status, out, _ = run(write("orders.csv", ORDERS), "--json")
    reason = json.loads(out)["files"][0]["reason"]
    assert status == 1
    assert reason.startswith("cannot be read (RuntimeError): the file is damaged or of an unknown shape; ")
    lines = noted(reason).splitlines()
    frame = re.compile(r"  \S.*\.py:\d+:\w+")
    assert [line for line in lines if not frame.fullmatch(line)] == ["builtins.KeyError", "builtins.RuntimeError"]
    assert lines[-1].endswith(":broken")
    assert any(line.endswith(":take") for line in lines)


def test_where_nothing_can_be_noted_the_error_is_told(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("warehouse.landing.deliveries.load_lookups", broken)
    warehouse_paths().root.mkdir()
    warehouse_paths().logs.write_text("a file where the folder should be")
    _, out, _ = run(write("orders.csv", ORDERS), "--json")
    reason = json.loads(out)["files"][0]["reason"]
    assert reason == "cannot be read (RuntimeError): the file is damaged or of an unknown shape"


def test_an_unforeseen_error_is_one_line_that_quotes_nothing(
    write: Write, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("secret@private.example")

    monkeypatch.setattr("warehouse.landing.taking.list_files", broken)
    monkeypatch.setattr("sys.argv", ["warehouse", "land", str(write("orders.csv", ORDERS))])
    with pytest.raises(SystemExit) as stopped:
        main()
    errors = capsys.readouterr().err
    assert stopped.value.code == 1
    assert errors.startswith("error: unforeseen RuntimeError in broken, line ")
    assert (errors.count("\n"), "secret" in errors) == (1, False)
    assert (":broken\n" in noted(errors), "secret" in noted(errors)) == (True, False)
    monkeypatch.setenv(SHOW_TRACEBACK, "1")
    with pytest.raises(RuntimeError):
        main()


def test_an_entity_by_name_and_a_folder(write: Write) -> None:
    status, out, _ = run(write("export.csv", ORDERS), "--entity", "orders", "--json")
    assert (status, json.loads(out)["files"][0]["rows_landed"]) == (0, 3)
    write("accounts.csv", "account_id\nA1\n", "many")
    write("notes.pdf", "x", "many")
    folder = write(".hidden.csv", "x", "many").parent
    status, out, _ = run(folder, "--json")
    assert status == 0
    assert [each["file"] for each in json.loads(out)["skipped"]] == ["notes.pdf"]


def test_seeds_for_every_entity(tmp_path: Path) -> None:
    seeds = tmp_path / "seeds"
    status, _, _ = run(shared("data") / "maven_crm", "--source", "maven_crm", "--to-seeds", seeds)
    assert status == 0
    # All that dbt needs to read the folder: a seed per entity, and the contract.
    assert {path.name for path in seeds.iterdir()} == {
        *(f"{entity.seed}.csv" for entity in entities().values()),
        "_raw__seeds.yml",
        "_reference__seeds.yml",
    }
    with (seeds / "raw_deals.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == [*entities()["deals"].column_names, "load_id", "line_number"]
    assert len(rows) == 8_801
    assert [row[-1] for row in rows[1:4]] == ["2", "3", "4"]
    first = {path.name: path.read_bytes() for path in seeds.iterdir()}
    run(shared("data") / "maven_crm", "--source", "maven_crm", "--to-seeds", seeds)
    assert {path.name: path.read_bytes() for path in seeds.iterdir()} == first
    assert not (tmp_path / "warehouse" / "landing").exists()


def test_seeds_that_are_too_large_or_tracked(tmp_path: Path, write: Write) -> None:
    many = ORDERS + "".join(f"X{number},A1,2024-01-01,1,USD\n" for number in range(60_000))
    result = CliRunner().invoke(app, ["land", str(write("orders.csv", many)), "--to-seeds", str(tmp_path / "seeds")])
    assert result.exit_code == 1
    assert "too large" in str(result.exception)
    assert not (tmp_path / "seeds").exists()
    repo = tmp_path / "repo"
    for folder in ("raw", "reference"):
        (repo / "seeds" / folder).mkdir(parents=True)
    (repo / "seeds" / "raw" / "raw_orders.csv").write_text("mine\n")
    for command in (["init", "-q"], ["add", "."]):
        subprocess.run(["git", "-C", str(repo), *command], check=True)
    small = str(write("orders_small.csv", ORDERS))
    refused = CliRunner().invoke(app, ["land", small, "--to-seeds", str(repo / "seeds")])
    assert "tracked" in str(refused.exception)
    assert (repo / "seeds" / "raw" / "raw_orders.csv").read_text() == "mine\n"
    assert run(small, "--to-seeds", repo / "seeds", "--overwrite")[0] == 0
    assert (repo / "seeds" / "raw" / "raw_orders.csv").read_text().startswith("order_id")


def test_explain_proposes_a_mapping_that_works(write: Write, tmp_path: Path) -> None:
    text = "Order Number,Customer ID,Order Date,Total,Note\n1,A1,2024-01-01,5,x\n"
    export = write("orders_shop.csv", text)
    status, out, err = run("--explain", export)
    assert status == 0
    assert "orders" in err
    assert "2024-01-01" not in out + err
    proposed = yaml.safe_load(out)
    columns = proposed["files"][0]["entities"][0]["columns"]
    assert columns == {
        "order_id": "Order Number", "account_id": "Customer ID", "ordered_at": "Order Date",
        "amount": "Total",
    }  # fmt: skip
    assert "\n# Columns of the file that nothing takes yet: 'Note'\n# Columns of orders that nothing gives yet: " in out
    mapping = tmp_path / "shop.yml"
    mapping.write_text(out)
    assert load_mapping(str(mapping)).files
    assert run(export, "--source", mapping)[0] == 0


def test_a_proposed_mapping_lands_only_when_it_is_filled_in(write: Write, tmp_path: Path) -> None:
    export = write("orders_shop.csv", "Order Number,Order Date,Total\n1,2024-01-01,5\n")
    _, proposed, _ = run("--explain", export)
    mapping = tmp_path / "shop.yml"
    unfilled = ["CHOOSE", {"first_filled": ["Order Number", {"from": "Total", "default": "CHOOSE"}]}]
    for rule in (None, *unfilled):
        document = yaml.safe_load(proposed)
        if rule is not None:
            document["files"][0]["entities"][0].pop("constants")
            document["files"][0]["entities"][0]["columns"]["account_id"] = rule
        mapping.write_text(yaml.safe_dump(document))
        for further in ((), ("--to-seeds", tmp_path / "seeds")):
            result = CliRunner().invoke(app, [str(each) for each in ("land", export, "--source", mapping, *further)])
            assert result.exit_code == 1
            assert str(result.exception) == (
                "the mapping my_source: file 1, orders, account_id: still says CHOOSE: "
                "replace it by a constant, or map a column"
            )
    assert not (tmp_path / "warehouse" / "landing").exists()
    mapping.write_text(proposed.replace("CHOOSE", "the shop"))
    assert run(export, "--source", mapping)[0] == 0


def test_explain_names_the_columns_of_a_header_in_any_language(write: Write) -> None:
    _, out, _ = run("--explain", write("عملاء.csv", "معرف,שם,ada@example.com\n1,2,3\n"), "--entity", "products")
    assert out.splitlines()[-2:] == [
        "# Columns of the file that nothing takes yet: 'معرف', 'שם', column 3",
        f"# Columns of products that nothing gives yet: {', '.join(entities()['products'].column_names)}",
    ]


# A delivery of answers that lost its first line.
HEADERLESS = "R1,A1,nps,2024-01-05,9,Jane Roe hates the product,Jane Roe\nR2,A2,nps,2024-01-06,3,Loves it,John Doe\n"


def test_a_record_in_the_place_of_the_header_is_never_shown(write: Write) -> None:
    export = write("survey_responses_2.csv", HEADERLESS)
    _, out, err = run("--explain", export)
    assert "# Columns of the file that nothing takes yet: column 1, column 2, column 3" in out
    assert "its first line looks like a record" in err
    keyed = {"entity": "survey_responses", "columns": {"response_id": {"generated": True}}}
    constants = {"survey": "nps", "responded_at": "2024-01-01"}
    rules = [
        # Nothing is looked for by its name, or only what no file has to have.
        {**keyed, "constants": constants},
        {**keyed, "constants": constants, "columns": {**keyed["columns"], "comment": "Why"}},
        # A name that stands in the record by chance.
        {**keyed, "constants": constants, "columns": {"response_id": "R1"}},
        # One that is sought, and like a cell.
        {**keyed, "constants": constants, "columns": {"response_id": "Jane Roe's key"}},
    ]
    for number, rule in enumerate(rules):
        document = {"source": f"answers_{number}", "files": [{"name": "*.csv", "entities": [rule]}]}
        mapping = write(f"answers_{number}.yml", yaml.safe_dump(document), folder="mappings")
        shown = CliRunner().invoke(app, [str(each) for each in ("land", export, "--source", mapping)]).output
        assert "columns left out: column" in shown or "is missing" in shown
        out += shown
    _, plain, _ = run(export)
    assert "has no header of survey_responses" in plain
    kept = "".join(str(row["repairs"]) for row in zone.read_loads(warehouse_paths()))
    assert "columns left out: column 2" in kept
    assert "Jane" not in (out + err + plain + kept).replace("Jane Roe's key", "")


def test_explain_knows_the_shipped_mappings() -> None:
    status, _, err = run("--explain", shared("data") / "carpentries")
    assert status == 0
    assert "carpentries" in err
    assert "LikelyToRecommend" in err


def test_the_version_is_that_of_the_project() -> None:
    project = tomllib.loads((PROJECT_DIR / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    result = CliRunner().invoke(app, ["--version"])
    assert (result.exit_code, result.stdout) == (0, f"warehouse {project['version']}\n")
