"""When too much cannot be used: a limit on dead letters, so that a broken deployment stops instead of draining into them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

_EMPTY: Final[tuple[tuple[bool, int], ...]] = ()


class Rule(StrEnum):
    """Which limit was reached. The value is a metric label."""

    IN_A_ROW = "in-a-row"
    SHARE = "share"


class TooManyUnusable(Exception):
    """The limit is reached: stop, acknowledge nothing of this batch, and have a person look."""

    def __init__(self, rule: Rule, unusable: int, of: int) -> None:
        super().__init__(f"{unusable} of the last {of} events cannot be used")
        self.rule = rule
        self.unusable = unusable
        self.of = of


@dataclass(frozen=True, slots=True)
class Recent:
    """What the last events were: runs of (usable, how many), the oldest first, as many as the window holds."""

    runs: tuple[tuple[bool, int], ...] = _EMPTY

    @property
    def count(self) -> int:
        """How many events are remembered."""
        return sum(count for _, count in self.runs)

    @property
    def unusable(self) -> int:
        """How many of them could not be used."""
        return sum(count for usable, count in self.runs if not usable)

    @property
    def in_a_row(self) -> int:
        """How many of the very last could not be used, up to the window."""
        return self.runs[-1][1] if self.runs and not self.runs[-1][0] else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetterLimit:
    """The limit is reached by the event with which one of two things holds.

    *in_a_row* events (0: no such limit) could not be used, one after the other; or at least *percent* (0: no such limit) of
    the last *window* events could not, or of all since the start while there are fewer, though at least *least* of them: a
    worker that is started again and again would otherwise drain a window each time. Raises ValueError where that makes no
    sense.
    """

    window: int = 1000
    percent: int = 50
    in_a_row: int = 100
    least: int = field(default=100)

    def __post_init__(self) -> None:
        if self.window < 1 or self.least < 1 or self.in_a_row < 0 or not 0 <= self.percent <= 100:
            raise ValueError("a window and a least number of 1 or more, a percentage up to 100")
        if self.in_a_row > self.window:
            raise ValueError("more in a row than the window holds")

    def after(self, past: Recent, events: int, unusable_after: Sequence[int]) -> Recent:
        """Return what is remembered after a batch with *events* usable events, and unusable ones between them.

        *unusable_after* says of each unusable one, in order, how many usable ones of the batch came before it. Raises
        TooManyUnusable where the limit is reached by any event of the batch, however good the rest is. *past* is as it
        was, so that a batch that is done again counts once.
        """
        if not unusable_after and not past.unusable:
            return Recent(((True, min(self.window, past.count + events)),)) if events or past.runs else past
        recent, seen = past, 0
        for before in unusable_after:
            recent = self._with(recent, True, before - seen)
            recent = self._with(recent, False, 1)
            seen = before
        return self._with(recent, True, events - seen)

    def _with(self, past: Recent, usable: bool, count: int) -> Recent:
        if count <= 0:
            return past
        # Usable events only lower the share, save for the one that makes enough of them to judge.
        enough = min(self.least, self.window)
        if usable and past.count < enough <= past.count + count:
            first = enough - past.count
            return self._appended(self._judged(self._appended(past, True, first)), True, count - first)
        grown = self._appended(past, usable, count)
        return grown if usable else self._judged(grown)

    def _judged(self, recent: Recent) -> Recent:
        if self.in_a_row and recent.in_a_row >= self.in_a_row:
            raise TooManyUnusable(Rule.IN_A_ROW, recent.in_a_row, recent.in_a_row)
        enough = recent.count >= min(self.least, self.window)
        if self.percent and enough and recent.unusable * 100 >= self.percent * recent.count:
            raise TooManyUnusable(Rule.SHARE, recent.unusable, recent.count)
        return recent

    def _appended(self, past: Recent, usable: bool, count: int) -> Recent:
        if count <= 0:
            return past
        runs = list(past.runs)
        if runs and runs[-1][0] is usable:
            runs[-1] = (usable, runs[-1][1] + count)
        else:
            runs.append((usable, count))
        surplus = sum(one for _, one in runs) - self.window
        while surplus > 0:
            kind, oldest = runs[0]
            if oldest > surplus:
                runs[0] = (kind, oldest - surplus)
                break
            runs.pop(0)
            surplus -= oldest
        return Recent(tuple(runs))
