"""Roll-ups: the figure of a group of agencies, of everybody below a parent, or of all, with coverage bounds. Exact.

An agency's figure includes its descendants that the indicator does not judge themselves, so that the figures of those that it
does judge are about different offices: their sums count nothing twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Any, Final

from schemas.directory import Directory
from schemas.plan import Indicator, MeanMeasure
from services.core.schedule.assess import Assessment
from services.core.schedule.coverage import FeedState
from services.core.schedule.standing import Standing
from services.core.scope import children_of, with_descendants

_NOTHING = Fraction(0)

Count = int | Fraction  # whole where it can be: integers are fast to add


class By(StrEnum):
    """What a roll-up is over."""

    ALL = "all"
    GROUP = "group"
    PARENT = "parent"  # the agency itself and everything below it


@dataclass(frozen=True, slots=True, kw_only=True)
class Over:
    """The agencies of a roll-up; ``name`` is the group's or the parent's id, empty for all."""

    by: By
    name: str
    agencies: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """A roll-up's figure. Shares of 1, None where there is none; ``low`` ≤ ``ratio`` ≤ ``high``.

    ``low``, ``high``: what the figure would be if the silent agencies were all at 0 %, all at 100 %. ``planned``, ``target``:
    weighted by denominators. A mean has no numerator and no denominator.
    """

    numerator: Fraction | None
    denominator: Fraction | None
    ratio: Fraction | None
    low: Fraction | None
    high: Fraction | None
    planned: Fraction | None
    target: Fraction | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollup:
    """One row of table ``rollups``. ``agencies``: how many the indicator concerns; ``silent``: how many of them are silent."""

    plan: str
    revision: int
    indicator: str
    by: By
    name: str
    day: date
    agencies: int
    silent: int
    sums: Sums


COLUMNS: Final = (
    "plan", "revision", "indicator", "by", "name", "day", "agencies", "silent", "numerator", "denominator", "ratio", "low",
    "high", "planned", "target",
)  # fmt: skip
NO_SUMS: Final = Sums(numerator=None, denominator=None, ratio=None, low=None, high=None, planned=None, target=None)


def is_silent(standing: Standing) -> bool:
    """Return whether the feeds behind *standing* are silent or never connected; what is attested on paper needs none."""
    attested = standing.measured_share == 0 and standing.ratio is not None and standing.ratio > 0
    return standing.feed_state in (FeedState.SILENT, FeedState.NEVER_CONNECTED) and not attested


def sums_of(standings: Iterable[Standing], plans: Mapping[str, Standing] | None = None) -> Sums:
    """Return the sums of one indicator's *standings* of a day, one per agency; *plans* gives other planned values by agency.

    A silent agency's frozen figure is in the ratio. One that has none has a denominator nobody knows: the bounds take
    it to be as large as the others are on average; where nobody has one the bounds are 0 and 1. The planned value is None
    unless everybody with a figure has one.
    """
    done: Count = 0
    of: Count = 0
    quiet_done: Count = 0
    quiet_of: Count = 0
    # Many agencies share a planned value: their cases are added up first, since fractions are slow to add.
    lines: dict[tuple[int, int, int, int], Count] = {}
    counted = unknown = 0
    all_planned = True
    for one in standings:
        quiet = is_silent(one)
        if one.numerator is None or not one.denominator:
            unknown += quiet
            continue
        cases, adopted = _exact(one.denominator), _exact(one.numerator)
        counted += 1
        done, of = done + adopted, of + cases
        if quiet:
            quiet_done, quiet_of = quiet_done + adopted, quiet_of + cases
        line = plans.get(one.agency) if plans is not None else one
        if line is None or line.planned is None or line.target is None:
            all_planned = False
        else:
            key = (*line.planned.as_integer_ratio(), *line.target.as_integer_ratio())
            lines[key] = lines.get(key, 0) + cases
    if not counted:
        return NO_SUMS if not unknown else _bounds_alone()
    total = Fraction(of)
    guessed = unknown * total / counted
    due = sum((Fraction(a, b) * cases for (a, b, _, _), cases in lines.items()), _NOTHING)
    wanted = sum((Fraction(a, b) * cases for (_, _, a, b), cases in lines.items()), _NOTHING)
    return Sums(
        numerator=Fraction(done),
        denominator=total,
        ratio=done / total,
        low=(done - quiet_done) / (total + guessed),
        high=(done - quiet_done + quiet_of + guessed) / (total + guessed),
        planned=due / total if all_planned else None,
        target=wanted / total if all_planned else None,
    )


def mean_sums(parts: Sequence[tuple[Sums, Fraction]]) -> Sums:
    """Return the weighted mean of (sums, weight): each value where every part has it."""

    def mean(name: str) -> Fraction | None:
        values = [(getattr(sums, name), weight) for sums, weight in parts]
        if not values or any(value is None for value, _ in values):
            return None
        return sum((value * weight for value, weight in values), _NOTHING) / sum((w for _, w in values), _NOTHING)

    return Sums(
        numerator=None,
        denominator=None,
        ratio=mean("ratio"),
        low=mean("low"),
        high=mean("high"),
        planned=mean("planned"),
        target=mean("target"),
    )


def _exact(count: Decimal) -> Count:
    above, below = count.as_integer_ratio()
    return above if below == 1 else Fraction(above, below)


def _bounds_alone() -> Sums:
    return Sums(numerator=None, denominator=None, ratio=None, low=_NOTHING, high=Fraction(1), planned=None, target=None)


def overs_of(directory: Directory) -> tuple[Over, ...]:
    """Return what can be rolled up: all, every group, and every agency that has others below it."""
    everybody = frozenset(agency.id for agency in directory.agencies)
    groups = (
        Over(
            by=By.GROUP,
            name=group,
            agencies=frozenset(agency.id for agency in directory.agencies if group in agency.groups),
        )
        for group in directory.groups
    )
    parents = (
        Over(by=By.PARENT, name=parent, agencies=with_descendants(directory, [parent]))
        for parent in children_of(directory)
    )
    return (Over(by=By.ALL, name="", agencies=everybody), *groups, *parents)


def rollups_of(assessment: Assessment) -> tuple[Rollup, ...]:
    """Return the roll-ups of every day judged, over the groups and parents of the directory in force on the last one.

    So a line over days is about the same agencies. A mean is made of its parts' sums over the agencies that it concerns;
    it has no figure where a part is not judged or shown for one of them.
    """
    by_day: dict[date, dict[str, dict[str, Standing]]] = {}
    for (judged, agency), history in assessment.histories.items():
        for standing in history:
            by_day.setdefault(standing.day, {}).setdefault(judged, {})[agency] = standing
    overs = overs_of(assessment.directory)
    return tuple(one for day in sorted(by_day) for one in rollups_on(assessment.plan.indicators, overs, by_day[day]))


def rollups_on(
    indicators: Iterable[Indicator], overs: Iterable[Over], standings: Mapping[str, Mapping[str, Standing]]
) -> Iterator[Rollup]:
    """Yield the roll-ups of one day, whose *standings* are by indicator and agency, as :func:`rollups_of` says."""
    overs = tuple(overs)
    for indicator in indicators:
        here = standings.get(indicator.id, {})
        for over in overs:
            few, many = sorted((here, over.agencies), key=len)
            mine = {agency: here[agency] for agency in few if agency in many}
            if mine:
                yield _row(indicator, over, mine, _sums(indicator, mine, standings))


def _sums(
    indicator: Indicator,
    mine: Mapping[str, Standing],
    standings: Mapping[str, Mapping[str, Standing]],
) -> Sums:
    if not isinstance(indicator.measure, MeanMeasure):
        return sums_of(mine.values())
    parts = []
    for part in indicator.measure.of:
        there = standings.get(part.indicator, {})
        if not mine.keys() <= there.keys():
            return NO_SUMS
        parts.append((sums_of((there[agency] for agency in mine), plans=mine), Fraction(part.weight)))
    return mean_sums(parts)


def _row(indicator: Indicator, over: Over, mine: Mapping[str, Standing], sums: Sums) -> Rollup:
    one = next(iter(mine.values()))
    return Rollup(
        plan=one.plan,
        revision=one.revision,
        indicator=indicator.id,
        by=over.by,
        name=over.name,
        day=one.day,
        agencies=len(mine),
        silent=sum(is_silent(standing) for standing in mine.values()),
        sums=sums,
    )


def as_row(rollup: Rollup) -> tuple[Any, ...]:
    """Return the values of ``COLUMNS``; exact shares become floats here, counts stay as exact as the table keeps them."""
    sums = rollup.sums
    counts = (sums.numerator, sums.denominator)
    shares = (sums.ratio, sums.low, sums.high, sums.planned, sums.target)
    return (
        rollup.plan,
        rollup.revision,
        rollup.indicator,
        str(rollup.by),
        rollup.name,
        rollup.day,
        rollup.agencies,
        rollup.silent,
        *(None if count is None else Decimal(int(count * 10_000)).scaleb(-4) for count in counts),
        *(None if share is None else float(share) for share in shares),
    )
