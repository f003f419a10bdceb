"""Oddities of surveys.

Other scales, repeated answers, respondents without id, labels, late answers, many scripts.
"""

from datetime import datetime, timedelta

from warehouse.generator.oddities.rows import account, days_after, invitation, leap_day, month_start, response
from warehouse.generator.sample import Sample
from warehouse.generator.surveys import wave_ids

MOMENT = "%Y-%m-%d %H:%M:%S"


def _later(instant: str, **distance: int) -> str:
    return (datetime.strptime(instant, MOMENT) + timedelta(**distance)).strftime(MOMENT)


def _survey(
    sample: Sample,
    survey_id: str,
    survey_type: str,
    scale: tuple[str | None, str | None],
    cadence: str | None = "once",
) -> str:
    sample.add(
        "surveys",
        1,
        survey_id=survey_id,
        survey_type=survey_type,
        scale_min=scale[0],
        scale_max=scale[1],
        survey_name=survey_id.replace("-", " "),
        cadence=cadence,
    )
    return survey_id


def one_to_ten(sample: Sample) -> None:
    """Add two waves of an NPS survey on 1–10, enough answers to be shown, without invitations.

    A staff survey on 1–10.
    """
    for wave, months in ((1, 7), (2, 4)):
        survey = _survey(sample, f"nps-1-10-w{wave}", "nps", ("1", "10"), "half-yearly")
        for number in range(36):
            score = (10, 9, 7, 10, 3, 8, 9, 6, 10, 5, 1, 9)[number % 12] - (wave == 1 and number % 5 == 0)
            response(
                sample,
                f"Q-1-10-{wave}-{number:02d}",
                survey,
                str(max(score, 1)),
                f"{sample.day(months, 1 + number % 28)} 10:00:00",
                account_id=f"A{1 + number:08d}",
                respondent_id=f"C{1 + number:08d}-1",
            )
    staff = _survey(sample, "enps-1-10", "enps", ("1", "10"))
    for number in range(7):
        response(
            sample,
            f"Q-enps-1-10-{number}",
            staff,
            str(10 - number),
            f"{sample.day(4)} 10:00:00",
            respondent_id=f"E-{number}",
        )


def unsupported_scales(sample: Sample) -> None:
    """Add NPS surveys on 1–7 and 0–5: no NPS (`unsupported_scale`)."""
    for low, high in (("1", "7"), ("0", "5")):
        survey = _survey(sample, f"nps-{low}-{high}", "nps", (low, high))
        for score in ("4", high):
            response(
                sample,
                f"Q-{low}-{high}-{score}",
                survey,
                score,
                f"{sample.day(6, int(score))} 10:00:00",
                respondent_id=f"C-scale-{score}",
            )


def scores_beyond_their_scale(sample: Sample) -> None:
    """Add scores that another scale would allow (0 on 1–10, 6 on 1–5, 8 on 1–7); one invitation."""
    for survey, score in (
        ("nps-1-10-w1", "0"),
        ("csat-1-5", "6"),
        ("csat-1-5", "0"),
        ("nps-1-7", "8"),
        ("pulse-weekly", "11"),
    ):
        response(
            sample,
            f"Q-beyond-{survey}-{score}",
            survey,
            score,
            f"{sample.day(6, 9)} 10:00:00",
            respondent_id="C-beyond",
        )
    invitation(sample, "V-unsupported-scale", "nps-1-7", "C-beyond", f"{sample.day(6, 8)} 10:00:00")


def other_surveys(sample: Sample) -> None:
    """Add csat, pulse and exit surveys, a survey without a scale (0–10).

    And surveys that nobody answered or announced.
    """
    csat, pulse = (
        _survey(sample, "csat-1-5", "csat", ("1", "5")),
        _survey(sample, "pulse-weekly", "pulse", ("0", "10"), "weekly"),
    )
    buyer = account(sample, "A-answers")
    for score in ("1", "5"):
        response(
            sample,
            f"Q-csat-{score}",
            csat,
            score,
            f"{sample.day(5, 7)} 10:00:00",
            account_id=buyer,
            question_id="satisfaction",
        )
    response(sample, "Q-pulse", pulse, "7", f"{sample.day(5, 8)} 10:00:00", account_id=buyer, question_id="mood")
    response(
        sample,
        "Q-exit",
        "exit-survey",
        None,
        f"{sample.day(5, 9)} 10:00:00",
        account_id=buyer,
        reason="moved to spreadsheets",
        comment="Terima kasih, selamat tinggal.",
        language="ms",
    )
    bare = _survey(sample, "nps-no-scale", "nps", (None, None), None)
    response(sample, "Q-no-scale", bare, "9", f"{sample.day(5, 10)} 10:00:00", account_id=buyer)
    _survey(sample, "nps-never-sent", "nps", ("0", "10"))
    for survey in ("nps", "NPS", "enps", "feedback-form"):
        # Not in `surveys`: taken by name when that is nps or enps.
        response(
            sample,
            f"Q-by-name-{survey}",
            survey,
            "8",
            f"{sample.day(5, 11)} 10:00:00",
            account_id=buyer,
            respondent_id=f"C-by-name-{survey}",
        )


