"""Two plans over the same facts: who would have been warned, when, and how that differs."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.plan import Plan
from schemas.revisions import PlanRevision
from schemas.warnings import Transition, TransitionReason, WarningState
from services.core.definition import definition_of
from services.core.preview import UNWARNED, Difference, Preview, Side, Warned, compare, difference_of, spans
from services.core.preview_words import ENGLISH, VIETNAMESE
from services.core.schedule.assess import assess
from services.core.warnings.lifecycle import lag_cause
from services.core.warnings.replay import Change, replay
from tests import alerts_world as world

DAYS = 40
LAST = world.START + timedelta(days=DAYS - 1)
_, DIRECTORY = world.revisions()


def at(day: int) -> date:
    return world.START + timedelta(days=day)


def warned(*ends: tuple[int, int], still: bool = False) -> Warned:
    return Warned(spans=tuple((at(first), at(last)) for first, last in ends), open=still)


@pytest.mark.parametrize(
    ("before", "after", "difference", "by"),
    [
        pytest.param(UNWARNED, UNWARNED, Difference.NEVER, 0, id="never"),
        pytest.param(UNWARNED, warned((3, 9)), Difference.NEW, 0, id="new"),
        pytest.param(warned((3, 9)), UNWARNED, Difference.NO_LONGER, 0, id="no longer"),
        pytest.param(warned((3, 9)), warned((1, 2), (5, 6)), Difference.EARLIER, 2, id="earlier goes before all else"),
        pytest.param(warned((3, 9)), warned((8, 30)), Difference.LATER, 5, id="later, however long"),
        pytest.param(warned((3, 9)), warned((3, 5), (7, 20)), Difference.LONGER, 10, id="longer, in two pieces"),
        pytest.param(warned((3, 9)), warned((3, 8)), Difference.SHORTER, 1, id="shorter"),
        pytest.param(warned((3, 9)), warned((3, 5), (7, 10)), Difference.MORE_OFTEN, 1, id="as long, in two pieces"),
        pytest.param(warned((3, 5), (7, 10)), warned((3, 9)), Difference.LESS_OFTEN, 1, id="as long, in one piece"),
        pytest.param(
            warned((3, 5), (7, 9)), warned((3, 6), (8, 9)), Difference.OTHER_DAYS, 0, id="as long and often, else"
        ),
        pytest.param(
            warned((3, 9)), warned((3, 9), still=True), Difference.OTHER_DAYS, 0, id="open instead of resolved"
        ),
        pytest.param(warned((3, 9)), warned((3, 9)), Difference.SAME, 0, id="same"),
    ],
)
def test_what_differs_is_named(before, after, difference, by):
    """The first warned day decides, then the days open, then the number of warnings, then the days themselves."""
    assert difference_of(before, after) == (difference, by)


@pytest.mark.parametrize("words", [VIETNAMESE, ENGLISH])
def test_every_difference_has_words(words):
    """No difference is told in its code, and one day is no days."""
    assert set(words.differences) == set(Difference)
    assert ENGLISH.difference(Difference.EARLIER, 1) == "earlier by 1 day"
    assert ENGLISH.difference(Difference.EARLIER, 3) == "earlier by 3 days"
    assert VIETNAMESE.difference(Difference.LATER, 1) == "muộn hơn 1 ngày"


def change(day: int, state: WarningState, sequence: int) -> Change:
    reason = TransitionReason.FELL_BEHIND if state is WarningState.OPEN else TransitionReason.CAUGHT_UP
    return Change(
        at(day),
        Transition(
            id=str(sequence), plan="p", agency="a", cause=lag_cause("use"), sequence=sequence, state=state, reason=reason,
            day=at(day), since=at(day), at=world.NOW, revision=1,
        ),
    )  # fmt: skip


def test_spans_end_on_the_day_before_the_one_that_resolved():
    """Opened on day 3, resolved on day 7: four days open; opened again on day 9: open to the last."""
    opened, resolved = WarningState.OPEN, WarningState.RESOLVED

    found = spans([change(3, opened, 1), change(7, resolved, 2), change(9, opened, 3)], at(10))["a", "lag:use"]

    assert found == warned((3, 6), (9, 10), still=True)
    assert (found.first, found.times, found.days) == (at(3), 2, 6)


def plan(target: str = "50 %", **changes: Any) -> Plan:
    """Return the small province's plan with e-mail use alone, to be reached in sixty days."""
    content = world.plan().model_dump(mode="json", by_alias=True, exclude_none=True)
    use = content["indicators"][0] | {"targets": [{"group": "departments", "target": target}]}
    return Plan.model_validate(content | {"indicators": [use], "deadline": at(30), "behind_after": 3} | changes)


