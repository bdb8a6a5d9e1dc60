"""How long to leave alone what did not work."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from time import monotonic

from services.alerts.core.notices import backoff


class Waits:
    """Waits that grow with each failure in a row, per key. In real time and in memory: a restart tries at once."""

    def __init__(self, *, first: timedelta, longest: timedelta, now: Callable[[], float] = monotonic) -> None:
        self._first = first
        self._longest = longest
        self._now = now
        self._failures: dict[str, int] = {}
        self._until: dict[str, float] = {}

    def due(self, key: str) -> bool:
        """Return whether *key* may be tried now."""
        return self._now() >= self._until.get(key, 0.0)

    def failed(self, key: str) -> None:
        """Leave *key* alone for longer than the last time."""
        self._failures[key] = self._failures.get(key, 0) + 1
        wait = backoff(self._failures[key], first=self._first, longest=self._longest)
        self._until[key] = self._now() + wait.total_seconds()

    def succeeded(self, key: str) -> None:
        """Forget the failures of *key*: it went well, or is done with."""
        self._failures.pop(key, None)
        self._until.pop(key, None)
