"""``tiendo scorecard``: how one source does, as its integrator sees it at the gateway."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from zoneinfo import ZoneInfo

import typer
from rich.markup import escape

from services.cli.asked import over
from services.cli.documents import Format
from services.cli.output import as_value, console, print_json, table
from services.infra.clickhouse.client import open_clickhouse
from services.infra.clock import last_complete_day, open_clock
from services.infra.scorecard import Scorecard, read_scorecard
from services.infra.settings import SharedSettings


def scorecard(
    source: str = typer.Argument(..., metavar="SOURCE", help="The source's id, such as /office/so-y-te."),
    as_of: datetime | None = typer.Option(
        None, "--as-of", formats=["%Y-%m-%d"], metavar="YYYY-MM-DD", help="The day asked about; the last complete one."
    ),
    form: Format = typer.Option(Format.TABLE, "--format", help="table or json."),
) -> None:
    """Print how a source does: its feeds, delays and clock per type, conflicts, and what was refused by reason.

    Example: tiendo scorecard /office/so-y-te --format json
    """
    settings = SharedSettings()
    now = open_clock()()
    day = over(as_of.date(), settings.zone) if as_of else last_complete_day(now, settings.zone)
    with open_clickhouse(settings.clickhouse()) as database:
        found = read_scorecard(database, source, day, now)
    if form is Format.JSON:
        feeds = [{"feed": one.feed.id} | {k: v for k, v in asdict(one).items() if k != "feed"} for one in found.feeds]
        print_json(as_value(asdict(found) | {"feeds": feeds}))
    else:
        _print(found, ZoneInfo(settings.zone))


def _print(found: Scorecard, zone: ZoneInfo) -> None:
    out = console()
    if not (found.feeds or found.arrivals or found.refusals):
        out.print(f"nothing is known of {found.source}; its id stands in `tiendo source list`", markup=False)
        return
    feeds = table(f"{found.source} on {found.day}", ("feed", "state", "covered", "reported", "counted", "gaps"))
    for one in found.feeds:
        gaps = len(one.unreported) + len(one.incomplete)
        feeds.add_row(
            escape(one.feed.id),
            one.state,
            str(one.covered or "never"),
            f"{one.reported:,}",
            f"{one.counted:,}",
            f"{gaps}",
        )
    out.print(feeds)
    arrivals = table(
        "received in the last 28 days",
        ("type", "events", "last", "delay, median", "delay, 95 %", "clock ahead", "conflicts"),
    )
    for kind in found.arrivals:
        arrivals.add_row(
            kind.type, f"{kind.events:,}", f"{kind.last_received.astimezone(zone):%Y-%m-%d %H:%M}", _span(kind.delay_median),
            _span(kind.delay_p95), f"{kind.ahead:,}", f"{kind.conflicts:,}",
        )  # fmt: skip
    out.print(arrivals)
    refusals = table("refused", ("reason", "type", "refused", "still standing", "last"))
    for row in found.refusals:
        last = f"{row.last.astimezone(zone):%Y-%m-%d %H:%M}"
        refusals.add_row(row.reason, row.type, f"{row.refused:,}", f"{row.open:,}", last)
    out.print(refusals)


def _span(seconds: float) -> str:
    if abs(seconds) < 120:
        return f"{seconds:.1f} s"
    return f"{seconds / 3600:.1f} h" if abs(seconds) < 172_800 else f"{seconds / 86_400:.1f} d"
