"""Takes the files of one call into a private folder, each judged by itself."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from warehouse.errors import WarehouseError
from warehouse.landing import zone
from warehouse.landing.deliveries import Deliveries, no_part_of
from warehouse.landing.files import FILE_TYPES, Delivered, list_files, name_inside
from warehouse.landing.full_deliveries import complete_full_deliveries
from warehouse.landing.mapping import Mapping
from warehouse.landing.messages import FileRejectedError
from warehouse.landing.personal_data import Tokens
from warehouse.landing.placeholders import refuse_placeholders
from warehouse.landing.report import Options
from warehouse.paths import WarehousePaths

_NO_FILES = f"no export files there: give {FILE_TYPES} files"


def _why_skipped(delivered: Delivered, mapping: Mapping) -> str | None:
    """Return why a file that a folder brought along is no business of the mapping, None when it may be."""
    names = [rule for rule in mapping.files if rule.names]
    outer = re.sub(r"\.(gz|zip)$", "", delivered.path.name, flags=re.IGNORECASE)
    if not delivered.is_from_folder or len(names) < len(mapping.files) or any(rule.fits_name(outer) for rule in names):
        return None
    try:
        inner = name_inside(delivered.path)
    except FileRejectedError as error:
        return str(error)
    return None if any(rule.fits_name(inner) for rule in names) else no_part_of(mapping, delivered)


def files_of(inputs: list[Path], options: Options) -> tuple[list[Delivered], list[tuple[str, str]]]:
    """Return the files to read, and those that are skipped, with the reason.

    Raises WarehouseError when there is none to read.
    """
    files, skipped = list_files(inputs)
    if options.mapping is not None:
        refuse_placeholders(options.mapping)
        reasons = {each.name: _why_skipped(each, options.mapping) for each in files}
        skipped += [(name, reason) for name, reason in reasons.items() if reason is not None]
        files = [each for each in files if reasons[each.name] is None]
    if not files:
        raise WarehouseError(_NO_FILES)
    return files, skipped


def take_all(
    files: list[Delivered],
    options: Options,
    private: Path,
    stamp: zone.LoadStamp,
    tokens: Tokens,
    loads: list[dict[str, Any]],
    on_file: Callable[[str], Callable[[int], None]],
    paths: WarehousePaths | None = None,
) -> Deliveries:
    """Read all files into the private folder; what is accepted and what is rejected is in what is returned.

    Raises WarehouseError when no file was meant for the mapping.
    """
    deliveries = Deliveries(options, private, stamp, tokens, loads, paths)
    for delivered in files:
        deliveries.take(delivered, on_file(delivered.name))
    if not deliveries.results:
        raise WarehouseError(_NO_FILES)
    complete_full_deliveries(deliveries, on_file)
    if options.mapping is not None and any(result.verdict == "accepted" for result in deliveries.results):
        deliveries.provide(options.mapping)
    return deliveries


def iterate_rows(paths: list[Path]) -> Iterator[pa.RecordBatch]:
    """Yield the rows of private files in order."""
    for path in paths:
        yield from pq.ParquetFile(path).iter_batches()
