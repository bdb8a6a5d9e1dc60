"""A plan's calendar checked for sense, and against the public holidays of its time. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from typing import Any, Final

from services.core.findings import Finding, Path, as_day, entries

_QUARTER: Final = re.compile(r"([12]\d{3})-Q([1-4])")
_SHOWN: Final = 4  # missing days named in one warning


def calendar_findings(
    calendar: Mapping[str, Any],
    start: date | None,
    deadline: date | None,
    public: Callable[[date, date], Mapping[date, str]] | None,
) -> Iterator[Finding]:
    """Yield what is wrong with *calendar*, and which public holidays of a plan from *start* to *deadline* it lacks."""
    days = {key: _days(calendar, key) for key in ("holidays", "working_on")}
    for path, day in days["working_on"].items():
        if day in days["holidays"].values():
            yield Finding(path, f"{day} is among the holidays, too")
    if calendar.get("accrual") != "working-days":
        if days["holidays"] or days["working_on"]:
            text = "the plan accrues on calendar days, so these days change nothing"
            yield Finding(("calendar",), text, "write `accrual: working-days`", warning=True)
        return
    if public is None or start is None or deadline is None or deadline < start:
        return
    known = {*days["holidays"].values(), *days["working_on"].values()}
    missing = {day: name for day, name in public(start, deadline).items() if day.weekday() < 5 and day not in known}
    if missing:
        named = ", ".join(f"{day} ({name})" for day, name in list(missing.items())[:_SHOWN])
        more = f" and {len(missing) - _SHOWN} more" if len(missing) > _SHOWN else ""
        hint = "`tiendo plan holidays` prints them all; what was worked goes into `working_on`"
        yield Finding(("calendar",), f"public holidays are missing: {named}{more}", hint, warning=True)


def quarter_days(name: Any) -> tuple[date | None, date | None]:
    """Return the first and the last day of a quarter such as ``2008-Q3``; None twice where it is none."""
    match = _QUARTER.fullmatch(name) if isinstance(name, str) else None
    if match is None:
        return None, None
    year, month = int(match[1]), 3 * int(match[2]) - 2
    after = date(year, month + 3, 1) if month < 10 else date(year + 1, 1, 1)
    return date(year, month, 1), after - timedelta(days=1)


def _days(calendar: Mapping[str, Any], key: str) -> dict[Path, date]:
    found: dict[Path, date] = {}
    for at, value in entries(calendar, key):
        day = as_day(value)
        if day is not None:
            found["calendar", key, at] = day
    return found
