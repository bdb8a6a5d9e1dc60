"""``tiendo feeds`` and ``tiendo conflicts``: what the sources send, what is missing, what contradicts itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import typer
from rich.markup import escape

from schemas.revisions import DirectoryRevision
from services.cli.asked import over
from services.cli.output import Format, console, counted, print_csv, print_json, table
from services.core.errors import Rejected
from services.core.feed_accounts import FeedAccount, accounts_of, spans
from services.core.in_force import directory_in_force, plan_in_force
from services.core.schedule.coverage import FeedState
from services.infra.archive_reader import ArchiveReader
from services.infra.clickhouse.client import ClickHouse, open_clickhouse
from services.infra.clock import last_complete_day, open_clock
from services.infra.plan_reader import PlanReader
from services.infra.settings import SharedSettings

#: The fields of a feed, the same in JSON and CSV. ``completeness`` is a fraction of 1, null where nothing was reported.
FIELDS: Final = (
    "directory", "feed", "source", "types", "day", "state", "covered", "silent_since", "completeness", "reported",
    "counted", "unreported", "incomplete", "conflicts", "last_received", "owner_role",
)  # fmt: skip
_CONFLICT_FIELDS: Final = ("source", "id", "payload_hash", "type", "agency", "time", "received", "wins")
_STYLES: Final[Mapping[FeedState, str]] = {
    FeedState.NEVER_CONNECTED: "dim",
    FeedState.SILENT: "red",
    FeedState.PARTIAL: "yellow",
    FeedState.REPORTING: "green",
}
_GAPS_SHOWN: Final = 4
_REPORTS: Final = "feed.reported"  # what a feed says about its days arrives too


def feeds(
    plan: str | None = typer.Option(None, "--plan", help="Only the feeds of this plan's directory."),
    as_of: datetime | None = typer.Option(
        None,
        "--as-of",
        formats=["%Y-%m-%d"],
        metavar="YYYY-MM-DD",
        help="The day asked about; the last one judged, unless given.",
    ),
    form: Format = typer.Option(Format.TABLE, "--format", help="table, json or csv."),
) -> None:
    """Print the feeds: alive or silent, how far they reach, how complete they are, and which days are missing.

    Example: tiendo feeds --plan thai-nguyen-2008 --as-of 2008-09-30
    """
    settings = SharedSettings()
    zone = ZoneInfo(settings.zone)
    with open_clickhouse(settings.clickhouse()) as database:
        reader = PlanReader(database)
        day = over(as_of.date(), settings.zone) if as_of else _last_judged(reader, plan, settings.zone)
        directories = [directory_in_force(reader.directories(one), day) for one in _directories(reader, plan, day)]
        records = [
            record for one in directories if one is not None for record in _records(reader, database, one, day, zone)
        ]
    if form is Format.JSON:
        print_json(records)
    elif form is Format.CSV:
        print_csv(FIELDS, records)
    else:
        _print(records, day)


def conflicts(
    source: str = typer.Option("", "--source", help="Only of this source."),
    limit: int = typer.Option(200, min=1, max=100_000, help="So many ids at most."),
    form: Format = typer.Option(Format.TABLE, "--format", help="table, json or csv."),
) -> None:
    """Print the events that came under one id with several payloads, and which of them counts.

    A correction carries an id of its own; the same id with another payload is a fault of the source. The later `time`
    wins, on equal times the greater hash.

    Example: tiendo conflicts --source /office/so-y-te --format csv
    """
    settings = SharedSettings()
    zone = ZoneInfo(settings.zone)
    with open_clickhouse(settings.clickhouse()) as database:
        found = ArchiveReader(database).conflicts(source, limit=limit)
    if form is Format.JSON:
        print_json([asdict(one) for one in found])
    elif form is Format.CSV:
        print_csv(_CONFLICT_FIELDS, [asdict(one) for one in found])
    elif not found:
        console().print("no conflicts")
    else:
        shown = table(
            f"{counted(sum(one.wins for one in found), 'id', 'ids')} with several payloads",
            ("source", "id", "type", "payload", "time", "received", "counts"),
            fixed=("payload", "time", "received"),
        )
        for one in found:
            same = not one.wins
            shown.add_row(
                "" if same else escape(one.source),
                "" if same else escape(one.id),
                one.type,
                one.payload_hash,
                f"{one.time.astimezone(zone):%Y-%m-%d %H:%M:%S}",
                f"{one.received.astimezone(zone):%Y-%m-%d %H:%M:%S}",
                "yes" if one.wins else "no",
            )
        console().print(shown)


def _last_judged(reader: PlanReader, plan: str | None, zone: str) -> date:
    """Return the last day that the plan, or any plan, was judged for; before that the last complete one."""
    evaluations = [reader.last_evaluation(one) for one in ([plan] if plan else reader.plan_ids())]
    days = [one.day for one in evaluations if one is not None]
    return max(days) if days else last_complete_day(open_clock()(), zone)


def _directories(reader: PlanReader, plan: str | None, day: date) -> list[str]:
    if plan is None:
        return reader.directory_ids()
    revisions = reader.plans(plan)
    in_force = plan_in_force(revisions, day) or (revisions[0] if revisions else None)
    if in_force is None:
        raise Rejected(f"there is no plan {plan}; published are: {', '.join(reader.plan_ids()) or 'none'}")
    return [in_force.document.directory]


def _records(
    reader: PlanReader, database: ClickHouse, revision: DirectoryRevision, day: date, zone: ZoneInfo
) -> list[dict[str, Any]]:
    directory = revision.document
    sources = {feed.source for feed in directory.feeds}
    if not sources:
        return []
    archive = ArchiveReader(database)
    received, conflicting = archive.last_received(sources), archive.conflict_counts(sources)
    return [
        {"directory": directory.directory, "day": day} | _record(account, received, conflicting, zone)
        for account in accounts_of(directory, reader.feed_days(sources, day), day)
    ]


def _record(
    account: FeedAccount,
    received: Mapping[tuple[str, str], datetime],
    conflicting: Mapping[tuple[str, str], int],
    zone: ZoneInfo,
) -> dict[str, Any]:
    feed = account.feed
    moments = [received[feed.source, name] for name in (*feed.types, _REPORTS) if (feed.source, name) in received]
    completeness = account.completeness
    return {
        "feed": feed.id,
        "source": feed.source,
        "types": list(feed.types),
        "state": account.state,
        "covered": account.covered,
        "silent_since": account.silent_since,
        "completeness": None if completeness is None else float(completeness),
        "reported": account.reported,
        "counted": account.counted,
        "unreported": [list(one) for one in account.unreported],
        "incomplete": [list(one) for one in account.incomplete],
        "conflicts": sum(conflicting.get((feed.source, name), 0) for name in feed.types),
        "last_received": max(moments).astimezone(zone) if moments else None,
        "owner_role": feed.owner.role,
    }


def _print(records: Sequence[Mapping[str, Any]], day: date) -> None:
    if not records:
        console().print("no feeds are declared in the directories published")
        return
    numbers = ("complete", "conflicts")
    columns = ("feed", "state", "covered", "silent since", *numbers, "gaps", "last received", "owner")
    shown = table(
        f"Feeds on {day}", columns, right=numbers, fixed=("state", "covered", "silent since", "last received")
    )
    for one in records:
        received = one["last_received"]
        shown.add_row(
            escape(one["feed"]),
            f"[{_STYLES[one['state']]}]{one['state']}[/]",
            str(one["covered"] or "never"),
            str(one["silent_since"] or ""),
            _percent(one["completeness"]),
            str(one["conflicts"] or ""),
            _gaps(one),
            f"{received:%Y-%m-%d %H:%M}" if received else "never",
            one["owner_role"],
        )
    console().print(shown)
    states = [one["state"] for one in records]
    console().print("   ".join(f"{state}: {states.count(state)}" for state in FeedState if state in states))


def _percent(completeness: float | None) -> str:
    """Return a share rounded down: 100 % means that nothing is missing."""
    return "" if completeness is None else f"{int(completeness * 1000 + 1e-9) / 10:.1f} %"


def _gaps(record: Mapping[str, Any]) -> str:
    lines = []
    for name in record["types"]:
        days = spans(day for kind, day in record["unreported"] if kind == name)
        lines += [f"{name} {first}{'' if first == last else f' … {last}'}: not reported" for first, last in days]
        lines += [
            f"{name} {day}: {counted:,} of {reported:,}"
            for kind, day, reported, counted in record["incomplete"]
            if kind == name
        ]
    more = len(lines) - _GAPS_SHOWN
    return "\n".join(lines[:_GAPS_SHOWN] + ([f"and {more} more"] if more > 0 else []))
