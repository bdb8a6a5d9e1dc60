"""Worked examples of earned schedule that others have published, reproduced by the arithmetic that judges agencies.

A period of an example (a week, a month) is a day here: scaling time scales days, which a property of its own holds.
Sources: docs/arithmetic.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

import pytest

from schemas.plan import Checkpoint, PointsTrajectory
from services.core.schedule.earned import earned
from services.core.schedule.trajectory import curve_of

START = date(2008, 1, 1)


@dataclass(frozen=True)
class Example:
    """Cumulative planned value by period, the value earned, and what the source says of it, to its own digits."""

    planned: dict[int, str]
    budget: str
    duration: int
    value: str
    at: int
    es: str
    behind: str
    spi: str


EXAMPLES = {
    "project-controls-institute": Example(
        {8: "2.74", 9: "3.20"}, "8.0", 24, value="2.9", at=9, es="8.35", behind="0.65", spi="0.928"
    ),
    "exercise-6.4": Example(
        {1: "150", 2: "340", 3: "560", 4: "800", 5: "1000", 6: "1150"},
        "3000", 12, value="620", at=5, es="3.25", behind="1.75", spi="0.65",
    ),
    "four-months": Example(
        {1: "40", 2: "90", 3: "150", 4: "220"},
        "300", 6, value="130", at=4, es="2.667", behind="1.333", spi="0.667",
    ),
    "package-in-weeks": Example(
        {16: "4.8", 17: "5.4"}, "12.0", 40, value="5.2", at=20, es="16.67", behind="3.33", spi="0.83"
    ),
}  # fmt: skip


def rounded(value: Fraction, like: str) -> str:
    """Return *value* with as many decimals as the source gives."""
    return f"{float(value):.{len(like.partition('.')[2])}f}"


@pytest.mark.parametrize("example", EXAMPLES.values(), ids=EXAMPLES)
def test_a_published_example_comes_out_the_same(example: Example) -> None:
    """Earned schedule, variance in time and SPI(t) agree with the source in every digit that it gives."""
    budget = Fraction(example.budget)
    points = tuple(
        Checkpoint(day=START + timedelta(days=period), value=Fraction(value) / budget)
        for period, value in example.planned.items()
    )
    curve = curve_of(
        PointsTrajectory(kind="points", checkpoints=points),
        start=START,
        deadline=START + timedelta(days=example.duration),
        baseline=None,
        target=Fraction(1),
    )

    found = earned(curve, actual=Fraction(example.value) / budget, day=START + timedelta(days=example.at))

    assert found.spi is not None
    assert rounded(found.schedule, example.es) == example.es
    assert rounded(found.days_behind, example.behind) == example.behind
    assert rounded(found.spi, example.spi) == example.spi
