"""What a mail to an agency says, found in the standing and the life of warnings; wording is the templates' part."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from fractions import Fraction
from math import ceil
from zoneinfo import ZoneInfo

from schemas.plan import Indicator, MeanMeasure, Target
from schemas.warnings import Transition, TransitionReason
from services.alerts.core.book import Book
from services.alerts.core.evidence import Evidence
from services.alerts.core.letter import (
    Course,
    Dispute,
    DisputeLetter,
    Heading,
    Lag,
    LagLetter,
    Other,
    Pace,
    Resolved,
)
from services.alerts.core.moved import goalposts_of
from services.alerts.core.news import news_of, order, rank_of
from services.core.schedule.standing import Standing
from services.core.schedule.trajectory import curve_for
from services.core.warnings.lifecycle import is_open, lag_cause


def pace_of(standing: Standing, target: Fraction, deadline: date, size: int = 1) -> Pace:
    """Return what is missing to *target* and how much a week reaches it by *deadline*, counted from the day judged.

    Counts are in units of *size* cases each.
    """
    days = (deadline - standing.judged_day).days
    counted = standing.numerator is not None and standing.denominator is not None
    if standing.numerator is not None and standing.denominator is not None:
        exact = target * Fraction(standing.denominator) - Fraction(standing.numerator)
    else:
        exact = target - (standing.ratio or Fraction(0))
    exact = max(exact, Fraction(0))
    per_week = exact * 7 / days if days > 0 else None
    if not counted:
        return Pace(counted=False, missing=exact, per_week=per_week)
    step = Fraction(1) if size == 1 else Fraction(size, 10)
    missing, per_week = (None if of is None else ceil(of / step) * step / size for of in (exact, per_week))
    return Pace(counted=True, missing=missing or Fraction(0), per_week=per_week)


def _course(evidence: Evidence, indicator: str, agency: str, target: Target) -> Course:
    plan = evidence.plan
    curve = curve_for(target, plan)
    days = (plan.start + timedelta(days=step) for step in range(curve.span + 1))
    actual = tuple(
        (one.day, float(one.ratio))
        for one in evidence.histories.get((indicator, agency), ())
        if one.ratio is not None and one.judged_day == one.day
    )
    return Course(
        planned=tuple((day, float(curve.planned_at(day))) for day in days), actual=actual, target=float(target.target)
    )


def _other(evidence: Evidence, indicator: Indicator, agency: str, target: Target | None, language: str) -> Other | None:
    standing = evidence.latest(indicator.id, agency)
    if standing is None:
        return None
    return Other(
        title=indicator.title.text(language),
        unit=indicator.unit.text(language),
        unit_one=indicator.unit.counted(1, language),
        size=indicator.unit.size,
        standing=standing,
        target=target.target if target else None,
    )


def _lag(
    evidence: Evidence,
    heading: Heading,
    indicator: Indicator,
    target: Target,
    last: Transition,
    told: Sequence[Transition],
    book: Book,
) -> Lag | None:
    agency, language = last.agency, heading.language
    standing = evidence.latest(indicator.id, agency)
    if standing is None:
        return None
    parts: list[Other] = []
    if isinstance(indicator.measure, MeanMeasure):
        found = (
            _other(evidence, evidence.indicators[part.indicator], agency, None, language)
            for part in indicator.measure.of
        )
        parts = [one for one in found if one is not None]
    above = rank_of(last.level) > max(rank_of(heading.to.role), 0)
    return Lag(
        indicator=indicator.id,
        objective=indicator.objective,
        title=indicator.title.text(language),
        unit=indicator.unit.text(language),
        unit_one=indicator.unit.counted(1, language),
        size=indicator.unit.size,
        standing=standing,
        target=target.target,
        since=last.since,
        severity=last.severity.value if last.severity else "warning",
        news=news_of(told, book, lambda role: evidence.office(agency, role)),
        answered=book.answered((agency, last.cause), ZoneInfo(evidence.directory.zone)),
        role=last.level if above else None,
        office=evidence.office(agency, last.level) if above else None,
        pace=pace_of(standing, target.target, evidence.plan.deadline, indicator.unit.size),
        parts=tuple(parts),
        sources=evidence.sources(indicator, agency, language),
        course=_course(evidence, indicator.id, agency, target),
    )


def lag_letter(evidence: Evidence, heading: Heading, agency: str, told: Sequence[Transition], book: Book) -> LagLetter:
    """Return the mail about *told*, transitions of one agency.

    Everything that is open now is in it, what *told* has changed first; what *told* resolved and is still resolved is named;
    the agency's other indicators follow in one line each.
    """
    language = heading.language
    by_cause: dict[str, list[Transition]] = {}
    for one in told:
        by_cause.setdefault(one.cause, []).append(one)
    lags: list[Lag] = []
    resolved: list[Resolved] = []
    others: list[Other] = []
    for indicator in evidence.plan.indicators:
        cause = lag_cause(indicator.id)
        last = book.last((agency, cause))
        target = evidence.targets(indicator.id).get(agency)
        lag = None
        if last is not None and is_open(last) and target is not None:
            lag = _lag(evidence, heading, indicator, target, last, by_cause.get(cause, ()), book)
        if lag is not None:
            lags.append(lag)
            continue
        if last is not None and cause in by_cause and not is_open(last):
            ended = _end(book, last)
            resolved.append(
                Resolved(title=indicator.title.text(language), reason=ended.reason.value, since=ended.since)
            )
        other = _other(evidence, indicator, agency, target, language) if target is not None else None
        if other is not None:
            others.append(other)
    lags.sort(key=order)
    known = evidence.agencies.get(agency)
    return LagLetter(
        heading=heading,
        agency=known.name.text(language) if known else agency,
        lags=tuple(lags),
        resolved=tuple(resolved),
        others=tuple(others),
        moved=goalposts_of(evidence.plans, evidence.directory, agency, day=evidence.day, language=language),
    )


def _end(book: Book, last: Transition) -> Transition:
    """Return what ended the warning whose state is *last*: being behind for a day or two since then changes nothing."""
    ends = (TransitionReason.CAUGHT_UP, TransitionReason.NO_LONGER_JUDGED)
    return next((one for one in reversed(book.life((last.agency, last.cause))) if one.reason in ends), last)


def dispute_letter(
    evidence: Evidence, heading: Heading, agency: str, told: Sequence[Transition], book: Book
) -> DisputeLetter:
    """Return the mail to operations about *told*, transitions by which one agency (or a feed's owner) disputed."""
    zone = ZoneInfo(evidence.directory.zone)
    disputes = []
    for one in told:
        indicator = evidence.indicators.get(one.cause.partition(":")[2])
        feed = evidence.feed(one.agency)
        title = indicator.title if indicator is not None else feed.title if feed is not None else None
        disputes.append(
            Dispute(
                indicator=indicator.id if indicator is not None else "",
                title=title.text(heading.language) if title is not None else one.cause,
                unit=indicator.unit.text(heading.language) if indicator is not None else "",
                unit_one=indicator.unit.counted(1, heading.language) if indicator is not None else None,
                size=indicator.unit.size if indicator is not None else 1,
                standing=evidence.latest(indicator.id, one.agency) if indicator is not None else None,
                answered=book.answer_of(one, zone),
            )
        )
    return DisputeLetter(
        heading=heading, agency=evidence.name(agency, heading.language), agency_id=agency, disputes=tuple(disputes)
    )
