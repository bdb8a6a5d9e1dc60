"""A rebuild's plan and position as values: which tables, from where, how far, what comes next."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, Literal, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from schemas.directory import Directory
from schemas.plan import Plan
from schemas.revisions import AnyRevision, DirectoryRevision, PlanRevision
from schemas.usage import from_canonical, payload_hash
from services.aggregator.core import documents
from services.aggregator.core.facts import Fact, fact_from
from services.core.errors import Rejected

#: Table → the short types of the events whose facts it holds.
FACTS: Final[dict[str, tuple[str, ...]]] = {
    "memberships": ("official.joined", "official.left", "training.completed"),
    "mailboxes": ("mailbox.opened", "mailbox.closed"),
    "activity": ("mail.used",),
    "exchanges": ("document.exchanged",),
    "items": ("document.handled", "task.directed", "record.filed", "milestone.reached", "budget.recorded"),
    "declarations": ("headcount.declared", "figure.declared"),
    "feed_reports": ("feed.reported",),
}
TABLES: Final = (*FACTS, *documents.TABLES)
#: What the figures read besides; never swapped.
READ_ALONG: Final = ("events", "feed_events", "plan_revisions")
ARCHIVE: Final = ("events", "feed_events")  # read again where the log is Kafka's topic
_MOST_DAMAGED: Final = 1000

Revision = AnyRevision
Key = tuple[str, str, int]  # source, id, payload hash


class Stage(StrEnum):
    """What a rebuild is about to do; kept durably, so that it goes on there."""

    READING = "reading"  # everything, in order
    COMPARING = "comparing"  # what was stored since, then old against new
    SWAPPING = "swapping"  # the names of old and new tables, one after the other
    SETTLING = "settling"  # what was stored up to the swap, then the marks


class State(msgspec.Struct, frozen=True, kw_only=True):
    """How far a rebuild is. *since*: all that was stored before this moment of the database's clock has been read."""

    source: Literal["archive", "kafka"]
    tables: tuple[str, ...]
    zone: str
    stage: Stage = Stage.READING
    since: str = ""
    position: Key | None = None
    topic: str = ""  # the topic's own id: another one makes the offsets void
    offsets: dict[str, int] = {}
    done: int = 0
    total: int = 0
    damaged: tuple[str, ...] = ()  # archive rows that are not what their key says, at most 1,000
    revisions: tuple[str, ...] = ()  # which revisions have been read
    uuids: dict[str, str] = {}  # of the new tables, once their names are being swapped

    def types(self) -> tuple[str, ...]:
        """Return the short types of the events to be read; none where only revisions are read."""
        return tuple(short for table in self.tables for short in FACTS.get(table, ()))


class Difference(NamedTuple):
    """Keys of one table on which old and new do not agree; *examples* hold ids of the tables, never persons."""

    table: str
    missing: int  # only in the new table
    surplus: int  # only in the old one
    different: int
    examples: tuple[str, ...]


def chosen(names: Sequence[str]) -> tuple[str, ...]:
    """Return the tables to rebuild, in their fixed order; all where *names* is empty. Raises Rejected for unknown ones."""
    unknown = sorted(set(names) - set(TABLES))
    if unknown:
        raise Rejected(f"not derived tables: {', '.join(unknown)}; there are {', '.join(TABLES)}")
    return tuple(table for table in TABLES if not names or table in names)


def same_task(state: State, *, source: str, tables: tuple[str, ...], zone: str) -> bool:
    """Return whether *state* is that of the rebuild asked for."""
    return (state.source, state.tables, state.zone) == (source, tables, zone)


def facts_of(rows: Iterable[tuple[str, str, int, str, datetime]], zone: ZoneInfo) -> tuple[list[Fact], list[str]]:
    """Return the facts of archive rows (source, id, hash, payload, smallest moment of receipt), and what is damaged.

    A row is damaged when its payload has another hash than its key says or is no event of ours.
    """
    facts: list[Fact] = []
    damaged: list[str] = []
    for source, id_, hashed, payload, received in rows:
        raw = payload.encode()
        if payload_hash(raw) != hashed:
            damaged.append(_damage(source, id_, hashed, "the payload has another hash"))
            continue
        try:
            event = from_canonical(raw, received)
            if (event.source, event.id) != (source, id_):
                raise ValueError("another key")
            if (fact := fact_from(event, hashed, zone)) is not None:
                facts.append(fact)
        except (msgspec.MsgspecError, ValueError, OverflowError) as fault:
            damaged.append(_damage(source, id_, hashed, type(fault).__name__))
    return facts, damaged


def _damage(source: str, id_: str, hashed: int, why: str) -> str:
    # The id itself is a source's own key, which has no place in a message.
    return f"{source} {payload_hash(id_.encode()):016x} {hashed:016x}: {why}"


def with_damage(state: State, damaged: Sequence[str]) -> State:
    """Return *state* with what was found damaged; each row once, however often it is read."""
    if not damaged:
        return state
    known = tuple(sorted({*state.damaged, *damaged}))[:_MOST_DAMAGED]
    return msgspec.structs.replace(state, damaged=known)


def replayed(revisions: Iterable[Revision], known: Iterable[Revision] = ()) -> Iterator[tuple[str, NamedTuple]]:
    """Yield (table, row) for *revisions* in their order, as if each came when those before it and *known* had come.

    That is what the worker writes: a plan is completed by the directories known, a directory completes the plans known.
    """
    plans: list[tuple[int, Plan]] = []
    directories: dict[str, dict[int, Directory]] = {}

    def know(revision: Revision) -> None:
        if isinstance(revision, PlanRevision):
            plans.append((revision.revision, revision.document))
        elif isinstance(revision, DirectoryRevision):
            directories.setdefault(revision.document.directory, {})[revision.revision] = revision.document

    for revision in known:
        know(revision)
    for revision in revisions:
        know(revision)
        number = revision.revision
        if isinstance(revision, PlanRevision):
            plan = revision.document
            held = directories.get(plan.directory, {})
            yield from _rows("definitions", documents.definition_rows(plan, number))
            for directory_number, directory in held.items():
                yield from _rows("scopes", documents.scope_rows([plan], directory, directory_number))
            if held:
                yield from _rows("schedule", documents.schedule_rows(plan, number, held[max(held)]))
        elif isinstance(revision, DirectoryRevision):
            directory = revision.document
            mine = [(n, plan) for n, plan in plans if plan.directory == directory.directory]
            yield from _rows("agencies", documents.agency_rows(directory, number))
            yield from _rows("agency_codes", documents.code_rows(directory, number))
            yield from _rows("feeds", documents.feed_rows(directory, number))
            yield from _rows("scopes", documents.scope_rows([plan for _, plan in mine], directory, number))
            if number >= max(directories[directory.directory]):
                for plan_number, plan in mine:
                    yield from _rows("schedule", documents.schedule_rows(plan, plan_number, directory))


def _rows(table: str, rows: Iterable[Any]) -> Iterator[tuple[str, NamedTuple]]:
    for row in rows:
        yield table, row
