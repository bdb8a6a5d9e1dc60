"""The life of warnings and notices: written to ``warnings.v1`` first, then to tables; read back from the tables."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from typing import Any, Final, Protocol

from schemas.topics import Topic
from schemas.warnings import (
    WARNING_RECORD,
    Answer,
    Notice,
    Record,
    Silence,
    Transition,
    TransitionReason,
    record_key,
)
from services.alerts.adapters.warning_tables import write_records
from services.core.warnings.lifecycle import to_be_told
from services.core.warnings.warning_records import (
    DeliveryFault,
    NoticeState,
    Subject,
    fold,
    fold_notices,
    silences_in_force,
    waiting_answers,
)
from services.infra.clickhouse.client import ClickHouse
from services.infra.kafka import Message

_NOT_FOR_THOSE_ABOVE: Final = frozenset(
    {
        TransitionReason.FALLING_BEHIND,
        TransitionReason.NOT_HELD,
        TransitionReason.STILL_BEHIND,
        TransitionReason.FEED_STILL_OUT,
    }
)
#: Transitions that a notice of a plan tells; one whose last attempt found nobody in the directory to go to tells nothing.
_TOLD: Final = (
    "SELECT arrayJoin(transitions) FROM notices WHERE plan = %(plan)s AND id NOT IN (SELECT id FROM "
    "(SELECT id, max(attempt) AS last, groupArray((attempt, state, detail)) AS every FROM notices WHERE plan = %(plan)s "
    "AND id IN (SELECT id FROM notices WHERE plan = %(plan)s AND state = 'dead') GROUP BY id) "
    f"WHERE has(every, (last, 'dead', '{DeliveryFault.NO_RECIPIENT}')))"
)
_AT_ONCE: Final = 10_000  # records as JSON in memory at a time


class Publishes(Protocol):
    """What is needed of Kafka: to return once the brokers have acknowledged, else to raise Transient."""

    def publish(self, messages: Sequence[Message]) -> None: ...


class WarningLog:
    """Reads and appends. Blocks; raises Transient while the broker or the database is away."""

    def __init__(self, database: ClickHouse, kafka: Publishes) -> None:
        self._database = database
        self._kafka = kafka

    def states(self, plan: str) -> dict[Subject, Transition]:
        """Return the last transition of every warning of *plan*."""
        return fold(
            self._transitions("plan = %(plan)s ORDER BY sequence DESC LIMIT 1 BY agency, cause", {"plan": plan})
        )

    def untold(self, plan: str, known: Iterable[Transition] = ()) -> tuple[Transition, ...]:
        """Return the transitions of which somebody is to be told and of which no notice tells, in the order of the log.

        A notice that found nobody to go to tells nothing. Those that are *known*, because they have been read already, are
        not read again.
        """
        reasons = tuple(sorted(reason.value for reason in TransitionReason if to_be_told(reason)))
        rows = self._database.rows(
            f"SELECT id FROM warnings FINAL WHERE plan = %(plan)s AND reason IN %(reasons)s AND id NOT IN ({_TOLD}) "
            "ORDER BY recorded, agency, cause, sequence",
            {"plan": plan, "reasons": reasons},
        )
        ids = [row[0] for row in rows]
        found = {one.id: one for one in known}
        unknown = [number for number in ids if number not in found]
        for at in range(0, len(unknown), _AT_ONCE):
            where = {"plan": plan, "ids": tuple(unknown[at : at + _AT_ONCE])}
            found |= {one.id: one for one in self._transitions("plan = %(plan)s AND id IN %(ids)s", where)}
        return tuple(found[number] for number in ids)

    def life_of(self, plan: str, agencies: Collection[str]) -> tuple[Transition, ...]:
        """Return every transition of the warnings of *agencies* (or feeds) that counts, in the order of the log."""
        where = {"plan": plan, "agencies": tuple(sorted(agencies)) or ("",)}
        return self._transitions(
            "plan = %(plan)s AND agency IN %(agencies)s ORDER BY recorded, agency, cause, sequence", where
        )

    def recent(self, plan: str, since: date) -> tuple[Transition, ...]:
        """Return the transitions of days of standing from *since* on that an office above is told of, in their order."""
        reasons = tuple(sorted(reason.value for reason in TransitionReason if reason not in _NOT_FOR_THOSE_ABOVE))
        return self._transitions(
            "plan = %(plan)s AND day >= toDate32(%(since)s) AND reason IN %(reasons)s ORDER BY agency, cause, sequence",
            {"plan": plan, "since": since.isoformat(), "reasons": reasons},
        )

    def answers_of(self, plan: str, agencies: Collection[str]) -> tuple[Answer, ...]:
        """Return what *agencies* (or feeds' owners) have answered, in the order of the log."""
        if not agencies:
            return ()
        rows = self._database.rows(
            "SELECT record FROM answers FINAL WHERE plan = %(plan)s AND agency IN %(agencies)s ORDER BY recorded",
            {"plan": plan, "agencies": tuple(sorted(agencies))},
        )
        return tuple(one for one in _parsed(rows) if isinstance(one, Answer))

    def waiting_answers(self, plan: str) -> dict[Subject, list[Answer]]:
        """Return the answers that no transition has taken up, by warning, in the order of the log."""
        rows = self._database.rows(
            "SELECT record FROM answers FINAL WHERE plan = %(plan)s AND id NOT IN "
            "(SELECT answer FROM warnings WHERE plan = %(plan)s) ORDER BY recorded",
            {"plan": plan},
        )
        return waiting_answers((one for one in _parsed(rows) if isinstance(one, Answer)), ())

    def silences(self, plan: str, now: datetime) -> tuple[Silence, ...]:
        """Return the silences in force at *now*."""
        rows = self._database.rows(
            "SELECT record FROM silences FINAL WHERE plan = %(plan)s AND until > %(now)s",
            {"plan": plan, "now": now.astimezone(UTC).replace(tzinfo=None, microsecond=0)},
        )
        return silences_in_force((one for one in _parsed(rows) if isinstance(one, Silence)), now)

    def threads(self, plan: str) -> dict[tuple[str, str, str], int]:
        """Return the greatest number of each thread of notices: (agency, recipient, channel).

        Numbers that no thread reaches by itself are passed over, so that there is a next one.
        """
        rows = self._database.rows(
            "SELECT agency, recipient, channel, max(number) FROM notices "
            "WHERE plan = %(plan)s AND about != 'digest' AND number < 1000000000 "
            "GROUP BY agency, recipient, channel",
            {"plan": plan},
        )
        return {(agency, recipient, channel): int(number) for agency, recipient, channel, number in rows}

    def digests(self, plan: str, since: date) -> frozenset[str]:
        """Return the ids of the digests recorded for periods that begin on *since* or later."""
        rows = self._database.rows(
            "SELECT DISTINCT id FROM notices WHERE plan = %(plan)s AND about = 'digest' "
            "AND JSONExtractString(record, 'period') >= %(since)s",
            {"plan": plan, "since": since.isoformat()},
        )
        return frozenset(row[0] for row in rows)

    def unsettled(self, plan: str) -> tuple[NoticeState, ...]:
        """Return the notices that are neither sent nor given up, the oldest first."""
        rows = self._database.rows(
            "SELECT record FROM notices FINAL WHERE plan = %(plan)s AND id IN (SELECT id FROM "
            "(SELECT id, max(attempt) AS last, groupArray((attempt, state)) AS every FROM notices "
            "WHERE plan = %(plan)s GROUP BY id) WHERE NOT arrayExists(one -> one.1 = last AND one.2 IN ('sent', 'dead'), every))",
            {"plan": plan},
        )
        states = fold_notices(one for one in _parsed(rows) if isinstance(one, Notice)).values()
        return tuple(sorted((one for one in states if not one.settled), key=lambda one: (one.notice.at, one.notice.id)))

    def last_day(self, plan: str) -> date | None:
        """Return the latest day of standing that any transition of *plan* speaks of; None: there is none."""
        rows = self._database.rows(
            "SELECT max(day) FROM warnings WHERE plan = %(plan)s HAVING count() > 0", {"plan": plan}
        )
        return rows[0][0] if rows else None

    def last_word(self, plan: str) -> tuple[int, datetime | None]:
        """Return how many answers, silences and notices given up or to be sent again there are, and when the last was recorded.

        Both, because moments come from more than one clock: what is recorded later may bear an earlier one.
        """
        rows = self._database.rows(
            "SELECT sum(many), max(last) FROM (SELECT uniqExact(id) AS many, max(recorded) AS last FROM answers "
            "WHERE plan = %(plan)s UNION ALL SELECT uniqExact(id, action), max(recorded) FROM silences "
            "WHERE plan = %(plan)s UNION ALL SELECT uniqExact(id, attempt), max(recorded) FROM notices "
            "WHERE plan = %(plan)s AND (attempt > 0 AND state = 'pending' OR state = 'dead'))",
            {"plan": plan},
        )
        many, last = rows[0]
        return int(many), last if many else None

    def append(self, records: Sequence[Record]) -> None:
        """Record all of *records*; returns once broker and database have them.

        A failure in between leaves them in the log and not in the tables: recording them again makes the same records
        again, by the same ids.
        """
        for at in range(0, len(records), _AT_ONCE):
            self._append(records[at : at + _AT_ONCE])

    def _append(self, records: Sequence[Record]) -> None:
        texts = [WARNING_RECORD.dump_json(one, by_alias=True).decode() for one in records]
        self._kafka.publish(
            [
                Message(topic=Topic.WARNINGS, value=text.encode(), key=record_key(one).encode())
                for one, text in zip(records, texts, strict=True)
            ]
        )
        write_records(self._database, list(zip(records, texts, strict=True)))

    def _transitions(self, where: str, values: dict[str, Any]) -> tuple[Transition, ...]:
        rows = self._database.rows(f"SELECT record FROM warnings FINAL WHERE {where}", values)
        return tuple(one for one in _parsed(rows) if isinstance(one, Transition))


def _parsed(rows: Iterable[tuple[Any, ...]]) -> Iterator[Record]:
    return (WARNING_RECORD.validate_json(row[0]) for row in rows)
