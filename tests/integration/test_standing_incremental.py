"""Rounds that judge what has changed leave what judging everything from scratch would have left."""

import json
import random
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

import pytest

from schemas.directory import Directory
from schemas.plan import Plan
from services.alerts.evaluate import NotYet, Waiting, evaluate_round, overtaken
from services.core.schedule import rollup
from services.core.schedule.assess import Assessment, assess, definitions_needed
from services.core.schedule.rollup import rollups_of
from services.core.schedule.standing_row import COLUMNS, as_row
from services.infra.clickhouse.client import ClickHouseAddress, open_clickhouse
from services.infra.clickhouse.migrate import migrate
from tests.fixtures.chdb import ChdbServer
from tests.fixtures.standing import NOW, START, ZONE, Bench, directory, plan

pytestmark = pytest.mark.integration
FIRST_LOOK = date(2008, 8, 10)


@pytest.fixture
def bench(shared_chdb: ChdbServer, chdb_database: str) -> Iterator[Bench]:
    address = ClickHouseAddress(port=shared_chdb.port, database=chdb_database)
    migrate(address)
    with open_clickhouse(address) as database:
        yield Bench(database)


class World:
    """Four offices whose figures, feeds and revisions change at random, a day at a time."""

    def __init__(self, bench: Bench, seed: int) -> None:
        self.bench, self.random = bench, random.Random(seed)
        self.day = FIRST_LOOK
        self.plan, self.directory = plan(extra=2), directory(4)
        self.revision = 1
        self.covered = {f"a{n}": FIRST_LOOK for n in range(4)}
        self.silent: set[str] = set()
        bench.publish("plan", self.plan)
        bench.publish("directory", self.directory)
        for agency in self.covered:
            if agency != "a3":  # whose feed has never said anything
                bench.reports(agency, START, FIRST_LOOK)
            for indicator in ("handled", "directed"):
                self.figures(agency, indicator, START, FIRST_LOOK)

    def figures(self, agency: str, indicator: str, first: date, last: date) -> None:
        pace, of = self.random.choice([0.2, 1.0, 2.9]), self.random.choice([7, 300, 997])
        days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
        known = [day for day in days if self.random.random() > 0.05]
        course = {day: (min(of, round((day - START).days * pace * of / 300)), of) for day in known}
        if course:
            self.bench.figures(self.plan, indicator, agency, course)

    def a_day_passes(self) -> None:
        self.day += timedelta(days=1)
        for agency in self.covered:
            for indicator in ("handled", "directed"):
                self.figures(agency, indicator, self.day, self.day)
            if agency not in self.silent and agency != "a3":
                self.bench.reports(agency, self.covered[agency] + timedelta(days=1), self.day)
                self.covered[agency] = self.day

    def several_days_pass(self) -> None:
        for _ in range(6):
            self.a_day_passes()

    def a_figure_is_corrected(self) -> None:
        first = START + timedelta(days=self.random.randrange((self.day - START).days))
        last = min(self.day, first + timedelta(days=self.random.choice([0, 0, 5, 90])))
        self.figures(f"a{self.random.randrange(4)}", self.random.choice(["handled", "directed"]), first, last)

    def a_feed_falls_silent_or_returns(self) -> None:
        self.silent ^= {f"a{self.random.randrange(3)}"}

    def a_feed_begins(self) -> None:
        self.bench.reports("a3", self.day - timedelta(days=self.random.randrange(30)), self.day)

    def a_plan_is_revised(self) -> None:
        self.revision += 1
        since = self.day + timedelta(days=self.random.randint(-40, 3))  # some come into force on a later day
        trajectory = self.random.choice([None, {"kind": "s-curve"}])
        content = json.loads(plan(f"{self.random.randint(10, 90)} %", since, extra=2).model_dump_json(by_alias=True))
        if trajectory:
            content["indicators"][0]["targets"][0]["trajectory"] = trajectory
        self.bench.publish("plan", Plan.model_validate(content), self.revision)

    def an_agency_ends(self) -> None:
        self.revision += 1
        content = json.loads(directory(4).model_dump_json(by_alias=True))
        content["agencies"][1]["to"] = (self.day - timedelta(days=self.random.randrange(20))).isoformat()
        content["agencies"][2]["parent"] = "a0"
        self.bench.publish("directory", Directory.model_validate(content), self.revision)

    def from_scratch(self) -> Assessment:
        reader = self.bench.reader
        plans, directories = reader.plans("p"), reader.directories("d")
        return assess(
            plans,
            directories,
            adoption=reader.adoption(definitions_needed(plans), self.day),
            feed_days=reader.feed_days({f"/office/a{n}" for n in range(4)}, self.day),
            day=self.day,
        )

    def look(self) -> None:
        now = NOW + (self.day - date(2008, 9, 30)) * 1
        judged = self.bench.round(now, margin=timedelta(0))
        assert not isinstance(judged, NotYet) or judged.reason is Waiting.UNCHANGED

    def held(self, table: str, columns: tuple[str, ...]) -> list[tuple[Any, ...]]:
        rows = self.bench.database.rows(f"SELECT {', '.join(columns)} FROM {table} FINAL WHERE plan = 'p'")
        return sorted(rows, key=repr)


