"""The life of warnings and notices: written to ``warnings.v1`` first, then to tables; read back from the tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from schemas.topics import Topic
from schemas.warnings import WARNING_RECORD, Notice, Transition
from services.infra.clickhouse.client import ClickHouse
from services.infra.kafka import Message


@dataclass(frozen=True, kw_only=True)
class Records:
    """Everything recorded about a plan's warnings, in no particular order, repeats included."""

    transitions: tuple[Transition, ...]
    notices: tuple[Notice, ...]


class Publishes(Protocol):
    """What is needed of Kafka: to return once the brokers have acknowledged, else to raise Transient."""

    def publish(self, messages: Sequence[Message]) -> None: ...


class WarningLog:
    """Reads and appends. Blocks; raises Transient while the broker or the database is away."""

    def __init__(self, database: ClickHouse, kafka: Publishes) -> None:
        self._database = database
        self._kafka = kafka

    def load(self, plan: str) -> Records:
        """Return everything recorded about *plan*."""
        where = {"plan": plan}
        transitions = self._database.rows("SELECT record FROM warnings FINAL WHERE plan = %(plan)s", where)
        notices = self._database.rows("SELECT record FROM notices FINAL WHERE plan = %(plan)s", where)
        parsed = [WARNING_RECORD.validate_json(row[0]) for row in (*transitions, *notices)]
        return Records(
            transitions=tuple(one for one in parsed if isinstance(one, Transition)),
            notices=tuple(one for one in parsed if isinstance(one, Notice)),
        )

    def append(self, records: Sequence[Transition | Notice]) -> None:
        """Record all of *records*; returns once broker and database have them.

        A failure in between leaves them in the log and not in the tables: recording them again makes the same records
        again, by the same ids. Each table takes its rows in one block, so that they are all there or none.
        """
        if not records:
            return
        texts = [WARNING_RECORD.dump_json(one).decode() for one in records]
        self._kafka.publish(
            [
                Message(topic=Topic.WARNINGS, value=text.encode(), key=f"{one.plan}/{one.agency}".encode())
                for one, text in zip(records, texts, strict=True)
            ]
        )
        changes = [(one, text) for one, text in zip(records, texts, strict=True) if isinstance(one, Transition)]
        mails = [(one, text) for one, text in zip(records, texts, strict=True) if isinstance(one, Notice)]
        self._database.insert(
            "warnings",
            [
                "plan",
                "agency",
                "cause",
                "sequence",
                "id",
                "state",
                "reason",
                "day",
                "since",
                "at",
                "revision",
                "record",
            ],
            _columns(
                (
                    *(one.plan, one.agency, one.cause, one.sequence, one.id, str(one.state), str(one.reason)),
                    *(one.day, one.since, one.at, one.revision, text),
                )
                for one, text in changes
            ),
        )
        self._database.insert(
            "notices",
            ["id", "state", "plan", "agency", "recipient", "channel", "at", "detail", "record"],
            _columns(
                (one.id, one.state, one.plan, one.agency, one.recipient, one.channel, one.at, one.detail, text)
                for one, text in mails
            ),
        )


def _columns(rows: Iterable[tuple[object, ...]]) -> list[list[object]]:
    return [list(column) for column in zip(*rows, strict=True)]
