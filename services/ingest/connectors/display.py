"""What a person sees of a run: one bar while it goes on, a summary when it ends."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import Thread
from typing import TypeVar

import msgspec
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn, TransferSpeedColumn
from rich.table import Table

from services.ingest.connectors.base import Meter, Summary
from services.ingest.connectors.runs import Job, as_json, totals

_SHOWN_REMARKS = 20
_REFRESH = 0.1

Result = TypeVar("Result")


def watched(meters: Sequence[Meter], work: Callable[[], Result], *, quiet: bool = False) -> Result:
    """Do *work* in a thread and show how far its *meters* are; return what it returns, raise what it raises.

    The main thread stays free for signals.
    """
    results: list[Result] = []
    faults: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:  # handed to the caller below
            faults.append(error)

    worker = Thread(target=run, name="work")
    worker.start()
    with _bar(quiet) as show:
        while worker.is_alive():
            worker.join(_REFRESH)
            show(meters)
        show(meters)
    if faults:
        raise faults[0]
    return results[0]


@contextmanager
def _bar(quiet: bool) -> Iterator[Callable[[Sequence[Meter]], None]]:
    if quiet:
        yield lambda _meters: None
        return
    columns = (
        TextColumn("reading"),
        BarColumn(),
        TaskProgressColumn(),
        TransferSpeedColumn(),
        TextColumn("{task.fields[read]:,} read, {task.fields[sent]:,} sent"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("reading", total=None, read=0, sent=0)

        def show(meters: Sequence[Meter]) -> None:
            total = sum(meter.total for meter in meters)
            done = sum(min(meter.done, meter.total) for meter in meters)
            progress.update(
                task,
                total=total or None,
                completed=done,
                read=sum(meter.read for meter in meters),
                sent=sum(meter.sent for meter in meters),
            )

        yield show


def print_summary(summaries: Sequence[Summary], jobs: Sequence[Job], form: str) -> None:
    """Print what was done: to standard output as JSON, or as a table with a line per group of connectors."""
    if form == "json":
        content = {"totals": totals(summaries), "connectors": [as_json(one) for one in summaries]}
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(content), indent=2).decode() + "\n")
        return
    console = Console(stderr=True, highlight=False)
    console.width = max(console.width, 100)  # not cut where the output is a file
    groups: dict[str, list[Summary]] = {}
    for job, summary in zip(jobs, summaries, strict=True):
        groups.setdefault(job.group, []).append(summary)
    table = Table(box=None, pad_edge=False)
    for name in ("connector", "of", "read", "sent", "accepted", "refused", "sent before", "days", "last day"):
        table.add_column(name, justify="left" if name in ("connector", "last day") else "right")
    for group, members in groups.items():
        sums = totals(members)
        days = [one.last_day for one in members if one.last_day is not None]
        table.add_row(
            group,
            f"{len(members):,}",
            f"{sum(sums['read'].values()):,}",
            f"{sums['sent']:,}",
            f"{sums['accepted']:,}",
            f"{sum(sums['rejected'].values()):,}",
            f"{sums['repeats']:,}",
            f"{sums['days_reported']:,}",
            max(days).isoformat() if days else "–",
        )
    console.print(table, soft_wrap=True)
    whole = totals(summaries)
    for title, counts in (("read", whole["read"]), ("events", whole["events"]), ("refused", whole["rejected"])):
        if counts:
            console.print(
                f"{title}: " + ", ".join(f"{count:,} {name}" for name, count in counts.items()), soft_wrap=True
            )
    for one in summaries:
        if one.rejected:
            console.print(
                f"{one.name}: refused events are kept in {one.name}.rejected.jsonl beside the state, with reasons"
            )
        if one.stopped:
            console.print(f"{one.name}: stopped: {one.stopped}", style="red", markup=False, soft_wrap=True)
    _print_remarks(console, [remark for one in summaries for remark in one.remarks])


def _print_remarks(console: Console, remarks: list[str]) -> None:
    for remark in remarks[:_SHOWN_REMARKS]:
        console.print(remark, style="yellow", markup=False, soft_wrap=True)
    if len(remarks) > _SHOWN_REMARKS:
        console.print(f"… and {len(remarks) - _SHOWN_REMARKS:,} more; --format json lists them", style="yellow")
