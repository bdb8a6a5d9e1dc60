"""Whatever events and revisions come, in whatever order: the figures are those of a naive oracle."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import inf
from time import monotonic
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, event, given, settings
from hypothesis import strategies as st

from schemas.revisions import DirectoryRevision
from services.aggregator.adapters.documents import store
from services.aggregator.adapters.recompute import recompute
from services.infra.clickhouse.client import ClickHouse
from tests.directories import revision_lists
from tests.figures_world import (
    LAST,
    PLAN_REVISION,
    ZONE_INFO,
    emptied,
    expected,
    held,
    published,
    with_shares,
    world_database,
    written,
)
from tests.fixtures.chdb import ChdbServer
from tests.usage_events import event_lists, moments

pytestmark = pytest.mark.integration
SHORT_SECONDS = 40.0  # of each short form; examples beyond it are let pass, on a slow machine too
COMMON: dict[str, Any] = {"deadline": None, "suppress_health_check": list(HealthCheck)}
SHORT: dict[str, Any] = COMMON | {"phases": [Phase.explicit, Phase.reuse, Phase.generate]}  # shrinking takes minutes


@dataclass(frozen=True, kw_only=True)
class Case:
    """What comes in, and as of when it is asked for."""

    events: list[Any]
    cuts: list[int]
    revisions: list[DirectoryRevision]
    order: list[DirectoryRevision]
    known_at: datetime

    def batches(self) -> list[list[Any]]:
        """Return the events in three parts."""
        first, second = self.cuts
        return [self.events[:first], self.events[first:second], self.events[second:]]


@pytest.fixture(scope="module")
def database(shared_chdb: ChdbServer) -> Iterator[ClickHouse]:
    """The small world; every example publishes its own directories."""
    with world_database(shared_chdb, "any_events") as database:
        yield database


@pytest.fixture(scope="module")
def ends() -> dict[str, float]:
    """When the short forms end, by name."""
    return {}


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Any events under any directories; some come again, in any order and cut anywhere."""
    events, revisions = draw(event_lists), draw(revision_lists)
    repeats = draw(st.lists(st.sampled_from(events), max_size=10))
    return Case(
        events=draw(st.permutations(events + repeats)),
        cuts=sorted(draw(st.lists(st.integers(0, len(events)), min_size=2, max_size=2))),
        revisions=revisions,
        order=draw(st.permutations(revisions)),
        known_at=draw(moments),
    )


def within(ends: dict[str, float], name: str, examine: Callable[[], None]) -> None:
    """Examine, unless the short form called *name* has had its time, which begins with its first example."""
    if monotonic() > ends.setdefault(name, monotonic() + SHORT_SECONDS):
        event("out of time")
        return
    event("examined")
    try:
        examine()
    except BaseException:
        ends[name] = inf  # Hypothesis comes back to the example
        raise


def asked_as_known(database: ClickHouse, case: Case) -> None:
    """Facts give the oracle's figures, as known now and as known then."""
    emptied(database)
    published(database, PLAN_REVISION, *case.order)
    for batch in case.batches():
        written(database, batch)

    assert with_shares(database) == expected(case.events, directory=case.revisions)
    assert with_shares(database, case.known_at) == expected(case.events, case.known_at, case.revisions)


def recomputed_from_marks(database: ClickHouse, case: Case) -> None:
    """What is recomputed from marks alone ends as if all events and revisions had been known from the start."""
    emptied(database)
    published(database, PLAN_REVISION, case.order[0])
    recompute(database, complete=LAST - timedelta(days=3), zone=ZONE_INFO)
    for number, batch in enumerate(case.batches()):
        written(database, batch)
        for revision in case.order[1:] if number == 0 else ():
            store(database, revision)
        recompute(database, complete=LAST - timedelta(days=2 - number), zone=ZONE_INFO)

    assert held(database) == expected(case.events, directory=case.revisions)
    assert database.rows("SELECT count() FROM outstanding") == [(0,)]


@settings(max_examples=40, **SHORT)
@given(case=cases())
def test_figures_equal_the_oracle(database, ends, case):
    """Shuffled, repeated and cut into batches, events of any types under any directories give the oracle's figures."""
    within(ends, "asked", lambda: asked_as_known(database, case))


@settings(max_examples=25, **SHORT)
@given(case=cases())
def test_marks_lead_to_every_change(database, ends, case):
    """However events and revisions come in, recomputing what is marked leaves the oracle's figures in the table."""
    within(ends, "recomputed", lambda: recomputed_from_marks(database, case))


@pytest.mark.soak
@pytest.mark.timeout(7200)
@settings(max_examples=1500, **COMMON)
@given(case=cases())
def test_figures_equal_the_oracle_at_length(database, case):
    """The same with many more examples."""
    asked_as_known(database, case)


@pytest.mark.soak
@pytest.mark.timeout(7200)
@settings(max_examples=600, **COMMON)
@given(case=cases())
def test_marks_lead_to_every_change_at_length(database, case):
    """The same with many more examples."""
    recomputed_from_marks(database, case)
