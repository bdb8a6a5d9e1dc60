"""What those above the agencies read once a week or month: how matters stand, in a letter of bounded length.

However many warnings there are, the letter names some twenty of each kind and counts the rest.
"""

from __future__ import annotations

from datetime import timedelta
from heapq import nsmallest
from statistics import median
from typing import Final
from zoneinfo import ZoneInfo

from schemas.warnings import Transition
from services.alerts.core.digest_letter import (
    AnswerLine,
    Counts,
    DigestLetter,
    EndLine,
    FeedLine,
    IndicatorLine,
    Listed,
    WarningLine,
)
from services.alerts.core.digest_records import LAG, DigestGround, DigestReader, Seen, look_through
from services.alerts.core.evidence import Evidence
from services.alerts.core.letter import Heading
from services.alerts.core.planning import area_of
from services.core.schedule.standing import Standing
from services.core.warnings.severity import RANK

MOST: Final = 20  # rows of the list of warnings
FEWER: Final = 10  # rows of the other lists
INDICATORS: Final = 30  # plans have about ten


def digest_letter(ground: DigestGround, heading: Heading, reader: DigestReader) -> DigestLetter:
    """Return the digest of *reader*, as everything stands on the day judged; the same ground gives the same letter."""
    evidence, language = ground.evidence, heading.language
    area = area_of(evidence.directory, reader.agency)
    seen = look_through(ground, reader, area)
    lines: list[IndicatorLine] = []
    rows: list[tuple[tuple[int, int, float, str, str], Transition, float | None]] = []
    for indicator in evidence.plan.indicators:
        warned = seen.lags.get(indicator.id, [])
        late = ground.late(indicator.id) if warned else {}
        judged = sum(1 for one, target in evidence.targets(indicator.id).items() if target is not None and one in area)
        behind = [(late[one.agency], one.agency) for one in warned if late.get(one.agency, 0) > 0]
        if judged:
            worst = max(behind, default=(None, ""), key=lambda one: (one[0] or 0, one[1]))
            lines.append(
                IndicatorLine(
                    title=indicator.title.text(language),
                    judged=judged,
                    warned=len(warned),
                    median=median(days for days, _ in behind) if behind else None,
                    worst=worst[0],
                    worst_agency=evidence.name(worst[1], language),
                )
            )
        reached = [one for one in warned if (one.agency, one.cause) in seen.reached]
        keyed = ((_worst_first(one, seen, late.get(one.agency)), one, late.get(one.agency)) for one in reached)
        rows = nsmallest(MOST, [*rows, *keyed], key=lambda row: row[0])
    zone = ZoneInfo(evidence.directory.zone)
    answers = sorted(seen.answers, key=lambda one: (-one.at.timestamp(), one.agency, one.cause))
    ended = sorted(seen.ended, key=lambda one: (not reader.concerned(one), -one.day.toordinal(), one.agency, one.cause))
    out = sorted(seen.feeds, key=lambda one: (one.since, one.agency))
    return DigestLetter(
        heading=heading,
        role=reader.role,
        period=reader.period,
        first=reader.since,
        last=reader.first - timedelta(days=1),
        area=evidence.name(reader.agency, language),
        counts=Counts(
            agencies=len(seen.agencies),
            judged=_judged(evidence, area),
            reached=len(seen.reached),
            newly=len(seen.new),
            feeds=len(seen.feeds),
            **{name: seen.counts[name] for name in Counts.COUNTED},
        ),
        reached=Listed(
            rows=tuple(_row(ground, heading, seen, one, late) for _, one, late in rows), of=len(seen.reached)
        ),
        indicators=Listed(rows=tuple(lines[:INDICATORS]), of=len(lines)),
        answers=Listed(
            rows=tuple(
                AnswerLine(
                    agency=evidence.name(one.agency, language),
                    title=_title(evidence, one.cause, language),
                    answered=ground.book.answer_of(one, zone),
                )
                for one in answers[:FEWER]
            ),
            of=len(answers),
        ),
        feeds=Listed(rows=tuple(_feed(evidence, one, language) for one in out[:FEWER]), of=len(out)),
        ended=Listed(
            rows=tuple(
                EndLine(
                    agency=evidence.name(one.agency, language),
                    title=_title(evidence, one.cause, language),
                    reason=one.reason.value,
                    since=one.since,
                )
                for one in ended[:FEWER]
            ),
            of=len(ended),
        ),
    )


def _judged(evidence: Evidence, area: frozenset[str]) -> int:
    return len(
        {
            one
            for indicator in evidence.plan.indicators
            for one, target in evidence.targets(indicator.id).items()
            if target is not None and one in area
        }
    )


def _worst_first(one: Transition, seen: Seen, late: float | None) -> tuple[int, int, float, str, str]:
    newly = (one.agency, one.cause) in seen.new
    severity = RANK[one.severity] if one.severity else 0
    return int(not newly), -severity, -(late or 0.0), one.agency, one.cause


def _row(
    ground: DigestGround,
    heading: Heading,
    seen: Seen,
    one: Transition,
    late: float | None,
) -> WarningLine:
    evidence = ground.evidence
    indicator = evidence.indicators[one.cause.removeprefix(LAG)]
    standing: Standing | None = evidence.latest(indicator.id, one.agency)
    subject = (one.agency, one.cause)
    return WarningLine(
        agency=evidence.name(one.agency, heading.language),
        title=indicator.title.text(heading.language),
        severity=one.severity.value if one.severity else "warning",
        newly=subject in seen.new,
        since=one.since,
        days_behind=late if standing is None or standing.days_behind is None else float(standing.days_behind),
        missed=standing is not None and standing.verdict == "missed",
        ratio=standing.ratio if standing is not None else None,
        planned=standing.planned if standing is not None else None,
        answered=ground.book.answered(subject, ZoneInfo(evidence.directory.zone)),
    )


def _title(evidence: Evidence, cause: str, language: str) -> str:
    indicator = evidence.indicators.get(cause.removeprefix(LAG))
    return indicator.title.text(language) if indicator is not None else cause.removeprefix(LAG)


def _feed(evidence: Evidence, one: Transition, language: str) -> FeedLine:
    feed, known = evidence.feed(one.agency), evidence.feeds.get(one.agency)
    return FeedLine(
        title=evidence.name(one.agency, language),
        state=known.state if known is not None else "silent",
        since=one.since,
        owner=feed.owner.name if feed is not None else "",
    )
