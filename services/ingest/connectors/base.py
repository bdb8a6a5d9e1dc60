"""The base of all connectors: what one yields, and how that reaches the gateway without loss.

A connector is an iterator over its source, from its last position on. It yields statements, marks that the source has
passed a day, and checkpoints. `Delivery` sends them in batches, a few requests in flight, and saves a position only after
the gateway answered for everything before it. Reports of a day go out after all events before them were answered.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from threading import Event
from typing import Any, Final, Protocol

import msgspec

from services.ingest.connectors.client import BATCH, Answer, Sender
from services.ingest.connectors.errors import CannotGoOn, Stopped
from services.ingest.connectors.position import Store
from services.ingest.core.feed_days import DayBook

_IN_FLIGHT: Final = 3
_SAVE_EVERY: Final = 2.0  # seconds; what a kill makes a connector repeat


@dataclass(frozen=True, slots=True)
class Stated:
    """A statement: a CloudEvent, its short type and the local day of its ``time``."""

    event: dict[str, Any]
    type: str
    day: date


@dataclass(frozen=True, slots=True)
class Passed:
    """The source has passed *day* and all days before it; *at* is when it did (a later line's time, an export's stamp).

    *since*: the first day that it covers; None: that of its oldest statement, at most a year back.
    """

    day: date
    at: datetime
    since: date | None = None


class Saved(msgspec.Struct, frozen=True):
    """What a connector wants remembered: its position, and the entries of its register that changed since last taken."""

    position: bytes
    entries: dict[str, bytes] = {}


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Reading can go on from here. *take* is called at once or never; *now*: nothing follows for a while, so save."""

    take: Callable[[], Saved]
    now: bool = False


Item = Stated | Passed | Checkpoint


@dataclass
class Meter:
    """How far a connector is: read by the progress display from another thread."""

    total: int = 0  # bytes to read, as far as known
    done: int = 0
    read: int = 0  # lines or rows
    sent: int = 0


@dataclass
class Summary:
    """What one run of a connector did. Counts of this run only."""

    name: str
    source: str
    read: Counter[str] = field(default_factory=Counter)  # lines or rows by what became of them
    events: Counter[str] = field(default_factory=Counter)  # sent, by short type
    accepted: int = 0
    repeats: int = 0  # statements known to be sent before, and therefore not sent
    rejected: Counter[str] = field(default_factory=Counter)  # by reason
    days: int = 0  # reports of days sent
    last_day: date | None = None  # the last day that the source has passed
    retries: int = 0
    remarks: list[str] = field(default_factory=list)  # faulty rows, lines not understood, files that vanished
    stopped: str | None = None  # why it could not go on
    interrupted: bool = False  # it was asked to stop


class Connector(Protocol):
    """One kind of source."""

    @property
    def types(self) -> tuple[str, ...]:
        """The short event types whose days it reports."""
        ...

    def items(self, store: Store, meter: Meter, summary: Summary) -> Iterator[Item]:
        """Read on from the store's position. Ends when the source is exhausted; one that follows it never ends by itself."""
        ...


class Delivery:
    """Takes a connector's items to the gateway. One per connector and run."""

    def __init__(
        self,
        *,
        source: str,
        agency: str,
        store: Store,
        book: DayBook,
        sender: Sender,
        meter: Meter,
        summary: Summary,
        stop: Event,
        dry_run: bool = False,
        save_every: float = _SAVE_EVERY,
    ) -> None:
        """*dry_run*: nothing is remembered. *stop*: ends the run between two items; the sender's own, set when a run fails."""
        self._source, self._agency = source, agency
        self._store, self._book, self._sender = store, book, sender
        self._meter, self._summary, self._stop = meter, summary, stop
        self._dry_run, self._save_every = dry_run, save_every
        self._batch: list[bytes] = []
        self._reports: list[bytes] = []
        self._flying: deque[tuple[list[bytes], Future[Answer]]] = deque()
        self._saved_at = time.monotonic()

    def run(self, items: Iterable[Item]) -> None:
        """Deliver all *items*. Raises Stopped and CannotGoOn; the state then is that of the last save."""
        with ThreadPoolExecutor(_IN_FLIGHT, thread_name_prefix="send") as pool:
            try:
                for item in items:
                    if self._stop.is_set():
                        raise Stopped
                    match item:
                        case Stated():
                            self._state(item, pool)
                        case Passed():
                            self._pass(item)
                        case Checkpoint():
                            if item.now or time.monotonic() - self._saved_at >= self._save_every:
                                self._save(item.take(), pool)
            except BaseException:
                self._stop.set()  # requests in flight would otherwise wait for a gateway that is away
                raise

    def _state(self, item: Stated, pool: ThreadPoolExecutor) -> None:
        if not self._store.is_new(item.type, item.day, item.event["id"]):
            self._summary.repeats += 1
            return
        self._book.count(item.type, item.day)
        self._summary.events[item.type] += 1
        self._batch.append(msgspec.json.encode(item.event))
        if len(self._batch) >= BATCH:
            self._post(pool)

    def _pass(self, item: Passed) -> None:
        for report in self._book.passed(item.day, item.at, item.since):
            self._reports.append(msgspec.json.encode(report.event(source=self._source, agency=self._agency)))
            self._summary.days += 1
        self._summary.last_day = self._book.passed_to

    def _save(self, saved: Saved, pool: ThreadPoolExecutor) -> None:
        """1. everything stated is answered; 2. so are the reports on it; 3. the position is written."""
        self._post(pool)
        self._land()
        for start in range(0, len(self._reports), BATCH):
            self._batch = self._reports[start : start + BATCH]
            self._summary.events["feed.reported"] += len(self._batch)
            self._post(pool)
        self._reports.clear()
        self._land()
        if not self._dry_run:
            self._store.save(saved.position, saved.entries, self._book)
        self._saved_at = time.monotonic()

    def _post(self, pool: ThreadPoolExecutor) -> None:
        if self._batch:
            self._flying.append((self._batch, pool.submit(self._sender.send, self._batch)))
            self._batch = []
        while len(self._flying) >= _IN_FLIGHT:
            self._take_answer()

    def _land(self) -> None:
        while self._flying:
            self._take_answer()

    def _take_answer(self) -> None:
        batch, future = self._flying.popleft()
        answer = future.result()
        self._summary.accepted += answer.accepted
        self._summary.retries += answer.retries
        self._meter.sent += len(batch)
        if answer.rejected:
            for rejection in answer.rejected:
                self._summary.rejected[rejection.reason] += 1
            keep_rejected(self._store.rejected, batch, answer)


def keep_rejected(path: Path, batch: list[bytes], answer: Answer) -> None:
    """Append the refused events of *batch* with their reasons to *path*, which only its owner may read.

    Raises CannotGoOn where the disk does not take them.
    """
    try:
        path.touch(mode=0o600)
        with path.open("ab") as file:
            for rejection in answer.rejected:
                why = msgspec.to_builtins(rejection)
                file.write(msgspec.json.encode({**why, "event": msgspec.Raw(batch[rejection.index])}) + b"\n")
    except OSError as error:
        raise CannotGoOn(
            f"cannot keep refused events in {path}: {error.strerror}. Make room and start again"
        ) from error
