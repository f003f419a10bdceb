"""Products, orders and refunds."""

from collections.abc import Iterator

import numpy as np

from warehouse.generator import text
from warehouse.generator.accounts import account_ids, currency_codes, customers, local_factor
from warehouse.generator.company import DAY, MONTH, Company
from warehouse.generator.draws import Integers, row_keys
from warehouse.generator.reference import Row
from warehouse.generator.rows import counts_near, office_hours, repeated
from warehouse.generator.text import Text

PRODUCT_LINES = ("Platform", "Analytics", "Services", "Hardware")
PRODUCTS = 16
MAX_ORDERS = 400
REFUND_RATE = 0.035
# Mean months lived per account times the mean rate factor: turns orders_per_account into orders per month
# (measured).
_ORDER_MONTHS = 10.5


def product_ids(numbers: Integers) -> Text:
    """Return the product ids of product numbers (from 1)."""
    return text.identifiers("P", numbers, 3)


def products(company: Company) -> list[Row]:
    """Return the catalogue: sixteen products in four lines with prices and margins."""
    numbers = np.arange(1, PRODUCTS + 1)
    price = company.draws.whole("product.price", numbers, 20, 900)
    margin = company.draws.whole("product.margin", numbers, 35, 85)
    ids = product_ids(numbers).to_pylist()
    return [
        {
            "product_id": ids[position],
            "product_name": f"{PRODUCT_LINES[position % 4]} {('Basic', 'Plus', 'Pro', 'Max')[position // 4]}",
            "product_line": PRODUCT_LINES[position % 4],
            "unit_price": f"{price[position]}.00",
            "gross_margin_rate": f"0.{margin[position]}",
        }
        for position in range(PRODUCTS)
    ]


def orders(company: Company) -> Iterator[dict[str, Text]]:
    """Yield the orders of each block in order of time, refunds among them.

    Customers order at their own rate while they live; a refund follows within a month, in full or in part.
    """
    draws = company.draws
    numbered = 0
    for number in company.blocks():
        block = customers(company, number)
        months = block.lived / MONTH
        rate = draws.lognormal("order.rate", number, 0.8) * company.orders_per_account / _ORDER_MONTHS
        further = counts_near(rate * months, draws.uniform("order.count", number), MAX_ORDERS)
        parent, ordinal = repeated(np.where(block.is_buyer, 1 + further, 0))
        keys = row_keys(number[parent], ordinal)
        instant = block.instant(parent, draws.uniform("order.time", keys) * (ordinal > 0))
        instant = office_hours(instant, draws.uniform("order.hour", keys))
        spend = draws.lognormal("order.spend", number, 0.9)[parent] * np.array([1.0, 2.2, 5.0])[block.segment][parent]
        country = block.country[parent]
        amount = draws.lognormal("order.amount", keys, 0.5) * spend * 120.0 * local_factor(country)
        cents = np.maximum((amount * 100).astype(np.int64), 100)
        # Yen have no cents.
        cents = np.where(country == 8, cents // 100 * 100 + 100, cents)
        full = draws.happens("order.refund_full", keys, REFUND_RATE * 0.6)
        part = ~full & draws.happens("order.refund_part", keys, REFUND_RATE * 0.4 / (1 - REFUND_RATE * 0.6))
        refunded_at = instant + DAY + (draws.uniform("order.refund_time", keys) * 28 * DAY).astype(np.int64)
        refunded = np.flatnonzero((full | part) & (refunded_at < company.end) & (instant < company.end))
        kept = np.flatnonzero(instant < company.end)
        refund_cents = np.where(
            full, cents, (cents * (0.2 + 0.6 * draws.uniform("order.refund_share", keys))).astype(np.int64)
        )
        source = np.concatenate([kept, refunded])
        is_refund = np.arange(len(source)) >= len(kept)
        time = np.where(is_refund, refunded_at[source], instant[source])
        order = np.argsort(time, kind="stable")
        source, is_refund, time = source[order], is_refund[order], time[order]
        running = numbered + 1 + np.arange(len(source))
        running_of_order = np.zeros(len(keys), dtype=np.int64)
        running_of_order[source[~is_refund]] = running[~is_refund]
        numbered += len(source)
        row_key = keys[source] * 2 + is_refund
        yield {
            "order_id": text.identifiers("O", running, 9),
            "account_id": account_ids(number[parent[source]]),
            "ordered_at": text.timestamps(time),
            "amount": text.decimals(np.where(is_refund, -refund_cents[source], cents[source])),
            "currency": text.blanked(
                currency_codes(country[source]),
                (country[source] == 0) & draws.happens("order.no_currency", keys[source], 0.06),
            ),
            "product_id": text.blanked(
                product_ids(draws.whole("order.product", keys[source], 1, PRODUCTS)),
                draws.happens("order.no_product", keys[source], 0.03),
            ),
            "quantity": text.blanked(text.whole_numbers(draws.whole("order.quantity", row_key, 1, 6)), is_refund),
            "margin": text.blanked(
                text.decimals(draws.whole("order.margin", row_key, 18, 78)),
                is_refund | draws.happens("order.no_margin", row_key, 0.7),
            ),
            "refund_of_order_id": text.blanked(text.identifiers("O", running_of_order[source], 9), ~is_refund),
        }
