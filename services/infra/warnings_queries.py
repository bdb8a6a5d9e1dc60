"""What is asked about warnings: filters and the queries that they go into. Bounded by limits, in SQL."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

from schemas.warnings import WarningState
from services.core.warnings.warning_records import DeliveryFault

#: So many warnings are read at once at most: their names stand in the text of the next query.
MOST: Final = 1000
_CLOSED: Final = (WarningState.PENDING.value, WarningState.RESOLVED.value)
FINAL_FAULTS: Final = tuple(sorted(fault.value for fault in DeliveryFault if fault.final))

# Of each warning its last transition, of two of one number the one recorded first. Days behind are those of the day last judged.
_LATEST: Final = """
SELECT plan, agency, cause, max(sequence) AS last,
       argMax((state, severity, level, since), (sequence, precedence)) AS held
FROM warnings WHERE {scope} GROUP BY plan, agency, cause HAVING {condition}
"""
PLACES: Final = """
SELECT plan, agency, cause, last, days FROM ({latest}) AS latest
LEFT JOIN (
    SELECT plan, agency, concat('lag:', indicator) AS cause, argMax(tuple(days_behind), basis).1 AS days FROM standing
    WHERE (plan, day) IN (SELECT plan, day FROM evaluations FINAL WHERE {plans}) GROUP BY plan, agency, indicator
) AS now USING (plan, agency, cause)
ORDER BY {order} LIMIT %(limit)s OFFSET %(offset)s SETTINGS join_use_nulls = 1
"""
GRAVEST_FIRST: Final = (
    "held.1 IN %(closed)s, indexOf(['critical', 'warning', 'info'], held.2) = 0, "
    "indexOf(['critical', 'warning', 'info'], held.2), coalesce(days, -1e9) DESC, held.4, plan, agency, cause"
)
# Of the last attempt, as the fold has it: sent wins, then given up.
NOTICE_STATES: Final = """
SELECT id, agency, min(at) AS first, max(attempt) AS latest, groupArray((attempt, state, detail)) AS every,
       arrayFilter(one -> one.1 = latest, every) AS ones,
       multiIf(arrayExists(one -> one.2 = 'sent', ones), 'sent',
               arrayExists(one -> one.2 = 'dead' OR (one.2 = 'failed' AND one.3 IN %(final)s), ones), 'dead',
               arrayExists(one -> one.2 = 'failed', ones), 'failed', 'pending') AS became
FROM notices WHERE {plans} AND {condition} GROUP BY id, agency
"""


@dataclass(frozen=True, kw_only=True)
class WantedWarnings:
    """Which warnings are meant; an empty collection means any. ``after``: of a walk by key, the last key seen."""

    plans: Collection[str] = ()
    agencies: Collection[str] = ()
    causes: Collection[str] = ()
    states: Collection[str] = ()
    severities: Collection[str] = ()
    levels: Collection[str] = ()
    only_open: bool = False
    only_lags: bool = False
    after: tuple[str, str, str] | None = None

    def query(self) -> tuple[str, dict[str, Any]]:
        """Return the query of the last transitions and its values."""
        values: dict[str, Any] = {"closed": _CLOSED}
        scope = [among("plan", self.plans, values), among("agency", self.agencies, values)]
        scope += [among("cause", self.causes, values), "startsWith(cause, 'lag:')" if self.only_lags else "1"]
        if self.after is not None:
            scope.append("(plan, agency, cause) > %(after)s")
            values["after"] = self.after
        condition = [among("held.1", self.states, values), among("held.2", self.severities, values)]
        condition += [among("held.3", self.levels, values), "held.1 NOT IN %(closed)s" if self.only_open else "1"]
        return _LATEST.format(scope=" AND ".join(scope), condition=" AND ".join(condition)), values


def among(column: str, names: Collection[str], values: dict[str, Any]) -> str:
    """Return the condition that *column* is one of *names*, true where none are named, and put them into *values*."""
    if not names:
        return "1"
    key = f"in_{len(values)}"
    values[key] = tuple(sorted(set(names)))
    return f"{column} IN %({key})s"
