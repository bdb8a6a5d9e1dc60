"""Why an item counts for a figure, or does not: from what sources have said about it. Pure.

Says in plain Python what ``services/infra/figures/sql/items.sql`` and ``progress.sql`` say in SQL; a test holds the two
together over any events.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum


class Why(StrEnum):
    """What an item does to the figure of the day judged; the first three are among its cases."""

    ADOPTED = "adopted"
    ONLY_ENTERED = "only-entered"
    UNDONE = "undone"
    BEFORE_PERIOD = "before-period"
    AFTER_DAY = "after-day"
    AGENCY_NOT_THERE = "agency-not-there"  # on the day on which it entered
    NEVER_ENTERED = "never-entered"
    TAKEN_BACK = "taken-back"
    UNKNOWN_PARTY = "unknown-party"  # of a document exchanged: no agency had this code on its day of issue
    NOT_WITH_LEADERSHIP = "not-with-leadership"  # of a document exchanged: not exactly one party is leadership


class Fate(StrEnum):
    """What becomes of one statement about an item."""

    COUNTS = "counts"
    SUPERSEDED = "superseded"  # by a later statement of the same source about the same step
    TAKEN_BACK = "taken-back"
    LATER = "later"  # of a day after the one judged
    OUT_OF_REACH = "out-of-reach"  # before the plan, or on a day on which the agency did not exist


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a source said about one step of an item, by an event with *version*."""

    source: str
    step: str
    version: int
    day: date
    retracted: bool
    weight: Decimal = Decimal(1)
    issued: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """Which items a figure is about: entered from *start* on, and with *days* in the last *days* days only."""

    start: date | None = None
    days: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemEvidence:
    """An item of *office* with what it adds to numerator and denominator, and everything said about it."""

    office: str
    item: str
    why: Why
    entered: date | None
    numerator: Decimal
    denominator: Decimal
    statements: tuple[tuple[Said, Fate], ...]


def standing_statements(said: Iterable[Said]) -> dict[tuple[str, str], Said]:
    """Return (source, step) → the statement that stands, a retracted one included: the one of the greatest version."""
    found: dict[tuple[str, str], Said] = {}
    for one in said:
        held = found.get((one.source, one.step))
        if held is None or held.version < one.version:
            found[one.source, one.step] = one
    return found


def item_evidence(
    office: str, item: str, said: Sequence[Said], *, day: date, period: Period, life: tuple[date, date]
) -> ItemEvidence:
    """Return why an item counts for the figure of *day*, or does not. *life*: first and last day of its office.

    An item enters on its least entered day, without one on its least day of issue. On *day* it is adopted if the last step
    up to *day* is adopted; on equal days undone wins.
    """
    standing = standing_statements(said)
    held = [one for one in standing.values() if not one.retracted]
    entries = [one.day for one in held if one.step == "entered"]
    issues = [one.issued for one in held if one.issued is not None]
    entered = min(entries, default=min(issues, default=None))
    moves = sorted((one.day, one.step == "undone") for one in held if one.step != "entered" and one.day <= day)
    fates = _fates(said, standing, day, after=None)
    if not held:
        why = Why.TAKEN_BACK
    elif entered is None:
        why = Why.NEVER_ENTERED
    elif not life[0] <= entered <= life[1]:
        why = Why.AGENCY_NOT_THERE
    elif _too_early(entered, day, period):
        why = Why.BEFORE_PERIOD
    elif entered > day:
        why = Why.AFTER_DAY
    elif not moves:
        why = Why.ONLY_ENTERED
    else:
        why = Why.UNDONE if moves[-1][1] else Why.ADOPTED
    case = why in (Why.ADOPTED, Why.ONLY_ENTERED, Why.UNDONE)
    return ItemEvidence(
        office=office,
        item=item,
        why=why,
        entered=entered,
        numerator=Decimal(int(why is Why.ADOPTED)),
        denominator=Decimal(int(case)),
        statements=fates,
    )


def of_stage(item: str, said: Sequence[Said], *, done: str) -> list[Said]:
    """Return what was *said* of an amount, adopted where its stage (the second part of its id) is *done*, else entered."""
    step = "adopted" if item.split("/", 2)[1] == done else "entered"
    return [replace(one, step=step) for one in said]


