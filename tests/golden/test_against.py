"""What ``tiendo compare --against`` prints, word for word, in both languages and as CSV (TIENDO_GOLDEN=write writes it)."""

from __future__ import annotations

import os
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from services.cli.against import FIELDS, About, Asked, Found, found_of, print_against, records
from services.cli.output import print_csv
from services.core.schedule.standing_words import words_of
from services.infra.others_csv import read_others
from tests.fixtures.standing import DAY, directory, plan

AGAINST = Path(__file__).parent / "against"
ASKED = Asked(file=Path("others.csv"), margin=Fraction(1, 100), oldest=92)
INDICATORS = ("handled", "directed", "online")


def row(
    indicator: str, done: int | None, of: int | None, ratio: float, low: float, high: float, silent: int
) -> dict[str, Any]:
    counts = [None if count is None else Decimal(count) for count in (done, of)]
    return {
        "indicator": indicator, "name": "", "numerator": counts[0], "denominator": counts[1], "ratio": ratio, "low": low,
        "high": high, "agencies": 5, "silent": silent,
    }  # fmt: skip


ROWS = [
    row("handled", 1200, 4000, 0.3, 0.26, 0.36, 1),
    row("handled", 300, 1000, 0.3, 0.3, 0.3, 0) | {"name": "offices"},
    row("directed", 210, 1000, 0.21, 0.21, 0.21, 0),
]


def found() -> list[Found]:
    others = read_others((AGAINST / "others.csv").read_bytes(), INDICATORS, ["offices"])
    assert not others.faults
    return list(found_of(INDICATORS, [], ROWS, others.figures, DAY, ASKED))


def compare(name: str, content: str) -> None:
    path = AGAINST / name
    if os.environ.get("TIENDO_GOLDEN") == "write":
        path.write_text(content, encoding="utf-8")
    assert content == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("language", ["en", "vi"])
def test_the_table_is_word_for_word_the_golden_one(language: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Ahead, level, behind, each kind of "cannot be told", days, ranks and sources."""
    about = About(plan=plan(), directory=directory(5), day=DAY)
    print_against(found(), about, ASKED, words_of(language))

    lines = capsys.readouterr().out.splitlines()
    compare(f"table.{language}.txt", "".join(line.rstrip() + "\n" for line in lines))


def test_the_csv_is_the_golden_one(capsys: pytest.CaptureFixture[str]) -> None:
    """A line per indicator and other, null as an empty field."""
    print_csv(FIELDS, records(found(), DAY))

    compare("records.csv", capsys.readouterr().out)
