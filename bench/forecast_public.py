"""How good the forecast is on courses that nobody simulated: shares of a public series, carried by a package.

The series are the shares of women among those who took a bachelor's degree in the United States in each of 17 fields, 1970 to
2011 (National Center for Education Statistics; in the package bokeh_sampledata). They rise and fall over years as adoption does
over weeks, so a year stands for a week here, with straight lines between. Every week from the twelfth on the question is
whether the next multiple of 5 % is reached within 90, 60 and 30 days: which question is asked depends on the past alone.
"""

from __future__ import annotations

import csv
import io
import math
import subprocess
from collections import Counter
from datetime import date, timedelta
from fractions import Fraction
from typing import Final

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from bench.ground import PYTHON
from bench.measure import Result
from services.core.schedule.pace import FLAT, forecast, recent_paces

YEAR: Final = 7  # days that stand for one
FIRST: Final = 84  # days of history before the first question
AHEAD: Final = (90, 60, 30)
LEVEL: Final = 20  # levels per whole: every 5 %
START: Final = date(2008, 1, 1)
_FILE: Final = "percent-bachelors-degrees-women-usa.csv"
_READ: Final = (
    "import importlib.resources as r; "
    f"print(r.files('bokeh_sampledata').joinpath('_data', '{_FILE}').read_text(encoding='utf-8'))"
)

Floats = NDArray[np.float64]


def fields() -> dict[str, Floats]:
    """Return field → its share on each day."""
    text = subprocess.run([str(PYTHON), "-c", _READ], capture_output=True, text=True, check=True).stdout
    names, *rows = [row for row in csv.reader(io.StringIO(text)) if row]
    years = np.array(rows, dtype=np.float64)
    at = np.arange((len(years) - 1) * YEAR + 1) / YEAR
    return {
        name: np.interp(at, np.arange(len(years)), years[:, column] / 100)
        for column, name in enumerate(names)
        if column
    }


def measured(courses: dict[str, Floats]) -> tuple[Counter[tuple[int, str]], Counter[tuple[int, str]]]:
    """Return (days ahead, whose) → rightly called (or within the range), and how often asked."""
    right: Counter[tuple[int, str]] = Counter()
    asked: Counter[tuple[int, str]] = Counter()
    for course in courses.values():
        paces = recent_paces(course.tolist())
        for day in range(FIRST, len(course), YEAR):
            actual = float(course[day])
            target = Fraction(math.floor(actual * LEVEL) + 1, LEVEL)
            later = np.flatnonzero(course[day + 1 :] >= float(target))
            reached = day + 1 + int(later[0]) if later.size else None
            found = forecast(
                target=target,
                actual=Fraction(actual).limit_denominator(10**9),
                day=START + timedelta(days=day),
                pace=paces[day],
            )
            for ahead in AHEAD:
                deadline = day + ahead
                if deadline >= len(course):
                    continue  # how it went on is not known
                in_time = reached is not None and reached <= deadline
                missing = float(target) - actual
                calls = {
                    "forecast": found.day is not None and found.day <= START + timedelta(days=deadline),
                    "last month": _naive(missing, (actual - float(course[day - 28])) / 28) <= ahead,
                    "straight line": _naive(missing, (actual - float(course[0])) / day) <= ahead,
                }
                for whose, called in calls.items():
                    asked[ahead, whose] += 1
                    right[ahead, whose] += called == in_time
                if reached is not None:
                    when = START + timedelta(days=reached)
                    asked[ahead, "range"] += 1
                    within = found.low is not None and found.low <= when
                    right[ahead, "range"] += within and (found.high is None or when <= found.high)
    return right, asked


def _naive(missing: float, slope: float) -> float:
    return missing / slope if slope > FLAT else math.inf


def bench() -> list[Result]:
    """Return the shares over all fields; prints the table."""
    right, asked = measured(fields())
    table = Table(title="a public series: levels rightly called, and true days within the range")
    for column in ("days ahead", "questions", "forecast", "last month", "straight line", "in range"):
        table.add_column(column, justify="right")
    results = []
    for ahead in AHEAD:
        shares = {
            whose: right[ahead, whose] / asked[ahead, whose]
            for whose in ("forecast", "last month", "straight line", "range")
        }
        table.add_row(str(ahead), str(asked[ahead, "forecast"]), *(f"{share:.1%}" for share in shares.values()))
        for whose, share in shares.items():
            key = f"forecast_public_{whose.replace(' ', '_')}_{ahead}_days"
            results.append(Result(key, round(share, 3), "share of questions", asked[ahead, whose]))
    Console(width=110).print(table)
    return results