def repeated_answers(sample: Sample) -> None:
    """Add several answers of one respondent.

    In a month, over waves, at one instant, the last without a score.
    """
    waves = wave_ids(sample.company)
    buyer = account(sample, "A-repeats")
    day = sample.day(4)
    answers = (
        ("month-1", waves[-1], "3", f"{day} 09:00:00", "C-repeats-1"),
        ("month-2", waves[-1], "10", f"{days_after(day, 3)} 09:00:00", "C-repeats-1"),
        ("waves-1", waves[-3], "6", f"{sample.day(7)} 09:00:00", "C-repeats-2"),
        ("waves-2", waves[-2], "7", f"{sample.day(4)} 09:00:00", "C-repeats-2"),
        ("waves-3", waves[-1], "9", f"{sample.day(1)} 09:00:00", "C-repeats-2"),
        ("instant-a", waves[-1], "2", f"{day} 11:00:00", "C-repeats-3"),
        ("instant-b", waves[-1], "9", f"{day} 11:00:00", "C-repeats-3"),
        ("unscored-1", waves[-1], "8", f"{day} 12:00:00", "C-repeats-4"),
        ("unscored-2", waves[-1], None, f"{days_after(day, 1)} 12:00:00", "C-repeats-4"),
        ("midnight", waves[-1], "10", f"{month_start(sample, 3)} 00:00:00", "C-repeats-1"),
    )
    for name, survey, score, responded_at, respondent in answers:
        response(
            sample,
            f"Q-repeats-{name}",
            survey,
            score,
            responded_at,
            account_id=buyer,
            respondent_id=respondent,
        )


def respondents_without_id(sample: Sample) -> None:
    """Add answers without respondent_id (the account speaks once) and without both (each counts)."""
    waves = wave_ids(sample.company)
    buyer = account(sample, "A-no-respondent")
    for number, score in enumerate(("4", "9")):
        response(
            sample,
            f"Q-account-{number}",
            waves[-1],
            score,
            f"{sample.day(2, 5 + number)} 09:00:00",
            account_id=buyer,
        )
        response(sample, f"Q-nobody-{number}", waves[-1], score, f"{sample.day(2, 5 + number)} 09:00:00")


def labelled_scores(sample: Sample) -> None:
    """Add scores as form tools write them, both ends of the scale, every score once."""
    waves = wave_ids(sample.company)
    written = (
        "9 - likely",
        "9/10",
        "9.0",
        " 10 ",
        "10 - Extremely likely",
        "0 - Not at all likely",
        "٩",
        "７",
        "8,0",
        "0",
        "10",
    )
    for number, label in enumerate(written):
        response(
            sample,
            f"Q-label-{number:02d}",
            waves[-2],
            label,
            f"{sample.day(4, 1 + number)} 09:00:00",
            account_id=f"A{30 + number:08d}",
        )
    for score in range(11):
        response(
            sample,
            f"Q-score-{score:02d}",
            waves[-2],
            str(score),
            f"{sample.day(4, 1 + score)} 10:00:00",
            account_id=f"A{50 + score:08d}",
        )


