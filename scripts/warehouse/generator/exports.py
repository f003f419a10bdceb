"""Writes the exports of a company of any size, one file per entity, block by block."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from warehouse.contract import entities
from warehouse.generator import tables
from warehouse.generator.company import Company

WORKERS = 2
# Longest first, so that both workers end at about the same time.
_BY_SIZE = ("activities", "orders", "deal_stage_history", "survey_invitations", "deals", "survey_responses")


def write_parquet(company: Company, entity: str, path: Path) -> int:
    """Write one entity as Parquet, all columns text, one row group per block; return the number of rows."""
    schema = pa.schema([(name, pa.string()) for name in entities()[entity].column_names])
    # Ids hardly repeat: a dictionary of them would only be thrown away again.
    unique = entities()[entity].key[0] if entity in tables.BLOCK_TABLES else ""
    dictionary = [name for name in schema.names if name not in (unique, "email")]
    rows = 0
    with pq.ParquetWriter(path, schema, compression="zstd", compression_level=1, use_dictionary=dictionary) as writer:
        for table in tables.blocks(company, entity):
            writer.write_table(table, row_group_size=max(table.num_rows, 1))
            rows += table.num_rows
    return rows


def write_csv(company: Company, entity: str, path: Path) -> int:
    """Write one entity as CSV (UTF-8, LF, quotes only where needed); return the number of rows."""
    names = entities()[entity].column_names
    rows = 0
    with path.open("wb") as file:
        file.write((",".join(names) + "\n").encode())
        options = pa.csv.WriteOptions(include_header=False, quoting_style="needed")
        for table in tables.blocks(company, entity):
            pa.csv.write_csv(table, file, options)
            rows += table.num_rows
    return rows


WRITERS: dict[str, Callable[[Company, str, Path], int]] = {"csv": write_csv, "parquet": write_parquet}


def write_exports(company: Company, out: Path, file_format: str, done: Callable[[str, int], None]) -> dict[str, int]:
    """Write every entity into `out`; `done` hears each finished entity and its rows.

    Returns the rows per entity.
    """
    out.mkdir(parents=True, exist_ok=True)
    order = sorted(entities(), key=lambda name: _BY_SIZE.index(name) if name in _BY_SIZE else len(_BY_SIZE))

    def write(entity: str) -> int:
        rows = WRITERS[file_format](company, entity, out / f"{entity}.{file_format}")
        done(entity, rows)
        return rows

    with ThreadPoolExecutor(WORKERS) as pool:
        counts = dict(zip(order, pool.map(write, order), strict=True))
    return {name: counts[name] for name in entities()}
