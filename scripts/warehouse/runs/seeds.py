"""`--to-seeds`: mapped and cleaned exports as seed files, so that plain dbt runs on a company's own data."""

import csv
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from warehouse.contract import CONTRACT_FILES, Entity, entities, is_laid_out, seed_file
from warehouse.erasing.landing import drop_remembered
from warehouse.errors import WarehouseError
from warehouse.landing import zone
from warehouse.landing.messages import printable
from warehouse.landing.personal_data import Tokens, token_key
from warehouse.landing.report import Options, Report
from warehouse.landing.taking import files_of, iterate_rows, take_all
from warehouse.paths import PROJECT_DIR, WarehousePaths

LARGEST_SEED = 1_000_000
# The delivery of rows that name none, as staging has it. The contract types the column: dbt warns where it is missing.
_LOAD = "seed"


def write_seeds(
    root: Path,
    inputs: list[Path],
    options: Options,
    folder: Path,
    overwrites_tracked: bool,
    on_file: Callable[[str], Callable[[int], None]],
) -> Report:
    """Write a seed for every entity: header only when not delivered, as shipped for a reference not delivered.

    Nothing is landed and nothing is written when a file is rejected. `root` holds the key of the tokens. In a
    folder with the subfolders `raw` and `reference` each seed goes where the project keeps it; into any other
    folder go the files of the input contract as well, so that dbt reads it with WAREHOUSE_SEEDS. Raises
    WarehouseError when a seed would exceed 1 MB or replace a file that git tracks without
    `overwrites_tracked`, and when the folder cannot be written.
    """
    with tempfile.TemporaryDirectory(prefix="warehouse-seeds-") as private:
        report, deliveries = _read_privately(root, Path(private), inputs, options, on_file)
        if report.has_rejected:
            return report
        wanted = [each for each in entities().values() if each.name in deliveries or not each.is_reference]
        targets = {entity.name: seed_file(folder, entity) for entity in wanted}
        if not overwrites_tracked:
            tracked = _tracked([target for target in targets.values() if target.exists()])
            if tracked:
                raise WarehouseError(
                    f"{len(tracked)} of the seeds are tracked by git ({printable(tracked[0].name, 40)}, …): "
                    "choose another folder, or give --overwrite"
                )
        written = {entity.name: Path(private) / f"{entity.seed}.csv" for entity in wanted}
        for entity in wanted:
            _write(written[entity.name], entity, deliveries.get(entity.name, []))
        try:
            _put_in_place(folder, written, targets)
        except OSError as error:
            raise WarehouseError(
                f"cannot write seeds to {folder} ({error.strerror or 'disk error'}): give another folder to --to-seeds"
            ) from None
    return report


def _read_privately(
    root: Path,
    private: Path,
    inputs: list[Path],
    options: Options,
    on_file: Callable[[str], Callable[[int], None]],
) -> tuple[Report, dict[str, list[Path]]]:
    """Read files as `land` does, into the private folder only, and without the customers erased below `root`.

    Return the report and the Parquet files by entity.
    """
    files, skipped = files_of(inputs, options)
    stamp = zone.new_stamp([])
    deliveries = take_all(files, options, private, stamp, Tokens(token_key(root)), [], on_file)
    if deliveries.accepted:
        drop_remembered(WarehousePaths(root), private, deliveries.accepted)
    by_entity: dict[str, list[Path]] = {}
    for taken in deliveries.accepted:
        by_entity.setdefault(taken.registry["entity"], []).append(taken.path)
    return Report(None, deliveries.results, skipped + deliveries.skipped, deliveries.reasons()), by_entity


def _put_in_place(folder: Path, written: dict[str, Path], targets: dict[str, Path]) -> None:
    """Copy the written seeds, by entity, to where they belong, each of them whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    if not is_laid_out(folder):
        _complete(folder, {entities()[name].seed for name in written})
    for name, target in targets.items():
        target.parent.mkdir(parents=True, exist_ok=True)
        beside = target.with_name(f".{secrets.token_hex(6)}.csv")
        shutil.copyfile(written[name], beside)
        beside.replace(target)


def _complete(folder: Path, written: set[str]) -> None:
    """Add what dbt needs beside the written seeds: the input contract and the references not delivered."""
    for name in CONTRACT_FILES:
        shutil.copyfile(PROJECT_DIR / name, folder / Path(name).name)
    for entity in entities().values():
        target = folder / f"{entity.seed}.csv"
        if entity.is_reference and entity.seed not in written and not target.exists():
            shutil.copyfile(PROJECT_DIR / "seeds" / "reference" / target.name, target)


def _tracked(targets: list[Path]) -> list[Path]:
    """Return which of the files git tracks; without git none is."""
    found = []
    for target in targets:
        try:
            done = subprocess.run(  # noqa: S603 - fixed arguments, no shell
                ["git", "-C", str(target.parent), "ls-files", "--error-unmatch", "--", target.name],  # noqa: S607
                capture_output=True,
                check=False,
            )
        except OSError:
            return []
        if done.returncode == 0:
            found.append(target)
    return found


def _too_large(entity: Entity) -> str:
    return f"{entity.name} is too large for a seed (1 MB at most): land it without --to-seeds"


def _write(target: Path, entity: Entity, deliveries: list[Path]) -> None:
    """Write one seed. `line_number` is the line of the seed file itself, so that a row can be found there."""
    line, size = 2, 0
    load = [] if entity.is_reference else [_LOAD]
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*entity.column_names, *(["load_id"] if load else []), "line_number"])
        for batch in iterate_rows(deliveries):
            columns = [batch.column(name).to_pylist() for name in entity.column_names]
            for cells in zip(*columns, strict=True):
                # Line breaks of every kind become one, so that a line number means the same to every reader.
                texts = ["" if cell is None else "\n".join(cell.splitlines()) for cell in cells]
                writer.writerow([*texts, *load, line])
                line += 1 + sum(text.count("\n") for text in texts)
                size += sum(len(text.encode()) for text in texts) + len(texts)
                if size >= LARGEST_SEED:
                    raise WarehouseError(_too_large(entity))
    if target.stat().st_size >= LARGEST_SEED:
        raise WarehouseError(_too_large(entity))
