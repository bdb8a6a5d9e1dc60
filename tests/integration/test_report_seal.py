"""The checksum of a report's facts: the same facts in any order and number give the same, other facts another."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from schemas import usage
from services.infra.clickhouse.client import ClickHouse
from services.infra.figures.afresh import CannotJudge
from services.infra.figures.seal import seal_of
from tests.aggregator_world import ZONE
from tests.figures_world import (
    LAST,
    LATER,
    RECEIVED,
    emptied,
    exchanged,
    headcount,
    item,
    joined,
    opened,
    sent,
    world_database,
    written,
)
from tests.fixtures.chdb import ChdbServer
from tests.usage_events import event_lists

pytestmark = pytest.mark.integration

FACTS = [
    joined("p1", "a", "06-01"),
    joined("p2", "a", "06-01", "07-30"),
    opened("m1", "p1", "06-02"),
    sent("m1", "07-01"),
    exchanged("1", "entered", "06-03"),
    exchanged("1", "adopted", "06-05"),
    item(usage.RecordFiled, "a", "r1", "entered", "06-04"),
    headcount("a", "07-01", 12),
]


@pytest.fixture(scope="module")
def database(shared_chdb: ChdbServer) -> Iterator[ClickHouse]:
    with world_database(shared_chdb, "sealed") as database:
        yield database


def checksum(database: ClickHouse, events: list, known_at=None, day=LAST) -> str:
    emptied(database)
    for event in events:
        written(database, [event])
    return seal_of(database, "plan", day, zone=ZONE, known_at=known_at)[0].checksum


@settings(
    max_examples=8, deadline=None, suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)  # fmt: skip
@given(events=event_lists, seed=st.integers(0, 1000))
def test_shuffles_replays_and_duplicates_change_nothing(database, events, seed):
    """Any events, written once in one batch, or shuffled, twice and piece by piece, give one checksum."""
    emptied(database)
    written(database, events)
    once = seal_of(database, "plan", LAST, zone=ZONE)[0]
    again = events * 2
    random.Random(seed).shuffle(again)
    half = len(again) // 2
    for piece in (again[:half], again[half:]):
        written(database, piece)
    assert seal_of(database, "plan", LAST, zone=ZONE)[0] == once


@pytest.mark.parametrize(
    "left_out", range(len(FACTS)), ids=[type(one).__name__ + str(at) for at, one in enumerate(FACTS)]
)
def test_each_fact_counts(database, left_out):
    """Without any one of them the checksum is another."""
    assert checksum(database, FACTS) != checksum(database, FACTS[:left_out] + FACTS[left_out + 1 :])


def test_a_correction_changes_it_and_one_taken_back_restores_it(database):
    """Another day for a step is another fact; a fact that was taken back is as one never said."""
    whole = checksum(database, FACTS)
    later = {"time": RECEIVED + timedelta(hours=1), "received": RECEIVED + timedelta(hours=1)}
    assert checksum(database, [*FACTS, exchanged("1", "adopted", "06-09", **later)]) != whole
    extra = item(usage.RecordFiled, "a", "r2", "entered", "06-04")
    gone = item(usage.RecordFiled, "a", "r2", "entered", "06-04", retracted=True, **later)
    assert checksum(database, [*FACTS, extra]) != whole
    assert checksum(database, [*FACTS, extra, gone]) == whole


def test_the_same_said_again_later_changes_nothing(database):
    """A source that repeats a fact under a new version has said nothing new."""
    whole = checksum(database, FACTS)
    later = {"time": RECEIVED + timedelta(hours=1), "received": RECEIVED + timedelta(hours=1)}
    assert checksum(database, [*FACTS, joined("p1", "a", "06-01", **later), sent("m1", "07-01", **later)]) == whole


def test_what_happens_after_the_day_changes_nothing(database):
    """Facts of later days, and a stint that ends after the day, do not touch a report that is filed."""
    whole = checksum(database, FACTS)
    later = {"time": RECEIVED + timedelta(hours=1), "received": RECEIVED + timedelta(hours=1)}
    after = [
        sent("m1", "07-13"),
        item(usage.RecordFiled, "a", "r9", "entered", "07-13"),
        joined("p1", "a", "06-01", "07-20", **later),
    ]
    assert checksum(database, [*FACTS, *after]) == whole
    assert checksum(database, [*FACTS, joined("p1", "a", "06-01", "07-02", **later)]) != whole


def test_known_at_leaves_out_what_came_later(database):
    """Facts received after the moment do not count for a report known at it."""
    late = item(usage.RecordFiled, "a", "r3", "entered", "06-04", time=LATER, received=LATER)
    known = RECEIVED + timedelta(hours=2)
    assert checksum(database, [*FACTS, late], known) == checksum(database, FACTS, known)
    assert checksum(database, [*FACTS, late]) != checksum(database, FACTS)


def test_a_plan_that_nobody_knows_has_no_seal(database):
    """The fault says which plans there are."""
    with pytest.raises(CannotJudge, match="published are: plan"):
        seal_of(database, "other", LAST, zone=ZONE)
