"""Definitions: an indicator's measure in canonical form, known by its hash; figures are computed once per definition."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, assert_never

from schemas.plan import (
    ActivityMeasure,
    CumulativePeriod,
    Indicator,
    ItemsMeasure,
    MeanMeasure,
    MembersMeasure,
    Plan,
    RollingPeriod,
)
from schemas.progress import USUAL_STAGES, ProgressMeasure


@dataclass(frozen=True, kw_only=True)
class Definition:
    """A measure with those whom it judges. ``hash`` is 16 hex digits of SHA-256 over ``canonical``."""

    hash: str
    canonical: str
    kind: str  # members, activity, items or progress; a mean has no definition of its own
    first_day: date  # the first day for which a plan asks the figure


def _measure(indicator: Indicator, plan: Plan) -> dict[str, Any] | None:
    match indicator.measure:
        case MembersMeasure() as m:
            return {"kind": "members", "roster": m.roster, "mailbox_domain": m.mailbox_domain, "also_on": m.also_on}
        case ActivityMeasure() as m:
            return {"kind": "activity", "roster": m.roster, "action": m.action, "days": m.days, "window": m.window}
        case ItemsMeasure() as m:
            match m.period:
                case CumulativePeriod() as period:
                    span: dict[str, Any] = {"kind": "cumulative", "start": (period.start or plan.start).isoformat()}
                case RollingPeriod() as period:
                    span = {"kind": "rolling", "days": period.days}
            return {"kind": "items", "facts": m.facts, "period": span}
        case ProgressMeasure() as m:
            progress = {"kind": "progress", "facts": m.facts, "start": (m.start or plan.start).isoformat()}
            if m.stages in (None, USUAL_STAGES):  # a definition keeps the hash that it had before stages could be named
                return progress
            return progress | {"done": m.stages[0], "planned": m.stages[1]}
        case MeanMeasure():
            return None
        case never:
            assert_never(never)


def definition_of(indicator: Indicator, plan: Plan) -> Definition | None:
    """Return the definition behind *indicator*; None for a mean, which is computed with the standing from its parts."""
    measure = _measure(indicator, plan)
    if measure is None:
        return None
    judged = {
        "groups": sorted({t.group for t in indicator.targets if t.group is not None} | set(indicator.shown_for)),
        "agencies": sorted({t.agency for t in indicator.targets if t.agency is not None}),
    }
    canonical = json.dumps(
        {"measure": measure, "judged": judged, "directory": plan.directory},
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=False,
    )
    return Definition(
        hash=hashlib.sha256(canonical.encode()).hexdigest()[:16],
        canonical=canonical,
        kind=str(measure["kind"]),
        first_day=plan.start,
    )


def definitions_in(plan: Plan) -> dict[str, Definition]:
    """Return indicator → definition, for those that have one of their own."""
    found = ((indicator.id, definition_of(indicator, plan)) for indicator in plan.indicators)
    return {indicator: definition for indicator, definition in found if definition is not None}


def reads_of(indicator: Indicator) -> frozenset[str]:
    """Return the short event types that the measure reads, denominators included; empty for a mean."""
    match indicator.measure:
        case MembersMeasure() as m:
            other = {"mailbox.opened", "mailbox.closed"} if m.mailbox_domain else _roster_types(m.also_on or "")
            return frozenset(_roster_types(m.roster) | other)
        case ActivityMeasure() as m:
            return frozenset(_roster_types(m.roster) | {"mailbox.opened", "mailbox.closed", "mail.used"})
        case ItemsMeasure() as m:
            return frozenset({m.facts})
        case ProgressMeasure() as m:
            return frozenset({m.facts})
        case MeanMeasure():
            return frozenset()
        case never:
            assert_never(never)


def types_read(
    indicator: Indicator, indicators: Mapping[str, Indicator], _seen: frozenset[str] = frozenset()
) -> frozenset[str]:
    """Return the short event types that *indicator* reads; a mean reads those of its parts among *indicators*."""
    if not isinstance(indicator.measure, MeanMeasure):
        return reads_of(indicator)
    parts = (indicators.get(part.indicator) for part in indicator.measure.of)
    seen = _seen | {indicator.id}
    return frozenset().union(*(types_read(part, indicators, seen) for part in parts if part and part.id not in seen))


def _roster_types(roster: str) -> set[str]:
    return {"training.completed"} if roster.startswith("trained.") else {"official.joined", "official.left"}
