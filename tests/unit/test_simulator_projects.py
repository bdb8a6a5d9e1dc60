"""Courses and projects of the example: the simulator's own figures by hand, and against its files."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from services.ingest.connectors.mapping import load_mapping
from tests.unit.simulated import EXAMPLE, UNTIL, day, newest, rows
from tests.unit.simulated import province as written_province

from simulator.courses import LATE_BALANCE, LATE_MILESTONES, PROJECTS  # isort: skip
from simulator.oracle import Oracle, concerned  # isort: skip
from simulator.registers import STAGES  # isort: skip
from simulator.truth import (  # isort: skip
    Amount,
    Certificate,
    Milestone,
    MilestoneState,
    Post,
    Span,
    Sum,
    Trainee,
    World,
)

HEALTH = "so-y-te"


def at(month: int, on: int) -> datetime:
    return datetime(2008, month, on, 9)


def post(person: str, agency: str = HEALTH, last: date | None = None) -> Post:
    span = Span(recorded=at(1, 2), first=date(2000, 1, 1), last=last)
    return Post(row=person, person=person, agency=agency, office=agency, versions=(span,))


def trained(person: str, course: str, *versions: Certificate) -> Trainee:
    return Trainee(row=person + course, person=person, agency=HEALTH, course=course, versions=versions)


def certificate(month: int, on: int, recorded: datetime | None = None, withdrawn: date | None = None) -> Certificate:
    return Certificate(recorded=recorded or at(month, on), day=date(2008, month, on), withdrawn=withdrawn)


def counts(world: World, indicator: str, on: date = UNTIL) -> tuple[Any, Any]:
    figure = Oracle(world, UNTIL).figure(indicator, HEALTH, on)
    return figure.numerator, figure.denominator


def test_officials_and_leaders_are_trained_apart() -> None:
    """Each roster has its course; what was withdrawn never was, what was entered wrong is what it was put right to."""
    world = World(
        posts=[post("a"), post("b"), post("c"), post("d", last=date(2008, 9, 29))],
        leaders=[post("a"), post("b"), post("x", "so-xay-dung")],
        trainees=[
            trained("a", "CNTT-CB", certificate(6, 6)),
            trained("b", "CNTT-CB", certificate(6, 6), certificate(6, 6, at(7, 1), date(2008, 7, 1))),
            trained("c", "CNTT-CB", certificate(8, 8), certificate(7, 4, at(8, 20))),
            trained("d", "CNTT-CB", certificate(6, 6)),
            trained("b", "CNTT-LĐ", certificate(7, 18)),
            trained("x", "CNTT-LĐ", certificate(7, 18)),
        ],
    )
    assert counts(world, "officials-trained", date(2008, 7, 3)) == (2, 4)
    assert counts(world, "officials-trained", date(2008, 7, 4)) == (3, 4)
    assert counts(world, "officials-trained") == (2, 3)
    assert counts(world, "it-leaders-trained", date(2008, 7, 17)) == (0, 2)
    assert counts(world, "it-leaders-trained") == (1, 2)


def test_a_milestone_given_back_has_to_be_reached_again() -> None:
    """On equal days given back wins; what is reached later again is done."""

    def milestone(name: str, reached: date | None, returned: date | None = None) -> Milestone:
        state = MilestoneState(recorded=at(9, 25), weight=Decimal("2.5"), planned=date(2008, 6, 2),
                               reached=reached, returned=returned)  # fmt: skip
        return Milestone(row=name, agency=HEALTH, project="p", name=name, versions=(state,))

    nine, ten = date(2008, 9, 9), date(2008, 9, 10)
    world = World(
        milestones=[milestone("a", nine), milestone("b", nine, nine), milestone("c", ten, nine), milestone("d", None)]
    )
    assert counts(world, "project-milestones", nine) == (Decimal("2.5"), 10)
    assert counts(world, "project-milestones", ten) == (5, 10)


def test_a_paper_in_two_registers_counts_once() -> None:
    """On its first day, with the amount recorded last; what is cancelled, or of another stage, does not count."""

    def paper(number: str, stage: str, *versions: Sum, register: str = "budget") -> Amount:
        return Amount(row=number + register, register=register, agency=HEALTH, project="p", stage=stage,
                      paper=number, versions=versions)  # fmt: skip

    def dong(month: int, on: int, amount: int, cancelled: date | None = None) -> Sum:
        return Sum(recorded=at(month, on), day=date(2008, month, on), dong=amount, cancelled=cancelled)

    world = World(
        amounts=[
            paper("1", "approved", dong(4, 21, 900)),
            paper("2", "budgeted", dong(6, 9, 400)),
            paper("2", "budgeted", dong(6, 10, 500), register="treasury"),
            paper("3", "disbursed", dong(6, 11, 10_000), dong(7, 1, 100)),
            paper("4", "disbursed", dong(6, 12, 77), dong(7, 1, 77, date(2008, 7, 1))),
            paper("5", "delivered", dong(6, 12, 50)),
        ]
    )
    assert counts(world, "project-funds-balanced", date(2008, 6, 9)) == (500, 900)
    assert counts(world, "project-funds-disbursed") == (100, 500)


@pytest.fixture(scope="module")
def province(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Oracle]:
    folder, world = written_province(tmp_path_factory)
    return folder, Oracle(world, UNTIL)


def test_the_registers_say_the_same_as_the_truth(province: tuple[Path, Oracle]) -> None:
    """Reading the files gives the oracle's money, to the đồng, and holds every case that a reader could trip over."""
    folder, oracle = province
    held = [row for name in ("budget", "treasury") for row in rows(newest(folder / "projects", name))]
    seen = [(row["Cơ quan"], row["Giai đoạn"], row["Số văn bản"]) for row in held]
    assert len(set(seen)) < len(seen), "a paper is in both registers"
    assert any(row["Ngày huỷ"] for row in held)
    assert {row["Giai đoạn"] for row in held} == set(STAGES.values())
    for on in (date(2008, 7, 31), UNTIL):
        for agency in PROJECTS:
            sums = dict.fromkeys(STAGES.values(), 0)
            mine = {}
            for row in held:
                if row["Cơ quan"] == agency and not row["Ngày huỷ"] and day(row["Ngày"]) <= on:
                    mine[row["Giai đoạn"], row["Số văn bản"]] = int(row["Số tiền (đồng)"].replace(".", ""))
            for (stage, _), dong in mine.items():
                sums[stage] += dong
            balanced = oracle.figure("project-funds-balanced", agency, on)
            paid = oracle.figure("project-funds-disbursed", agency, on)
            assert (balanced.numerator, balanced.denominator) == (sums["Cân đối"], sums["Phê duyệt"])
            assert (paid.numerator, paid.denominator) == (sums["Giải ngân"], sums["Cân đối"])


