"""When a log line was written: RFC 3339 heads as they stand, RFC 3164 heads with the year that they leave out.

RFC 3164 writes ``Nov 23 22:55:22``: no year, no offset. The year is found from the context. The last line of a log gets the
greatest year in which it is not later than a reference instant; going backwards from there, every jump from January to
December is a turn of the year. Going forward from a line whose year is known, a month and day that lie more than a week
back start the next year (a week is allowed for clocks that are set back). A silence of more than about 51 weeks can
therefore not be seen in such a log.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

_MONTHS: Final = {
    name: number
    for number, name in enumerate(
        ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"), start=1
    )
}
_SET_BACK_DAYS: Final = 7
_LEAP_YEAR_DAYS: Final = 366
_SKEW: Final = timedelta(days=1)


class YearlessStamp(NamedTuple):
    """What an RFC 3164 head says; *second* counts from midnight."""

    month: int
    day: int
    second: int

    @property
    def ordinal(self) -> int:
        """Day of a leap year, 1 to 366."""
        return date(2000, self.month, self.day).timetuple().tm_yday

    def in_year(self, year: int) -> datetime | None:
        """Return the local moment in *year*, without a zone; None for 29 February of a common year."""
        try:
            return datetime(year, self.month, self.day) + timedelta(seconds=self.second)  # noqa: DTZ001 - a local time
        except (ValueError, OverflowError):
            return None


def read_yearless(text: str) -> YearlessStamp | None:
    """Read ``Nov  3 22:55:22``; None where it is anything else."""
    month = _MONTHS.get(text[:3])
    if month is None or len(text) != 15 or text[9] != ":" or text[12] != ":":
        return None
    try:
        day, hour, minute, second = int(text[4:6]), int(text[7:9]), int(text[10:12]), int(text[13:15])
        date(2000, month, day)
    except ValueError:
        return None
    if not (0 <= hour < 24 and 0 <= minute < 60 and 0 <= second <= 60):
        return None
    return YearlessStamp(month, day, hour * 3600 + minute * 60 + min(second, 59))


def _turn(before: int, after: int) -> int:
    """Return by how many years a line at leap-year day *after* lies beyond its predecessor at *before*: -1, 0 or 1."""
    step = after - before
    if step < -_SET_BACK_DAYS:
        return 1
    return -1 if step > _LEAP_YEAR_DAYS - _SET_BACK_DAYS else 0


def first_year(stamps: Iterable[YearlessStamp], reference: datetime) -> int:
    """Return the year of the first of *stamps*, a whole log in order, none later than *reference* (local, no zone).

    The reference's own year for an empty log. A day is allowed for clocks that go ahead.
    """
    turns, last = 0, None
    for stamp in stamps:
        if last is not None and stamp[:2] != last[:2]:
            turns += _turn(last.ordinal, stamp.ordinal)
        last = stamp
    if last is None:
        return reference.year
    year = reference.year + 1
    while (moment := last.in_year(year)) is None or moment > reference + _SKEW:
        year -= 1
    return year - turns


class LineTimes:
    """The moments of one log's lines, in order; remembers the last one, and nothing else."""

    def __init__(
        self, zone: str, *, log_zone: str, not_after: datetime, opening_year: Callable[[], int], last: str | None = None
    ) -> None:
        """*zone*: whose civil days count; *log_zone*: that of heads without an offset; *not_after*: lines beyond it (and a
        day's grace) come from a wrong clock; *opening_year*: asked once, for a log that starts with a yearless head;
        *last*: `last` of an earlier reading, to go on from there.
        """
        self._zone = ZoneInfo(zone)
        self._log_zone = ZoneInfo(log_zone)
        self._limit = not_after + _SKEW
        self._opening_year = opening_year
        self._local: datetime | None = datetime.fromisoformat(last) if last else None
        self._asked = ""
        self._day = 0

    @property
    def last(self) -> str | None:
        """The last yearless moment read (local, no zone), from which the next one's year follows."""
        return self._local.isoformat() if self._local else None

    def moment(self, stamp: str) -> datetime | None:
        """Return the instant of a head's *stamp*; None where it is not a time or lies ahead of the clock."""
        try:
            instant = datetime.fromisoformat(stamp) if stamp[4:5] == "-" else self._yearless(stamp)
        except ValueError:
            return None
        if instant is None:
            return None
        if instant.tzinfo is None:
            instant = instant.replace(tzinfo=self._log_zone)
        return instant if instant <= self._limit else None

    def day(self, stamp: str) -> int:
        """Return the civil day of *stamp* as a proleptic ordinal; 0 where `moment` gives None. Cheap when asked again."""
        if stamp != self._asked:
            moment = self.moment(stamp)
            self._day = moment.astimezone(self._zone).toordinal() if moment is not None else 0
            self._asked = stamp
        return self._day

    def advance(self, not_after: datetime) -> None:
        """The clock has gone on to *not_after*."""
        self._limit = not_after + _SKEW
        self._asked = ""

    def _yearless(self, stamp: str) -> datetime | None:
        read = read_yearless(stamp)
        if read is None:
            return None
        before = self._local
        if before is None:
            local = read.in_year(self._opening_year())
        else:
            year = before.year + _turn(date(2000, before.month, before.day).timetuple().tm_yday, read.ordinal)
            local = read.in_year(year)
            limit = self._limit.astimezone(self._log_zone).replace(tzinfo=None)
            if local is not None and local > limit and year > before.year:
                local = read.in_year(before.year)  # set back by more than a week: no year has passed
        if local is not None:
            self._local = local
        return local


def to_utc(moment: datetime) -> str:
    """Return *moment* as an RFC 3339 text in UTC, to the microsecond."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
