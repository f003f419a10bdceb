"""Oddities of accounts: merges, test accounts, accounts nobody delivered, awkward names and ids."""

from warehouse.generator.oddities.rows import account, contract, deal, leap_day, month_start, order, response
from warehouse.generator.sample import Sample


def merged_accounts(sample: Sample) -> None:
    """Add one account merged into another, both with facts; on one day both ordered.

    That day is one order day of the survivor.
    """
    survivor = account(sample, "A-merge-survivor")
    merged = account(sample, "A-merge-source", merged_into_account_id=survivor)
    day = sample.day(20)
    order(sample, "O-merge-1", survivor, f"{day} 10:00:00", "80.00")
    order(sample, "O-merge-2", merged, f"{day} 15:00:00", "60.00")
    order(sample, "O-merge-3", merged, f"{sample.day(8)} 15:00:00", "40.00")
    contract(sample, "S-merge-1", merged, month_start(sample, 22), month_start(sample, 10), "100.00")
    contract(sample, "S-merge-2", survivor, month_start(sample, 10), None, "120.00")
    response(sample, "Q-merge-1", "nps", "9", f"{sample.day(6)} 12:00:00", account_id=merged)
    response(sample, "Q-merge-2", "nps", "3", f"{sample.day(6)} 13:00:00", account_id=survivor)
    deal(
        sample,
        "D-merge",
        "won",
        f"{sample.day(20)} 09:00:00",
        f"{sample.day(19)} 09:00:00",
        account_id=merged,
    )


def chain_of_merges(sample: Sample) -> None:
    """Add three merges in a row: everything belongs to the last account."""
    for number in (1, 2, 3):
        account(sample, f"A-chain-{number}", merged_into_account_id=f"A-chain-{number + 1}")
        order(sample, f"O-chain-{number}", f"A-chain-{number}", f"{sample.day(15 - number)} 11:00:00", "75.00")
    account(sample, "A-chain-4", segment="Enterprise")


def cycle_of_merges(sample: Sample) -> None:
    """Add accounts merged in a circle, and one merged into the circle.

    The accounts are quarantined; their facts get inferred customers.
    """
    account(sample, "A-cycle-1", merged_into_account_id="A-cycle-2")
    account(sample, "A-cycle-2", merged_into_account_id="A-cycle-3")
    account(sample, "A-cycle-3", merged_into_account_id="A-cycle-1")
    account(sample, "A-cycle-tail", merged_into_account_id="A-cycle-1")
    order(sample, "O-cycle-1", "A-cycle-1", f"{sample.day(9)} 11:00:00", "75.00")
    order(sample, "O-cycle-tail", "A-cycle-tail", f"{sample.day(9)} 12:00:00", "35.00")


def merged_into_itself(sample: Sample) -> None:
    """Add an account merged into itself: it counts as not merged."""
    account(sample, "A-merge-self", merged_into_account_id="A-merge-self")
    order(sample, "O-merge-self", "A-merge-self", f"{sample.day(7)} 10:00:00", "55.00")


def merged_into_unknown(sample: Sample) -> None:
    """Add an account merged into one that nobody delivered: the target becomes an inferred customer."""
    account(sample, "A-merge-unknown", merged_into_account_id="A-never-delivered")
    order(sample, "O-merge-unknown", "A-merge-unknown", f"{sample.day(7)} 10:30:00", "65.00")


def test_accounts(sample: Sample) -> None:
    """Add a test account with facts of every kind: nothing of it reaches a mart."""
    test = account(sample, "A-test", is_test="true", account_name="Test Account, do not touch")
    order(sample, "O-test", test, f"{sample.day(5)} 10:00:00", "1000000.00")
    contract(sample, "S-test", test, month_start(sample, 12), None, "99999.00")
    deal(
        sample,
        "D-test",
        "won",
        f"{sample.day(6)} 09:00:00",
        f"{sample.day(4)} 09:00:00",
        account_id=test,
        amount="5000000.00",
    )
    response(sample, "Q-test", "nps", "0", f"{sample.day(5)} 12:00:00", account_id=test)


def test_survivor_of_a_merge(sample: Sample) -> None:
    """Add a merge into a test account (out) and one of a test account into a real one (in).

    The survivor decides.
    """
    account(sample, "A-test-survivor", is_test="TRUE")
    account(sample, "A-real-into-test", merged_into_account_id="A-test-survivor")
    order(sample, "O-real-into-test", "A-real-into-test", f"{sample.day(5)} 10:00:00", "777.00")
    account(sample, "A-real-survivor")
    account(sample, "A-test-into-real", is_test="true", merged_into_account_id="A-real-survivor")
    order(sample, "O-test-into-real", "A-test-into-real", f"{sample.day(5)} 10:00:00", "77.00")


