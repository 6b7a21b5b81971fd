"""The figures that a council cares about: how soon people hear, in which language, and what that spares them.

Counted from the ledger's own rows, which hold no person. A figure that stands for fewer than five referrals is left
out, and so is the smallest other one beside it where the first could be told from a sum (complementary suppression).

How the estimates are made is said here and printed with them:
- *told before they would have rung*: of those who were told something, the share whose first news came within
  `patience` of their request; `patience` is the council's own guess of when people ring.
- *avoided contacts*: the number of those, times `ring_rate`, the share that used to ring. Both are guesses of whoever
  asks, and are printed beside the answer.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, func, select, text

from mappings.fieldpaths import type_of
from pipelines.clock import SECOND
from pipelines.plant import Council, Plant
from pipelines.tables import delivery, news, referral

#: Fewer than this are not shown.
FEWEST = 5
SUPPRESSED = None
LANGUAGES = ("cy", "en", "both")
_RUNG = "telephone"


@dataclass(frozen=True, slots=True)
class Assumed:
    """What is guessed: after how many days people ring, and which share of them does."""

    patience: timedelta = timedelta(days=3)
    ring_rate: float = 0.4


@dataclass(frozen=True, slots=True)
class Figures:
    """One council's figures. None stands for a figure that is suppressed, or of which there is nothing to say.

    Times are seconds, shares lie between 0 and 1; `medians` of times are over the referrals or messages counted beside.
    """

    council: str
    name: Mapping[str, str]
    since: int
    until: int
    referrals: int | None
    by_state: Mapping[str, int | None]
    asked_for_news: int | None  # opted in by any channel
    opt_in_rate: float | None
    told: int | None  # referrals of which somebody was told something
    first_news: float | None  # median from request to first news
    first_news_90th: float | None
    told_before_ringing: float | None
    avoided_contacts: int | None
    messages: Mapping[str, int | None]  # by language, and by telephone
    lag: Mapping[str, float | None]  # median from the change of status to its news, by language
    lag_between: float | None  # the Welsh median less the English one: above 0, Welsh news were later
    not_later: bool | None  # Welsh news were not later than English ones, by their medians
    not_sent: Mapping[str, int | None]  # by rule
    reports: Mapping[str, int | None]  # how messages went
    parts: int | None  # billed parts of texts
    assumed: Assumed = field(default_factory=Assumed)


def figures(plant: Plant, code: str, *, since: int, until: int, assumed: Assumed | None = None) -> Figures:
    """Count what was first seen, or told, between two moments (whole microseconds since 1970)."""
    council, guess = plant.councils[code], assumed or Assumed()
    with plant.ledger.reading() as connection:
        asked, wanting = _asked(connection, code, since, until)
        told = connection.execute(
            select(news).where(news.c.council == code, news.c.at >= since, news.c.at < until).order_by(news.c.at)
        ).all()
        rules = connection.execute(
            select(delivery.c.reason).where(
                delivery.c.council == code, delivery.c.kind == "Text", delivery.c.state == "not sent",
                delivery.c.changed_at >= since, delivery.c.changed_at < until,
            )
        ).scalars().all()  # fmt: skip
    return _counted(council, asked, told, Counter(rules), wanting, since, until, guess)


def _asked(connection: Connection, code: str, since: int, until: int) -> tuple[Counter[str], int]:
    """How many referrals came, by their status, and of how many somebody wants news. From an index alone."""
    by_status: Counter[str] = Counter()
    wanting = 0
    # Each status alone, whose span is one stretch of the index: grouping them takes several times as long.
    for status in (None, *type_of("status").codes):
        for wants in (False, True):
            number = connection.execute(
                select(func.count())
                .select_from(referral)
                .where(referral.c.council == code, referral.c.status.is_(None) if status is None
                       else referral.c.status == status)
                .where(referral.c.wants_news.is_(wants), referral.c.at >= since, referral.c.at < until)
                .where(text("referral.merged_into IS NULL"))
            ).scalar_one()  # fmt: skip
            by_status[status or "unknown"] += number
            wanting += number if wants else 0
    return +by_status, wanting


def _counted(
    council: Council,
    by_status: Counter[str],
    told: Sequence[Any],
    rules: Counter[str],
    wanting: int,
    since: int,
    until: int,
    guess: Assumed,
) -> Figures:
    asked = by_status.total()
    first: dict[str, float] = {}
    lags: dict[str, list[float]] = defaultdict(list)
    for row in told:
        if row.asked is not None and row.referral_id not in first:
            first[row.referral_id] = max(0.0, (row.at - row.asked) / SECOND)
        if row.changed is not None and row.channel != _RUNG:
            lags[row.language].append(max(0.0, (row.at - row.changed) / SECOND))
    heard = len({row.referral_id for row in told})
    soon = sum(1 for seconds in first.values() if seconds <= guess.patience.total_seconds())
    waits = sorted(first.values())
    shown = len(first) >= FEWEST
    lag = {language: _median(lags[language]) if len(lags[language]) >= FEWEST else None for language in LANGUAGES}
    welsh, english = lag["cy"], lag["en"]
    messages = Counter(_RUNG if row.channel == _RUNG else row.language for row in told)
    return Figures(
        council=council.code,
        name=council.name,
        since=since,
        until=until,
        referrals=small(asked),
        by_state=suppressed(by_status),
        asked_for_news=among(wanting, asked),
        opt_in_rate=None if not asked or among(wanting, asked) is None else wanting / asked,
        told=among(heard, asked),
        first_news=_median(waits) if shown else None,
        first_news_90th=waits[min(len(waits) - 1, int(len(waits) * 0.9))] if shown else None,
        told_before_ringing=soon / len(first) if shown and among(soon, len(first)) is not None else None,
        avoided_contacts=round(soon * guess.ring_rate) if soon >= FEWEST else None,
        messages=suppressed(messages),
        lag=lag,
        lag_between=None if welsh is None or english is None else welsh - english,
        not_later=None if welsh is None or english is None else welsh <= english * 1.1 + 1.0,
        not_sent=suppressed(rules),
        reports=suppressed(Counter(row.report for row in told if row.report)),
        parts=sum(row.parts for row in told) if len(told) >= FEWEST else None,
        assumed=guess,
    )


def small(number: int) -> int | None:
    """A count, None where it is of one to four."""
    return None if 0 < number < FEWEST else number


def among(part: int, whole: int) -> int | None:
    """A count of some among a number that is shown too: None where either they or the others are too few to show."""
    return None if small(part) is None or small(max(0, whole - part)) is None else part


def suppressed(counts: Mapping[str, int]) -> dict[str, int | None]:
    """Counts that are parts of a whole. Where exactly one is too small to show, the whole less the others would tell
    it; so the smallest of the others is left out too."""
    held = {name: small(number) for name, number in sorted(counts.items()) if number}
    hidden = [name for name, number in held.items() if number is None]
    if len(hidden) == 1 and len(held) > 1:
        next_one = min((name for name in held if name not in hidden), key=lambda name: (counts[name], name))
        held[next_one] = None
    return held


def _median(values: Sequence[float]) -> float | None:
    ordered = sorted(values)
    if not ordered:
        return None
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
