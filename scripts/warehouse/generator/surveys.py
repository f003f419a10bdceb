"""Surveys, invitations and responses.

Quarterly NPS waves, eNPS of the staff, csat, pulse and exit surveys.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from warehouse.generator import text, vocabulary
from warehouse.generator.accounts import Customers, account_ids, contact_ids, customers
from warehouse.generator.company import DAY, Company, add_months, seconds_of
from warehouse.generator.draws import Booleans, Integers, row_keys
from warehouse.generator.reference import Row
from warehouse.generator.text import Text

SCORE_WEIGHTS = (0.02, 0.015, 0.02, 0.03, 0.03, 0.045, 0.06, 0.11, 0.16, 0.24, 0.27)
EXIT_REASONS = (
    "too expensive",
    "missing features",
    "poor support",
    "switched to competitor",
    "no longer needed",
    "no budget",
    "payment failed",
    "moved to spreadsheets",
)
STAFF = 45
INVITED_RATE = 0.70
ANSWER_RATE = 0.74
# Answers per account to all surveys at the rates above (measured): turns responses_per_account into a rate of
# waves.
_BASE_RESPONSES = 1.49
_ONCE_SURVEYS = (
    ("csat-support", "csat", "1", "5", "Support satisfaction", "event"),
    ("pulse-onboarding", "pulse", "1", "5", "Onboarding pulse", "event"),
    ("exit-survey", "exit", None, None, "Exit survey", "event"),
)
_CSAT, _PULSE, _EXIT = "csat-support", "pulse-onboarding", "exit-survey"


@dataclass(frozen=True)
class Waves:
    """The invitations of one block to all NPS waves, with the answers.

    Positions are of the block's accounts.
    """

    block: Customers
    parent: Integers
    wave: Integers
    contact: Integers
    keys: Integers
    sent: Integers
    delivered: Booleans
    answered: Booleans
    answered_at: Integers


def wave_days(company: Company) -> list[int]:
    """Return the instants (seconds) of the quarterly NPS waves.

    Ten o'clock on the tenth of a quarter's second month.
    """
    return [seconds_of(add_months(month, 1)) + 9 * DAY + 36_000 for month in company.months[::3]]


def wave_ids(company: Company) -> list[str]:
    """Return the survey ids of the quarterly NPS waves, like `nps-2024q3`."""
    return [f"nps-{month.year}q{(month.month + 2) // 3}" for month in company.months[::3]]


def staff_wave_ids(company: Company) -> list[str]:
    """Return the survey ids of the half-yearly eNPS waves."""
    return [f"enps-{month.year}h{1 if month.month <= 6 else 2}" for month in company.months[::6]]


def surveys(company: Company) -> list[Row]:
    """Return the surveys of the company."""
    rows = [(wave, "nps", "0", "10", "Relationship survey", "quarterly") for wave in wave_ids(company)]
    rows += [(wave, "enps", "0", "10", "Staff survey", "half-yearly") for wave in staff_wave_ids(company)]
    columns = ("survey_id", "survey_type", "scale_min", "scale_max", "survey_name", "cadence")
    return [dict(zip(columns, row, strict=True)) for row in (*rows, *_ONCE_SURVEYS)]


def plan_waves(company: Company, number: Integers) -> Waves:
    """Decide who of a block is invited to which NPS wave, who answers and when."""
    draws = company.draws
    block = customers(company, number)
    days = np.array(wave_days(company))
    alive = np.column_stack([block.is_alive(int(day)) for day in days])
    all_keys = row_keys(number[:, None], np.arange(len(days))[None, :])
    scale = company.responses_per_account / _BASE_RESPONSES
    invited = alive & (draws.uniform("wave.invited", all_keys) < min(INVITED_RATE * scale, 0.97))
    parent, wave = np.nonzero(invited)
    keys = all_keys[parent, wave]
    sent = days[wave] + draws.whole("wave.minute", keys, 0, 7_200)
    delivered = ~draws.happens("wave.bounced", keys, 0.04)
    delay = 600 + (draws.exponential("wave.delay", keys) * 5 * DAY).astype(np.int64)
    answered_at = sent + delay
    answered = delivered & draws.happens("wave.answered", keys, ANSWER_RATE) & (answered_at < company.end)
    contact = 1 + (draws.uniform("wave.contact", number) * block.contacts).astype(np.int64)
    return Waves(block, parent, wave, contact[parent], keys, sent, delivered, answered, answered_at)


def survey_invitations(company: Company) -> Iterator[dict[str, Text]]:
    """Yield the invitations of each block to the NPS waves, then those of the staff to the eNPS waves."""
    draws, numbered = company.draws, 0
    ids = wave_ids(company)
    for number in company.blocks():
        plan = plan_waves(company, number)
        order = np.argsort(plan.sent, kind="stable")
        account = number[plan.parent[order]]
        delivered = np.where(plan.delivered[order], np.where(plan.keys[order] % 11 == 0, 2, 0), 1)
        yield {
            "invitation_id": text.identifiers("V", numbered + 1 + np.arange(len(order)), 9),
            "survey_id": text.chosen(ids, plan.wave[order]),
            "respondent_id": contact_ids(account, plan.contact[order]),
            "account_id": account_ids(account),
            "sent_at": text.timestamps(plan.sent[order]),
            "delivered": text.chosen(("true", "false", None), delivered),
        }
        numbered += len(order)
    keys, wave, person, sent = _staff(company)
    rows = len(keys)
    yield {
        "invitation_id": text.identifiers("VE", np.arange(1, rows + 1), 6),
        "survey_id": text.chosen(staff_wave_ids(company), wave),
        "respondent_id": text.identifiers("E", person, 4),
        "account_id": text.constant(None, rows),
        "sent_at": text.timestamps(sent),
        "delivered": text.blanked(text.constant("true", rows), draws.happens("staff.blank", keys, 0.2)),
    }


def _staff(company: Company) -> tuple[Integers, Integers, Integers, Integers]:
    """Return key, wave, person and instant of the invitations to the eNPS waves (the staff grows)."""
    days = [seconds_of(add_months(month, 2)) + 32_400 for month in company.months[::6]]
    sizes = [STAFF * (10 + 2 * wave) // 20 for wave in range(len(days))]
    wave = np.repeat(np.arange(len(days)), sizes)
    person = np.concatenate([np.arange(1, size + 1) for size in sizes])
    return row_keys(wave + 1, person), wave, person, np.array(days)[wave]


def comments(company: Company, stream: str, keys: Integers, score: Integers, country: Integers, rate: float) -> Text:
    """Return comments that fit score (0–10) and language of each row; most rows have none."""
    pool: list[str] = []
    offsets = np.zeros((3, len(vocabulary.LANGUAGES)), dtype=np.int64)
    sizes = np.zeros_like(offsets)
    for column, language in enumerate(vocabulary.LANGUAGES):
        for mood, sentences in enumerate(vocabulary.COMMENTS[language]):
            offsets[mood, column], sizes[mood, column] = len(pool), len(sentences)
            pool.extend(sentences)
    mood_of = np.where(score >= 9, 2, np.where(score >= 7, 1, 0))
    draw = (company.draws.uniform(f"{stream}.sentence", keys) * sizes[mood_of, country]).astype(np.int64)
    chosen = text.chosen(pool, offsets[mood_of, country] + draw)
    return text.blanked(chosen, ~company.draws.happens(f"{stream}.comments", keys, rate))


def survey_responses(company: Company) -> Iterator[dict[str, Text]]:
    """Yield the answers of each block: NPS waves, csat, pulse and exit surveys; then the staff's."""
    draws, numbered = company.draws, 0
    ids = [*wave_ids(company), _CSAT, _PULSE, _EXIT]
    csat, pulse, leaving = len(ids) - 3, len(ids) - 2, len(ids) - 1
    for number in company.blocks():
        plan = plan_waves(company, number)
        block = plan.block
        answer = np.flatnonzero(plan.answered)
        extra = {
            csat: draws.happens("csat.answers", number, 0.18) & block.is_buyer,
            pulse: draws.happens("pulse.answers", number, 0.15) & block.is_buyer,
            leaving: draws.happens("exit.answers", number, 0.3)
            & block.is_buyer
            & (block.first_end + 5 * DAY < company.end),
        }
        extra_rows = [np.flatnonzero(mask) for mask in extra.values()]
        parent = np.concatenate([plan.parent[answer], *extra_rows])
        survey = np.concatenate(
            [
                plan.wave[answer],
                *[np.full(len(rows), code) for code, rows in zip(extra, extra_rows, strict=True)],
            ]
        )
        keys = row_keys(number[parent], survey)
        instant = np.concatenate(
            [
                plan.answered_at[answer],
                (block.first_start + (0.7 * (block.first_end - block.first_start)).astype(np.int64))[extra_rows[0]],
                np.minimum(block.first_start + 21 * DAY, company.end - 3_600)[extra_rows[1]],
                (block.first_end + 3 * DAY)[extra_rows[2]],
            ]
        )
        order = np.argsort(instant, kind="stable")
        parent, survey, keys, instant = parent[order], survey[order], keys[order], instant[order]
        # Each account has its own leaning; what it says varies around it.
        leaning = draws.choice("score.leaning", number, SCORE_WEIGHTS)[parent]
        fresh = draws.choice("score.fresh", keys, SCORE_WEIGHTS)
        score = np.where(draws.happens("score.same", keys, 0.5), leaning, fresh)
        shown = np.where((survey == csat) | (survey == pulse), 1 + score * 4 // 10, score)
        country = block.country[parent]
        account = number[parent]
        is_exit = survey == leaving
        anonymous = draws.happens("score.anonymous", keys, 0.03)
        contact = 1 + (draws.uniform("wave.contact", number) * block.contacts).astype(np.int64)
        reason = draws.whole("exit.reason", keys, 0, len(EXIT_REASONS) - 1)
        yield {
            "response_id": text.identifiers("Q", numbered + 1 + np.arange(len(keys)), 9),
            "account_id": account_ids(account),
            "survey": text.chosen(ids, survey),
            "score": text.blanked(text.whole_numbers(shown), is_exit | draws.happens("score.empty", keys, 0.03)),
            "comment": comments(company, "score", keys, score, country, 0.28),
            "responded_at": text.timestamps(instant),
            "respondent_id": text.blanked(contact_ids(account, contact[parent]), anonymous),
            "question_id": text.chosen(
                ("recommend", "satisfaction", "reason"),
                np.where(is_exit, 2, (survey >= csat).astype(np.int64)),
            ),
            "reason": text.blanked(text.chosen(EXIT_REASONS, reason), ~is_exit),
            "language": text.chosen(vocabulary.LANGUAGES, country),
        }
        numbered += len(keys)
    keys, wave, person, sent = _staff(company)
    answered = np.flatnonzero(draws.happens("staff.answers", keys, 0.72))
    keys, wave, person = keys[answered], wave[answered], person[answered]
    instant = sent[answered] + 3_600 + (draws.exponential("staff.delay", keys) * 3 * DAY).astype(np.int64)
    score = draws.choice("staff.score", keys, SCORE_WEIGHTS)
    rows = len(keys)
    yield {
        "response_id": text.identifiers("QE", np.arange(1, rows + 1), 6),
        "account_id": text.constant(None, rows),
        "survey": text.chosen(staff_wave_ids(company), wave),
        "score": text.whole_numbers(score),
        "comment": comments(company, "staff", keys, score, np.zeros(rows, dtype=np.int64), 0.2),
        "responded_at": text.timestamps(instant),
        "respondent_id": text.identifiers("E", person, 4),
        "question_id": text.constant("recommend", rows),
        "reason": text.constant(None, rows),
        "language": text.constant("en", rows),
    }
