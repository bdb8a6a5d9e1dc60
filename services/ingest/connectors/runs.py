"""Running connectors: state, delivery and summary around one; several at once from a list."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGINT, SIGTERM, signal
from tempfile import TemporaryDirectory
from threading import Event
from types import FrameType
from typing import Any

from services.ingest.connectors.base import Connector, Delivery, Meter, Summary
from services.ingest.connectors.client import Sender
from services.ingest.connectors.errors import CannotGoOn, Stopped
from services.ingest.connectors.position import open_store


@dataclass
class Job:
    """One connector to run. *sender* is made when the job starts; it and the connector share *stop*."""

    name: str
    kind: str
    source: str
    agency: str
    group: str  # the connectors of a group are one line in a summary
    connector: Connector
    sender: Callable[[Event], Sender]
    stop: Event
    meter: Meter = field(default_factory=Meter)


def run_job(job: Job, state: Path, *, dry_run: bool = False) -> Summary:
    """Run one connector to its end. Never raises CannotGoOn or Stopped: the summary says why it stopped.

    *dry_run*: goes on from the saved position, and saves none.
    """
    summary = Summary(job.name, job.source)
    try:
        with open_store(state, job.name) as store:
            store.claim(f"{job.kind} {job.source}")
            delivery = Delivery(
                source=job.source,
                agency=job.agency,
                store=store,
                book=store.day_book(job.connector.types),
                sender=job.sender(job.stop),
                meter=job.meter,
                summary=summary,
                stop=job.stop,
                dry_run=dry_run,
            )
            delivery.run(job.connector.items(store, job.meter, summary))
    except CannotGoOn as error:
        summary.stopped = str(error)
    except Stopped:
        summary.stopped = "asked to stop; the next start goes on from the last saved position"
        summary.interrupted = True
    return summary


def run_jobs(jobs: Sequence[Job], state: Path, *, threads: int = 3) -> list[Summary]:
    """Run all *jobs*, a few at a time, and return their summaries in the same order. One that stops does not stop others."""
    with ThreadPoolExecutor(threads, thread_name_prefix="connector") as pool:
        return list(pool.map(lambda job: run_job(job, state), jobs))


@contextmanager
def stopping(events: Sequence[Event]) -> Iterator[None]:
    """Let SIGINT and SIGTERM set all *events* for the time of a ``with`` block. Main thread only."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        for event in events:
            event.set()

    before = {number: signal(number, stop) for number in (SIGINT, SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal(number, handler)


@contextmanager
def state_folder(state: Path | None) -> Iterator[Path]:
    """Yield *state*; without one a folder that is gone afterwards, for a dry run."""
    if state is not None:
        yield state
        return
    with TemporaryDirectory(prefix="tiendo-") as folder:
        yield Path(folder)


def totals(summaries: Sequence[Summary]) -> dict[str, Any]:
    """Return the sums over *summaries*, as the JSON output has them."""
    whole = Summary("", "")
    for one in summaries:
        whole.read.update(one.read)
        whole.events.update(one.events)
        whole.rejected.update(one.rejected)
        whole.accepted += one.accepted
        whole.repeats += one.repeats
        whole.days += one.days
        whole.retries += one.retries
    return {
        "read": dict(sorted(whole.read.items())),
        "events": dict(sorted(whole.events.items())),
        "sent": sum(whole.events.values()),
        "accepted": whole.accepted,
        "repeats": whole.repeats,
        "rejected": dict(sorted(whole.rejected.items())),
        "days_reported": whole.days,
        "retries": whole.retries,
        "stopped": sum(1 for one in summaries if one.stopped),
    }


def as_json(summary: Summary) -> dict[str, Any]:
    """Return one summary as the JSON output has it."""
    return {
        "name": summary.name,
        "source": summary.source,
        **{key: value for key, value in totals([summary]).items() if key != "stopped"},
        "last_day": summary.last_day.isoformat() if summary.last_day else None,
        "remarks": summary.remarks,
        "stopped": summary.stopped,
    }
