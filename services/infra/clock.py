"""The one place that reads the machine's clock.

``TIENDO_CLOCK`` shifts it: an RFC 3339 instant starts the clock there and lets it tick (the shift is fixed when this
module is first asked, unless ``TIENDO_CLOCK_OFFSET`` already carries the shift of the whole stack); ``@FILE`` follows a
file holding an instant, which tests advance.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

Clock = Callable[[], datetime]
CLOCK_VARIABLE = "TIENDO_CLOCK"
OFFSET_VARIABLE = "TIENDO_CLOCK_OFFSET"


def machine_now() -> datetime:
    """Return the machine's real time in UTC."""
    return datetime.now(UTC)


def parse_instant(text: str) -> datetime:
    """Return the instant that *text* states (RFC 3339 with an offset). Raises ValueError otherwise."""
    instant = datetime.fromisoformat(text.strip())
    if instant.tzinfo is None:
        raise ValueError(f"{text.strip()!r} carries no offset; write 2008-10-01T08:00:00+07:00")
    return instant.astimezone(UTC)


def offset_for(instant: datetime) -> timedelta:
    """Return the shift that makes the clock show *instant* now."""
    return instant - machine_now()


def open_clock() -> Clock:
    """Return the process's clock as the environment sets it. Raises ValueError on an unreadable setting."""
    offset = os.environ.get(OFFSET_VARIABLE)
    setting = os.environ.get(CLOCK_VARIABLE, "")
    if setting.startswith("@"):
        path = Path(setting[1:])
        return lambda: parse_instant(path.read_text(encoding="ascii"))
    if offset is not None:
        shift = timedelta(seconds=float(offset))
        return lambda: machine_now() + shift
    if setting:
        shift = offset_for(parse_instant(setting))
        return lambda: machine_now() + shift
    return machine_now


def last_complete_day(now: datetime, zone: str) -> date:
    """Return the last civil day of *zone* that has wholly passed at *now*."""
    return (now.astimezone(ZoneInfo(zone)) - timedelta(days=1)).date()
