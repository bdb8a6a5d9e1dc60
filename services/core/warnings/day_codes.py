"""A day of standing as one byte: what the life of warnings needs of it. 0 is a day that is not judged; all stay below 128."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final

from services.core.schedule.standing import Verdict
from services.core.warnings.course import HOLDING_BACK, JudgedDay, speaks

#: In the order of their codes; the first is that of an indicator without a target.
VERDICTS: Final = ("", *(verdict.value for verdict in Verdict))
SILENT, HELD, SPEAKS = range(3)  # says nothing; the feeds hold back as well; speaks
_SEVERITIES: Final = 4
_KINDS: Final = 3
_PLACE: Final[Mapping[str, int]] = {verdict: place for place, verdict in enumerate(VERDICTS)}


def code_of(day: JudgedDay) -> int:
    """Return the code of *day*."""
    held = day.feed_state in HOLDING_BACK or day.judged_day < day.day
    kind = SPEAKS if speaks(day) else HELD if held else SILENT
    return 1 + day.severity + _SEVERITIES * (kind + _KINDS * _PLACE[day.verdict])


def day_of(code: int, day: date) -> JudgedDay:
    """Return the day that *code* (not 0) stands for; a feed that held back is silent since the day before."""
    rest, severity = divmod(code - 1, _SEVERITIES)
    place, kind = divmod(rest, _KINDS)
    return JudgedDay(
        day=day,
        verdict=VERDICTS[place],
        severity=severity,
        feed_state="silent" if kind == HELD else "reporting",
        judged_day=day - timedelta(days=1) if kind == HELD else day,
        provisional=kind == SILENT,
    )
