"""``tiendo rebuild``: the derived tables anew from the log, compared with the running ones, then swapped."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from services.infra.clock import open_clock
from services.infra.settings import SharedSettings, read_settings

if TYPE_CHECKING:
    from services.aggregator.rebuild_task import Report, Tell

err = Console(stderr=True, highlight=False)


class Source(StrEnum):
    """What the tables are made from."""

    ARCHIVE = "archive"
    KAFKA = "kafka"


class Format(StrEnum):
    """How the outcome is printed."""

    TABLE = "table"
    JSON = "json"


def rebuild(
    source: Source = typer.Option(
        Source.ARCHIVE, "--from", help="`archive`: the events as stored; `kafka`: the topic of events."
    ),
    tables: str = typer.Option("", "--tables", help="Only these derived tables, separated by commas."),
    dry_run: bool = typer.Option(
        False, "--dry-run", help="Make and compare, swap nothing; a later run goes on from it."
    ),
    accept: bool = typer.Option(False, "--accept-differences", help="Swap although old and new tables differ."),
    abandon: bool = typer.Option(False, "--abandon", help="Drop what an interrupted rebuild has made, and end."),
    form: Format = typer.Option(Format.TABLE, "--format", help="table or json."),
) -> None:
    """Make the derived tables anew beside the running ones, compare, swap. Interrupted, it goes on when run again.

    Ends with 3 where old and new differ and nothing was swapped. Workers may go on meanwhile.

    Example: tiendo rebuild --dry-run
    """
    from services.aggregator.rebuild import abandon as drop_it
    from services.aggregator.rebuild import rebuild as run
    from services.aggregator.rebuild_task import Task

    settings = read_settings(SharedSettings)
    if abandon:
        err.print("dropped" if drop_it(settings.clickhouse()) else "no rebuild is under way")
        return
    task = Task(
        clickhouse=settings.clickhouse(),
        kafka=settings.kafka(),
        zone=settings.zone,
        source=source.value,
        tables=tuple(name.strip() for name in tables.split(",") if name.strip()),
        dry_run=dry_run,
        accept_differences=accept,
    )
    try:
        with _progress() as tell:
            report = run(task, open_clock(), tell)
    except KeyboardInterrupt:
        err.print("interrupted; run the same command again and it goes on, or `tiendo rebuild --abandon`")
        raise typer.Exit(130) from None
    if form is Format.JSON:
        sys.stdout.write(json.dumps(as_record(report), ensure_ascii=False, indent=2) + "\n")
    else:
        _print(report)
    if report.differences and not report.swapped:
        raise typer.Exit(3)


def as_record(report: Report) -> dict[str, Any]:
    """Return *report* as JSON values."""
    record = asdict(report)
    record["tables"] = [
        {"table": one.table, "running": one.running, "rebuilt": one.rebuilt, "equal": one.difference is None}
        for one in report.tables
    ]
    record["differences"] = [one._asdict() for one in report.differences]
    return record


@contextmanager
def _progress() -> Iterator[Tell]:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=err, refresh_per_second=4) as bar:
        line = bar.add_task("starting", total=None, rate="")

        def tell(stage: str, done: int, total: int) -> None:
            speed = bar.tasks[0].speed
            bar.update(
                line, description=stage, completed=done, total=total or None,
                rate=f"{speed:,.0f} events/s" if speed and stage == "reading" else "",
            )  # fmt: skip

        yield tell


def _print(report: Report) -> None:
    out = Console(highlight=False)
    table = Table(box=None, pad_edge=False)
    for heading in ("table", "rows now", "rebuilt", ""):
        table.add_column(heading, justify="left" if heading in ("table", "") else "right")
    for one in report.tables:
        mark = "[green]equal[/]" if one.difference is None else "[red]differs[/]"
        table.add_row(one.table, f"{one.running:,}", f"{one.rebuilt:,}", mark)
    if report.tables:
        out.print(table)
    for difference in report.differences:
        out.print(
            f"[red]{difference.table}[/]: {difference.missing:,} missing, {difference.surplus:,} surplus, "
            f"{difference.different:,} different"
        )
        for example in difference.examples:
            out.print(f"   {example}", markup=False)
    if not report.figures_compared and report.tables:
        out.print("figures were not compared: the worker is on its way to new facts")
    if report.swapped:
        out.print(f"swapped; {report.events:,} events read, {report.figures_changed:,} figures changed")
    elif report.differences:
        out.print("nothing was swapped; `tiendo rebuild --accept-differences` swaps, `--abandon` drops")
    else:
        out.print("nothing was swapped; `tiendo rebuild` goes on and swaps, `--abandon` drops")
