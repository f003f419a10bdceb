"""Oddities of orders: refunds, currencies, edges of days and months, repeat buyers at the horizons."""

from warehouse.generator.oddities.rows import (
    account,
    as_of,
    days_after,
    leap_day,
    month_start,
    months_later,
    order,
    summer_time_gap,
)
from warehouse.generator.sample import Sample

HORIZONS = (30, 90, 180, 365)


def refund(
    sample: Sample,
    order_id: str,
    account_id: str,
    ordered_at: str,
    amount: str,
    of: str,
    currency: str = "USD",
) -> None:
    """Add a refund of an order."""
    order(
        sample,
        order_id,
        account_id,
        ordered_at,
        amount,
        refund_of_order_id=of,
        currency=currency,
        quantity=None,
        product_id=None,
    )


def refunded_orders(sample: Sample) -> None:
    """Add refunds in full, in part, in two parts that make it full, and above the amount.

    The last is no qualifying order.
    """
    buyer = account(sample, "A-refunds")
    day, later = sample.day(18), sample.day(17)
    for name, amount in (("full", "100.00"), ("part", "100.00"), ("halves", "100.00"), ("excess", "100.00")):
        order(sample, f"O-refunded-{name}", buyer, f"{day} 10:00:00", amount)
        day = days_after(day, 2)
    refund(sample, "O-refund-full", buyer, f"{later} 10:00:00", "-100.00", "O-refunded-full")
    refund(sample, "O-refund-part", buyer, f"{later} 11:00:00", "-35.50", "O-refunded-part")
    refund(sample, "O-refund-half-1", buyer, f"{later} 12:00:00", "-50.00", "O-refunded-halves")
    refund(sample, "O-refund-half-2", buyer, f"{sample.day(2)} 12:00:00", "-50.00", "O-refunded-halves")
    refund(sample, "O-refund-excess", buyer, f"{later} 13:00:00", "-130.00", "O-refunded-excess")


def refund_as_only_order(sample: Sample) -> None:
    """Add a buyer whose only order was refunded in full: never a customer on the purchase basis."""
    buyer = account(sample, "A-refund-only")
    order(sample, "O-only", buyer, f"{sample.day(12)} 10:00:00", "250.00")
    refund(sample, "O-only-refund", buyer, f"{sample.day(11)} 10:00:00", "-250.00", "O-only")


def refund_of_unknown_order(sample: Sample) -> None:
    """Add a refund of an order that nobody delivered.

    It only lowers the historical value of its own account.
    """
    buyer = account(sample, "A-refund-unknown")
    order(sample, "O-refund-unknown-order", buyer, f"{sample.day(14)} 10:00:00", "300.00")
    refund(sample, "O-refund-unknown", buyer, f"{sample.day(13)} 10:00:00", "-40.00", "O-never-delivered")


def refund_of_quarantined_order(sample: Sample) -> None:
    """Add a refund of an order that was quarantined: the same as of an unknown one."""
    buyer = account(sample, "A-refund-quarantined")
    order(sample, "O-quarantined", buyer, f"{sample.day(14)} 10:00:00", "N/A")
    refund(sample, "O-refund-quarantined", buyer, f"{sample.day(13)} 10:00:00", "-20.00", "O-quarantined")


def refund_at_the_rate_of_its_order(sample: Sample) -> None:
    """Add a full refund in euro after the rate changed (exactly 0) and one booked in another currency."""
    buyer = account(sample, "A-refund-rate", country="Germany", region="EMEA")
    order(sample, "O-rate", buyer, f"{sample.day(20)} 10:00:00", "199.99", currency="EUR")
    refund(sample, "O-rate-refund", buyer, f"{sample.day(3)} 10:00:00", "-199.99", "O-rate", currency="EUR")
    order(sample, "O-rate-mixed", buyer, f"{sample.day(19)} 10:00:00", "80.00", currency="EUR")
    refund(
        sample,
        "O-rate-mixed-refund",
        buyer,
        f"{sample.day(16)} 10:00:00",
        "-10.00",
        "O-rate-mixed",
        currency="GBP",
    )


