"""Values of arrays as rows hold them."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from services.core.schedule.figures_many import Floats, Ints


class Calendar(dict[int, date]):
    """Day after the plan's start → date, each made once."""

    def __init__(self, start: date) -> None:
        super().__init__()
        self._start = start

    def __missing__(self, day: int) -> date:
        self[day] = found = self._start + timedelta(days=day)
        return found


def optional(values: Floats) -> list[float | None]:
    """Return *values* with None in place of NaN."""
    return [None if value != value else value for value in values.tolist()]


def decimal(counts: Ints | None, agency: int, column: int) -> Decimal | None:
    """Return a count kept in ten-thousandths; None where there are none."""
    return None if counts is None else Decimal(int(counts[agency, column])).scaleb(-4)
