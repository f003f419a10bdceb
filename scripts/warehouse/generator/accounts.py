"""The accounts with their hidden course of life (when they buy, how long, how much), and their contacts."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from warehouse.generator import text, vocabulary
from warehouse.generator.company import DAY, MONTH, Company
from warehouse.generator.draws import Booleans, Floats, Integers, row_keys
from warehouse.generator.text import Text

# Months that a customer stays on average, by kind of customer, with the share of each kind: monthly retention
# of about 90 %.
MEAN_LIFE_MONTHS = np.array([4.0, 11.0, 32.0])
LIFE_WEIGHTS = (0.25, 0.40, 0.35)
RETURN_RATE = 0.22
MERGE_RATE = 0.008
TEST_RATE = 0.004


@dataclass(frozen=True)
class Customers:
    """One block of accounts. Times are seconds (local); who never buys has `first_start` = the end.

    A customer lives in [first_start, first_end) and, when it returns, again in [second_start, second_end).
    """

    number: Integers
    created: Integers
    country: Integers
    segment: Integers
    is_buyer: Booleans
    has_contract: Booleans
    first_start: Integers
    first_end: Integers
    second_start: Integers
    second_end: Integers
    contacts: Integers

    @property
    def ids(self) -> Text:
        """The account ids."""
        return account_ids(self.number)

    @property
    def lived(self) -> Integers:
        """Seconds lived up to the end of the history, both lives together."""
        return (self.first_end - self.first_start) + (self.second_end - self.second_start)

    def instant(self, rows: Integers, shares: Floats) -> Integers:
        """Return the instants at the given shares of the lives of the customers at positions `rows`."""
        first = (self.first_end - self.first_start)[rows]
        passed = (self.lived[rows] * shares).astype(np.int64)
        return np.where(passed < first, self.first_start[rows] + passed, self.second_start[rows] + passed - first)

    def is_alive(self, instant: int) -> Booleans:
        """Return whether each customer lives at an instant."""
        return ((self.first_start <= instant) & (instant < self.first_end)) | (
            (self.second_start <= instant) & (instant < self.second_end)
        )


def account_ids(numbers: Integers) -> Text:
    """Return the account ids of account numbers."""
    return text.identifiers("A", numbers, 8)


def contact_ids(accounts: Integers, ordinals: Integers) -> Text:
    """Return the contact ids of account numbers and contact ordinals (from 1)."""
    return text.numbered(text.identifiers("C", accounts, 8), ordinals)


def customers(company: Company, number: Integers) -> Customers:
    """Return the accounts with the given numbers and their lives."""
    draws, start, end = company.draws, company.start, company.end
    span = end - start
    # More accounts arrive late than early: the company grows. A share of them was there from the first weeks.
    share = draws.uniform("account.created", number)
    growth = 0.45 * share + 0.55 * np.sqrt(share)
    founders = draws.happens("account.founder", number, 0.12)
    growth = np.where(founders, share * 0.03, growth)
    created = start + (growth * (span - 3 * DAY)).astype(np.int64)
    is_buyer = draws.happens("account.buyer", number, 0.82)
    decided = created + DAY + (draws.exponential("account.decision", number) * 38 * DAY).astype(np.int64)
    is_buyer &= decided < end
    kind = draws.choice("account.kind", number, LIFE_WEIGHTS)
    months = draws.exponential("account.life", number) * MEAN_LIFE_MONTHS[kind]
    first_start = np.where(is_buyer, decided, end)
    first_end = np.minimum(first_start + 3 * DAY + (months * MONTH).astype(np.int64), end)
    away = 40 * DAY + (draws.exponential("account.away", number) * 110 * DAY).astype(np.int64)
    returns = draws.happens("account.returns", number, RETURN_RATE) & (first_end + away < end)
    second_start = np.where(returns, first_end + away, end)
    second_months = draws.exponential("account.second_life", number) * 9.0
    second_end = np.minimum(second_start + 3 * DAY + (second_months * MONTH).astype(np.int64), end)
    return Customers(
        number=number,
        created=created,
        country=draws.choice("account.country", number, [country[4] for country in vocabulary.COUNTRIES]),
        segment=draws.choice("account.segment", number, (0.55, 0.30, 0.15)),
        is_buyer=is_buyer,
        has_contract=is_buyer & draws.happens("account.contract", number, 0.76),
        first_start=first_start,
        first_end=first_end,
        second_start=second_start,
        second_end=second_end,
        contacts=1 + draws.choice("account.contacts", number, (0.45, 0.35, 0.20)),
    )


def names(
    company: Company,
    stream: str,
    keys: Integers,
    country: Integers,
    words: dict[str, tuple[tuple[str, ...], tuple[str, ...]]],
    *,
    by: int,
) -> Text:
    """Return names of two words in the script of each row's country; `by` varies them beyond chance."""
    pool: list[str] = []
    first_of: list[int] = []
    sizes: list[int] = []
    for language in vocabulary.LANGUAGES:
        first_words, second_words = words[language]
        first_of.append(len(pool))
        sizes.append(len(first_words) * len(second_words))
        pool.extend(f"{first} {second}" for first in first_words for second in second_words)
    draw = (company.draws.bits(stream, keys) >> np.uint64(20)).astype(np.int64) + keys * by
    return text.chosen(pool, np.array(first_of)[country] + draw % np.array(sizes)[country])


