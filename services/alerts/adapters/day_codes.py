"""Table ``standing`` as day codes, a byte for each agency and day, reckoned where the rows lie."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from schemas.policy import Policy, Threshold
from services.alerts.adapters.figures import IN_ONE
from services.core.warnings.course import HOLDING_BACK, SPEECHLESS
from services.core.warnings.day_codes import HELD, SILENT, SPEAKS, VERDICTS
from services.core.warnings.severity import MET_BY, RANK
from services.infra.clickhouse.client import ClickHouse

#: Shares that differ by less are equal: rounding is far below, and exact shares of up to a million cases differ by more.
_EQUAL: Final = 1e-13


@dataclass(frozen=True, kw_only=True)
class Span:
    """Which days of which indicator; ``under`` is the policy, ``deadline`` that of the plan."""

    plan: str
    indicator: str
    first: date
    last: date
    under: Policy
    deadline: date


class DayCodes:
    """Reads. Blocks; raises Transient while the database is away."""

    def __init__(self, database: ClickHouse) -> None:
        self._database = database

    def newest(self, plan: str) -> datetime | None:
        """Return the greatest basis of the rows of *plan*; None where there are none."""
        rows = self._database.rows(
            "SELECT max(basis) FROM standing WHERE plan = %(plan)s HAVING count() > 0", {"plan": plan}
        )
        return rows[0][0] if rows else None

    def changed(self, plan: str, *, after: datetime, before: date) -> dict[str, list[str]]:
        """Return indicator → the agencies of which a day before *before* was written with a basis greater than *after*."""
        columns = self._database.columns(
            "SELECT indicator, agency FROM standing WHERE plan = %(plan)s AND day < toDate32(%(before)s) "
            "AND basis > toDateTime64(%(after)s, 6, 'UTC') GROUP BY indicator, agency",
            {
                "plan": plan,
                "before": before.isoformat(),
                "after": after.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f"),
            },
        )
        found: dict[str, list[str]] = {}
        for indicator, agency in zip(*columns, strict=True):
            found.setdefault(indicator, []).append(agency)
        return found

    def read(
        self, span: Span, places: dict[str, int], agencies: Collection[str] | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
        """Return places and the codes there, a column per day of *span*; of *agencies* alone where any are named.

        Agencies without a place are left out.
        """
        days = (span.last - span.first).days + 1
        columns = self._database.columns(
            f"WITH toDate32(%(first)s) AS origin, toDate32(%(deadline)s) AS deadline, {code_sql(span.under)} AS code "
            f"SELECT agency, arrayStringConcat(arrayMap(one -> char(one), "
            f"groupArrayInsertAt(toUInt8(0), {days})(toUInt8(code), toUInt32(dateDiff('day', origin, day))))) "
            "FROM standing FINAL WHERE plan = %(plan)s AND indicator = %(indicator)s AND day >= origin "
            f"AND day <= toDate32(%(last)s) {'' if agencies is None else 'AND agency IN %(agencies)s'} GROUP BY agency {IN_ONE}",
            {
                "plan": span.plan,
                "indicator": span.indicator,
                "first": span.first.isoformat(),
                "last": span.last.isoformat(),
                "deadline": span.deadline.isoformat(),
                "agencies": tuple(agencies or ()) or ("",),
            },
        )
        names: Sequence[Any] = columns[0] if columns else ()
        some = [at for at, agency in enumerate(names) if agency in places]
        found = np.frombuffer("".join(columns[1][at] for at in some).encode() if some else b"", dtype=np.uint8)
        return np.array([places[names[at]] for at in some], dtype=np.int64), found.reshape(len(some), days)


def code_sql(policy: Policy) -> str:
    """Return the SQL expression of a row's day code under *policy* (``services.core.warnings.day_codes``), over ``deadline``."""
    holding = ", ".join(f"'{one}'" for one in sorted(HOLDING_BACK))
    speechless = ", ".join(f"'{one}'" for one in sorted(SPEECHLESS))
    verdicts = ", ".join(f"'{one}'" for one in VERDICTS)
    held = f"(feed_state IN ({holding}) OR judged_day < day)"
    speaks = f"(NOT {held} AND provisional = 0 AND verdict NOT IN ({speechless}))"
    kind = f"multiIf({speaks}, {SPEAKS}, {held}, {HELD}, {SILENT})"
    # Of the array's places the first is 1.
    return f"(1 + {severity_sql(policy)} + 4 * ({kind} + 3 * (indexOf([{verdicts}], verdict) - 1)))"


def severity_sql(policy: Policy) -> str:
    """Return the SQL expression of a row's severity under *policy*: what ``severity_of`` says."""
    ranks = sorted(policy.thresholds, key=lambda one: -RANK[one.severity])
    cases = ", ".join(f"{_met(one)}, {RANK[one.severity]}" for one in ranks)
    return f"multiIf({cases}, 0)"


def _met(threshold: Threshold) -> str:
    conditions = []
    if threshold.verdict is not None:
        verdicts = ", ".join(f"'{one}'" for one in sorted(MET_BY[threshold.verdict]))
        conditions.append(f"verdict IN ({verdicts})")
    if threshold.days_behind is not None:
        conditions.append(f"ifNull(days_behind >= {threshold.days_behind}, 0)")
    if threshold.points is not None:
        conditions.append(f"ifNull(planned - ratio >= {float(threshold.points) - _EQUAL!r}, 0)")
    if threshold.forecast_late is not None:
        late = f"ifNull(dateDiff('day', deadline, forecast) >= {threshold.forecast_late}, 1)"
        conditions.append(f"(verdict NOT IN ('', 'achieved') AND recent_pace IS NOT NULL AND {late})")
    return f"({' AND '.join(conditions)})"
