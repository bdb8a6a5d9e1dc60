"""Folds ``warnings.v1`` into the tables: whatever is in the log and not in them, whoever wrote it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from pydantic import ValidationError

from schemas.topics import Topic
from schemas.warnings import WARNING_RECORD, Record
from services.alerts import metrics
from services.alerts.adapters.warning_tables import write_records
from services.alerts.blocking import Blocking
from services.core.errors import Rejected
from services.infra.clickhouse.client import ClickHouse

log = logging.getLogger(__name__)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST_MS: Final = 10_000_000_000_000  # in 2286: later ones fit into no column


class Behind(Rejected):
    """The database lacks what was read before: it was dropped, restored or exchanged. Who begins anew reads that again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Logged:
    """A record as Kafka hands it out; *timestamp_ms* is Kafka's own stamp."""

    offset: int
    timestamp_ms: int
    value: bytes | None

    @property
    def recorded(self) -> datetime:
        """Return when it came into the log. Of one millisecond, the offset decides: what comes first in the log is earlier."""
        return _EPOCH + timedelta(
            milliseconds=min(max(self.timestamp_ms, 0), _LATEST_MS), microseconds=self.offset % 1000
        )


class LogReader:
    """Writes records of the topic with that id, and remembers in the database how far it is. All but ``next`` blocks."""

    def __init__(self, database: ClickHouse, *, topic_id: str, partition: int = 0) -> None:
        self._database = database
        self._place = {"topic": topic_id, "partition": partition}
        self._next = self._held()

    @property
    def next(self) -> int:
        """The offset to go on from, as far as this process knows: 0 where nothing of the topic has been read."""
        return self._next

    def _held(self) -> int:
        found = self._database.rows(
            "SELECT max(next) FROM log_positions WHERE topic_id = %(topic)s AND partition = %(partition)s", self._place
        )
        return int(found[0][0])

    def take(self, records: Sequence[Logged]) -> None:
        """Write *records*, in the order of the log; returns once the database has them and knows how far it is.

        Repeats do no harm. What cannot be read is counted and passed over. Raises Transient while the database is away and
        Behind where it no longer holds what was read before.
        """
        if not records:
            return
        if self._held() < self._next:
            raise Behind("the database no longer holds what was read of the log")
        readable = [(one, record, (one.value or b"").decode()) for one in records if (record := _record(one))]
        try:
            self._write(readable)
        except TypeError:  # a value that no column can hold, somewhere
            for each in readable:
                try:
                    self._write([each])
                except TypeError:
                    _pass_over(each[0], "does not fit into its table")
        self._database.insert(
            "log_positions",
            ["topic_id", "partition", "next"],
            [[self._place["topic"]], [self._place["partition"]], [records[-1].offset + 1]],
        )
        self._next = max(self._next, records[-1].offset + 1)
        metrics.LOGGED.labels("written").inc(len(readable))

    def _write(self, records: Sequence[tuple[Logged, Record, str]]) -> None:
        write_records(
            self._database, [(record, text) for _, record, text in records], [one.recorded for one, _, _ in records]
        )


class Folding:
    """A LogReader off the event loop, in a thread of its own with the connection that it has."""

    def __init__(self, reader: LogReader, blocking: Blocking) -> None:
        self._reader = reader
        self._run = blocking

    @property
    def next(self) -> int:
        """As :attr:`LogReader.next`."""
        return self._reader.next

    async def take(self, records: Sequence[Logged]) -> None:
        """Do as :meth:`LogReader.take`."""
        await self._run(lambda: self._reader.take(records))


def _record(logged: Logged) -> Record | None:
    try:
        return WARNING_RECORD.validate_json(logged.value or b"")
    except ValidationError:
        _pass_over(logged, "cannot be read")
        return None


def _pass_over(logged: Logged, why: str) -> None:
    metrics.LOGGED.labels("unreadable").inc()
    log.warning("record %d of %s %s and is passed over", logged.offset, Topic.WARNINGS.value, why)
