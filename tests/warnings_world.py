"""A database in which warnings have been given: of one office in two indicators, and of a feed; told, and one in vain."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta

from schemas.topics import Topic
from schemas.warnings import WARNING_RECORD, Notice, Record, Transition
from services.alerts.adapters.warning_tables import write_records
from services.infra.clickhouse.client import ClickHouse, ClickHouseAddress, open_clickhouse
from services.infra.clickhouse.migrate import migrate
from services.infra.kafka import KafkaAddress, read_all
from tests import alerts_world as world

PLAN = "tinh-2008"
LATER = world.NOW + timedelta(minutes=1)


def given() -> tuple[tuple[Transition, ...], tuple[Notice, ...]]:
    """Return the transitions of a first look and the notices about them, in their order."""
    assessment = world.assessed()
    transitions = world.decided(assessment)
    return transitions, world.planned(assessment, transitions)


def write(database: ClickHouse, *records: Record) -> None:
    """Put *records* where the fold of the log puts them."""
    write_records(database, [(one, WARNING_RECORD.dump_json(one, by_alias=True).decode()) for one in records])


def tell(database: ClickHouse, notices: Sequence[Notice]) -> None:
    """Record what became of *notices*: those about the office were sent, the others refused."""
    for one in notices:
        update = {"state": "sent"} if one.about == "agency" else {"state": "dead", "detail": "smtp-recipient-refused"}
        write(database, one.model_copy(update=update | {"at": LATER}))


def published(address: KafkaAddress, plan: str = PLAN) -> list[Record]:
    """Return what ``warnings.v1`` holds of *plan*, in the order of the log."""
    records = [WARNING_RECORD.validate_json(one.value) for one in read_all(address, Topic.WARNINGS) if one.value]
    return [one for one in records if one.plan == plan]


@contextmanager
def warned(address: ClickHouseAddress) -> Iterator[ClickHouse]:
    """Fill the database at *address* and yield a connection to it."""
    migrate(address)
    with open_clickhouse(address) as database:
        world.fill(database)
        transitions, notices = given()
        write(database, *transitions, *notices)
        tell(database, notices)
        names = ["plan", "indicator", "agency", "day", "days_behind", "basis"]
        rows = [
            (PLAN, indicator, "so-y-te", day, days, world.NOW)
            for day, indicator, days in (
                (world.DAY, "email-use", 30.4), (world.DAY, "mailboxes", 61.0),
                (world.DAY - timedelta(days=1), "email-use", 99.0),
            )
        ]  # fmt: skip
        database.insert("standing", names, [list(column) for column in zip(*rows, strict=True)])
        judged = (PLAN, 1, world.DAY, world.NOW)
        database.insert("evaluations", ["plan", "revision", "day", "basis"], [[value] for value in judged])
        yield database
