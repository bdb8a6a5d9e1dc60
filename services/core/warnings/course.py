"""What days of standing amount to for a warning: runs of grave and of calm days.

A day *speaks* when its figures are complete: the feeds report, and the day itself was judged, not an earlier one. Days that
do not speak neither open nor resolve, nor do they break a run. So a dead feed never looks like recovery, nor like falling
behind.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from schemas.policy import Policy

#: Verdicts that say nothing about being behind.
SPEECHLESS: Final = frozenset({"", "no-data", "too-few", "not-started"})
#: Feed states that hold back every decision about the indicators supplied.
HOLDING_BACK: Final = frozenset({"never-connected", "silent", "partial"})
DEAD: Final = frozenset({"never-connected", "silent"})


@dataclass(frozen=True, kw_only=True, slots=True)
class JudgedDay:
    """One day of standing of one agency in one indicator, as much of it as warnings need."""

    day: date
    verdict: str
    severity: int  # rank under the policy, 0: none (services.core.warnings.severity)
    feed_state: str
    judged_day: date  # earlier than day while a feed is silent
    provisional: bool = False  # a feed has not yet passed the day


def speaks(day: JudgedDay) -> bool:
    """Return whether *day* may open or resolve a warning."""
    return (
        day.feed_state not in HOLDING_BACK
        and day.judged_day >= day.day
        and not day.provisional
        and day.verdict not in SPEECHLESS
    )


@dataclass(slots=True)
class Course:
    """What a history amounts to if it had been followed day by day, from its first day, under one policy.

    ``runs``: speaking days in a row, up to the last, that were at least info, warning, critical. ``calm``: that were
    nothing. ``run_since``: the first day of the run that goes on. ``firing``: grave for the hold time, and not yet calm for
    the clear time; ``firing_since``: the first day of the run that fired. ``spoke``: bit n is set where the day n after
    ``origin`` speaks.
    """

    info: int = 0
    warning: int = 0
    critical: int = 0
    calm: int = 0
    run_since: date = date.min
    firing: bool = False
    firing_since: date = date.min
    origin: date = date.min
    spoke: int = 0
    last: JudgedDay | None = None

    def follow(self, day: JudgedDay, policy: Policy) -> None:
        """Go on by the next day."""
        if not speaks(day):
            return
        if self.last is None:
            self.origin = day.day
        self.last = day
        self.spoke |= 1 << (day.day - self.origin).days
        grave = day.severity > 0
        if grave:
            self.run_since = day.day if self.info == 0 else self.run_since
            self.info, self.calm = self.info + 1, 0
            if not self.firing and self.info >= max(policy.hold, 1):
                self.firing, self.firing_since = True, self.run_since
        else:
            self.run_since = day.day if self.calm == 0 else self.run_since
            self.info, self.calm = 0, self.calm + 1
            self.firing = self.firing and self.calm < policy.clear
        self.warning = self.warning + 1 if day.severity >= 2 else 0
        self.critical = self.critical + 1 if day.severity >= 3 else 0

    def severity(self, hold: int) -> int:
        """Return the rank that the last *hold* speaking days (at least one) all reached; 0: none."""
        held = max(hold, 1)
        return 3 if self.critical >= held else 2 if self.warning >= held else 1 if self.info >= held else 0

    def spoken_since(self, day: date) -> int:
        """Return how many days after *day* spoke."""
        return (self.spoke >> max((day - self.origin).days + 1, 0)).bit_count()
