"""What was acknowledged a moment ago and may not be stored yet. Time is an argument, in seconds that only go forward."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from schemas.usage import NormalisedEvent

#: Of so many events per half of the span the ids are remembered; above it everything may have been among them.
_MOST: Final = 200_000


class Recent:
    """Remembers ids for *span* seconds, and less than three times as long. It may take one for known that is not, never the
    reverse.
    """

    __slots__ = ("_crowded", "_older", "_since", "_span", "_young")

    def __init__(self, span: float) -> None:
        self._span = span
        self._since = float("-inf")
        self._young: set[int] = set()
        self._older: set[int] = set()
        self._crowded = [False, False]  # of the young, of the older

    def add(self, events: Iterable[NormalisedEvent], now: float) -> None:
        """Remember *events*, which were acknowledged at *now*."""
        self._turn(now)
        if len(self._young) > _MOST:
            self._crowded[0] = True
        else:
            self._young.update([hash((one.source, one.id)) for one in events])

    def may_hold(self, source: str, id: str, now: float) -> bool:
        """Return whether the event may have been acknowledged in the last *span* seconds."""
        self._turn(now)
        one = hash((source, id))
        return any(self._crowded) or one in self._young or one in self._older

    def _turn(self, now: float) -> None:
        passed = now - self._since
        if passed < self._span:
            return
        if passed < 2 * self._span:
            self._older, self._crowded = self._young, [False, self._crowded[0]]
        else:
            self._older, self._crowded = set(), [False, False]
        self._young = set()
        self._since = now