def invitations(sample: Sample) -> None:
    """Add invitations bounced, blank and unanswered.

    Answered late, exactly at 30 × 24 hours, before it was sent, on another survey, anonymously.
    """
    wave, other = wave_ids(sample.company)[-1], wave_ids(sample.company)[-2]
    buyer = account(sample, "A-invited")
    sent = f"{sample.day(2, 1)} 00:00:00"
    cases: tuple[tuple[str, str | None, str | None, str], ...] = (
        ("answered", "true", _later(sent, days=2), wave),
        ("bounced", "false", None, wave),
        ("bounced-answered", "no", _later(sent, days=1), wave),
        ("blank", None, _later(sent, days=3), wave),
        ("unanswered", "1", None, wave),
        ("at-the-limit", "true", _later(sent, days=30), wave),
        ("late", "true", _later(sent, days=30, seconds=1), wave),
        ("too-early", "true", _later(sent, seconds=-1), wave),
        ("at-once", "true", sent, wave),
        ("other-survey", "true", _later(sent, days=2), other),
    )
    for name, delivered, answered_at, answered_survey in cases:
        invitation(sample, f"V-{name}", wave, f"C-invited-{name}", sent, delivered, account_id=buyer)
        if answered_at:
            response(
                sample,
                f"Q-invited-{name}",
                answered_survey,
                "8",
                answered_at,
                account_id=buyer,
                respondent_id=f"C-invited-{name}",
            )
    invitation(sample, "V-twice-1", wave, "C-invited-twice", sent, account_id=buyer)
    invitation(sample, "V-twice-2", wave, "C-invited-twice", _later(sent, days=7), account_id=buyer)
    response(
        sample,
        "Q-invited-twice",
        wave,
        "9",
        _later(sent, days=9),
        account_id=buyer,
        respondent_id="C-invited-twice",
    )
    invitation(sample, "V-anonymous", wave, "C-invited-anonymous", sent, account_id=buyer)
    response(sample, "Q-invited-anonymous", wave, "9", _later(sent, days=1), account_id=buyer)
    invitation(sample, "V-no-account", wave, "C-invited-no-account", sent)
    invitation(sample, "V-unknown-survey", "never-delivered", "C-invited-unknown", sent, account_id=buyer)
    invitation(sample, "V-enps-by-name", "enps", "E-by-name", sent)
    invitation(
        sample,
        "V-leap",
        wave_ids(sample.company)[-6],
        "C-invited-leap",
        f"{leap_day(sample)} 00:00:00",
        account_id=buyer,
    )


def few_answers(sample: Sample) -> None:
    """Add waves of 4 and 5 staff answers and of 9, 10, 29 and 30 customer answers.

    Both sides of each sample state.
    """
    for size in (4, 5):
        staff = _survey(sample, f"enps-of-{size}", "enps", ("0", "10"))
        for number in range(size):
            response(
                sample,
                f"Q-enps-of-{size}-{number}",
                staff,
                str(10 - 2 * number),
                f"{sample.day(25, 3)} 10:00:00",
                respondent_id=f"E-of-{number}",
            )
    for size in (9, 10, 29, 30):
        survey = _survey(sample, f"nps-of-{size}", "nps", ("0", "10"))
        for number in range(size):
            response(
                sample,
                f"Q-nps-of-{size}-{number:02d}",
                survey,
                str(10 - number % 5),
                f"{sample.day(22, 3)} 10:00:00",
                account_id=f"A{100 + number:08d}",
                respondent_id=f"C{100 + number:08d}-1",
            )


def comments(sample: Sample) -> None:
    """Add comments with quotes, commas, line ends, formulas and in several scripts; a long one.

    One of blanks only.
    """
    wave = wave_ids(sample.company)[-3]
    written = (
        ('He said "fine", then left, twice.', "en"),
        ("First line\nsecond line\n\nfourth line", "en"),
        ("=SUM(A1:A9)", "en"),
        ('שירות "מעולה", תודה!', "he"),
        ("خدمة ممتازة، شكرا لكم ١٠/١٠", "ar"),
        ("Servis terbaik, tetapi mahal 💸", "ms"),
        ("Mixed عربي and עברית in one line", None),
        ("Long answer. " * 60, "en"),
        ("   ", "en"),
        ("'; drop table survey_responses; --", "en"),
    )
    for number, (comment, language) in enumerate(written):
        response(
            sample,
            f"Q-comment-{number:02d}",
            wave,
            str(number),
            f"{sample.day(7, 11 + number)} 09:00:00",
            account_id=f"A{70 + number:08d}",
            comment=comment,
            language=language,
        )


ODDITIES = (
    one_to_ten,
    unsupported_scales,
    scores_beyond_their_scale,
    other_surveys,
    repeated_answers,
    respondents_without_id,
    labelled_scores,
    invitations,
    few_answers,
    comments,
)
