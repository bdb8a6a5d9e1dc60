"""``tiendo warnings``: which warnings there are, and who was told."""

from __future__ import annotations

import csv
import json
import sys
from dataclasses import asdict, dataclass
from datetime import date, datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.table import Table

from schemas.warnings import WARNING_RECORD, Notice, Transition
from services.cli.standing import WIDTH
from services.core.earned import whole_days
from services.core.errors import Rejected
from services.core.warning_records import NoticeState, fold, fold_notices
from services.infra.clickhouse.client import ClickHouse, open_clickhouse
from services.infra.settings import SharedSettings

warnings_app = typer.Typer(name="warnings", no_args_is_help=True, help="Warnings and the notices sent about them.")


class Format(StrEnum):
    """How figures are printed."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


@dataclass(frozen=True, kw_only=True)
class Told:
    """A notice about a warning."""

    recipient: str
    state: str
    at: str
    detail: str
    id: str


@dataclass(frozen=True, kw_only=True)
class Listed:
    """A warning as it is printed. ``days_behind`` is that of the day last judged; null for feeds."""

    plan: str
    agency: str
    cause: str
    state: str
    reason: str
    since: date
    day: date
    days_behind: float | None
    notices: tuple[Told, ...]


@warnings_app.callback()
def _group() -> None:
    """Warnings and the notices sent about them."""


@warnings_app.command("list")
def list_warnings(
    plan: str | None = typer.Option(None, help="Only warnings of this plan."),
    format: Format = typer.Option(Format.TABLE, help="table, json or csv."),
) -> None:
    """List all warnings: open ones first, the longest behind first, with the notices sent about them.

    Example: tiendo warnings list --plan thai-nguyen-2008 --format csv
    """
    settings = SharedSettings()
    with open_clickhouse(settings.clickhouse()) as database:
        listed = read(database, plan)
    zone = ZoneInfo(settings.zone)
    match format:
        case Format.JSON:
            print(json.dumps([asdict(one) for one in listed], ensure_ascii=False, indent=2, default=str))
        case Format.CSV:
            _print_csv(listed)
        case Format.TABLE:
            _print_table(listed, zone)


def read(database: ClickHouse, plan: str | None) -> list[Listed]:
    """Return the warnings of *plan* (None: of all). Raises Rejected for a plan that was never published."""
    plans = [row[0] for row in database.rows("SELECT DISTINCT id FROM plan_revisions WHERE kind = 'plan' ORDER BY id")]
    if plan is not None and plan not in plans:
        raise Rejected(f"there is no plan {plan}; published are: {', '.join(plans) or 'none'}")
    where = {"plans": tuple([plan] if plan is not None else plans) or ("",)}
    records = [
        WARNING_RECORD.validate_json(row[0])
        for table in ("warnings", "notices")
        for row in database.rows(f"SELECT record FROM {table} FINAL WHERE plan IN %(plans)s", where)  # noqa: S608 -- two names of ours
    ]
    transitions = [one for one in records if isinstance(one, Transition)]
    notices = fold_notices(one for one in records if isinstance(one, Notice))
    days = _days_behind(database, where)
    listed: list[Listed] = []
    for name in where["plans"]:
        mine = [one for one in transitions if one.plan == name]
        for (agency, cause), last in fold(mine).items():
            about = {one.id for one in mine if (one.agency, one.cause) == (agency, cause)}
            listed.append(
                Listed(
                    plan=name,
                    agency=agency,
                    cause=cause,
                    state=last.state.value,
                    reason=last.reason.value,
                    since=last.since,
                    day=last.day,
                    days_behind=days.get((name, cause.removeprefix("lag:"), agency)),
                    notices=_told(about, list(notices.values())),
                )
            )
    listed.sort(key=lambda one: (one.plan, one.state != "open", -(one.days_behind or 0.0), one.agency, one.cause))
    return listed


def _days_behind(database: ClickHouse, where: dict[str, tuple[str, ...]]) -> dict[tuple[str, str, str], float]:
    rows = database.rows(
        "SELECT plan, indicator, agency, argMax(days_behind, (day, basis)) FROM standing "
        "WHERE plan IN %(plans)s AND days_behind IS NOT NULL GROUP BY plan, indicator, agency",
        where,
    )
    return {(plan, indicator, agency): days for plan, indicator, agency, days in rows}


def _told(transitions: set[str], notices: list[NoticeState]) -> tuple[Told, ...]:
    mine = [one for one in notices if transitions & set(one.notice.transitions)]
    mine.sort(key=lambda one: (one.notice.at, one.notice.recipient))
    return tuple(
        Told(
            recipient=one.notice.recipient,
            state=one.state,
            at=one.at.isoformat(),
            detail="" if one.sent else one.fault,
            id=one.notice.id,
        )
        for one in mine
    )


def _print_csv(listed: list[Listed]) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(["plan", "agency", "cause", "state", "reason", "since", "day", "days_behind", "notices"])
    for one in listed:
        told = "; ".join(f"{each.recipient} {each.state} {each.at}" for each in one.notices)
        days = "" if one.days_behind is None else f"{one.days_behind:.6g}"
        writer.writerow([one.plan, one.agency, one.cause, one.state, one.reason, one.since, one.day, days, told])


def _print_table(listed: list[Listed], zone: ZoneInfo) -> None:
    console = Console(highlight=False) if sys.stdout.isatty() else Console(highlight=False, width=WIDTH)
    if not listed:
        console.print("no warnings")
        return
    table = Table(title=f"{sum(one.state == 'open' for one in listed)} open warnings", title_justify="left")
    for name in ("state", "agency", "cause", "since"):
        table.add_column(name, no_wrap=name in ("state", "since"), overflow="fold")
    table.add_column("days behind", justify="right")
    table.add_column("told", overflow="fold")
    for one in listed:
        told = [
            f"{each.recipient} {each.state} {datetime.fromisoformat(each.at).astimezone(zone):%Y-%m-%d %H:%M}"
            + (f" ({each.detail})" if each.detail else "")
            for each in one.notices
        ]
        table.add_row(
            one.state,
            one.agency,
            one.cause,
            one.since.isoformat(),
            "" if one.days_behind is None or not is_lag(one) else str(max(0, whole_days(one.days_behind))),
            "\n".join(told),
        )
    console.print(table)


def is_lag(one: Listed) -> bool:
    """Return whether *one* warns of a lag, not of a feed."""
    return one.cause.startswith("lag:")
