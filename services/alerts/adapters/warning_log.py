"""The life of warnings and notices: written to ``warnings.v1`` first, then to tables; read back from the tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from schemas.topics import Topic
from schemas.warnings import WARNING_RECORD, Answer, Notice, Record, Silence, Transition, record_key
from services.alerts.adapters.warning_tables import write_records
from services.infra.clickhouse.client import ClickHouse
from services.infra.kafka import Message


@dataclass(frozen=True, kw_only=True)
class Records:
    """Everything recorded about a plan's warnings, in the order in which it was recorded."""

    transitions: tuple[Transition, ...] = ()
    notices: tuple[Notice, ...] = ()
    answers: tuple[Answer, ...] = ()
    silences: tuple[Silence, ...] = ()


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
        return Records(
            transitions=tuple(one for one in self._read("warnings", plan) if isinstance(one, Transition)),
            notices=tuple(one for one in self._read("notices", plan) if isinstance(one, Notice)),
            answers=tuple(one for one in self._read("answers", plan) if isinstance(one, Answer)),
            silences=tuple(one for one in self._read("silences", plan) if isinstance(one, Silence)),
        )

    def append(self, records: Sequence[Record]) -> None:
        """Record all of *records*; returns once broker and database have them.

        A failure in between leaves them in the log and not in the tables: recording them again makes the same records
        again, by the same ids. Each table takes its rows in one block, so that they are all there or none.
        """
        if not records:
            return
        texts = [WARNING_RECORD.dump_json(one, by_alias=True).decode() for one in records]
        self._kafka.publish(
            [
                Message(topic=Topic.WARNINGS, value=text.encode(), key=record_key(one).encode())
                for one, text in zip(records, texts, strict=True)
            ]
        )
        write_records(self._database, list(zip(records, texts, strict=True)))

    def _read(self, table: str, plan: str) -> list[Record]:
        rows = self._database.rows(
            f"SELECT record FROM {table} FINAL WHERE plan = %(plan)s ORDER BY recorded, at",
            {"plan": plan},
        )
        return [WARNING_RECORD.validate_json(row[0]) for row in rows]