def currency_codes(country: Integers) -> Text:
    """Return the currency of each country."""
    return text.chosen([row[2] for row in vocabulary.COUNTRIES], country)


def local_factor(country: Integers) -> Floats:
    """Return the units of the local currency per dollar, about, for prices in local money."""
    return np.array([row[5] for row in vocabulary.COUNTRIES])[country]


def owner_numbers(company: Company, number: Integers) -> Integers:
    """Return the number of the sales representative who owns each account."""
    return company.draws.whole("account.owner", number, 1, company.representatives)


def accounts(company: Company) -> Iterator[dict[str, Text]]:
    """Yield the accounts, a few of them merged into an older account or marked as tests."""
    draws = company.draws
    for number in company.blocks():
        block = customers(company, number)
        yes = draws.happens("account.test", number, TEST_RATE)
        # Merged into an account of a smaller number, so that there are chains but no cycles.
        merged = draws.happens("account.merged", number, MERGE_RATE) & (number > 1)
        target = 1 + (draws.uniform("account.merge_target", number) * (number - 1)).astype(np.int64)
        referred = draws.happens("account.referred", number, 0.12) & (number > 1)
        referrer = 1 + (draws.uniform("account.referrer", number) * (number - 1)).astype(np.int64)
        channel = draws.choice("account.channel", number, (0.28, 0.22, 0.16, 0.12, 0.10, 0.12))
        campaign = draws.whole("account.campaign", number, 0, len(vocabulary.CAMPAIGNS) - 1)
        yield {
            "account_id": block.ids,
            "account_name": names(company, "account.name", number, block.country, vocabulary.COMPANY_WORDS, by=1),
            "email": text.email_tokens(draws, "account.email", number),
            "segment": text.blanked(
                text.chosen(vocabulary.SEGMENTS, block.segment),
                draws.happens("account.no_segment", number, 0.02),
            ),
            "industry": text.blanked(
                text.chosen(
                    vocabulary.INDUSTRIES,
                    draws.whole("account.industry", number, 0, len(vocabulary.INDUSTRIES) - 1),
                ),
                draws.happens("account.no_industry", number, 0.04),
            ),
            "country": text.chosen([row[0] for row in vocabulary.COUNTRIES], block.country),
            "region": text.chosen([row[1] for row in vocabulary.COUNTRIES], block.country),
            "created_at": text.timestamps(block.created),
            "acquisition_channel": text.blanked(
                text.chosen(vocabulary.CHANNELS, channel), draws.happens("account.no_channel", number, 0.03)
            ),
            "campaign_id": text.blanked(text.chosen(vocabulary.CAMPAIGNS, campaign), np.isin(channel, (0, 2, 5))),
            "owner_id": text.identifiers("R", owner_numbers(company, number), 4),
            "referred_by_account_id": text.blanked(account_ids(referrer), ~referred),
            "merged_into_account_id": text.blanked(account_ids(target), ~merged),
            "is_test": text.chosen(["false", "true", None], np.where(yes, 1, np.where(number % 7 == 0, 2, 0))),
        }


def contacts(company: Company) -> Iterator[dict[str, Text]]:
    """Yield one to three contacts per account."""
    draws = company.draws
    for number in company.blocks():
        block = customers(company, number)
        rows = np.repeat(np.arange(len(number)), block.contacts)
        ordinal = 1 + np.arange(len(rows)) - np.repeat(np.cumsum(block.contacts) - block.contacts, block.contacts)
        keys = row_keys(number[rows], ordinal)
        later = (draws.exponential("contact.later", keys) * 60 * DAY).astype(np.int64) * (ordinal > 1)
        yield {
            "contact_id": contact_ids(number[rows], ordinal),
            "account_id": account_ids(number[rows]),
            "full_name": names(company, "contact.name", keys, block.country[rows], vocabulary.PERSON_WORDS, by=1),
            "email": text.email_tokens(draws, "contact.email", keys),
            "role": text.chosen(vocabulary.ROLES, draws.whole("contact.role", keys, 0, len(vocabulary.ROLES) - 1)),
            "created_at": text.timestamps(np.minimum(block.created[rows] + later, company.end - 1)),
        }
