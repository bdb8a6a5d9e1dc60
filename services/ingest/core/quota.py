"""How much a source may send: a bucket of events that fills at a rate, and a number of events a day. Time is an argument."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

#: Seconds after which one asks again at the latest, so that a raised limit is noticed.
_LONGEST: Final = 3600


@dataclass(frozen=True, slots=True)
class Allowance:
    """Events per second on average, events at once after a rest, events per civil day; None: no limit."""

    rate: int | None = None
    burst: int | None = None
    daily: int | None = None

    def over(self, default: Allowance) -> Allowance:
        """Return this with *default* for whatever it leaves open."""
        return Allowance(
            rate=default.rate if self.rate is None else self.rate,
            burst=default.burst if self.burst is None and self.rate is None else self.burst,
            daily=default.daily if self.daily is None else self.daily,
        )

    @property
    def size(self) -> int:
        """What the bucket holds when it is full: the burst, else ten seconds' worth."""
        return self.burst if self.burst is not None else 10 * (self.rate or 0)


#: Nobody is held back.
NO_LIMITS: Final = Allowance()


@dataclass(slots=True)
class _Account:
    left: float
    at: datetime
    day: datetime | None = None
    sent: int = 0


@dataclass(slots=True)
class Quotas:
    """What the sources have sent to this process. ``zone``: whose civil days count.

    A request is let in while anything is left, and then counts in full; so a batch larger than what is left goes through
    once, and the next one waits until that debt is paid. On average nobody gets more than the rate.
    """

    zone: ZoneInfo
    _accounts: dict[str, _Account] = field(default_factory=dict)

    def wait(self, source: str, allowance: Allowance, now: datetime) -> int:
        """Return after how many whole seconds *source* may send again; 0: at once."""
        account = self._account(source, allowance, now)
        waits = [0.0]
        if allowance.rate is not None and account.left < 1:
            waits.append((1 - account.left) / allowance.rate)
        if allowance.daily is not None and account.sent >= allowance.daily:
            waits.append((self._midnight(now) - now).total_seconds())
        return min(math.ceil(max(waits)), _LONGEST)

    def spend(self, source: str, allowance: Allowance, events: int, now: datetime) -> None:
        """Count *events* that *source* has sent."""
        account = self._account(source, allowance, now)
        account.sent += events
        if allowance.rate is not None:
            account.left -= events

    def _account(self, source: str, allowance: Allowance, now: datetime) -> _Account:
        account = self._accounts.setdefault(source, _Account(allowance.size, now))
        if allowance.rate is not None:
            rested = max(0.0, (now - account.at).total_seconds())  # a clock that was put back gives nothing
            account.left = min(allowance.size, account.left + rested * allowance.rate)
        account.at = max(account.at, now)
        day = self._midnight(now)
        if account.day != day:
            account.day, account.sent = day, 0
        return account

    def _midnight(self, now: datetime) -> datetime:
        day = now.astimezone(self.zone).date() + timedelta(days=1)
        return datetime.combine(day, time(), self.zone)