def side(document: Plan, courses: list[list[int]], died: int) -> Side:
    """Return *document* lived through; the offices' figures out of 40 are *courses*, the mail's feed died on that day."""
    revision = PlanRevision(
        id=document.plan, revision=1, in_force_from=document.start, published=datetime(2008, 5, 1, tzinfo=UTC),
        document=document,
    )  # fmt: skip
    definition = definition_of(document.indicators[0], document)
    assert definition is not None
    adoption = {
        (definition.hash, agency): {
            at(n): (Decimal(done), Decimal(40), 1.0) for n, done in enumerate(course) if done >= 0
        }
        for agency, course in zip(("so-y-te", "so-tai-chinh", "so-xay-dung"), courses, strict=True)
    }
    told = [one for one in world.reports(LAST) if one.source != "/mail/tinh" or one.day <= at(died)]
    judged = assess([revision], [DIRECTORY], adoption=adoption, feed_days=told, day=LAST)
    return Side(
        changes=replay([revision], [DIRECTORY], judged.histories, feed_days=told, last=LAST), histories=judged.histories
    )


def previewed(before: Plan, after: Plan, courses: list[list[int]], died: int = DAYS) -> Preview:
    return compare(side(before, courses, died), side(after, courses, died), day=LAST)


climbing = st.lists(st.integers(-1, 3), min_size=DAYS, max_size=DAYS).map(
    lambda steps: [sum(steps[: n + 1]) if steps[n] >= 0 else -1 for n in range(len(steps))]
)
wavering = st.lists(st.integers(-1, 40), min_size=DAYS, max_size=DAYS)
course_lists = st.lists(climbing | wavering, min_size=3, max_size=3)


@settings(deadline=None, max_examples=20)
@given(course_lists, st.integers(0, DAYS), st.integers(0, 12))
def test_a_plan_differs_in_nothing_from_itself(courses, died, threshold):
    """Whatever the figures and the feeds: each warning is the same, or there is none, and totals are equal."""
    found = previewed(plan(behind_after=threshold), plan(behind_after=threshold), courses, died)

    assert not found.differs
    assert {one.difference for one in (*found.lines, *found.feeds)} <= {Difference.SAME, Difference.NEVER}
    assert found.before == found.after


@settings(deadline=None, max_examples=20)
@given(course_lists, st.integers(0, DAYS), st.integers(0, 12), st.integers(1, 8))
def test_a_lower_threshold_never_warns_later(courses, died, threshold, less):
    """Who is called behind sooner is warned on the same day or an earlier one, and for no fewer reasons."""
    found = previewed(plan(behind_after=threshold), plan(behind_after=max(0, threshold - less)), courses, died)

    for one in found.lines:
        assert one.difference not in (Difference.LATER, Difference.NO_LONGER)


@settings(deadline=None, max_examples=20)
@given(course_lists, st.integers(0, DAYS), st.integers(1, 99), st.integers(1, 98))
def test_a_lower_target_never_warns_earlier(courses, died, target, less):
    """Of whom less is asked on every day is warned on the same day, a later one, or not at all."""
    found = previewed(plan(f"{target} %"), plan(f"{max(1, target - less)} %"), courses, died)

    for one in found.lines:
        assert one.difference not in (Difference.EARLIER, Difference.NEW)


def test_days_and_verdicts_of_a_known_course():
    """Standing still at 10 of 40: behind from the day that asks 25 % and threshold days more, warned two days later."""
    still = [[10] * DAYS, [40] * DAYS, [10] * 12 + [40] * (DAYS - 12)]

    found = previewed(plan(), plan("50 %", behind_after=6), still)

    lines = {one.agency: one for one in found.lines}
    # 50 % over 30 days pass 25 % after 15; behind by 3 on day 18, by 6 on day 21, and held for three days of standing.
    assert lines["so-y-te"].before == warned((20, DAYS - 1), still=True)
    assert lines["so-y-te"].after == warned((23, DAYS - 1), still=True)
    assert (lines["so-y-te"].difference, lines["so-y-te"].by) == (Difference.LATER, 3)
    assert lines["so-tai-chinh"].difference is Difference.NEVER
    assert lines["so-xay-dung"].difference is Difference.NEVER
    assert (found.before.warnings, found.before.days, found.before.open, found.before.agencies) == (1, 20, 1, 1)
    assert (found.after.warnings, found.after.days) == (1, 17)
    assert found.before.verdicts == {"missed": 1, "achieved": 2}


def test_days_behind_alone_are_a_difference_that_tables_do_not_list():
    """The same verdict by other days: the preview differs, and no line is told apart."""
    ahead = [[30] * DAYS] * 3

    found = previewed(plan("90 %", deadline=at(80)), plan("89 %", deadline=at(80)), ahead)

    assert found.differs
    assert not any(one.told_apart for one in found.lines)
    one = found.lines[0]
    assert one.standing_before is not None
    assert one.standing_before.target == Fraction(9, 10)


def test_a_feed_that_is_needed_no_more_is_no_longer_told():
    """A draft without the indicator that reads the mail's log needs no mail's log: its silence warns nobody."""
    courses = [[40] * DAYS] * 3
    boxes = world.plan().model_dump(mode="json", by_alias=True, exclude_none=True)["indicators"][1]

    before, after = plan(), plan(indicators=[boxes])
    found = previewed(before, after, courses, died=10)

    assert [(one.agency, one.difference) for one in found.feeds] == [("mail", Difference.NO_LONGER)]
    assert {one.indicator for one in found.lines} == {"email-use", "mailboxes"}
    assert found.differs
