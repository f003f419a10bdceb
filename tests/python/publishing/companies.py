"""Small marts files made without dbt, in which every mart carries the mark of its run."""

from collections.abc import Sequence
from pathlib import Path

import duckdb

from warehouse.files import digest
from warehouse.paths import WarehousePaths
from warehouse.publishing.compact import compact_copy
from warehouse.publishing.versions import FILE, Version, keep_version, new_version_folder, next_sequence

MARKED = ("retention_rate", "nps", "customer_lifetime_value")
ODD_TEXTS = [
    "",
    None,
    "\\N",
    'say "hi"',
    "a,b",
    "two\nlines",
    "\\",
    "\\.",
    " blank ",
    "עברית",
    "مرحبا",
    "Nur 'Ain",
    "NULL",
]


def write_marts(path: Path, run_id: str, rows: int = 50, as_of: str = "2025-07-01", more: Sequence[str] = ()) -> None:
    """Write a marts file: three marts of `rows` rows with the mark of the run, mart_run, and what `more` creates."""
    with duckdb.connect() as connection:
        connection.execute(f"attach '{path}' as made (storage_version 'v1.2.0')")
        connection.execute("create schema made.marts")
        connection.execute(
            f"create table made.marts.mart_run as select '{run_id}' as run_id, date '{as_of}' as as_of, "
            "180 as inactivity_days, 'seeds' as input_kind"
        )
        for mart in MARKED:
            connection.execute(
                f"create table made.marts.{mart} as select '{run_id}' as run_mark, "
                f"'A' || i as account_id, i / 7 as value from range({rows}) as made_of(i)"
            )
        connection.execute("create table made.marts.odd_texts (place integer, text varchar)")
        connection.executemany("insert into made.marts.odd_texts values (?, ?)", list(enumerate(ODD_TEXTS)))
        connection.execute("comment on table made.marts.nps is 'Net promoter score'")
        connection.execute("comment on column made.marts.nps.value is 'It''s a value'")
        for statement in more:
            connection.execute(statement)


def keep(
    paths: WarehousePaths, run_id: str, rows: int = 50, as_of: str = "2025-07-01", more: Sequence[str] = ()
) -> Version:
    """Keep a version made of such marts."""
    paths.root.mkdir(parents=True, exist_ok=True)
    marts = paths.root / f"{run_id}.made.duckdb"
    write_marts(marts, run_id, rows, as_of, more)
    prepared = new_version_folder(paths, run_id)
    fingerprints = compact_copy(marts, prepared / FILE)
    marts.unlink()
    record = {
        "run_id": run_id,
        "sequence": next_sequence(paths),
        "as_of": as_of,
        "inactivity_days": 180,
        "audited_at": "2025-07-01 00:00:00",
        "input_kind": "seeds",
        "loads": [],
        "variables": {},
        "accepted_change": False,
        "unmapped_stages": {},
        "bytes": (prepared / FILE).stat().st_size,
        "sha256": digest(prepared / FILE),
        "marts": fingerprints,
        "keys": {"mart_run": ["run_id"], "nps": ["account_id"], "odd_texts": ["place", "text"]},
    }
    (prepared / FILE).chmod(0o444)
    return keep_version(paths, prepared, run_id, record, [])


def marks(file: Path) -> set[str]:
    """Return the marks of all marts over one connection: more than one mark is a mixed read."""
    with duckdb.connect(str(file), read_only=True) as connection:
        found = {connection.execute("select run_id from marts.mart_run").fetchall()[0][0]}
        for mart in MARKED:
            found |= {row[0] for row in connection.execute(f"select distinct run_mark from marts.{mart}").fetchall()}
    return found


def damage(file: Path) -> None:
    """Overwrite the middle of a file, as a failing disk or a careless copy does."""
    file.chmod(0o644)
    size = file.stat().st_size
    with file.open("r+b") as opened:
        opened.seek(size // 3)
        opened.write(b"\xff" * (size // 3))