def test_few_are_behind_in_rows_5_and_6(province: tuple[Path, Oracle]) -> None:
    """On 30 September those who are late in everything, and two projects, are behind the plan; nobody else is."""
    _, oracle = province
    planned = {
        "officials-trained": Fraction(3, 5) * Fraction(125, 217),
        "it-leaders-trained": Fraction(1, 2),
        "project-milestones": Fraction(45, 100),
        "project-funds-balanced": Fraction(7, 10),
        "project-funds-disbursed": Fraction(1, 4),
    }
    late = {
        indicator: {
            agency.id for agency in concerned(indicator) if oracle.figure(indicator, agency.id, UNTIL).ratio < plan
        }
        for indicator, plan in planned.items()
    }
    everything = {"so-xay-dung", "huyen-dinh-hoa"}
    assert late == {
        "officials-trained": everything,
        "it-leaders-trained": everything,
        "project-milestones": {LATE_MILESTONES},
        "project-funds-balanced": {LATE_BALANCE},
        "project-funds-disbursed": {LATE_MILESTONES},
    }


def test_the_mapping_of_money_knows_every_stage() -> None:
    """Each name in the registers is a stage of the contract, standing and cancelled."""
    rules = load_mapping(EXAMPLE / "mappings" / "money.yaml").events
    named = {(rule.when.equals["Giai đoạn"], rule.data["stage"], rule.data.get("retracted", False)) for rule in rules}
    assert named == {(name, stage, gone) for stage, name in STAGES.items() for gone in (False, True)}
