"""A revision that asks less than the one before is named, whichever way it asks less."""

from __future__ import annotations

from datetime import UTC, date, datetime
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.plan import Plan
from schemas.revisions import DirectoryRevision, PlanRevision
from services.cli.goalposts import notes
from services.cli.standing import Language
from services.core.goalposts import moved_goalposts
from services.core.schedule.standing_words import words_of
from tests.fixtures.standing import DAY, DEADLINE, START, directory, plan

SINCE = date(2008, 9, 1)
DIRECTORY = DirectoryRevision(
    id="d", revision=1, in_force_from=START, published=datetime(2008, 5, 27, tzinfo=UTC), document=directory()
)


def revision(number: int, document: Plan) -> PlanRevision:
    return PlanRevision(
        id="p",
        revision=number,
        in_force_from=document.in_force_from,
        published=datetime(2008, 5, 27, number, tzinfo=UTC),
        document=document,
    )


def changed(**fields: Any) -> Plan:
    """Return the plan of 50 % with these fields of its own changed, in force from September."""
    content = plan(since=SINCE).model_dump(mode="json", by_alias=True, exclude_none=True)
    return Plan.model_validate(content | fields)


def found(*plans: Plan, day: date = DAY) -> list[tuple[str, str, int, Fraction, Fraction | None]]:
    moved = moved_goalposts([revision(n, one) for n, one in enumerate(plans, 1)], [DIRECTORY], day)
    return [(one.indicator, one.agency, one.revision, one.target_before, one.target) for one in moved]


HALF, LESS = Fraction(1, 2), Fraction(2, 5)


def test_a_lowered_target_is_named_for_every_agency():
    """From 50 to 40 %: each indicator with a target, each agency, from the revision's day on and not before."""
    moved = found(plan(), plan("40 %", SINCE))

    assert moved == [(name, f"a{n}", 2, HALF, LESS) for name in ("handled", "online") for n in range(2)]
    assert found(plan(), plan("40 %", SINCE), day=date(2008, 8, 31)) == []


def test_what_was_raised_again_stays_named():
    """50, 40, 50 %: the second revision lowered, the third raised; more is no moved goalpost."""
    assert {one[2] for one in found(plan(), plan("40 %", SINCE), plan("50 %", date(2008, 9, 15)))} == {2}
    assert found(plan(), plan("60 %", SINCE)) == []


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"deadline": "2009-06-30"}, "put off"),
        ({"start": "2008-08-01"}, "begun later, so that less is planned for today"),
    ],
)
def test_the_same_target_later_is_less(fields, why):
    """A later deadline or start asks less of today, though the target stands."""
    moved = found(plan(), changed(**fields))

    assert {one[2:] for one in moved} == {(2, HALF, HALF)}, why


def test_a_target_that_is_dropped_is_less():
    """An indicator no longer in the plan asks nothing: its target is None."""
    content = plan(since=SINCE).model_dump(mode="json", by_alias=True, exclude_none=True)
    left = [one for one in content["indicators"] if one["id"] == "directed"]

    assert {one[4] for one in found(plan(), Plan.model_validate(content | {"indicators": left}))} == {None}


@given(st.integers(1, 100), st.integers(1, 100))
def test_only_less_is_less(before, after):
    """For any two targets of one plan, the change is named exactly where the later is the lower."""
    assert bool(found(plan(f"{before} %"), plan(f"{after} %", SINCE))) == (after < before)


def test_the_table_says_it_in_both_languages():
    """One sentence per indicator and revision, with targets, what was planned for the day, and how many agencies."""
    moved = moved_goalposts([revision(1, plan()), revision(2, plan("40 %", SINCE))], [DIRECTORY], DEADLINE)

    english = notes(moved, {"handled": "Documents"}, words_of(Language.EN))
    vietnamese = notes(moved, {"handled": "Văn bản"}, words_of(Language.VI))

    assert english[0] == (
        "Moved goalposts: from 2008-09-01, revision 2 asks less of “Documents”: target 50.0 % → 40.0 % "
        "(planned for this day: 50.0 % → 40.0 %; agencies: 2)."
    )
    assert vietnamese[0] == (
        "Mốc đã dời: từ 01/09/2008, bản kế hoạch số 2 hạ yêu cầu “Văn bản” từ 50,0 % xuống 40,0 % "
        "(kế hoạch đến ngày này: 50,0 % còn 40,0 %; số cơ quan: 2)."
    )
    assert len(english) == 2


@pytest.mark.parametrize(
    ("after", "english", "vietnamese"),
    [
        pytest.param(
            {"deadline": "2009-06-30"},
            "“Documents”: deadline 2008-12-31 → 2009-06-30 (planned",
            "lùi hạn “Documents” từ 31/12/2008 đến 30/06/2009 (kế hoạch",
            id="put off",
        ),
        pytest.param(
            {"start": "2008-08-01"},
            "“Documents”: another path, target 50.0 % (planned",
            "giảm mức kế hoạch của “Documents” (chỉ tiêu: 50,0 %) (kế hoạch",
            id="another path",
        ),
    ],
)
def test_a_target_that_stays_is_not_said_to_be_lowered(after, english, vietnamese):
    """Who puts a deadline off is not told "50 % → 50 %", and what gives way is named."""
    moved = moved_goalposts([revision(1, plan()), revision(2, changed(**after))], [DIRECTORY], date(2008, 9, 30))

    assert english in notes(moved, {"handled": "Documents"}, words_of(Language.EN))[0]
    assert vietnamese in notes(moved, {"handled": "Documents"}, words_of(Language.VI))[0]


def test_a_lower_target_and_a_later_deadline_are_both_told():
    """One sentence has both."""
    later = plan("40 %", SINCE).model_copy(update={"deadline": date(2009, 6, 30)})
    moved = moved_goalposts([revision(1, plan()), revision(2, later)], [DIRECTORY], date(2008, 9, 30))

    assert "target 50.0 % → 40.0 %, deadline 2008-12-31 → 2009-06-30 (" in notes(moved, {}, words_of(Language.EN))[0]
    assert (
        "từ 50,0 % xuống 40,0 %, lùi hạn từ 31/12/2008 đến 30/06/2009 (" in notes(moved, {}, words_of(Language.VI))[0]
    )


def test_a_dropped_target_is_told_as_dropped():
    """Not as one lowered to nothing."""
    content = plan(since=SINCE).model_dump(mode="json", by_alias=True, exclude_none=True)
    left = [one for one in content["indicators"] if one["id"] == "directed"]
    dropped = Plan.model_validate(content | {"indicators": left})
    moved = moved_goalposts([revision(1, plan()), revision(2, dropped)], [DIRECTORY], date(2008, 9, 30))

    english = notes(moved, {"handled": "Documents"}, words_of(Language.EN))[0]
    assert "“Documents”: no target any more (it was 50.0 %) (planned" in english
    assert "bỏ chỉ tiêu “Văn bản” (trước là 50,0 %)" in notes(moved, {"handled": "Văn bản"}, words_of(Language.VI))[0]
