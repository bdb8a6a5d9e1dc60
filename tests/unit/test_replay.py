"""Warnings lived once more in one go are those of somebody who looks after each day."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.directory import Directory
from schemas.plan import Plan
from schemas.revisions import DirectoryRevision, PlanRevision
from schemas.warnings import Transition
from services.core.definition import definition_of
from services.core.in_force import directory_in_force, plan_in_force
from services.core.schedule.assess import Adoption, assess
from services.core.schedule.coverage import FeedDay
from services.core.warnings.replay import Change, replay
from services.core.warnings.severity import default_policy
from services.core.warnings.transitions import transitions_of
from services.core.warnings.warning_records import Subject, fold
from tests import alerts_world as world

DAYS = 34
LAST = world.START + timedelta(days=DAYS - 1)
AGENCIES = ("so-y-te", "so-tai-chinh", "so-xay-dung")


def at(day: int) -> date:
    return world.START + timedelta(days=day)


def revised(number: int, since: int, **changes: Any) -> PlanRevision:
    """Return the small province's plan with *changes*, in force from that day of the plan."""
    fields = {"in_force_from": at(since), "deadline": at(45), "behind_after": 3} | changes
    content = world.plan().model_dump(mode="json", by_alias=True, exclude_none=True) | fields
    return PlanRevision(
        id="tinh-2008",
        revision=number,
        in_force_from=at(since),
        published=datetime(2008, 5, 1, number, tzinfo=UTC),
        document=Plan.model_validate(content),
    )


def directories(moved: int, ends: int) -> list[DirectoryRevision]:
    """Return a directory whose second revision, *moved* days into the plan, takes an office out of the plan's groups."""
    content = world.directory().model_dump(mode="json", by_alias=True, exclude_none=True)
    content["agencies"][1] |= {"to": at(ends).isoformat()}
    first = Directory.model_validate(content)
    content["agencies"][0] |= {"groups": []}
    return [
        DirectoryRevision(
            id="tinh", revision=number, in_force_from=since, published=datetime(2008, 5, 1, tzinfo=UTC), document=one
        )
        for number, since, one in ((1, date(2008, 1, 1), first), (2, at(moved), Directory.model_validate(content)))
    ]


def figures(courses: list[list[int]], plans: list[PlanRevision]) -> Adoption:
    """Return figures out of 40 for every definition and office, by turns from *courses*; below 0: none."""
    hashes = sorted(
        {
            found.hash
            for plan in plans
            for one in plan.document.indicators
            if (found := definition_of(one, plan.document))
        }
    )
    keys = [(hashed, agency) for hashed in hashes for agency in AGENCIES]
    return {
        key: {
            at(day): (Decimal(done), Decimal(40), 1.0)
            for day, done in enumerate(courses[n % len(courses)])
            if done >= 0
        }
        for n, key in enumerate(keys)
    }


def reports(gaps: dict[int, list[int]]) -> list[FeedDay]:
    """Return reports of every feed; those of the n-th lack the days *gaps* has for n."""
    return [
        FeedDay(feed.source, short, at(day), 3, 3)
        for n, feed in enumerate(world.directory().feeds)
        for short in feed.types
        for day in range(DAYS)
        if day not in gaps.get(n, [])
    ]


# Nothing, everything, or no figure: behind or achieved, whatever the targets, so that runs of days meet changes of policy.
extremes = st.lists(st.sampled_from([0, 0, 40, -1]), min_size=DAYS, max_size=DAYS)
courses = st.lists(extremes | st.lists(st.integers(-1, 40), min_size=DAYS, max_size=DAYS), min_size=9, max_size=9)
gaps = st.dictionaries(st.integers(0, 5), st.lists(st.integers(0, DAYS - 1), max_size=20), max_size=3)


def looked(
    plans: list[PlanRevision], offices: list[DirectoryRevision], adoption: Adoption, told: list[FeedDay]
) -> list[Change]:
    """Look after each day, as the service does, knowing of it what is known now."""
    past: dict[Subject, Transition] = {}
    changes = []
    for day in (at(n) for n in range(DAYS)):
        on_plan = plan_in_force(plans, day)
        if on_plan is None or day < on_plan.document.start or directory_in_force(offices, day) is None:
            continue
        seen = [one for one in told if one.day <= day]
        judged = assess(plans, offices, adoption=adoption, feed_days=seen, day=day)
        made = transitions_of(
            judged, past, default_policy(judged.plan), at=datetime(day.year, day.month, day.day, tzinfo=UTC)
        )
        past |= fold(made)
        changes += [Change(day, one) for one in made]
    return changes


@settings(deadline=None, max_examples=12)
@given(courses, gaps, st.integers(1, DAYS), st.integers(1, DAYS), st.integers(1, DAYS), st.integers(0, 3))
def test_a_replay_is_a_look_after_each_day(courses, gaps, second, moved, ends, hold):
    """Other targets, another policy, another directory, offices that end, silent feeds: transition for transition."""
    plans = [revised(1, 0), revised(2, second, warnings={"hold": hold, "clear": 2}, behind_after=1)]
    offices, adoption, told = directories(moved, ends), figures(courses, plans), reports(gaps)

    judged = assess(plans, offices, adoption=adoption, feed_days=told, day=LAST)
    found = replay(plans, offices, judged.histories, feed_days=told, last=LAST)

    assert list(found) == looked(plans, offices, adoption, told)


def test_a_plan_is_not_looked_at_for_ever():
    """A year after the deadline looking ends: what is open then stays open, and feeds that fall silent warn nobody."""
    short = revised(1, 0, deadline=at(5))
    last = at(5 + 366 + 30)
    adoption = {key: {at(n): (Decimal(0), Decimal(40), 1.0) for n in range(402)} for key in figures([[0]], [short])}
    told = [FeedDay(f.source, t, at(n), 1, 1) for f in world.directory().feeds for t in f.types for n in range(372)]
    offices = directories(DAYS * 20, DAYS * 20)

    judged = assess([short], offices, adoption=adoption, feed_days=told, day=last)
    changes = replay([short], offices, judged.histories, feed_days=told, last=last)

    assert max(one.day for one in changes) <= at(5 + 366)
    assert {one.transition.reason.value for one in changes} == {"falling-behind", "missed"}
