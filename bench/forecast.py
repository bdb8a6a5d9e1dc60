"""How good the forecast is: courses with known truth, called before their deadline.

The forecast was not built on such courses; its range was chosen on others of the same shapes (bench/forecast_trial.py).

Each course is one agency's share over time, in whole cases: an officer count, a true course of one of five shapes, and the
day-to-day noise of a rolling window. 90, 60 and 30 days ahead the question is whether the target will be reached by the
deadline, answered by our forecast and by two naive ones: the pace of the last month, and the straight line from the start.
"""

from __future__ import annotations

import argparse
from collections import Counter
from datetime import date, timedelta
from fractions import Fraction
from typing import Final

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from bench.measure import Result
from services.core.schedule.pace import FLAT, forecast, recent_paces

START: Final = date(2008, 5, 28)
DEADLINE: Final = 217  # days after the start: 31 December
AFTER: Final = 400  # days simulated beyond it, to see when late ones arrive
TARGET: Final = Fraction(1, 2)
AHEAD: Final = (90, 60, 30)
SHAPES: Final = ("steady", "s-curve", "stalls", "late push", "levels off")
SEED: Final = 20261127
EACH: Final = 200  # courses of a shape

Floats = NDArray[np.float64]


def courses(rng: np.random.Generator, shape: str) -> Floats:
    """Return one course: the share of each day, in whole cases of an agency with 20 … 200 people."""
    days = np.arange(DEADLINE + AFTER, dtype=np.float64)
    reach = rng.uniform(0.55, 1.6) * DEADLINE  # when the true course would be at the target, if it were straight
    end = float(TARGET)
    match shape:
        case "steady":
            true = end * days / reach
        case "s-curve":
            middle, width = reach * rng.uniform(0.5, 0.9), reach * rng.uniform(0.08, 0.2)
            true = rng.uniform(0.5, 0.95) / (1 + np.exp(-(days - middle) / width))
        case "stalls":
            at, length = rng.uniform(0.2, 0.7) * DEADLINE, rng.uniform(15, 60)
            true = end * (np.minimum(days, at) + np.maximum(days - at - length, 0)) / reach
        case "late push":
            at = rng.uniform(0.5, 0.9) * DEADLINE
            true = end * (days + np.maximum(days - at, 0) * rng.uniform(0.5, 3)) / (1.3 * reach)
        case _:
            true = rng.uniform(0.3, 0.8) * (1 - np.exp(-2 * days / reach))
    return counted(rng, true)


def counted(rng: np.random.Generator, true: Floats) -> Floats:
    """Return a true course as an agency of 20 … 200 people counts it: whole cases, the noise of a rolling window."""
    people = int(rng.integers(20, 200))
    noise = np.convolve(rng.normal(0, rng.uniform(0.5, 2.0), true.size + 27), np.ones(28) / 28, "valid")
    cases = np.clip(np.round(people * np.clip(true, 0, 1) + noise * np.sqrt(people) / 2), 0, people)
    return np.asarray(cases / people, dtype=np.float64)


def first_reached(course: Floats) -> int | None:
    """Return the first day on which the target is reached."""
    found = np.flatnonzero(course >= float(TARGET))
    return int(found[0]) if found.size else None


def naive(actual: float, slope: float, day: int) -> float:
    """Return the day on which a straight line of *slope* reaches the target; infinite where it never does."""
    if actual >= float(TARGET):
        return float(day)
    return day + (float(TARGET) - actual) / slope if slope > FLAT else float("inf")


def measured(seed: int = SEED, each: int = EACH) -> tuple[Counter[tuple[str, int, str]], Counter[tuple[str, int]]]:
    """Return (shape, days ahead, whose) → rightly called, and the counts of courses; of ranges too."""
    rng = np.random.default_rng(seed)
    right: Counter[tuple[str, int, str]] = Counter()
    asked: Counter[tuple[str, int]] = Counter()
    for shape in SHAPES:
        for _ in range(each):
            course = courses(rng, shape)
            reached = first_reached(course)
            in_time = reached is not None and reached <= DEADLINE
            paces = recent_paces(course[: DEADLINE + 1].tolist())
            for ahead in AHEAD:
                day = DEADLINE - ahead
                if reached is not None and reached <= day:
                    continue  # nothing to forecast any more
                asked[shape, ahead] += 1
                actual = float(course[day])
                found = forecast(
                    target=TARGET,
                    actual=Fraction(actual).limit_denominator(1000),
                    day=START + timedelta(days=day),
                    pace=paces[day],
                )
                deadline = START + timedelta(days=DEADLINE)
                ours = found.day is not None and found.day <= deadline
                month = naive(actual, (actual - float(course[day - 28])) / 28, day) <= DEADLINE
                line = naive(actual, actual / day, day) <= DEADLINE
                for whose, called in (("forecast", ours), ("last month", month), ("straight line", line)):
                    right[shape, ahead, whose] += called == in_time
                if reached is not None:
                    asked[f"{shape} range", ahead] += 1
                    when = START + timedelta(days=reached)
                    late_enough = found.low is not None and found.low <= when
                    right[shape, ahead, "range"] += late_enough and (found.high is None or when <= found.high)
    return right, asked


def bench() -> list[Result]:
    """Return the shares over all shapes; prints the table by shape."""
    right, asked = measured()
    table = Table(title="deadlines rightly called, and true days within the range")
    for column in ("shape", "days ahead", "courses", "forecast", "last month", "straight line", "in range"):
        table.add_column(column, justify="left" if column == "shape" else "right")
    results = []
    for shape in (*SHAPES, "all"):
        mine = SHAPES if shape == "all" else (shape,)
        for ahead in AHEAD:
            number = sum(asked[one, ahead] for one in mine)
            ranged = sum(asked[f"{one} range", ahead] for one in mine)
            called = {
                whose: sum(right[one, ahead, whose] for one in mine) / number
                for whose in ("forecast", "last month", "straight line")
            }
            inside = sum(right[one, ahead, "range"] for one in mine) / ranged
            table.add_row(shape, str(ahead), str(number), *(f"{value:.1%}" for value in (*called.values(), inside)))
            if shape == "all":
                for name, value in (*called.items(), ("range", inside)):
                    key = f"forecast_{name.replace(' ', '_')}_{ahead}_days"
                    results.append(Result(key, round(value, 3), "share of courses", number))
    Console(width=110).print(table)
    return results


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__).parse_args()
    bench()