def inferred_accounts(sample: Sample) -> None:
    """Add facts of every kind whose account nobody delivered.

    Each keeps its row and gets an inferred customer.
    """
    order(sample, "O-inferred", "A-inferred-order", f"{sample.day(11)} 10:00:00", "90.00")
    contract(sample, "S-inferred", "A-inferred-contract", month_start(sample, 11), None, "150.00")
    deal(sample, "D-inferred", "prospecting", f"{sample.day(3)} 10:00:00", account_id="A-inferred-deal")
    response(sample, "Q-inferred", "nps", "10", f"{sample.day(3)} 10:00:00", account_id="A-inferred-response")
    sample.add(
        "activities",
        1,
        activity_id="T-inferred",
        account_id="A-inferred-activity",
        activity_type="call",
        occurred_at=f"{sample.day(9)} 10:00:00",
    )
    sample.add(
        "support_tickets",
        1,
        ticket_id="K-inferred",
        account_id="A-inferred-ticket",
        opened_at=f"{sample.day(9)} 11:00:00",
    )
    sample.add(
        "email_preferences",
        1,
        account_id="A-inferred-preference",
        action="unsubscribe",
        occurred_at=f"{sample.day(9)} 12:00:00",
    )
    sample.add("contacts", 1, contact_id="C-inferred", account_id="A-inferred-contact", full_name="Robin Stone")
    sample.add(
        "survey_invitations",
        1,
        invitation_id="V-inferred",
        survey_id="csat-support",
        respondent_id="C-inferred",
        account_id="A-inferred-invitation",
        sent_at=f"{sample.day(9)} 13:00:00",
    )


def quarantined_accounts(sample: Sample) -> None:
    """Add accounts whose own row is quarantined: their facts stay, with an inferred customer."""
    account(sample, "A-quarantined", created_at="soon")
    order(sample, "O-of-quarantined", "A-quarantined", f"{sample.day(8)} 10:00:00", "52.00")
    account(sample, "A-into-quarantined", merged_into_account_id="A-quarantined")
    order(sample, "O-into-quarantined", "A-into-quarantined", f"{sample.day(7)} 10:00:00", "53.00")


def chain_into_a_test_account(sample: Sample) -> None:
    """Add a chain of merges that ends at a test account: all of it is out, the accounts between included."""
    account(sample, "A-test-chain-1", merged_into_account_id="A-test-chain-2")
    account(sample, "A-test-chain-2", merged_into_account_id="A-test")
    order(sample, "O-test-chain", "A-test-chain-1", f"{sample.day(7)} 10:00:00", "54.00")


def missing_attributes(sample: Sample) -> None:
    """Add an account with nothing but its id: `(unknown)` in every dimension."""
    sample.add("accounts", 1, account_id="A-bare")
    order(sample, "O-bare", "A-bare", f"{sample.day(13)} 10:00:00", "30.00")
    order(sample, "O-bare-2", "A-bare", f"{sample.day(12)} 10:00:00", "35.00", product_id=None, quantity=None)


def account_without_facts(sample: Sample) -> None:
    """Add a customer row without anything else: status NULL, no loss, reachable."""
    account(sample, "A-no-facts", created_at=None)


def awkward_names(sample: Sample) -> None:
    """Add names that are ordinary text, however they look.

    Quotes, commas, line ends, formulas, right-to-left, emoji.
    """
    names = (
        'Smith, "Baker" & Sons',
        "=1+1 Trading",
        "+Plus @Home -Minus",
        "Robert'); drop table orders;--",
        "two\nlines",
        "مؤسسة \u200fالنور\u200e (فرع 2)",
        "חברת \u05d4\u05b7\u05d1\u05b7\u05bc\u05d9\u05b4\u05ea בע״מ",
        "Syarikat Bunga Raya 🌺",
        "Zero\u200bwidth",
        "null island",
        "\u00a0Padded Name\u00a0",
        "L" + "o" * 180 + "ng name",
    )
    for number, name in enumerate(names, start=1):
        account(sample, f"A-name-{number:02d}", account_name=name)
    order(sample, "O-name", "A-name-06", f"{sample.day(10)} 10:00:00", "45.00")


def exact_ids(sample: Sample) -> None:
    """Add ids that compare exactly.

    Leading zeros and case make different accounts; surrounding blanks do not.
    """
    for number, account_id in enumerate(("007", "7", "A-case", "a-case")):
        account(sample, account_id, account_name=f"Exact {number}")
        order(sample, f"O-exact-{number}", account_id, f"{sample.day(10 - number)} 10:00:00", "20.00")
    order(sample, "O-exact-padded", "  A-case ", f"{sample.day(5)} 10:00:00", "25.00")


def odd_references(sample: Sample) -> None:
    """Add an owner, a referrer and a campaign that nobody knows; an account that referred itself."""
    account(
        sample,
        "A-odd-owner",
        owner_id="R9999",
        campaign_id="CMP-99",
        referred_by_account_id="A-never-delivered-2",
    )
    account(
        sample,
        "A-refers-itself",
        referred_by_account_id="A-refers-itself",
        created_at=f"{leap_day(sample)} 00:00:00",
    )


ODDITIES = (
    merged_accounts,
    chain_of_merges,
    cycle_of_merges,
    merged_into_itself,
    merged_into_unknown,
    test_accounts,
    test_survivor_of_a_merge,
    inferred_accounts,
    quarantined_accounts,
    chain_into_a_test_account,
    missing_attributes,
    account_without_facts,
    awkward_names,
    exact_ids,
    odd_references,
)
