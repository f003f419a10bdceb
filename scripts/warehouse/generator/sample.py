"""The sample company: a small clean company, delivered twice, plus one row or more for every oddity."""

import csv
import io
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from warehouse.contract import CONTRACT_FILES, entities
from warehouse.errors import WarehouseError
from warehouse.generator import tables
from warehouse.generator.company import Company, add_months
from warehouse.generator.reference import Row
from warehouse.paths import PROJECT_DIR

SEED_BYTES_LIMIT = 1_000_000
ADDRESS_COLUMNS = ("load_id", "line_number")
# The instant that decides with which delivery a row comes. Entities without one come with the first.
DELIVERED_BY = {
    "accounts": "created_at",
    "contacts": "created_at",
    "leads": "created_at",
    "deals": "created_at",
    "deal_stage_history": "entered_at",
    "orders": "ordered_at",
    "subscription_periods": "started_at",
    "activities": "occurred_at",
    "email_preferences": "occurred_at",
    "support_tickets": "opened_at",
    "survey_invitations": "sent_at",
    "survey_responses": "responded_at",
}


def sample_company(customers: int, seed: int, as_of: date) -> Company:
    """Return the company behind the sample: thinner than a large one, so that every file stays small."""
    return Company(
        customers=customers,
        seed=seed,
        as_of=as_of,
        orders_per_account=7.5,
        activities_per_account=7.0,
        responses_per_account=2.0,
        defect_rate=0.0,
    )


@dataclass
class Sample:
    """The rows of the sample by entity and delivery (1 or 2), in the order of the file."""

    company: Company
    rows: dict[str, dict[int, list[Row]]] = field(default_factory=dict)

    @property
    def delivery_days(self) -> dict[int, date]:
        """The day of each delivery: four months before as_of, and as_of."""
        return {1: add_months(self.company.as_of, -4), 2: self.company.as_of}

    def add(self, entity: str, delivery: int = 2, **values: str | None) -> None:
        """Add one row at the end of a delivery; columns that are not named are empty."""
        names = entities()[entity].column_names
        unknown = set(values) - set(names)
        if unknown:
            raise KeyError(f"{entity} has no column {sorted(unknown)[0]}")
        self.rows[entity][delivery].append({name: values.get(name) for name in names})

    def day(self, months_before_end: int, day: int = 15) -> str:
        """Return a day (ISO) of the calendar month so many months before the last one of the history."""
        last_month = add_months(self.company.as_of.replace(day=1), -1)
        return add_months(last_month, -months_before_end).replace(day=day).isoformat()


def clean_sample(company: Company) -> Sample:
    """Return the clean company, each row in the delivery after its instant."""
    sample = Sample(company)
    border = sample.delivery_days[1].isoformat()
    for entity in entities():
        found: dict[int, list[Row]] = {1: [], 2: []}
        instant = DELIVERED_BY.get(entity)
        for table in tables.blocks(company, entity):
            for row in table.to_pylist():
                found[2 if instant and str(row[instant]) >= border else 1].append(row)
        sample.rows[entity] = found
    return sample


def seed_text(sample: Sample, entity: str) -> str:
    """Return one seed file: header, then the deliveries in order.

    Raw entities carry load_id and line_number.
    """
    contract = entities()[entity]
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    addressed = not contract.is_reference
    writer.writerow([*contract.column_names, *(ADDRESS_COLUMNS if addressed else ())])
    line_number = 2
    for delivery, rows in sorted(sample.rows[entity].items()):
        load_id = sample.delivery_days[delivery].isoformat()
        for row in rows:
            cells = [row[name] for name in contract.column_names]
            writer.writerow([*cells, *((load_id, line_number) if addressed else ())])
            line_number += 1 + sum(cell.count("\n") for cell in cells if cell)
    return buffer.getvalue()


def write_seeds(sample: Sample, out: Path) -> dict[str, int]:
    """Write every seed below `out` (raw/ and reference/) and the input contract; return the rows per entity.

    dbt reads the folder with WAREHOUSE_SEEDS. Raises WarehouseError, before anything is written, when a file would not
    fit into a seed.
    """
    files = {out / Path(name).relative_to("seeds"): (PROJECT_DIR / name).read_bytes() for name in CONTRACT_FILES}
    for name, entity in entities().items():
        path = out / ("reference" if entity.is_reference else "raw") / f"{entity.seed}.csv"
        files[path] = seed_text(sample, name).encode()
        if len(files[path]) >= SEED_BYTES_LIMIT:
            raise WarehouseError(
                f"generate: {path.name} would be {len(files[path]) / 1e6:.1f} MB, a seed holds less "
                "than 1 MB; ask for fewer --customers or use --format csv or parquet and `warehouse land`"
            )
    for path, content in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return {name: sum(len(rows) for rows in deliveries.values()) for name, deliveries in sample.rows.items()}
