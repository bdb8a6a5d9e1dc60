"""``tiendo source``: who may send, with which token, how much; tokens issued, rotated and withdrawn."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import typer
from pydantic import ValidationError

from schemas.directory import Selector
from schemas.revisions import SourcesRevision
from schemas.sources import Limits, Source, Sources
from services.cli.documents import err, out
from services.cli.output import Format, console, print_csv, print_json, table
from services.core.errors import Rejected, Transient
from services.core.tokens import entered, fingerprint, issued, source_in, valid, withdrawn
from services.infra.clock import open_clock
from services.infra.publishing import Published, latest_sources, publish, read_revisions
from services.infra.settings import SharedSettings

source_app = typer.Typer(
    name="source",
    no_args_is_help=True,
    help="One source: its token, its permissions, its limits; takes effect at once.",
)

_ID = typer.Argument(..., metavar="SOURCE", help="The source's id, such as /office/so-y-te.")
_LIST = typer.Option(None, "--list", help="The list of sources, where several are published.")
_FORMAT = typer.Option(Format.TABLE, "--format", help="table, json or csv.")
_TO = typer.Option(
    None, "--to", help="Write the token into this new file (mode 600) instead of printing it.", dir_okay=False
)
_COLUMNS = (
    "source",
    "token",
    "valid",
    "until",
    "types",
    "agencies",
    "events_per_second",
    "burst",
    "events_per_day",
    "sandbox",
)
_SPAN = re.compile(r"(\d+)([dhm])")
_UNITS = {"d": "days", "h": "hours", "m": "minutes"}
_ATTEMPTS = 3


def _span(text: str) -> timedelta:
    found = _SPAN.fullmatch(text)
    if found is None:
        raise typer.BadParameter("write a span as 7d, 12h or 30m")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


@source_app.command("list")
def list_sources(name: str | None = _LIST, form: Format = _FORMAT) -> None:
    """List every source with its tokens (by the first digits of their hashes), permissions and limits.

    Example: tiendo source list --format csv
    """
    now = open_clock()()
    _print([row for one in _latest(name).document.entries for row in _rows(one, now)], form)


@source_app.command()
def show(id: str = _ID, name: str | None = _LIST, form: Format = _FORMAT) -> None:
    """Show one source.

    Example: tiendo source show /office/so-y-te
    """
    _print(_rows(_told(lambda: source_in(_latest(name, id).document, id)), open_clock()()), form)


@source_app.command()
def add(
    id: str = _ID,
    types: list[str] = typer.Option(..., "--type", help="A short event type that it may state; repeat for more."),
    agencies: list[str] = typer.Option([], "--agency", help="An agency that it may state them for; repeat for more."),
    groups: list[str] = typer.Option([], "--group", help="A group of agencies; repeat for more."),
    rate: int | None = typer.Option(None, "--events-per-second", min=1, help="Events per second on average."),
    daily: int | None = typer.Option(None, "--events-per-day", min=1, help="Events per civil day."),
    sandbox: bool = typer.Option(False, "--sandbox", help="For trying out: treated in full, counted nowhere."),
    to: Path | None = _TO,
    name: str | None = _LIST,
) -> None:
    """Enter a source and issue its token.

    Example: tiendo source add /office/so-y-te --type document.handled --agency so-y-te --to so-y-te.token
    """
    try:
        selector = Selector(agencies=tuple(agencies), groups=tuple(groups))
        limits = Limits(events_per_second=rate, events_per_day=daily)
        entry = Source(id=id, types=tuple(types), agencies=selector, limits=limits, sandbox=sandbox)
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        err.print(f"{'.'.join(map(str, fault['loc'])) or 'the source'}: {fault['msg']}; see --help", markup=False)
        raise typer.Exit(1) from None
    token, digest = _new_token(to)
    _change(name, lambda sources, now: issued(entered(sources, entry), id, digest, now=now))
    _hand_over(token, to, id)


@source_app.command()
def issue(id: str = _ID, to: Path | None = _TO, name: str | None = _LIST) -> None:
    """Issue one more token; those that there are stay valid.

    Example: tiendo source issue /office/so-y-te --to so-y-te.token
    """
    token, digest = _new_token(to)
    _change(name, lambda sources, now: issued(sources, id, digest, now=now), id)
    _hand_over(token, to, id)


@source_app.command()
def rotate(
    id: str = _ID,
    overlap: str = typer.Option("7d", "--overlap", help="How long the old tokens stay valid: 7d, 12h, 30m, 0d."),
    to: Path | None = _TO,
    name: str | None = _LIST,
) -> None:
    """Issue a new token and let the old ones end after a while in which both are valid.

    Example: tiendo source rotate /office/so-y-te --overlap 7d --to so-y-te.token
    """
    span = _span(overlap)
    token, digest = _new_token(to)
    _change(name, lambda sources, now: issued(sources, id, digest, now=now, overlap=span), id)
    _hand_over(token, to, id)
    out.print(f"the old tokens end {'at once' if not span else 'after ' + overlap}", markup=False)


@source_app.command()
def withdraw(
    id: str = _ID,
    token: str | None = typer.Option(
        None, "--token", help="The first digits of its hash, as `list` shows them; else all."
    ),
    name: str | None = _LIST,
) -> None:
    """End a token, or all tokens of a source, at once; who sends with it is answered 401, and operations see it.

    Example: tiendo source withdraw /office/so-y-te --token 5f0a91c2
    """
    _change(name, lambda sources, now: withdrawn(sources, id, token, now=now), id)
    out.print(f"{id}: {'token ' + token if token else 'every token'} has ended", markup=False)


def _change(name: str | None, change: Callable[[Sources, datetime], Sources], id: str | None = None) -> None:
    """Publish the latest list with *change*; once more where somebody else published in the same moment."""
    settings, clock = SharedSettings(), open_clock()

    def once() -> tuple[Sources, Published]:
        wanted = change(_latest(name, id).document, clock())
        return wanted, publish(settings.kafka(), wanted, clock(), replication=settings.kafka_replication)

    for _ in range(_ATTEMPTS):
        wanted, done = _told(once)
        if _latest(wanted.sources).document == wanted:
            news = f"revision {done.revision.revision}" if done.new else "unchanged"
            out.print(f"sources {wanted.sources}: {news}", markup=False)
            return
    err.print("somebody else is changing the list of sources; look with `tiendo source list` and do it again")
    raise typer.Exit(1)


def _latest(name: str | None, id: str | None = None) -> SourcesRevision:
    """Return the latest list *name*; without a name the one that has the source *id*, or the only one there is."""
    settings = SharedSettings()
    try:
        revisions = read_revisions(settings.kafka(), replication=settings.kafka_replication)
    except Transient as error:
        err.print(f"the broker does not answer ({error}); look at TIENDO_KAFKA_BOOTSTRAP", markup=False)
        raise typer.Exit(1) from None
    names = sorted({one.id for one in revisions if isinstance(one, SourcesRevision)})
    lists = [found for each in names if (found := latest_sources(revisions, each)) is not None]
    fitting = [one for one in lists if name in (None, one.id)]
    if name is None and id is not None and len(fitting) > 1:
        fitting = [one for one in fitting if any(entry.id == id for entry in one.document.entries)]
    if len(fitting) != 1:
        known = ", ".join(names) or "none; publish one with `tiendo sources publish`"
        err.print(f"name one list of sources with --list; published are: {known}", markup=False)
        raise typer.Exit(1)
    return fitting[0]


def _told(call: Callable[[], Any]) -> Any:
    try:
        return call()
    except (Rejected, Transient) as error:
        err.print(str(error), markup=False)
        raise typer.Exit(1) from None


def _new_token(to: Path | None) -> tuple[str, str]:
    if to is not None and to.exists():
        err.print(f"{to} is there already; name another file, so that no token is lost", markup=False)
        raise typer.Exit(1)
    token = secrets.token_urlsafe(32)
    if to is not None:
        # Written before it is published: a token that is in force and that nobody has would be of no use.
        with os.fdopen(os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as written:
            written.write(token + "\n")
    return token, hashlib.sha256(token.encode()).hexdigest()


def _hand_over(token: str, to: Path | None, id: str) -> None:
    if to is not None:
        out.print(f"the token of {id} lies in {to}", markup=False)
        return
    err.print(f"the token of {id}, shown this once; keep it where its system reads it:", markup=False)
    print(token)


def _rows(source: Source, now: datetime) -> list[dict[str, Any]]:
    selector = source.agencies
    about = {
        "types": " ".join(source.types),
        "agencies": "all" if selector.all else " ".join((*selector.groups, *selector.agencies)),
        "events_per_second": source.limits.events_per_second,
        "burst": source.limits.burst,
        "events_per_day": source.limits.events_per_day,
        "sandbox": source.sandbox,
    }
    if not source.tokens:
        return [{"source": source.id, "token": None, "valid": False, "until": None} | about]
    return [
        {"source": source.id, "token": fingerprint(token), "valid": valid(token, now), "until": token.until} | about
        for token in source.tokens
    ]


def _print(rows: list[dict[str, Any]], form: Format) -> None:
    match form:
        case Format.JSON:
            print_json([row | {"until": row["until"] and row["until"].isoformat()} for row in rows])
        case Format.CSV:
            print_csv(_COLUMNS, rows)
        case Format.TABLE:
            shown = table("sources", _COLUMNS, right=_COLUMNS[6:9], fixed=("source", "token"))
            for row in rows:
                shown.add_row(*("" if row[name] is None else _said(row[name]) for name in _COLUMNS))
            console().print(shown)


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:%Y-%m-%d %H:%M}" if isinstance(value, datetime) else str(value)
