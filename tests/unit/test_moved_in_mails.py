"""An agency's mail says where a revision in force asks less of it than before, and only that."""

from __future__ import annotations

from datetime import UTC, date, datetime
from fractions import Fraction
from typing import Any

import pytest

from schemas.plan import Plan
from schemas.revisions import PlanRevision
from services.alerts.core.moved import goalposts_of
from tests import alerts_world as world

DAY = world.DAY


def revision(number: int, since: str, target: str | None = "50 %", **changes: Any) -> PlanRevision:
    """Return a revision whose target for the use of e-mail is *target*; None: e-mail is not in it."""
    content = world.plan(in_force_from=since, **changes).model_dump(mode="json", by_alias=True, exclude_none=True)
    content["decision"] |= {"number": f"{number}00/QĐ-UBND"}
    if target is None:
        del content["indicators"][0]
    else:
        content["indicators"][0]["targets"] = [{"group": "departments", "target": target}]
    return PlanRevision(
        id="tinh-2008",
        revision=number,
        in_force_from=date.fromisoformat(since),
        published=datetime(2008, 5, 1, number, tzinfo=UTC),
        document=Plan.model_validate(content),
    )


def told(*plans: PlanRevision, agency: str = "so-y-te", day: date = DAY) -> list[tuple[Any, ...]]:
    return [
        (one.title, one.decision_number, one.target_before, one.target, one.deadline_before, one.deadline)
        for one in goalposts_of(plans, world.directory(), agency, day=day, language="en")
    ]


FIRST = revision(1, "2008-05-28", "60 %")
TITLE = "Officials using e-mail for work"
HALF, MORE = Fraction(1, 2), Fraction(3, 5)


def test_a_lowered_target_is_told_with_its_decision():
    """60 to 50 %, from the day of the revision on, and no other indicator."""
    second = revision(2, "2008-09-01")

    assert told(FIRST, second) == [(TITLE, "200/QĐ-UBND", MORE, HALF, None, None)]
    assert told(FIRST, second, day=date(2008, 8, 31)) == []
    assert told(FIRST) == []


@pytest.mark.parametrize(
    ("plans", "expected"),
    [
        pytest.param(
            (revision(2, "2008-09-01"), revision(3, "2008-09-15", "60 %")), [], id="raised again to what it was"
        ),
        pytest.param(
            (revision(2, "2008-09-01"), revision(3, "2008-09-15", "55 %")),
            [(TITLE, "200/QĐ-UBND", MORE, HALF, None, None)],
            id="raised again, but not to what it was",
        ),
        pytest.param(
            (revision(2, "2008-09-01"), revision(3, "2008-09-15", "40 %")),
            [(TITLE, "200/QĐ-UBND", MORE, HALF, None, None), (TITLE, "300/QĐ-UBND", HALF, Fraction(2, 5), None, None)],
            id="lowered twice",
        ),
        pytest.param(
            (revision(2, "2008-09-01", None),), [(TITLE, "200/QĐ-UBND", MORE, None, None, None)], id="dropped"
        ),
        pytest.param(
            (revision(2, "2008-09-01", None), revision(3, "2008-09-15", "40 %")),
            [(TITLE, "200/QĐ-UBND", MORE, Fraction(2, 5), None, None)],
            id="dropped, and lower when it came back",
        ),
        pytest.param((revision(2, "2008-09-01", "70 %"),), [], id="raised"),
    ],
)
def test_what_still_holds_is_told(plans, expected):
    """A target that is lower today than it was, each step by its own decision."""
    assert told(FIRST, *plans) == expected


def test_a_deadline_put_off_is_told_once():
    """Not for every indicator, before the targets; brought back it is told no more."""
    put_off = revision(2, "2008-09-01", "50 %", deadline="2009-03-31")
    brought_back = revision(3, "2008-09-15", "60 %")

    deadline = (None, "200/QĐ-UBND", None, None, date(2008, 12, 31), date(2009, 3, 31))
    assert told(FIRST, put_off) == [deadline, (TITLE, "200/QĐ-UBND", MORE, HALF, None, None)]
    assert told(FIRST, put_off, brought_back) == []


def test_another_agencys_target_is_its_own_affair():
    """A target lowered for one office alone is told to that office; who is not in the directory is told nothing."""
    own = revision(2, "2008-09-01", "60 %")
    content = own.document.model_dump(mode="json", by_alias=True, exclude_none=True)
    content["indicators"][0]["targets"].append({"agency": "so-tai-chinh", "target": "30 %"})
    own = own.model_copy(update={"document": Plan.model_validate(content)})

    assert told(FIRST, own) == []
    assert told(FIRST, own, agency="nobody") == []
    assert told(FIRST, own, agency="so-tai-chinh") == [(TITLE, "200/QĐ-UBND", MORE, Fraction(3, 10), None, None)]
