"""The small world of previews: what is published, what is known, and drafts of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from schemas import usage
from schemas.plan import Plan
from services.aggregator.adapters.recompute import recompute
from services.infra.clickhouse.client import ClickHouse, ClickHouseAddress
from tests.aggregator_world import START
from tests.figures_world import (
    LAST,
    PLAN,
    PLAN_REVISION,
    WITH_FEED,
    ZONE_INFO,
    item,
    published,
    stated,
    world_database,
    written,
)
from tests.fixtures.chdb import ChdbServer


def covered(*types: str) -> list[Any]:
    """Return the reports of source /one that it has sent everything of *types* on every day."""
    return [
        stated(usage.FeedReported, type=short, day=START + timedelta(days=n), count=0)
        for short in types
        for n in range((LAST - START).days + 1)
    ]


RECORDS = [
    *(item(usage.RecordFiled, "a", f"r{n}", "entered", "06-02") for n in range(20)),
    *(item(usage.RecordFiled, "a", f"r{n}", "adopted", "06-20") for n in range(2)),
    *covered("record.filed"),
]


class OnlyReads(ClickHouse):
    """A connection that writes nothing."""

    def run(self, *_: Any, **__: Any) -> None:
        raise AssertionError("a preview changes nothing")

    insert = insert_packed = run


@contextmanager
def records_known(server: ChdbServer, name: str) -> Iterator[ClickHouse]:
    """Yield a connection that cannot write to database *name*.

    Office a entered twenty records on 2 June and filed two of them on the 20th; its feed reports every day.
    """
    with world_database(server, name) as database:
        published(database, PLAN_REVISION, WITH_FEED)
        written(database, RECORDS)
        recompute(database, complete=LAST, zone=ZONE_INFO)
        client = OnlyReads(ClickHouseAddress(port=server.port, database=name))
        yield client
        client.close()


def drafted(change: Callable[[dict[str, Any]], None] = lambda _: None, **fields: Any) -> Plan:
    """Return the small world's plan with *fields* changed, and each indicator as *change* has left it."""
    content = PLAN.model_dump(mode="json", by_alias=True, exclude_none=True) | fields
    for indicator in content["indicators"]:
        change(indicator)
    return Plan.model_validate(content)


def with_records(**fields: Any) -> Plan:
    """Return a draft in which the indicator about records is another."""
    return drafted(lambda indicator: indicator.update(fields) if indicator["id"] == "records" else None)
