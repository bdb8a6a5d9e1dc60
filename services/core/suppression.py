"""Counts of people by reason, told so that nobody can be picked out, by subtraction either. Pure.

A count is perturbed by at most :data:`SPREAD`, by an amount that its own set of people decides (the cell-key method of the
Australian Bureau of Statistics: Fraser and Wooton, "A proposed method for confidentialising tabular output to protect
against differencing", UNECE work session on statistical data confidentiality, Geneva, 2005). The same people give the
same answer whenever and however they are asked about, so that asking again and averaging gains nothing; a set that differs
by one person gives an answer perturbed anew, so that the difference of two answers does not tell which reason that person
has. Answers below :data:`SMALLEST` are withheld, and the decision looks at the perturbed count alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

SMALLEST: Final = 10  # people; smaller groups are not drilled into
SPREAD: Final = 3  # people


@dataclass(frozen=True, slots=True)
class Cell:
    """How many people have a reason, and a number that their pseudonyms decide."""

    people: int
    key: int


def told(cells: Mapping[str, Cell], *, people: int, others: int) -> dict[str, int | None]:
    """Return reason → how many people about, None where fewer than ten or too few to say.

    *people* is the whole group, *others* those who do not count for the numerator (both are public with the figure); the
    *cells* divide those. Nothing is told of a group under ten, or of fewer than ten others: there every reason is None.
    One reason alone is its whole, which is public, and is told exactly.
    """
    if people < SMALLEST or others < SMALLEST:
        return dict.fromkeys(cells)
    if len(cells) == 1:
        return dict.fromkeys(cells, others)
    answer: dict[str, int | None] = {}
    for reason, cell in cells.items():
        about = min(perturbed(cell), others)
        answer[reason] = about if about >= SMALLEST else None
    return answer


def perturbed(cell: Cell) -> int:
    """Return the count moved by −3 … 3, each as likely, as the cell's key decides."""
    return cell.people + cell.key % (2 * SPREAD + 1) - SPREAD
