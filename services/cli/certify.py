"""``tiendo certify``: is an integration fit to go live, as a list and as a report to hand in."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from pathlib import Path

import typer
from rich.markup import escape

from services.cli.asked import over
from services.cli.documents import Format
from services.cli.output import console, print_json, table
from services.core.certification import Check, Verdict, certify, fit
from services.infra.certification import measure
from services.infra.clickhouse.client import open_clickhouse
from services.infra.clock import last_complete_day, open_clock
from services.infra.settings import SharedSettings

_STYLES = {Verdict.PASSED: "green", Verdict.FAILED: "red", Verdict.NOT_SHOWN: "yellow"}


def certify_source(
    source: str = typer.Option(..., "--source", help="The source's id, such as /office/so-y-te."),
    as_of: datetime | None = typer.Option(
        None, "--as-of", formats=["%Y-%m-%d"], metavar="YYYY-MM-DD", help="The day asked about; the last complete one."
    ),
    report: Path | None = typer.Option(None, "--report", help="Write the list as Markdown into this file, to hand in."),
    form: Format = typer.Option(Format.TABLE, "--format", help="table or json."),
) -> None:
    """Check what a source has sent in four weeks: envelope, identity, time, replays, corrections, heartbeat, volume.

    Ends with 1 where something failed or has not been shown yet.

    Example: tiendo certify --source /office/so-y-te --report so-y-te.md
    """
    settings = SharedSettings()
    now = open_clock()()
    day = over(as_of.date(), settings.zone) if as_of else last_complete_day(now, settings.zone)
    with open_clickhouse(settings.clickhouse()) as database:
        checks = certify(measure(database, source, day, now, settings.zone))
    if report is not None:
        report.write_text(_markdown(source, f"{day}", f"{now:%Y-%m-%d %H:%M} UTC", checks), encoding="utf-8")
    if form is Format.JSON:
        print_json(
            {"source": source, "day": day.isoformat(), "fit": fit(checks), "checks": [asdict(c) for c in checks]}
        )
    else:
        _print(source, f"{day}", checks)
    if not fit(checks):
        raise typer.Exit(1)


def _print(source: str, day: str, checks: tuple[Check, ...]) -> None:
    shown = table(f"{source} on {day}", ("check", "verdict", "found", "what to do"), fixed=("check", "verdict"))
    for one in checks:
        shown.add_row(one.name, f"[{_STYLES[one.verdict]}]{one.verdict}[/]", escape(one.said), escape(one.todo))
    console().print(shown)
    console().print("fit to go live" if fit(checks) else "not fit to go live yet")


def _markdown(source: str, day: str, made: str, checks: tuple[Check, ...]) -> str:
    lines = [
        f"# Certification of {source}", "", f"As of {day}, made {made}, over four weeks of receipt.", "",
        f"**{'Fit' if fit(checks) else 'Not fit yet'} to go live.**", "", "| check | verdict | found | what to do |",
        "| --- | --- | --- | --- |",
    ]  # fmt: skip
    lines += [f"| {one.name} | {one.verdict} | {one.said} | {one.todo} |".replace("  |", " |") for one in checks]
    return "\n".join(lines) + "\n"