def refund_by_another_account(sample: Sample) -> None:
    """Add refunds by another account than the order's, of a refund, of itself, and before the order.

    A refund takes the customer and the margin of its order.
    """
    buyer, other = account(sample, "A-refund-owner"), account(sample, "A-refund-other")
    order(sample, "O-crossed", buyer, f"{sample.day(14)} 10:00:00", "90.00", margin="0.40")
    refund(sample, "O-crossed-refund", other, f"{sample.day(13)} 10:00:00", "-30.00", "O-crossed")
    refund(sample, "O-refund-of-refund", buyer, f"{sample.day(12)} 10:00:00", "5.00", "O-crossed-refund")
    refund(sample, "O-refund-itself", buyer, f"{sample.day(11)} 10:00:00", "-5.00", "O-refund-itself")
    order(sample, "O-early", buyer, f"{sample.day(10)} 10:00:00", "60.00")
    refund(sample, "O-early-refund", buyer, f"{sample.day(11)} 09:00:00", "-6.00", "O-early")


def amounts_without_value(sample: Sample) -> None:
    """Add zero and negative orders that are no refunds: they do not qualify."""
    buyer = account(sample, "A-no-value")
    order(sample, "O-zero", buyer, f"{sample.day(9)} 10:00:00", "0.00")
    order(sample, "O-negative", buyer, f"{sample.day(8)} 10:00:00", "-15.00")


def currencies(sample: Sample) -> None:
    """Add one order in each currency, one without, one in lower case, one in a currency without a rate."""
    buyer = account(sample, "A-currencies")
    for number, currency in enumerate(
        ("USD", "EUR", "GBP", "ILS", "MYR", "AED", "SAR", "JPY", "CAD", None, "usd", " eur ", "BRL")
    ):
        order(
            sample,
            f"O-currency-{number:02d}",
            buyer,
            f"{sample.day(14, 1 + number)} 10:00:00",
            "100.00",
            currency=currency,
        )
    # The day of a new rate belongs to the new rate.
    order(sample, "O-rate-day", buyer, f"{sample.company.as_of.year - 1}-07-01", "100.00", currency="GBP")
    order(
        sample,
        "O-rate-eve",
        buyer,
        f"{sample.company.as_of.year - 1}-06-30 23:59:59",
        "100.00",
        currency="GBP",
    )


def edges_of_time(sample: Sample) -> None:
    """Add orders on the leap day, at midnights of the first, the last second, a summer-time gap.

    Others have offsets that change the month, or a date alone.
    """
    buyer = account(sample, "A-edges")
    leap = leap_day(sample)
    times = {
        "leap-midnight": leap,
        "leap-evening": f"{leap} 23:59:59",
        "month-midnight": f"{month_start(sample, 9)} 00:00:00",
        "month-date": month_start(sample, 8),
        "month-last-second": f"{days_after(month_start(sample, 8), -1)} 23:59:59.999999",
        "year-midnight": f"{sample.company.as_of.year}-01-01T00:00:00",
        "quarter-midnight": f"{sample.company.as_of.year}-04-01 00:00",
        "summer-time-gap": summer_time_gap(sample),
        "utc": f"{sample.day(7)}T10:00:00Z",
        "offset-east": f"{month_start(sample, 6)}T01:30:00+03:00",
        "offset-west": f"{days_after(month_start(sample, 5), -1)}T22:00:00-05:00",
        "short-hour": f"{sample.day(6)} 9:05",
        "last-second": f"{days_after(as_of(sample), -1)} 23:59:59",
    }
    for name, instant in times.items():
        order(sample, f"O-edge-{name}", buyer, instant, "33.00")
    same_day = account(sample, "A-same-day")
    order(sample, "O-same-day-1", same_day, f"{sample.day(9)} 00:00:00", "10.00")
    order(sample, "O-same-day-2", same_day, f"{sample.day(9)} 23:59:59", "10.00")


