"""One call of `warehouse land`.

Every file is judged by itself, and what is accepted becomes visible at once.
"""

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from warehouse.erasing.landing import drop_remembered
from warehouse.errors import WarehouseError
from warehouse.landing import zone
from warehouse.landing.deliveries import Deliveries, no_part_of
from warehouse.landing.files import FILE_TYPES, Delivered, list_files, name_inside
from warehouse.landing.full_deliveries import complete_full_deliveries, hold_full_deliveries
from warehouse.landing.mapping import Mapping
from warehouse.landing.messages import FileRejectedError
from warehouse.landing.personal_data import Tokens, token_key
from warehouse.landing.placeholders import refuse_placeholders
from warehouse.landing.report import FileResult, Options, Report
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


def _files_of(inputs: list[Path], options: Options) -> tuple[list[Delivered], list[tuple[str, str]]]:
    files, skipped = list_files(inputs)
    if options.mapping is not None:
        refuse_placeholders(options.mapping)
        reasons = {each.name: _why_skipped(each, options.mapping) for each in files}
        skipped += [(name, reason) for name, reason in reasons.items() if reason is not None]
        files = [each for each in files if reasons[each.name] is None]
    if not files:
        raise WarehouseError(_NO_FILES)
    return files, skipped


def land(
    paths: WarehousePaths,
    inputs: list[Path],
    options: Options,
    on_file: Callable[[str], Callable[[int], None]],
) -> Report:
    """Land files into the landing zone.

    Accepted files become visible together; a rejected one leaves nothing behind. `on_file` is called with the
    name of each file and returns what is called with each number of rows read. Raises WarehouseError when the
    landing zone itself cannot be used.
    """
    files, skipped = _files_of(inputs, options)
    with zone.locked(paths):
        zone.ensure_landing_zone(paths)
        zone.sweep(paths)
        loads = zone.read_loads(paths)
        stamp = zone.new_stamp(loads)
        private = paths.landing / zone.UNFINISHED / stamp.load_id
        private.mkdir(parents=True)
        try:
            tokens = Tokens(token_key(paths.root))
            deliveries = _take_all(files, options, private, stamp, tokens, loads, on_file, paths)
            hold_full_deliveries(deliveries, paths)
            load_id = stamp.load_id if deliveries.accepted else None
            if deliveries.accepted:
                # A redelivery does not bring an erased customer back.
                drop_remembered(paths, private, deliveries.accepted)
                zone.commit(paths, private, stamp, [taken.registry for taken in deliveries.accepted])
        except OSError as error:
            raise WarehouseError(f"the warehouse folder cannot be written ({error.strerror or 'disk error'})") from None
        finally:
            shutil.rmtree(private, ignore_errors=True)
    skipped += deliveries.skipped
    return Report(load_id or _replayed_load(deliveries.results), deliveries.results, skipped, deliveries.reasons())


def _replayed_load(results: list[FileResult]) -> str | None:
    loads = {
        found.group(1)
        for result in results
        for note in result.repairs[:1]
        if (found := re.match(r"already landed in load (\S+):", note))
    }
    return loads.pop() if len(loads) == 1 else None


def _take_all(
    files: list[Delivered],
    options: Options,
    private: Path,
    stamp: zone.LoadStamp,
    tokens: Tokens,
    loads: list[dict[str, Any]],
    on_file: Callable[[str], Callable[[int], None]],
    paths: WarehousePaths | None = None,
) -> Deliveries:
    deliveries = Deliveries(options, private, stamp, tokens, loads, paths)
    for delivered in files:
        deliveries.take(delivered, on_file(delivered.name))
    if not deliveries.results:
        raise WarehouseError(_NO_FILES)
    complete_full_deliveries(deliveries, on_file)
    if options.mapping is not None and any(result.verdict == "accepted" for result in deliveries.results):
        deliveries.provide(options.mapping)
    return deliveries


def read_privately(
    root: Path,
    private: Path,
    inputs: list[Path],
    options: Options,
    on_file: Callable[[str], Callable[[int], None]],
) -> tuple[Report, dict[str, list[Path]]]:
    """Read files as `land` does, into the private folder only, and without the customers erased below `root`.

    Return the report and the Parquet files by entity.
    """
    files, skipped = _files_of(inputs, options)
    stamp = zone.new_stamp([])
    deliveries = _take_all(files, options, private, stamp, Tokens(token_key(root)), [], on_file)
    if deliveries.accepted:
        drop_remembered(WarehousePaths(root), private, deliveries.accepted)
    by_entity: dict[str, list[Path]] = {}
    for taken in deliveries.accepted:
        by_entity.setdefault(taken.registry["entity"], []).append(taken.path)
    return Report(None, deliveries.results, skipped + deliveries.skipped, deliveries.reasons()), by_entity


def iterate_rows(paths: list[Path]) -> Iterator[pa.RecordBatch]:
    """Yield the rows of private files in order."""
    for path in paths:
        yield from pq.ParquetFile(path).iter_batches()
