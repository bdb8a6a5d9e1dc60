"""A preview: what a plan that is not published would have warned of, beside what the published revisions do. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from fractions import Fraction
from typing import Final

from services.core.goalposts import Moved
from services.core.schedule.standing import Standing
from services.core.warnings.lifecycle import is_open
from services.core.warnings.replay import Change
from services.core.warnings.warning_records import Subject


class Difference(StrEnum):
    """What becomes of the warnings about one cause; the first that holds."""

    NEVER = "never"  # warned neither before nor after
    NEW = "new"
    NO_LONGER = "no-longer"
    EARLIER = "earlier"  # first warned so many days earlier
    LATER = "later"
    LONGER = "longer"  # first warned on the same day, open for so many days more
    SHORTER = "shorter"
    MORE_OFTEN = "more-often"  # open for as many days, in so many warnings more
    LESS_OFTEN = "less-often"
    OTHER_DAYS = "other-days"  # as early, as long and as often, on other days
    SAME = "same"


@dataclass(frozen=True, slots=True, kw_only=True)
class Warned:
    """How often a cause was warned of, from the plan's start to the last day.

    ``spans``: first and last day of standing of each warning; an open one ends on the last day. ``open``: the last one is.
    """

    spans: tuple[tuple[date, date], ...] = ()
    open: bool = False

    @property
    def first(self) -> date | None:
        """The day of standing that opened the first warning; None where there was none."""
        return self.spans[0][0] if self.spans else None

    @property
    def times(self) -> int:
        """How many warnings were opened."""
        return len(self.spans)

    @property
    def days(self) -> int:
        """On how many days of standing one was open: from the one that opened it to the one before that resolved it."""
        return sum((last - first).days + 1 for first, last in self.spans)


UNWARNED: Final = Warned()


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One agency in one indicator (or a feed, whose id is ``agency``, and an empty indicator), before and after.

    ``by``: days or warnings, as the difference says; 0 where it says no number. ``standing_…`` is that of the last day,
    None where nothing is judged there, and for feeds.
    """

    agency: str
    indicator: str
    before: Warned
    after: Warned
    difference: Difference
    by: int
    standing_before: Standing | None = None
    standing_after: Standing | None = None

    @property
    def told_apart(self) -> bool:
        """Whether the warnings differ, or the verdict of the last day."""
        return self.difference not in (Difference.SAME, Difference.NEVER) or (
            _said(self.standing_before)[0] != _said(self.standing_after)[0]
        )

    @property
    def differs(self) -> bool:
        """Whether they are told apart, or by the days behind of the last day."""
        return self.told_apart or _said(self.standing_before) != _said(self.standing_after)


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Over all agencies and indicators: warnings opened, days they were open, open on the last day, agencies warned."""

    warnings: int
    days: int
    open: int
    agencies: int
    verdicts: Mapping[str, int]  # of the last day; indicators without a target have none


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """A plan lived through: transitions with the days whose looks made them, and all standings up to the last day."""

    changes: Sequence[Change]
    histories: Mapping[tuple[str, str], Sequence[Standing]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """The published revisions (before) and the plan previewed (after), from the plan's start to *day*.

    ``lines``: every agency and indicator with a target on the last day or a warning ever, of either side, in the order of
    indicators and agencies; ``feeds``: every feed with a warning. ``moved``: where the plan previewed asks less of an
    agency than the revision in force on *day*.
    """

    day: date
    lines: tuple[Line, ...]
    feeds: tuple[Line, ...]
    before: Totals
    after: Totals
    moved: tuple[Moved, ...]

    @property
    def differs(self) -> bool:
        """Whether a warning, a verdict or a number of days behind differs, or the plan asks less."""
        return bool(self.moved) or any(one.differs for one in (*self.lines, *self.feeds))


def compare(before: Side, after: Side, *, day: date, moved: Iterable[Moved] = ()) -> Preview:
    """Return *before* and *after*, both lived through up to *day*, side by side."""
    warned = spans(before.changes, day), spans(after.changes, day)
    judged = {
        (agency, f"lag:{indicator}")
        for side in (before, after)
        for (indicator, agency), history in side.histories.items()
        if history and history[-1].day == day and history[-1].verdict is not None
    }
    lines: list[Line] = []
    feeds: list[Line] = []
    for agency, cause in sorted(judged | warned[0].keys() | warned[1].keys(), key=lambda one: (one[1], one[0])):
        kind, _, name = cause.partition(":")
        had, has = (side.get((agency, cause), UNWARNED) for side in warned)
        difference, by = difference_of(had, has)
        of_feed = kind == "feed"
        line = Line(
            agency=agency,
            indicator="" if of_feed else name,
            before=had,
            after=has,
            difference=difference,
            by=by,
            standing_before=None if of_feed else _last(before, name, agency, day),
            standing_after=None if of_feed else _last(after, name, agency, day),
        )
        (feeds if of_feed else lines).append(line)
    return Preview(
        day=day,
        lines=tuple(lines),
        feeds=tuple(feeds),
        before=_totals([(one.agency, one.before, one.standing_before) for one in lines]),
        after=_totals([(one.agency, one.after, one.standing_after) for one in lines]),
        moved=tuple(moved),
    )


def spans(changes: Iterable[Change], last: date) -> dict[Subject, Warned]:
    """Return how each subject was warned; *changes* in the order of days, none after *last*."""
    opened: dict[Subject, date] = {}
    found: dict[Subject, list[tuple[date, date]]] = {}
    for change in changes:
        subject = (change.transition.agency, change.transition.cause)
        if is_open(change.transition):
            opened.setdefault(subject, change.day)
        elif subject in opened:
            first = opened.pop(subject)
            found.setdefault(subject, []).append((first, date.fromordinal(change.day.toordinal() - 1)))
    for subject, first in opened.items():
        found.setdefault(subject, []).append((first, last))
    return {subject: Warned(spans=tuple(those), open=subject in opened) for subject, those in found.items()}


def difference_of(before: Warned, after: Warned) -> tuple[Difference, int]:
    """Return what differs, and by how many days or warnings."""
    if before.first is None or after.first is None:
        if before.first is after.first:
            return Difference.NEVER, 0
        return (Difference.NEW if before.first is None else Difference.NO_LONGER), 0
    for more, less, by in (
        (Difference.LATER, Difference.EARLIER, (after.first - before.first).days),
        (Difference.LONGER, Difference.SHORTER, after.days - before.days),
        (Difference.MORE_OFTEN, Difference.LESS_OFTEN, after.times - before.times),
    ):
        if by:
            return (more if by > 0 else less), abs(by)
    return (Difference.SAME if before == after else Difference.OTHER_DAYS), 0


def _last(side: Side, indicator: str, agency: str, day: date) -> Standing | None:
    history = side.histories.get((indicator, agency), ())
    return history[-1] if history and history[-1].day == day else None


def _said(standing: Standing | None) -> tuple[str | None, Fraction | None]:
    return (None, None) if standing is None else (standing.verdict, standing.days_behind)


def _totals(lines: Sequence[tuple[str, Warned, Standing | None]]) -> Totals:
    return Totals(
        warnings=sum(warned.times for _, warned, _ in lines),
        days=sum(warned.days for _, warned, _ in lines),
        open=sum(warned.open for _, warned, _ in lines),
        agencies=len({agency for agency, warned, _ in lines if warned.times}),
        verdicts=Counter(
            standing.verdict.value for _, _, standing in lines if standing is not None and standing.verdict is not None
        ),
    )
