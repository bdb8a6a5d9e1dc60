"""A course of 2007 to compare with, lower and slower than 2008: simulated, and said to be so in every row.

``python examples/thai-nguyen-2008/simulator/last_year.py examples/thai-nguyen-2008/last-year.csv``. It has a generator of its
own, so that the world of 2008 is the same with it and without.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Final

if __package__ in (None, ""):  # run as a file: make the package importable by its name
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from simulator.courses import JUDGED, Agency
from simulator.days import planned_share

WHO: Final = "Thái Nguyên 2007 (mô phỏng / simulated)"
SOURCE: Final = "mô phỏng, không phải số liệu thật / simulated, not real: simulator/last_year.py"
FIELDS: Final = ("indicator", "who", "kind", "day", "numerator", "denominator", "ratio", "source")
#: Mid-months and ends of months from the day on which the plan of 2008 starts to the end of the year.
DAYS: Final = tuple(
    day
    for day in (date(2007, 5, 28) + timedelta(days=n) for n in range(218))
    if day.day == 15 or (day + timedelta(days=1)).day == 1
)
_SLOWER: Final = 0.7  # of what the agency does in 2008
_LOWER: Final = 0.85  # of what it had before the plan of 2008


def rows(seed: int = 2007) -> Iterator[tuple[str, ...]]:
    """Yield the rows of ``FIELDS``, those of an indicator together, in the order of days."""
    counted: dict[tuple[str, date], tuple[int, int]] = {}
    for agency in JUDGED:
        for (indicator, day), (done, of) in _agency(agency, Random(f"{seed}/{agency.id}")).items():
            before = counted.get((indicator, day), (0, 0))
            counted[indicator, day] = before[0] + done, before[1] + of
    for (indicator, day), (done, of) in sorted(counted.items()):
        yield indicator, WHO, "last-year", day.isoformat(), str(done), str(of), "", SOURCE
    for day in DAYS:
        parts = [Fraction(*counted[part, day]) for part in ("documents-handled", "direction-online")]
        mean = f"{float(sum(parts) / 2) * 100:.2f} %"
        yield "documents-online", WHO, "last-year", day.isoformat(), "", "", mean, SOURCE


def write(path: Path, seed: int = 2007) -> None:
    """Write the rows as CSV with headings."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(FIELDS)
        writer.writerows(rows(seed))


def _agency(agency: Agency, random: Random) -> dict[tuple[str, date], tuple[int, int]]:
    """Return (indicator, day) → done and all of one agency. What is done never falls; what there is grows evenly."""
    course, people = agency.course, max(5, round(agency.officials * random.uniform(0.93, 1.0)))
    asked = {
        "mailboxes": (course.mailbox_base, 1.0, course.mailboxes, 0.0),
        "email-use": (course.email_base, agency.email_target, course.email, 0.0),
        "documents-exchanged": (0.0, 0.4, course.exchanged, 0.6 * random.uniform(0.8, 1.2)),
        "documents-handled": (0.0, agency.documents_target, course.handled, 0.55 * random.uniform(0.8, 1.2)),
        "direction-online": (0.0, agency.documents_target, course.directed, 0.25 * random.uniform(0.8, 1.2)),
        "records-filed": (course.filed, 0.0, 0.0, 0.7 * random.uniform(0.8, 1.2)),
    }
    found = {}
    for indicator, (base, target, pace, per_day) in asked.items():
        if indicator == "documents-exchanged" and agency.kind != "department":
            continue
        late, highest = timedelta(days=random.randint(0, 20)), 0
        for day in DAYS:
            elapsed = (day - date(2007, 5, 27)).days
            of = round(elapsed * per_day) if per_day else people
            line = planned_share(_in_2008(day - late), 1.0)
            share = min(0.97, max(base * _LOWER, target * pace * line * _SLOWER))
            highest = max(highest, min(of, round(of * share)))
            found[indicator, day] = highest, of
    return found


def _in_2008(day: date) -> date:
    return day.replace(year=2008)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
