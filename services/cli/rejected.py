"""``tiendo rejected``: what was refused, why, and sending it again once the cause is mended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress

from schemas.reasons import Reason
from services.cli.operations import Operations, open_operations
from services.cli.output import Format, console, counted, print_csv, print_json, table
from services.core.errors import Rejected
from services.infra.clickhouse.client import open_clickhouse
from services.infra.rejected import RefusedEvent, RejectedReader, Wanted
from services.infra.settings import SharedSettings

_AT_ONCE: Final = 50  # the gateway takes no more in one request
_PARTLY: Final = 1  # exit code: something is still refused
_FIELDS: Final = (
    "rejection", "source", "reason", "detail", "pointer", "place", "type", "event_id", "first", "last", "replayed",
)  # fmt: skip
_REPLAY_FIELDS: Final = ("rejection", "outcome", "accepted", "reasons")

rejected_app = typer.Typer(name="rejected", no_args_is_help=True, help="Refused events: list, show, send again.")
err = Console(stderr=True, highlight=False)

Source = Annotated[str, typer.Option("--source", help="Only of this source.")]
Because = Annotated[Reason | None, typer.Option("--reason", help="Only those refused for this reason.")]
Kind = Annotated[str, typer.Option("--type", help="Only of this type, such as mail.used.")]
Since = Annotated[
    datetime | None, typer.Option("--since", formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"], help="Refused then or later.")
]
Url = Annotated[str, typer.Option("--gateway", envvar="TIENDO_GATEWAY", help="The gateway's address.")]
Token = Annotated[
    str, typer.Option(envvar="TIENDO_OPERATIONS_TOKEN", show_envvar=True, help="Better in the variable than here.")
]
TokenFile = Annotated[Path | None, typer.Option(help="A file with operations' token, in place of the variable.")]
Form = Annotated[Format, typer.Option("--format", help="table, json or csv.")]


@rejected_app.command("list")
def list_rejected(
    source: Source = "",
    reason: Because = None,
    kind: Kind = "",
    since: Since = None,
    only_open: Annotated[bool, typer.Option("--open", help="Only those not taken since.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="So many are listed; the counts are of all.")] = 20,
    form: Form = Format.TABLE,
) -> None:
    """Count what was refused by source, reason and type, and list the latest.

    Example: tiendo rejected list --source /office/so-y-te --reason unknown-agency --since 2008-09-01
    """
    settings = SharedSettings()
    zone = ZoneInfo(settings.zone)
    wanted = _wanted(source, reason, kind, since, zone, only_open=only_open)
    with open_clickhouse(settings.clickhouse()) as database:
        reader = RejectedReader(database)
        counts, found = reader.counted(wanted), reader.listed(wanted, limit=limit)
    records = [{name: asdict(one)[name] for name in _FIELDS} for one in found]
    if form is Format.JSON:
        print_json({"counts": counts, "rejected": records})
    elif form is Format.CSV:
        print_csv(_FIELDS, records)
    elif not counts:
        console().print("nothing was refused that fits")
    else:
        _print_counts(counts, zone)
        _print_list(found, sum(one["refused"] for one in counts), zone)


@rejected_app.command("show")
def show(
    rejection: Annotated[str, typer.Argument(help="As `tiendo rejected list` names it.")],
    gateway: Url = "http://127.0.0.1:8080",
    token: Token = "",
    token_file: TokenFile = None,
) -> None:
    """Print one refused event as it was sent: the gateway opens it for operations alone.

    It may hold names and addresses. They stand on this terminal then, and nowhere else.

    Example: tiendo rejected show k1:0f8e4c… --token-file .data/secrets/operations
    """
    with open_operations(gateway, token, token_file) as operations:
        print_json(operations.show(rejection))


@rejected_app.command("replay")
def replay(
    source: Source = "",
    reason: Because = None,
    kind: Kind = "",
    since: Since = None,
    ids: Annotated[list[str] | None, typer.Option("--id", help="This one; may be repeated.")] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="All that stand, whatever their source and reason.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would become of them, and change nothing.")
    ] = False,
    gateway: Url = "http://127.0.0.1:8080",
    token: Token = "",
    token_file: TokenFile = None,
    form: Form = Format.TABLE,
) -> None:
    """Send refused events again, as if their sources did so now. What was taken already is left out.

    Each keeps its own id and time, so that facts and figures are those of an event that had been right at once. Exit code
    1 where something is still refused.

    Example: tiendo rejected replay --source /office/so-y-te --reason unknown-agency --dry-run
    """
    settings = SharedSettings()
    if not (source or reason or kind or since or ids or everything):
        raise Rejected("say which: --source, --reason, --type, --since, --id, or --all")
    wanted = _wanted(source, reason, kind, since, ZoneInfo(settings.zone), only_open=True, ids=ids or ())
    if ids and not (source or reason or kind or since):
        names = list(dict.fromkeys(ids))  # the gateway answers about each, known or not
    else:
        with open_clickhouse(settings.clickhouse()) as database:
            names = RejectedReader(database).names(wanted)
    with open_operations(gateway, token, token_file) as operations:
        answers = _replayed(operations, names, dry_run=dry_run)
    if form is Format.JSON:
        print_json({"dry_run": dry_run, "replayed": answers})
    elif form is Format.CSV:
        print_csv(_REPLAY_FIELDS, [one | {"reasons": sorted(_reasons(one))} for one in answers])
    else:
        _print_replay(answers, dry_run=dry_run)
    if any(one["outcome"] != "accepted" for one in answers):
        raise typer.Exit(_PARTLY)


def _wanted(
    source: str,
    reason: Reason | None,
    kind: str,
    since: datetime | None,
    zone: ZoneInfo,
    *,
    only_open: bool,
    ids: Sequence[str] = (),
) -> Wanted:
    return Wanted(
        source=source,
        reason=reason or "",
        type=kind,
        since=since.replace(tzinfo=zone) if since else None,
        rejections=tuple(ids),
        only_open=only_open,
    )


def _replayed(operations: Operations, names: Sequence[str], *, dry_run: bool) -> list[dict[str, Any]]:
    answers: list[dict[str, Any]] = []
    with Progress(console=err, transient=True, disable=not err.is_terminal) as progress:
        task = progress.add_task("replaying", total=len(names))
        for start in range(0, len(names), _AT_ONCE):
            part = names[start : start + _AT_ONCE]
            answers += operations.replay(part, dry_run=dry_run)
            progress.advance(task, len(part))
    return answers


def _reasons(answer: Mapping[str, Any]) -> Counter[str]:
    return Counter(one["reason"] for one in answer["refused"])


def _print_counts(counts: Sequence[Mapping[str, Any]], zone: ZoneInfo) -> None:
    numbers = ("refused", "open")
    shown = table("Refused events", ("source", "reason", "type", *numbers, "first", "last"), right=numbers)
    for one in counts:
        source = one["source"] or "(read by the aggregator)"
        shown.add_row(
            escape(source), one["reason"], one["type"], f"{one['refused']:,}", f"{one['open']:,}",
            _moment(one["first"], zone), _moment(one["last"], zone),
        )  # fmt: skip
    console().print(shown)


def _print_list(found: Sequence[RefusedEvent], total: int, zone: ZoneInfo) -> None:
    columns = ("id", "reason", "type", "detail", "refused", "replayed at")
    title = "The latest" if len(found) == total else f"The latest {len(found):,} of {total:,}"
    shown = table(title, columns, fixed=("id", "reason", "refused", "replayed at"))
    for one in found:
        detail = f"{one.pointer} {one.detail}".strip()
        replayed = _moment(one.replayed, zone) if one.replayed else ""
        shown.add_row(one.rejection, one.reason, one.type, escape(detail), _moment(one.last, zone), replayed)
    console().print(shown)


def _print_replay(answers: Sequence[Mapping[str, Any]], *, dry_run: bool) -> None:
    out = console()
    outcomes = Counter(one["outcome"] for one in answers)
    events = sum(one["accepted"] for one in answers)
    verb = "would be taken" if dry_run else "was taken" if events == 1 else "were taken"
    out.print(
        f"{counted(len(answers), 'refused input', 'refused inputs')}; {counted(events, 'event', 'events')} {verb}"
    )
    for outcome, count in outcomes.most_common():
        out.print(f"  {count:,} {outcome}")
    for one in [one for one in answers if one["outcome"] != "accepted"][:20]:
        why = "; ".join(f"{each['reason']} {each['pointer']} {each['detail']}" for each in one["refused"][:3])
        if one["outcome"] == "unknown":
            why = "there is no such refusal; `tiendo rejected list` names them"
        out.print(f"  {one['rejection']} {one['outcome']} {why}", markup=False, soft_wrap=True)


def _moment(moment: datetime, zone: ZoneInfo) -> str:
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M:%S}"