def _differences(found: list[tuple[Any, ...]], wanted: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return [pair for pair in zip(found, wanted, strict=False) if pair[0] != pair[1]][:3]


def _normal(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Decimals are written in one form, so that equal rows sort alike."""
    return sorted(
        (tuple(float(value) if type(value).__name__ == "Decimal" else value for value in row) for row in rows), key=repr
    )


@pytest.mark.parametrize("seed", range(3))
def test_after_any_changes_the_tables_hold_what_judging_from_scratch_gives(bench: Bench, seed: int) -> None:
    """Figures corrected, feeds silent and back, revisions, days: to the last bit, roll-ups and histories included."""
    world = World(bench, seed)
    steps: list[Callable[[], None]] = [
        world.a_day_passes,
        world.several_days_pass,
        world.a_figure_is_corrected,
        world.a_figure_is_corrected,
        world.a_feed_falls_silent_or_returns,
        world.a_feed_begins,
        world.a_plan_is_revised,
        world.an_agency_ends,
    ]
    world.look()
    for step in range(12):
        world.random.choice(steps)()
        if world.random.random() < 0.7:
            world.look()
        if step % 3 == 2:
            world.look()
            wanted = world.from_scratch()
            rows = [as_row(one) for history in wanted.histories.values() for one in history]
            found, expected = _normal(world.held("standing", COLUMNS)), _normal(rows)
            assert (len(found), _differences(found, expected)) == (len(expected), [])
            rolled = _normal(world.held("rollups", rollup.COLUMNS))
            expected = _normal([rollup.as_row(one) for one in rollups_of(wanted)])
            assert (len(rolled), _differences(rolled, expected)) == (len(expected), [])


def test_histories_are_those_of_an_assessment(bench: Bench) -> None:
    """What a letter is written from is exact, with every indicator of the agency, and nothing of agencies that are none."""
    world = World(bench, 7)
    world.a_day_passes()
    judged = bench.judged(NOW + (world.day - date(2008, 9, 30)) * 1)

    assert judged.assessment.histories == world.from_scratch().histories
    assert judged.assessment.histories.get(("handled", "nobody")) is None


def test_a_round_that_began_earlier_gives_way(bench: Bench) -> None:
    """Of two evaluators at once the one whose round began first drops it once the other has finished a younger one."""
    world = World(bench, 1)
    now = NOW + (world.day - date(2008, 9, 30)) * 1
    first = bench.judged(now, finished=False)
    assert not overtaken(bench.reader, first)

    bench.judged(now)

    assert overtaken(bench.reader, first)
    assert evaluate_round(bench.reader, bench.store, now, plan="p", zone=ZONE) == NotYet(Waiting.UNCHANGED)
