"""Courses of many agencies at once, from a matrix of day codes: day by day over vectors, equal to ``Course.follow``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from schemas.policy import Policy
from services.core.warnings.course import Course, JudgedDay
from services.core.warnings.day_codes import SPEAKS, day_of

Codes = NDArray[np.uint8]
Days = NDArray[np.int32]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Courses:
    """What histories amount to under one policy: parallel arrays, a place per agency. Days count from *first*; -1: none."""

    first: date
    codes: Codes
    info: Days
    warning: Days
    critical: Days
    calm: Days
    run_since: Days
    firing: Bools
    firing_since: Days
    last: Days

    def grave(self) -> Bools:
        """Return where the last speaking day was at least info: only there may a warning begin."""
        return self.info > 0

    def judged(self) -> Bools:
        """Return where the last day of the matrix is judged."""
        found: Bools = self.codes[:, -1] > 0
        return found

    def course(self, place: int) -> tuple[Course, JudgedDay]:
        """Return the course at *place* and the last day of the matrix, which must be judged."""
        today = day_of(int(self.codes[place, -1]), self._day(self.codes.shape[1] - 1))
        last = int(self.last[place])
        if last < 0:
            return Course(), today
        speaking = _speaking(self.codes[place])
        origin = int(np.argmax(speaking))
        bits = np.packbits(speaking[origin:], bitorder="little").tobytes()
        return (
            Course(
                info=int(self.info[place]),
                warning=int(self.warning[place]),
                critical=int(self.critical[place]),
                calm=int(self.calm[place]),
                run_since=self._day(int(self.run_since[place])),
                firing=bool(self.firing[place]),
                firing_since=self._day(int(self.firing_since[place])),
                origin=self._day(origin),
                spoke=int.from_bytes(bits, "little"),
                last=day_of(int(self.codes[place, last]), self._day(last)),
            ),
            today,
        )

    def courses(self, places: NDArray[np.int64]) -> Iterator[tuple[int, Course, JudgedDay]]:
        """Yield (place, course, last day) of those of *places* whose last day is judged."""
        judged = self.judged()
        for place in places.tolist():
            if judged[place]:
                yield (place, *self.course(place))

    def _day(self, after: int) -> date:
        return date.min if after < 0 else self.first + timedelta(days=after)


def follow_many(codes: Codes, first: date, policy: Policy) -> Courses:
    """Return the courses of histories as *codes* (agencies × days from *first* on, at least one) has them."""
    size, days = codes.shape
    info, warning, critical, calm = (np.zeros(size, dtype=np.int32) for _ in range(4))
    run_since, firing_since, last = (np.full(size, -1, dtype=np.int32) for _ in range(3))
    firing = np.zeros(size, dtype=np.bool_)
    hold = max(policy.hold, 1)
    for day in range(days):
        today = codes[:, day]
        speaking = _speaking(today)
        if not speaking.any():
            continue
        rank = (today - 1) & 3
        grave, quiet = speaking & (rank > 0), speaking & (rank == 0)
        run_since = np.where((grave & (info == 0)) | (quiet & (calm == 0)), day, run_since)
        info = np.where(grave, info + 1, np.where(quiet, 0, info))
        calm = np.where(quiet, calm + 1, np.where(grave, 0, calm))
        fires = grave & ~firing & (info >= hold)
        firing_since = np.where(fires, run_since, firing_since)
        firing = np.where(quiet, firing & (calm < policy.clear), firing | fires)
        warning = np.where(speaking & (rank >= 2), warning + 1, np.where(speaking, 0, warning))
        critical = np.where(speaking & (rank >= 3), critical + 1, np.where(speaking, 0, critical))
        last = np.where(speaking, day, last)
    return Courses(
        first=first,
        codes=codes,
        info=info,
        warning=warning,
        critical=critical,
        calm=calm,
        run_since=run_since,
        firing=firing,
        firing_since=firing_since,
        last=last,
    )


def _speaking(codes: Codes) -> Bools:
    found: Bools = (codes > 0) & (((codes - 1) >> 2) % 3 == SPEAKS)
    return found
