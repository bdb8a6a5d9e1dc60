"""The example's course of the year before: made by the simulator, said to be so, and the same each time."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path

from services.core.others_course import Kind
from services.infra.documents import load_directory, load_plan
from services.infra.others_csv import load_others
from tests.unit.simulated import EXAMPLE

from simulator import last_year  # isort: skip

FILE = EXAMPLE / "last-year.csv"


def test_the_file_is_what_the_simulator_writes(tmp_path: Path) -> None:
    """Byte for byte; another seed gives another course."""
    last_year.write(tmp_path / "again.csv")
    last_year.write(tmp_path / "other.csv", seed=1)

    assert (tmp_path / "again.csv").read_bytes() == FILE.read_bytes()
    assert (tmp_path / "other.csv").read_bytes() != FILE.read_bytes()


def test_every_row_says_in_both_languages_that_it_is_simulated() -> None:
    """Nobody who sees a single row can take it for real."""
    with FILE.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))

    assert len(rows) == 7 * len(last_year.DAYS)
    assert all("không phải số liệu thật" in row["source"] and "not real" in row["source"] for row in rows)
    assert all("mô phỏng / simulated" in row["who"] for row in rows)


def test_it_reads_without_faults_against_the_examples_plan() -> None:
    """Indicators are the plan's, all of the year before, and what people have done never falls."""
    directory = load_directory((EXAMPLE / "directory.yaml").read_text(encoding="utf-8")).document
    plan = load_plan((EXAMPLE / "plan.yaml").read_text(encoding="utf-8"), directory).document
    assert plan is not None
    found = load_others(FILE, [one.id for one in plan.indicators])
    mailboxes = [one.ratio for one in found.figures if one.indicator == "mailboxes" and one.ratio is not None]

    assert found.faults == ()
    assert {one.kind for one in found.figures} == {Kind.LAST_YEAR}
    assert all(date(2007, 5, 31) <= one.day <= date(2007, 12, 31) for one in found.figures)
    assert mailboxes == sorted(mailboxes)
    assert mailboxes[0] < mailboxes[-1] < 1
