"""Tables ``warnings``, ``notices``, ``answers`` and ``silences``: what ``warnings.v1`` carries, as rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from schemas.warnings import Answer, Notice, Record, Silence, Transition
from services.infra.clickhouse.client import ClickHouse

#: Table → its columns, the record as JSON last.
COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "warnings": (
        "plan", "agency", "cause", "sequence", "id", "state", "reason", "severity", "level", "answer", "day", "since", "at",
        "revision", "record",
    ),
    "notices": (
        "plan", "agency", "id", "attempt", "state", "recipient", "channel", "about", "number", "transitions", "at",
        "detail", "record",
    ),
    "answers": ("plan", "agency", "cause", "id", "answer", "via", "at", "record"),
    "silences": ("plan", "id", "action", "until", "at", "record"),
}  # fmt: skip


def row_of(record: Record) -> tuple[str, tuple[Any, ...]]:
    """Return the table that *record* belongs into and its row, without the record itself."""
    match record:
        case Transition() as one:
            severity = one.severity.value if one.severity is not None else ""
            return "warnings", (
                *(one.plan, one.agency, one.cause, one.sequence, one.id, one.state.value, one.reason.value),
                *(severity, one.level, one.answer or "", one.day, one.since, one.at, one.revision),
            )
        case Notice() as one:
            return "notices", (
                *(one.plan, one.agency, one.id, one.attempt, one.state, one.recipient, one.channel, one.about),
                *(one.number, list(one.transitions), one.at, one.detail),
            )
        case Answer() as one:
            return "answers", (one.plan, one.agency, one.cause, one.id, one.answer.value, one.via, one.at)
        case Silence() as one:
            return "silences", (one.plan, one.id, one.action, one.until, one.at)


def write_records(
    database: ClickHouse, records: Sequence[tuple[Record, str]], recorded: Sequence[datetime] | None = None
) -> None:
    """Write *records* with their JSON, each table in one block. Repeats do no harm; blocks; raises Transient.

    *recorded*: when each came into the log; now by the database's clock, unless given. The earliest counts.
    """
    rows: dict[str, list[tuple[Any, ...]]] = {}
    for at, (record, text) in enumerate(records):
        table, row = row_of(record)
        rows.setdefault(table, []).append((*row, text) if recorded is None else (*row, text, recorded[at]))
    for table, found in rows.items():
        names = COLUMNS[table] if recorded is None else (*COLUMNS[table], "recorded")
        database.insert(table, list(names), [list(column) for column in zip(*found, strict=True)])
