"""A country's evaluation round by round: 12,000 agencies, ten indicators, 200 days; then all fall behind on one morning.

What is timed is a look of the evaluator, from the question whether anything is new to the finished round: new days are judged
and written, warnings decided, transitions and notices recorded in the broker and the database. Mails are not sent.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from time import perf_counter, process_time
from typing import Any, cast

from bench.ground import standing
from bench.measure import Result
from bench.standing_world import AGENCIES, INDICATORS, START, directory, plan, publish
from schemas.plan import Plan
from services.alerts.adapters.day_codes import DayCodes
from services.alerts.adapters.figures import FigureReader
from services.alerts.adapters.standing_store import StandingStore
from services.alerts.adapters.stillness import Stillness
from services.alerts.adapters.warning_log import WarningLog
from services.alerts.blocking import Blocking, collect_rarely, open_blocking
from services.alerts.evaluate import inputs_of
from services.alerts.watch import Afresh, Watch
from services.core.definition import definition_of
from services.infra.clickhouse.client import ClickHouse, ClickHouseAddress, open_clickhouse
from services.infra.clickhouse.migrate import migrate
from services.infra.kafka import KafkaAddress, Publisher, open_producer

ZONE = "Asia/Ho_Chi_Minh"
DAYS = 200
_AHEAD = 1.05  # of the planned value, until they fall behind


@dataclass
class World:
    """The plan's figures in the database, and an evaluator on it whose clock is set by hand."""

    database: ClickHouse
    kafka: Publisher
    blocking: Blocking
    agencies: int
    plan: Plan = field(default_factory=plan)
    day: date = START

    def publish(self) -> None:
        """Publish plan and directory; nothing has been evaluated."""
        people = directory(self.agencies, heads=True)
        publish(self.database, self.plan, people, evaluated=False)

    def figures(self, first: date, last: date, *, behind: bool) -> None:
        """Write figures and reports of *first* … *last*: just ahead of the plan, or far behind it; as if an hour ago."""
        span = (self.plan.deadline - self.plan.start).days
        for indicator in self.plan.indicators:
            definition = definition_of(indicator, self.plan)
            assert definition is not None
            target = float(indicator.targets[0].target)
            self.database.run(
                "INSERT INTO adoption SELECT %(hash)s, concat('a', leftPad(toString(agency), 5, '0')), day, "
                "least(of, intDiv(of * toUInt64(1e6 * %(share)s * dateDiff('day', toDate32(%(start)s), day)), 1000000) + 1), "
                "of, 1, now64(6) - toIntervalHour(1) FROM (SELECT intDiv(number, %(days)s) AS agency, "
                "toDate32(%(first)s) + toInt32(number %% %(days)s) AS day, 100 + cityHash64(agency, %(hash)s) %% 900 AS of "
                "FROM numbers(%(rows)s))",
                {
                    "hash": definition.hash,
                    "share": target / span * (0.3 if behind else _AHEAD),
                    "start": self.plan.start.isoformat(),
                    "first": first.isoformat(),
                    "days": (last - first).days + 1,
                    "rows": self.agencies * ((last - first).days + 1),
                },
            )
        self.database.run(
            "INSERT INTO feed_days SELECT '/office', type, toDate32(%(first)s) + toInt32(number), 3, 3, "
            "now64(6) - toIntervalHour(1) FROM numbers(%(days)s) "
            "ARRAY JOIN ['document.handled', 'task.directed', 'record.filed'] AS type",
            {"first": first.isoformat(), "days": (last - first).days + 1},
        )
        self.day = last

    def judged_before(self, last: date) -> None:
        """Fill ``standing`` up to *last*, as if every day had been judged on its morning."""
        hashes = {one.id: definition_of(one, self.plan) for one in self.plan.indicators}
        for indicator, definition in hashes.items():
            assert definition is not None
            self.database.run(
                "INSERT INTO standing SELECT 'p', 1, %(indicator)s, agency, day, numerator, denominator, "
                "toFloat64(numerator) / toFloat64(denominator) AS ratio, 1, ratio / 1.05, 0.4, 'on-track', -1.5, 1.01, 0.001, "
                "0.0011, toDate32('2008-12-20'), toDate32('2008-12-01'), toDate32('2009-03-01'), 'reporting', 0, day, "
                "now64(6) - toIntervalMinute(30) FROM adoption WHERE definition = %(hash)s",
                {"indicator": indicator, "hash": definition.hash},
            )
        reader = FigureReader(self.database)
        inputs = inputs_of(reader.plans("p"), reader.directories("d"), half_read=False)
        StandingStore(self.database).finish(
            "p", revision=1, day=last, basis=reader.now() - timedelta(minutes=30), inputs=inputs
        )

    def evaluator(self) -> Watch:
        """Return an evaluator that knows nothing yet, as after a start."""
        return Watch(
            reader=FigureReader(self.database),
            afresh=Afresh(self.database),
            store=StandingStore(self.database),
            warnings=WarningLog(self.database, self.kafka),
            delivery=cast(Any, None),  # nothing is sent
            clock=lambda: datetime.combine(self.day + timedelta(days=1), datetime.min.time(), UTC) + timedelta(hours=1),
            zone=ZONE,
            patience=timedelta(minutes=15),
            settle=timedelta(0),
            blocking=self.blocking,
            stillness=Stillness(self.database),
            codes=DayCodes(self.database),
        )

    def count(self, what: str) -> int:
        """Return how many rows *what* (a table and a condition) has."""
        return int(self.database.rows("SELECT count() FROM " + what)[0][0])  # noqa: S608 - our own two conditions


