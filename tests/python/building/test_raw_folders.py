"""A build from raw folders: what was landed before is neither read nor kept for it."""

from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as parquet

from building.conftest import Command
from warehouse.building.inputs import FOLDERS


def test_raw_folders_stand_in_for_what_was_landed(tmp_path: Path) -> None:
    command = Command(tmp_path / "warehouse")
    landed = tmp_path / "orders.csv"
    landed.write_text("order_id,account_id,ordered_at,amount\nlanded,a,2024-01-05,10\n", encoding="utf-8")
    command.run("land", landed)
    folder = tmp_path / "raw" / "orders"
    folder.mkdir(parents=True)
    orders = {
        "order_id": ["raw-1", "raw-2", "raw-3"],
        "account_id": ["b", "b", "ג"],
        "ordered_at": ["2024-01-05", "2024-03-05", "2024-02-05"],
        "amount": ["1", "2", "4"],
    }
    parquet.write_table(pa.table(orders), folder / "part.parquet")
    variables = f"{{raw_folders: {{orders: {folder}}}, raw_format: parquet, inactivity_days: 60}}"
    built = command.run("build", "--vars", variables)
    assert "building from the folders of raw_folders; what was landed is left aside" in built.stdout
    assert command.json("status")["run"]["input_kind"] == FOLDERS
    with duckdb.connect(str(command.paths.published_file), read_only=True) as connection:
        found = connection.execute(
            "select account_id, historical_value from marts.customer_lifetime_value order by account_id"
        ).fetchall()
    assert [row[0] for row in found] == ["b", "ג"]
    assert not (command.paths.builds / "kept_rows" / "kept.json").exists()
