"""``tiendo rebuild``: the derived tables anew from the log, beside the running ones, compared, then swapped.

Why no fact is lost, whatever a worker writes meanwhile, is argued in docs/adr/0010-rebuild.md.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from datetime import date
from time import sleep
from typing import Final
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from schemas.revisions import revision_key
from schemas.topics import Topic
from services.aggregator.adapters.rebuild_compare import (
    Compared,
    Sides,
    compared,
    figures_differ,
    lost_from_archive,
    mend_archive,
)
from services.aggregator.adapters.rebuild_figures import end_of_figures, mark_all, quiet, recomputed
from services.aggregator.adapters.rebuild_source import Chunk, archived, of_topic
from services.aggregator.adapters.rebuild_store import (
    alone,
    barrier,
    begin,
    beside,
    check_shapes,
    drop,
    held_state,
    insert_documents,
    insert_facts,
    keep,
    revisions,
    swap,
    uuids_of,
)
from services.aggregator.adapters.topics import topic_ids
from services.aggregator.core.facts import Fact
from services.aggregator.core.rebuilding import (
    Difference,
    Stage,
    State,
    chosen,
    facts_of,
    replayed,
    same_task,
    with_damage,
)
from services.aggregator.rebuild_task import Report, Task, Tell
from services.core.errors import Rejected, Transient
from services.infra.clickhouse.client import ClickHouse, ClickHouseAddress, open_clickhouse
from services.infra.clickhouse.migrate import migrate
from services.infra.clock import Clock, last_complete_day

_ENOUGH: Final = 20_000  # events of a pass, so few that the next one will not find less
_PASSES: Final = 10
_EXAMPLES: Final = 10
_COMPARISONS: Final = 4


def abandon(address: ClickHouseAddress) -> bool:
    """Drop what a rebuild under way has made; the running tables stay. Return whether there was anything.

    Raises Rejected once the swap has begun: run the rebuild to its end then.
    """
    with alone(address):
        state = held_state(address)
        if state is not None and state.stage in (Stage.SWAPPING, Stage.SETTLING):
            raise Rejected("the swap has begun; `tiendo rebuild` with the same options ends it")
        return drop(address)


def rebuild(task: Task, clock: Clock, tell: Tell = lambda stage, done, total: None) -> Report:
    """Rebuild, from where the last run of the same task was interrupted, if it was; blocks for as long as it takes.

    Raises Transient while database or broker are away and Rejected for what cannot be done; run again, it goes on.
    """
    tables = chosen(task.tables)
    with alone(task.clickhouse), ExitStack() as closing:
        migrate(task.clickhouse)
        state = held_state(task.clickhouse)
        resumed = state is not None
        if state is None:
            state = _begun(task, tables)
        elif not same_task(state, source=task.source, tables=tables, zone=task.zone):
            raise Rejected(
                "a rebuild with other options is under way: end it with those, or `tiendo rebuild --abandon`"
            )
        running = closing.enter_context(open_clickhouse(task.clickhouse))
        rebuilt = closing.enter_context(open_clickhouse(beside(task.clickhouse)))
        return _Rebuild(task, state, running, rebuilt, clock, tell).run(resumed=resumed)


def _begun(task: Task, tables: tuple[str, ...]) -> State:
    with open_clickhouse(task.clickhouse) as running:
        # The moment comes first: whatever is stored from then on is read again when catching up.
        since = barrier(running)
        ((total,),) = running.rows("SELECT count() FROM events")
    state = State(source=task.source, tables=tables, zone=task.zone, since=since, total=total)
    begin(task.clickhouse, state)
    return state


class _Rebuild:
    def __init__(
        self, task: Task, state: State, running: ClickHouse, rebuilt: ClickHouse, clock: Clock, tell: Tell
    ) -> None:
        self._task = task
        self._state = state
        self._running = running
        self._rebuilt = rebuilt
        self._clock = clock
        self._tell = tell
        self._zone = ZoneInfo(task.zone)
        self._tables: tuple[Compared, ...] = ()
        self._differences: tuple[Difference, ...] = ()
        self._figures_compared = False

    def run(self, *, resumed: bool) -> Report:
        if self._state.stage is Stage.READING:
            self._read()
            self._keep(stage=Stage.COMPARING)
        if self._state.stage is Stage.COMPARING:
            self._compare()
            if self._task.dry_run or (self._differences and not self._task.accept_differences):
                return self._report(resumed=resumed, swapped=False, changed=0)
            check_shapes(self._running, self._task.clickhouse, self._state.tables)
            new = uuids_of(self._rebuilt, beside(self._task.clickhouse).database, self._state.tables)
            self._keep(stage=Stage.SWAPPING, uuids=new)
        if self._state.stage is Stage.SWAPPING:
            self._tell("swapping", self._state.done, self._state.total)
            # Standing is not judged while marks are outstanding.
            mark_all(self._running)
            swap(self._running, self._task.clickhouse, self._state.uuids)
            self._keep(stage=Stage.SETTLING)
        changed = self._settle()
        drop(self._task.clickhouse)
        return self._report(resumed=resumed, swapped=True, changed=changed)

    def _read(self) -> None:
        if self._state.source == "kafka":
            self._read_topic()
            return
        state = self._state
        # Reading and writing wait for the database most of their time; decoding goes on between them.
        with (
            open_clickhouse(self._task.clickhouse) as other,
            ThreadPoolExecutor(1) as reader,
            ThreadPoolExecutor(1) as writer,
        ):
            chunks = archived(other, types=state.types(), after=state.position, size=self._task.chunk)
            coming: Future[Chunk | None] = reader.submit(next, chunks, None)
            writing: Future[None] | None = None
            while (chunk := coming.result()) is not None:
                coming = reader.submit(next, chunks, None)
                facts, damaged = facts_of(chunk.rows, self._zone)
                state = replace(with_damage(state, damaged), position=chunk.last, done=state.done + len(chunk.rows))
                if writing is not None:
                    writing.result()
                writing = writer.submit(self._write_chunk, facts, state)
                self._tell("reading", state.done, max(state.total, state.done))
            if writing is not None:
                writing.result()

    def _write_chunk(self, facts: list[Fact], state: State) -> None:
        insert_facts(self._rebuilt, facts, state.tables)
        self._state = state
        keep(self._rebuilt, state)

    def _read_topic(self) -> None:
        ids = topic_ids(self._task.kafka, [Topic.EVENTS.value])
        if not ids:
            raise Transient("the topic of events cannot be read: no broker answers, or it is missing")
        topic = ids[Topic.EVENTS.value]
        offsets = self._state.offsets if self._state.topic == topic else {}
        for part in of_topic(self._task.kafka, offsets, self._zone):
            names = (*self._state.tables, "events")
            insert_facts(self._rebuilt, part.rows, names)
            self._keep(topic=topic, offsets=part.offsets, done=self._state.done + part.events)
            self._tell("reading", self._state.done, max(self._state.total, self._state.done))

    def _catch_up(self, into: ClickHouse) -> int:
        """Read what was stored since the last pass; afterwards everything stored before this one began has been read."""
        began = barrier(self._running)
        count = 0
        state = self._state
        for chunk in archived(self._running, types=state.types(), after=None, since=state.since, size=self._task.chunk):
            facts, damaged = facts_of(chunk.rows, self._zone)
            insert_facts(into, facts, state.tables)
            state = with_damage(state, damaged)
            count += len(chunk.rows)
            self._tell("catching up", self._state.done, self._state.total)
        held = revisions(self._running)
        fresh = [one for one in held if revision_key(one) not in state.revisions]
        known = [one for one in held if revision_key(one) in state.revisions]
        insert_documents(into, self._state.tables, replayed(fresh, known))
        self._keep(since=began, revisions=tuple(map(revision_key, held)), damaged=state.damaged)
        return count

    def _compare(self) -> None:
        for _ in range(_PASSES):
            if self._catch_up(self._rebuilt) <= _ENOUGH:
                break
        complete = end_of_figures(self._running) or last_complete_day(self._clock(), self._task.zone)
        found: dict[str, Compared] = {}
        for attempt in range(_COMPARISONS):
            if attempt:
                # A batch under way has been archived and not yet all written: it is looked at once more.
                sleep(self._task.pause)
                self._catch_up(self._rebuilt)
            sides = self._sides()
            for table in self._state.tables:
                if table not in found or found[table].difference is not None:
                    self._tell(f"comparing {table}", self._state.done, self._state.total)
                    found[table] = compared(self._running, table, sides)
            if all(one.difference is None for one in found.values()):
                break
        self._tell("comparing figures", self._state.done, self._state.total)
        figures = self._figures(complete)
        differences = [one.difference for one in found.values() if one.difference is not None]
        if self._state.damaged:
            differences.append(Difference("events", 0, 0, len(self._state.damaged), self._state.damaged[:_EXAMPLES]))
        if self._state.source == "kafka" and (lost := lost_from_archive(self._running, self._sides())):
            differences.append(Difference("events", lost, 0, 0, ()))
        self._tables = tuple(found.values())
        self._differences = (*differences, *(figures or ()))
        self._figures_compared = figures is not None

    def _figures(self, complete: date) -> list[Difference] | None:
        """Return where figures differ; None while the running ones are on their way to new facts."""
        since = self._state.since
        if not quiet(self._running, since):
            return None
        recomputed(self._rebuilt, complete=complete, zone=self._zone)
        found = figures_differ(self._running, self._sides(), complete)
        return found if quiet(self._running, since) else None

    def _settle(self) -> int:
        """Read what was stored up to the swap into the new tables, then have every figure computed from them."""
        self._tell("settling", self._state.done, self._state.total)
        self._catch_up(self._running)
        if self._state.source == "kafka":
            mend_archive(self._running, self._sides())
        complete = end_of_figures(self._running) or last_complete_day(self._clock(), self._task.zone)
        return recomputed(self._running, complete=complete, zone=self._zone)

    def _sides(self) -> Sides:
        address = self._task.clickhouse
        return Sides(running=address.database, rebuilt=beside(address).database, cut=self._state.since)

    def _keep(self, **changes: object) -> None:
        self._state = replace(self._state, **changes)
        keep(self._rebuilt, self._state)

    def _report(self, *, resumed: bool, swapped: bool, changed: int) -> Report:
        return Report(
            source=self._state.source,
            resumed=resumed,
            events=self._state.done,
            tables=self._tables,
            differences=self._differences,
            figures_compared=self._figures_compared,
            swapped=swapped,
            figures_changed=changed,
        )