def repeat_at_the_horizons(sample: Sample) -> None:
    """Add second orders exactly at each horizon and a day before.

    Others have their first order exactly a horizon before as_of, or a day less.
    """
    for horizon in HORIZONS:
        for name, distance in (("at", horizon), ("before", horizon - 1)):
            buyer = account(sample, f"A-repeat-{name}-{horizon}")
            first = sample.day(20)
            order(sample, f"O-repeat-{name}-{horizon}-1", buyer, f"{first} 18:00:00", "50.00")
            order(
                sample,
                f"O-repeat-{name}-{horizon}-2",
                buyer,
                f"{days_after(first, distance)} 08:00:00",
                "50.00",
            )
        for name, distance in (("at", horizon), ("after", horizon - 1)):
            buyer = account(sample, f"A-horizon-{name}-{horizon}")
            order(
                sample,
                f"O-horizon-{name}-{horizon}",
                buyer,
                f"{days_after(as_of(sample), -distance)} 12:00:00",
                "50.00",
            )


def buyer_who_came_back(sample: Sample) -> None:
    """Add a buyer with two years of silence between orders, and one who never came back."""
    buyer = account(sample, "A-came-back", created_at=f"{sample.day(35, 1)} 08:00:00")
    order(sample, "O-came-back-1", buyer, f"{sample.day(35, 2)} 10:00:00", "120.00")
    order(sample, "O-came-back-2", buyer, f"{sample.day(34, 2)} 10:00:00", "130.00")
    order(sample, "O-came-back-3", buyer, f"{sample.day(4, 2)} 10:00:00", "140.00")
    gone = account(sample, "A-gone", created_at=f"{sample.day(35, 1)} 08:00:00")
    order(sample, "O-gone", gone, f"{sample.day(35, 1)} 10:00:00", "95.00")


def margins_and_products(sample: Sample) -> None:
    """Add margins 0 and 1, products that nobody delivered or that carry no margin or price.

    Quantities are missing, 0 or a half.
    """
    buyer = account(sample, "A-margins")
    sample.add("products", 1, product_id="P-no-margin", product_name="Gift card", product_line=None)
    sample.add(
        "products",
        1,
        product_id="P-free",
        product_name="Hadiah percuma",
        product_line="Services",
        unit_price="0",
        gross_margin_rate="0",
    )
    cases: tuple[tuple[str, str | None, str | None, str | None], ...] = (
        ("zero-margin", "P001", "0", "1"),
        ("full-margin", "P001", "1", "1"),
        ("product-margin", "P002", None, "2"),
        ("no-margin", "P-no-margin", None, "1"),
        ("zero-product-margin", "P-free", None, "1"),
        ("unknown-product", "P-never-delivered", None, "1"),
        ("no-product", None, None, None),
        ("half-quantity", "P003", "0.5", "0.5"),
        ("zero-quantity", "P003", "0.5", "0"),
    )
    for number, (name, product, margin, quantity) in enumerate(cases):
        order(
            sample,
            f"O-margin-{name}",
            buyer,
            f"{sample.day(12 - number)} 10:00:00",
            "200.00",
            product_id=product,
            margin=margin,
            quantity=quantity,
        )


def large_buyer(sample: Sample) -> None:
    """Add one customer with a large share of the revenue, and buyers at the bounds of the tiers.

    Concentration and tiers reach their ends.
    """
    buyer = account(sample, "A-platinum", segment="Enterprise", account_name="Granite Energy Group")
    for month in range(30):
        order(
            sample,
            f"O-platinum-{month:02d}",
            buyer,
            f"{months_later(sample.day(30), month)} 09:00:00",
            "4200.00",
        )
    for tier, amount in (("bronze", "1.00"), ("silver", "500.00"), ("gold", "2000.00")):
        # Exactly the lower bound of the tier.
        order(sample, f"O-tier-{tier}", account(sample, f"A-tier-{tier}"), f"{sample.day(2)} 10:00:00", amount)


ODDITIES = (
    refunded_orders,
    refund_as_only_order,
    refund_of_unknown_order,
    refund_of_quarantined_order,
    refund_at_the_rate_of_its_order,
    refund_by_another_account,
    amounts_without_value,
    currencies,
    edges_of_time,
    repeat_at_the_horizons,
    buyer_who_came_back,
    margins_and_products,
    large_buyer,
)