@contextmanager
def world(agencies: int) -> Iterator[World]:
    """Run a broker and a database of their own."""
    with standing() as ground:
        address = ClickHouseAddress(port=ground.database, timeout_s=900)
        migrate(address)
        with (
            open_clickhouse(address) as database,
            open_producer(KafkaAddress(ground.broker)) as kafka,
            open_blocking() as blocking,
        ):
            yield World(database, kafka, blocking, agencies)


def memory() -> int:
    """Return the bytes that this process, which evaluates, holds now, in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() // 1_000_000


async def _measured(here: World, days: int) -> list[Result]:
    found = []

    async def look(evaluator: Watch, name: str, unit: str) -> None:
        began, worked = perf_counter(), process_time()
        await evaluator.look()
        seconds, work = perf_counter() - began, process_time() - worked
        found.append(
            Result(f"evaluation_{name}_s", round(seconds, 1), f"s, {unit}; {work:.1f} of its own processor", 1)
        )
        found.append(Result(f"evaluation_{name}_mb", memory(), "MB held by the evaluator afterwards", 1))
        print(name, f"{seconds:.1f} s, {work:.1f} s of its own processor, {memory()} MB, {here.day}", flush=True)

    here.publish()
    last = START + timedelta(days=days - 1)
    here.figures(START, last, behind=False)
    here.judged_before(last)
    evaluator = here.evaluator()
    for name, unit in (
        ("first_day", "all fall behind: as many warnings pending, an evaluator that has just started"),
        ("quiet_day", "a day that brings no transition"),
        ("morning", "all warnings open and all heads are told"),
        ("day_after", "a day that brings no transition"),
    ):
        here.figures(here.day + timedelta(days=1), here.day + timedelta(days=1), behind=True)
        await look(evaluator, name, unit)
    assert here.count("warnings FINAL WHERE state = 'open'") == here.agencies * INDICATORS
    assert here.count("notices FINAL") == here.agencies
    here.figures(here.day + timedelta(days=1), here.day + timedelta(days=1), behind=True)
    await look(here.evaluator(), "restarted", "the next day by an evaluator that has just started")
    return found


def measure(agencies: int = AGENCIES, days: int = DAYS) -> list[Result]:
    """Measure."""
    collect_rarely()
    with world(agencies) as here:
        return asyncio.run(_measured(here, days))


def bench() -> list[Result]:
    """12,000 agencies, 200 days."""
    return measure()


def main() -> None:
    """Measure another size."""
    parser = argparse.ArgumentParser(epilog="example: python -m bench.evaluation --agencies 1000 --days 60")
    parser.add_argument("--agencies", type=int, default=AGENCIES)
    parser.add_argument("--days", type=int, default=DAYS)
    chosen = parser.parse_args()
    for result in measure(chosen.agencies, chosen.days):
        print(f"{result.name} {result.value:,} {result.unit}")


if __name__ == "__main__":
    main()
