"""Measured figures as baselines of a plan's next revision. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Any, Final

from schemas.directory import Directory
from schemas.plan import Plan, Target
from services.core.scope import targets_of

_STEP: Final = Decimal("0.01")  # of a percent


class Left(StrEnum):
    """Why an agency gets no baseline."""

    NO_FIGURE = "no figure"
    TOO_FEW = "too few cases"
    SILENT = "its feed was silent"
    NOT_MEASURED = "partly declared"


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """A measured share of an agency with the target that it is held to; or why there is none (``left``)."""

    indicator: str
    agency: str
    target: Target
    percent: Decimal | None  # to a hundredth of a percent
    left: Left | None = None


def baselines(plan: Plan, directory: Directory, rows: Iterable[Mapping[str, Any]]) -> Iterator[Baseline]:
    """Yield the baselines of everybody whom *plan* gives a target, from the *rows* of a day's standing.

    A figure frozen by a silent feed, of too few cases or with a declared part is left out: a baseline is what was measured
    on that day.
    """
    held = {(row["indicator"], row["agency"]): row for row in rows}
    for indicator in plan.indicators:
        for agency, target in targets_of(directory, indicator).items():
            if target is None:
                continue
            row = held.get((indicator.id, agency))
            left = _left(row)
            share = percent_of(row) if row is not None and left is None else None
            yield Baseline(indicator=indicator.id, agency=agency, target=target, percent=share, left=left)


def percent_of(row: Mapping[str, Any]) -> Decimal:
    """Return a figure as a percentage, to a hundredth; exact before it is rounded wherever there are cases."""
    if row["denominator"] is not None:
        exact = Fraction(row["numerator"]) / Fraction(row["denominator"]) * 100
    else:
        exact = Fraction(row["ratio"]).limit_denominator(10**12) * 100
    return (Decimal(exact.numerator) / Decimal(exact.denominator)).quantize(_STEP, ROUND_HALF_EVEN)


def _left(row: Mapping[str, Any] | None) -> Left | None:
    if row is None or row["ratio"] is None:
        return Left.NO_FIGURE
    if row["verdict"] == "too-few":
        return Left.TOO_FEW
    if row["judged_day"] < row["day"]:
        return Left.SILENT
    return Left.NOT_MEASURED if (row["measured_share"] or 0) < 1 else None
