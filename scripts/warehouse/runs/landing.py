"""One call of `warehouse land`.

Every file is judged by itself, and what is accepted becomes visible at once.
"""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

from warehouse.erasing.landing import drop_remembered
from warehouse.errors import WarehouseError
from warehouse.landing import zone
from warehouse.landing.full_deliveries import hold_full_deliveries
from warehouse.landing.personal_data import Tokens, token_key
from warehouse.landing.report import FileResult, Options, Report
from warehouse.landing.taking import files_of, take_all
from warehouse.paths import WarehousePaths


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
    files, skipped = files_of(inputs, options)
    with zone.locked(paths):
        zone.ensure_landing_zone(paths)
        zone.sweep(paths)
        loads = zone.read_loads(paths)
        stamp = zone.new_stamp(loads)
        private = paths.landing / zone.UNFINISHED / stamp.load_id
        private.mkdir(parents=True)
        try:
            tokens = Tokens(token_key(paths.root))
            deliveries = take_all(files, options, private, stamp, tokens, loads, on_file, paths)
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