def progress_evidence(
    office: str, item: str, said: Sequence[Said], *, day: date, start: date, life: tuple[date, date]
) -> ItemEvidence:
    """Return what a milestone or an amount adds on *day*: its weight to the denominator once entered, to the numerator
    while adopted. Statements of days before *start* or outside *life* say nothing. The weight last stated counts.
    """
    standing = standing_statements(said)
    first = max(start, life[0])
    held = [one for one in standing.values() if not one.retracted and first <= one.day <= life[1]]
    entries = [one.day for one in held if one.step == "entered"]
    entered = min(entries, default=None)
    moves = sorted((one.day, one.step == "undone") for one in held if one.step != "entered" and one.day <= day)
    adopted = bool(moves) and not moves[-1][1]
    weight = max(held, key=lambda one: one.version).weight if held else Decimal(0)
    due = entered is not None and entered <= day
    if not held:
        reach = [one for one in standing.values() if not one.retracted]
        early = bool(reach) and all(one.day < start for one in reach)
        why = Why.TAKEN_BACK if not reach else Why.BEFORE_PERIOD if early else Why.AGENCY_NOT_THERE
    elif adopted:
        why = Why.ADOPTED
    elif due:
        why = Why.UNDONE if moves else Why.ONLY_ENTERED
    else:
        why = Why.NEVER_ENTERED if entered is None and min(one.day for one in held) <= day else Why.AFTER_DAY
    return ItemEvidence(
        office=office,
        item=item,
        why=why,
        entered=entered,
        numerator=weight if adopted else Decimal(0),
        denominator=weight if due else Decimal(0),
        statements=_fates(said, standing, day, after=(first, life[1])),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """That *agency* answers to a code from *first* to *last*."""

    agency: str
    leadership: bool
    first: date
    last: date


Exchange = tuple[str, int, str, str]  # issuer's code, year, number, counterpart's code: as sent


def resolve_exchanges(
    said: Mapping[Exchange, Sequence[Said]], codes: Mapping[str, Sequence[Code]], offices: Collection[str]
) -> dict[tuple[str, tuple[str, int, str, str]], tuple[list[Said], Why | None]]:
    """Return (office, document) → what was said of it, and why it counts for nobody (None: it may count).

    Both parties are resolved on the day of issue that each standing statement gives; parties that name one agency
    differently meet in the agency. A document that counts for an office outside *offices* is left out.
    """
    found: dict[tuple[str, tuple[str, int, str, str]], tuple[list[Said], Why | None]] = {}
    kept: dict[tuple[str, tuple[str, int, str, str]], list[Said]] = defaultdict(list)
    for (issuer, year, number, counterpart), statements in said.items():
        by_register: dict[tuple[str, str], list[Said]] = defaultdict(list)
        for one in statements:
            by_register[one.source, one.step].append(one)
        for register in by_register.values():
            stands = max(register, key=lambda one: one.version)
            if stands.retracted:  # nobody's any more; shown with the document as it was sent
                kept["", (issuer, year, number, counterpart)].extend(register)
                continue
            parties = _parties(codes.get(issuer, ()), codes.get(counterpart, ()), stands.issued)
            if not parties:
                found.setdefault(("", (issuer, year, number, counterpart)), ([], Why.UNKNOWN_PARTY))[0].extend(register)
            for a, b in parties:
                if a.leadership == b.leadership:
                    key = "", (a.agency, year, number, b.agency)
                    if {a.agency, b.agency} & set(offices):
                        found.setdefault(key, ([], Why.NOT_WITH_LEADERSHIP))[0].extend(register)
                    continue
                party = b.agency if a.leadership else a.agency
                if party in offices:
                    kept[party, (a.agency, year, number, b.agency)].extend(register)
    for key, statements in kept.items():
        found[key] = statements, None
    return found


def _parties(issuers: Sequence[Code], counterparts: Sequence[Code], issued: date | None) -> list[tuple[Code, Code]]:
    if issued is None:
        return []
    return [
        (a, b) for a in issuers for b in counterparts if a.first <= issued <= a.last and b.first <= issued <= b.last
    ]


def _too_early(entered: date, day: date, period: Period) -> bool:
    if period.start is not None and entered < period.start:
        return True
    return period.days is not None and entered <= day - timedelta(days=period.days)


def _fates(
    said: Sequence[Said], standing: Mapping[tuple[str, str], Said], day: date, *, after: tuple[date, date] | None
) -> tuple[tuple[Said, Fate], ...]:
    fates = []
    for one in sorted(said, key=lambda one: (one.day, one.version)):
        if standing[one.source, one.step].version != one.version:
            fate = Fate.SUPERSEDED
        elif one.retracted:
            fate = Fate.TAKEN_BACK
        elif after is not None and not after[0] <= one.day <= after[1]:
            fate = Fate.OUT_OF_REACH
        else:
            fate = Fate.LATER if one.day > day else Fate.COUNTS
        fates.append((one, fate))
    return tuple(fates)
