"""Rows of the arrays' path are those of the scalar path, to the last bit."""

from __future__ import annotations

import math
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.plan import WorkingCalendar
from services.core.schedule.coverage import WORST_FIRST, Coverage, FeedState
from services.core.schedule.figures_many import SCALE, Figures, figures_of_many, mean_of_many
from services.core.schedule.judged_block import Block, rows_of
from services.core.schedule.pace import recent_paces
from services.core.schedule.standing import NO_FIGURE, Case, Figure, figure_of, judge, mean_of
from services.core.schedule.standing_row import as_row
from services.core.schedule.trajectory import Curve, curve_of
from services.core.working_time import working_time
from tests.unit.test_standing_trajectory import START, shares, spans, trajectories

AGENCIES = 4
counts = st.sampled_from([0, 1, 5, 9, 10, 997, 1000, 3000]) | st.integers(0, 10**6) | st.just(10**11)


@st.composite
def curves(draw: st.DrawFn) -> list[Curve]:
    span = draw(spans)
    days = draw(st.sampled_from(["calendar-days", "calendar-days", "working-days"]))
    calendar = WorkingCalendar.model_validate({"accrual": days})
    found = []
    for _ in range(draw(st.integers(1, 3))):
        target = draw(shares)
        found.append(
            curve_of(
                draw(trajectories(span, target)),
                start=START,
                deadline=START + timedelta(days=span),
                baseline=draw(st.none() | shares),
                target=target,
                time=working_time(calendar, start=START, deadline=START + timedelta(days=span)),
            )
        )
    return found


@st.composite
def courses(draw: st.DrawFn, days: int) -> tuple[list[list[Figure]], Figures]:
    """Figures as the scalar path has them, and the same in arrays; of what the tables keep: ten-thousandths."""
    done, of = np.zeros((AGENCIES, days), dtype=np.int64), np.zeros((AGENCIES, days), dtype=np.int64)
    share = np.full((AGENCIES, days), math.nan)
    scalar = []
    for agency in range(AGENCIES):
        row, gaps = [], draw(st.sets(st.integers(0, days - 1), max_size=3))
        cases, step = draw(counts), draw(st.integers(0, 40))
        unit = draw(st.sampled_from([1, SCALE, SCALE]))
        measured = draw(st.sampled_from([1.0, 1.0, 0.0, 0.3]))
        for day in range(days):
            if day in gaps:
                row.append(NO_FIGURE)
                continue
            top = min(cases, day * step)
            done[agency, day], of[agency, day], share[agency, day] = top * unit, cases * unit, measured
            exact = [Decimal(one * unit).scaleb(-4) for one in (top, cases)]
            row.append(figure_of(exact[0], exact[1], measured_share=measured, minimum=10))
        scalar.append(row)
    return scalar, figures_of_many(done, of, share, minimum=10)


def _scalar(block: Block, figures: list[list[Figure]], coverages: list[list[Coverage]]) -> list[tuple[Any, ...]]:
    rows = []
    for agency in range(AGENCIES):
        ratios = [None if one.ratio is None or one.too_few else float(one.ratio) for one in figures[agency]]
        paces = recent_paces(ratios)
        for day in range(block.exists.shape[1]):
            coverage = coverages[int(block.cover[agency])][day]
            at = (coverage.judged_day - block.start).days
            known = 0 <= at < len(ratios)
            where = int(block.curve[agency])
            standing = judge(
                Case(plan="p", revision=1, indicator="i", agency=f"a{agency}"),
                day=block.start + timedelta(days=block.first + day),
                figure=figures[agency][at] if known else NO_FIGURE,
                curve=block.curves[where] if where >= 0 else None,
                behind_after=block.behind_after,
                pace=paces[at] if known else None,
                coverage=coverage,
            )
            if block.exists[agency, day]:
                rows.append(as_row(standing))
    return rows


@settings(max_examples=150, deadline=None)
@given(st.data(), curves(), st.integers(0, 40), st.integers(1, 120))
def test_rows_of_a_block_are_those_of_one_at_a_time(
    data: st.DataObject, some: list[Curve], after: int, days: int
) -> None:
    """Any plan, figures, feeds and gaps; counts in part cases and in billions, means, indicators without a target."""
    figures, arrays = data.draw(courses(days))
    if data.draw(st.booleans()):
        others, more = data.draw(courses(days))
        weights = data.draw(st.tuples(st.sampled_from([Decimal(1), Decimal("2.5")]), st.just(Decimal(3))))
        figures = [
            [mean_of(list(zip(pair, weights, strict=True))) for pair in zip(*rows, strict=True)]
            for rows in zip(figures, others, strict=True)
        ]
        arrays = mean_of_many([(arrays, weights[0]), (more, weights[1])])
    first = data.draw(st.integers(max(0, days - 20), days - 1))
    width = days - first
    coverages = [[_coverage(data, START + timedelta(days=first + day)) for day in range(width)] for _ in range(2)]
    block = Block(
        plan="p",
        revision=1,
        indicator="i",
        behind_after=after,
        start=START,
        first=first,
        agencies=[f"a{n}" for n in range(AGENCIES)],
        curves=some,
        curve=np.array(data.draw(st.lists(st.integers(-1, len(some) - 1), min_size=AGENCIES, max_size=AGENCIES))),
        exists=np.array(
            data.draw(st.lists(st.lists(st.booleans(), min_size=width, max_size=width), min_size=4, max_size=4))
        ),
        cover=np.array([0, 1, 0, 1]),
        state=np.array([[WORST_FIRST.index(one.state) for one in row] for row in coverages], dtype=np.int8),
        judged=np.array([[(one.judged_day - START).days for one in row] for row in coverages]),
        provisional=np.array([[one.provisional for one in row] for row in coverages]),
        figures=arrays,
        origin=0,
    )

    assert list(zip(*rows_of(block), strict=True)) == _scalar(block, figures, coverages)


def _coverage(data: st.DataObject, day: date) -> Coverage:
    state = data.draw(st.sampled_from([FeedState.REPORTING, FeedState.REPORTING, FeedState.SILENT, *WORST_FIRST]))
    if state is FeedState.SILENT:
        return Coverage(state, day - timedelta(days=data.draw(st.integers(1, 150))), True)
    return Coverage(state, day, data.draw(st.booleans()))
