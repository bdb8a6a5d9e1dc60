"""A standing as a row of table ``standing``."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, Final

from services.core.schedule.standing import Standing

COLUMNS: Final = (
    "plan", "revision", "indicator", "agency", "day", "numerator", "denominator", "ratio", "measured_share", "planned",
    "target", "verdict", "days_behind", "spi", "needed_pace", "recent_pace", "forecast", "forecast_low", "forecast_high",
    "feed_state", "provisional", "judged_day",
)  # fmt: skip


def as_row(standing: Standing) -> tuple[Any, ...]:
    """Return the values of ``COLUMNS``; exact shares become floats here and nowhere earlier."""
    row: list[Any] = [getattr(standing, name) for name in COLUMNS]
    for at, value in enumerate(row):
        if isinstance(value, Fraction):
            row[at] = float(value)
    named = dict(zip(COLUMNS, row, strict=True))
    named["verdict"] = str(standing.verdict) if standing.verdict is not None else ""
    named["feed_state"] = str(standing.feed_state)
    named["provisional"] = int(standing.provisional)
    return tuple(named.values())
