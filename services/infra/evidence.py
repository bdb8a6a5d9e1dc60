"""Where sources disagree: contradictions about one item, and declared figures that measured ones do not bear out."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, Final

from schemas.directory import Directory
from schemas.plan import ActivityMeasure, ItemsMeasure, MembersMeasure, Plan
from schemas.progress import ProgressMeasure
from services.core.definition import definition_of
from services.core.scope import with_descendants
from services.infra.clickhouse.client import ClickHouse

_FOLDER: Final = Path(__file__).parent / "clickhouse" / "queries"


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What a source says of an item: its last step up to the day asked for, and that step's day."""

    source: str
    step: str
    day: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Contradiction:
    """An item of an agency that some sources call adopted and others do not."""

    agency: str
    type: str
    item: str
    adopted: tuple[Statement, ...]
    otherwise: tuple[Statement, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Discrepancy:
    """A declaration for ``first`` … ``last`` beside what was measured on ``day``.

    ``difference`` is declared minus measured: of ratios, in shares of 1; of a headcount (no numerators), relative to the
    roster's count.
    """

    agency: str
    indicator: str
    source: str
    first: date
    last: date
    day: date
    declared_numerator: Decimal | None
    declared_denominator: Decimal
    measured_numerator: Decimal | None
    measured_denominator: Decimal
    difference: float


def contradictions(
    database: ClickHouse, plan: Plan, directory: Directory, revision: int, day: date, *, agencies: Collection[str] = ()
) -> list[Contradiction]:
    """Return the contradictions on *day* about items that entered in the plan's time and count for its indicators.

    *directory* (with its *revision*) is the one in force on *day*. With *agencies*, theirs and those of the offices below
    them. Raises Transient while the database is away.
    """
    types = {
        definition.hash: indicator.measure.facts
        for indicator in plan.indicators
        if isinstance(indicator.measure, ItemsMeasure | ProgressMeasure)
        and (definition := definition_of(indicator, plan)) is not None
        and indicator.measure.facts != "budget.recorded"  # amounts have no state to contradict
    }
    if not types:
        return []
    rows = database.rows(
        _text("contradictions"),
        {
            **_about(plan, revision, day, directory, agencies),
            "types": tuple(sorted(set(types.values()))),
            "definitions": list(types),
            "definition_types": list(types.values()),
            "start": plan.start.isoformat(),
        },
    )
    return [
        Contradiction(agency=agency, type=kind, item=item, adopted=_statements(yes), otherwise=_statements(no))
        for agency, kind, item, yes, no in rows
    ]


def discrepancies(
    database: ClickHouse, plan: Plan, directory: Directory, revision: int, day: date, *, agencies: Collection[str] = ()
) -> list[Discrepancy]:
    """Return the declarations for days up to *day* that differ from the measured figure by more than the plan's margin.

    The arguments are those of :func:`contradictions`. Only where everything was measured there is something to compare.
    """
    names: list[str] = []
    hashes: list[str] = []
    for indicator in plan.indicators:
        definition = definition_of(indicator, plan)
        if definition is None:
            continue
        names.append(indicator.id)
        hashes.append(definition.hash)
        if isinstance(indicator.measure, MembersMeasure | ActivityMeasure):
            names.append(f"headcount.{indicator.measure.roster}")
            hashes.append(definition.hash)
    if not names:
        return []
    rows = database.rows(
        _text("discrepancies"),
        {
            **_about(plan, revision, day, directory, agencies),
            "names": names,
            "definitions": hashes,
            "margin": float(plan.discrepancy_margin),
        },
    )
    fields = Discrepancy.__dataclass_fields__
    return [Discrepancy(**dict(zip(fields, row, strict=True))) for row in rows]


def _about(plan: Plan, revision: int, day: date, directory: Directory, agencies: Collection[str]) -> dict[str, Any]:
    offices = with_descendants(directory, agencies)
    return {
        "directory": plan.directory,
        "revision": revision,
        "day": day.isoformat(),
        "everyone": int(not agencies),
        "offices": tuple(sorted(offices)) or ("",),
    }


def _statements(found: Collection[tuple[str, str, date]]) -> tuple[Statement, ...]:
    return tuple(Statement(source=source, step=step, day=day) for source, step, day in found)


@cache
def _text(name: str) -> str:
    text = (_FOLDER / f"{name}.sql").read_text(encoding="utf-8")
    return re.sub(r"^--[^\n]*\n", "", text, flags=re.MULTILINE)
