"""Standing as it was judged, read from ClickHouse."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from services.infra.clickhouse.client import ClickHouse


def read_standing(
    database: ClickHouse, plan: str, day: date, *, indicators: Sequence[str] = (), agencies: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """Return the rows of *day*, of these indicators and agencies where any are named."""
    return database.named(
        "SELECT * FROM standing FINAL WHERE plan = %(plan)s AND day = toDate32(%(day)s) "
        "AND (%(any_indicator)s = 1 OR indicator IN %(indicators)s) AND (%(any_agency)s = 1 OR agency IN %(agencies)s) "
        "ORDER BY indicator, agency",
        {
            "plan": plan,
            "day": day.isoformat(),
            "any_indicator": int(not indicators),
            "indicators": tuple(indicators) or ("",),
            "any_agency": int(not agencies),
            "agencies": tuple(agencies) or ("",),
        },
    )


def read_courses(
    database: ClickHouse, plan: str, until: date
) -> dict[tuple[str, str], list[tuple[date, float | None, float | None]]]:
    """Return (indicator, agency) → day, ratio and planned share of every day judged up to *until*, in the order of days."""
    courses: dict[tuple[str, str], list[tuple[date, float | None, float | None]]] = {}
    for indicator, agency, day, ratio, planned in database.rows(
        "SELECT indicator, agency, day, ratio, planned FROM standing FINAL WHERE plan = %(plan)s "
        "AND day <= toDate32(%(day)s) ORDER BY indicator, agency, day",
        {"plan": plan, "day": until.isoformat()},
    ):
        courses.setdefault((indicator, agency), []).append((day, ratio, planned))
    return courses


def read_rollups(
    database: ClickHouse, plan: str, day: date, by: str, *, indicators: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """Return the roll-ups of *day* over groups, parents or all (*by*), of these indicators where any are named."""
    return database.named(
        "SELECT * FROM rollups FINAL WHERE plan = %(plan)s AND day = toDate32(%(day)s) AND by = %(by)s "
        "AND (%(any_indicator)s = 1 OR indicator IN %(indicators)s) ORDER BY indicator, name",
        {
            "plan": plan,
            "day": day.isoformat(),
            "by": by,
            "any_indicator": int(not indicators),
            "indicators": tuple(indicators) or ("",),
        },
    )
