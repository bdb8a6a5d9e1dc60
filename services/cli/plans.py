"""``tiendo plan``, ``tiendo agencies`` and ``tiendo sources``: documents checked, published, shown, compared."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import typer
from rich.markup import escape

from schemas.directory import Directory
from schemas.plan import Plan
from schemas.revisions import AnyRevision
from schemas.sources import Source, Sources, TokenHash
from services.cli.documents import Format, checked, err, out, print_faults, read_text
from services.cli.flattening import flat
from services.cli.goalposts import moved
from services.cli.output import console, counted, table
from services.cli.plan_calendar import baseline, holidays
from services.cli.preview import preview
from services.core.directory_faults import departures
from services.core.errors import Transient
from services.infra.clock import open_clock
from services.infra.documents import load_directory, load_plan, load_sources, stated
from services.infra.publishing import (
    Published,
    latest_directories,
    latest_directory,
    latest_plan,
    latest_sources,
    publish,
    read_revisions,
)
from services.infra.settings import SharedSettings

plan_app = typer.Typer(name="plan", no_args_is_help=True, help="Plans: check, publish, show, compare.")
agencies_app = typer.Typer(name="agencies", no_args_is_help=True, help="The directory of agencies: check, publish.")
sources_app = typer.Typer(name="sources", no_args_is_help=True, help="Who may send what: check, publish, issue tokens.")

_FILE = typer.Argument(..., help="The document, in YAML.", exists=True, dir_okay=False)
_DIRECTORY = typer.Option(
    None,
    "--directory",
    help="Check against this directory; else `directory.yaml` beside the plan, else the published one.",
    exists=True,
    dir_okay=False,
)
_FORMAT = typer.Option(Format.TABLE, "--format", help="table or json.")


@plan_app.command()
def check(file: Path = _FILE, directory: Path | None = _DIRECTORY, form: Format = _FORMAT) -> None:
    """Name every fault of a plan, with line and column and what was probably meant.

    Example: tiendo plan check examples/thai-nguyen-2008/plan.yaml
    """
    text = read_text(file)
    beside = directory or file.parent / "directory.yaml"
    against = load_directory(read_text(beside)).document if beside.exists() else _published_directory(text)
    if directory is not None and against is None:
        err.print(f"{directory}: has faults of its own; see `tiendo agencies check`", markup=False)
        raise typer.Exit(1)
    if against is None:
        err.print("no directory to check against: groups and agencies go unchecked")
    checked(file, load_plan(text, against), form)


@plan_app.command("publish")
def publish_plan(file: Path = _FILE) -> None:
    """Publish a plan as its next revision; the same content again makes none.

    Example: tiendo plan publish plan.yaml
    """
    text = read_text(file)
    revisions = _revisions()
    loaded = load_plan(text, _directory_named_in(text, revisions))
    print_faults(file, loaded.faults)
    if loaded.document is None:
        raise typer.Exit(1)
    _say("plan", _publish(loaded.document))


@plan_app.command()
def show(
    plan: str = typer.Argument(..., help="The plan's id."),
    revision: int | None = typer.Option(None, help="Its number; the latest, unless given."),
    form: Format = _FORMAT,
) -> None:
    """Show a published revision of a plan.

    Example: tiendo plan show thai-nguyen-2008
    """
    found = _plan_revision(plan, revision)
    if form is Format.JSON:
        out.print_json(found.model_dump_json(by_alias=True))
        return
    document = found.document
    decision = document.decision
    out.print(f"[bold]{escape(document.title.vi)}[/]")
    out.print(f"{decision.number}, {decision.day}, {decision.signer}", markup=False)
    published = found.published.astimezone(ZoneInfo(SharedSettings().zone))
    out.print(f"revision {found.revision}, in force from {found.in_force_from}, published {published:%Y-%m-%d %H:%M}")
    out.print(f"{document.start} – {document.deadline}, behind from {document.behind_after} days")
    shown = table("", ("indicator", "title", "for", "target", "trajectory", "baseline"), fixed=("indicator", "for"))
    for indicator in document.indicators:
        for target in indicator.targets:
            values = target.model_dump(mode="json")
            whom = target.group or target.agency
            kind = target.trajectory.kind
            shown.add_row(indicator.id, indicator.title.vi, whom, values["target"], kind, values["baseline"] or "–")
        if indicator.shown_for:
            shown.add_row(indicator.id, indicator.title.vi, ", ".join(indicator.shown_for), "–", "–", "–")
    console().print(shown)


@plan_app.command()
def diff(file: Path = _FILE, form: Format = _FORMAT) -> None:
    """Say what a plan would change against its latest published revision.

    Example: tiendo plan diff plan.yaml
    """
    text = read_text(file)
    revisions = _revisions()
    loaded = load_plan(text, _directory_named_in(text, revisions))
    if loaded.document is None:
        print_faults(file, loaded.faults)
        raise typer.Exit(1)
    last = latest_plan(revisions, loaded.document.plan)
    before = flat(last.document.model_dump(mode="json", by_alias=True)) if last else {}
    after = flat(loaded.document.model_dump(mode="json", by_alias=True))
    changes = [
        {"path": path, "before": before.get(path), "after": after.get(path)}
        for path in dict.fromkeys([*before, *after])
        if before.get(path) != after.get(path)
    ]
    if form is Format.JSON:
        out.print_json(data=changes)
        return
    out.print(f"against revision {last.revision}" if last else "not published yet")
    for change in changes:
        out.print(f"{change['path']}: {_said(change['before'])} → {_said(change['after'])}", markup=False)
    if not changes:
        out.print("unchanged")


@agencies_app.command("check")
def check_agencies(file: Path = _FILE, form: Format = _FORMAT) -> None:
    """Name every fault of a directory, with line and column.

    Example: tiendo agencies check directory.yaml
    """
    checked(file, load_directory(read_text(file)), form)


@agencies_app.command("publish")
def publish_agencies(file: Path = _FILE) -> None:
    """Publish the directory as its next revision; the same content again makes none.

    Example: tiendo agencies publish directory.yaml
    """
    loaded = load_directory(read_text(file))
    print_faults(file, loaded.faults)
    if loaded.document is None:
        raise typer.Exit(1)
    for remark in departures(latest_directory(_revisions(), loaded.document.directory), loaded.document):
        err.print(f"warning: {remark}", markup=False, soft_wrap=True)
    _say("directory", _publish(loaded.document))


@sources_app.command("check")
def check_sources(file: Path = _FILE, directory: Path | None = _DIRECTORY, form: Format = _FORMAT) -> None:
    """Name every fault of a list of sources, with line and column.

    Example: tiendo sources check sources.yaml
    """
    beside = directory or file.parent / "directory.yaml"
    known = load_directory(read_text(beside)).document if beside.exists() else None
    checked(file, load_sources(read_text(file), [known] if known else []), form)


@sources_app.command("publish")
def publish_sources(
    file: Path = _FILE,
    issue_tokens: Path | None = typer.Option(
        None, "--issue-tokens", help="Folder for the tokens of sources that the file gives none; files there are kept."
    ),
) -> None:
    """Publish who may send what. Tokens travel as hashes only.

    Example: tiendo sources publish sources.yaml --issue-tokens .data/tokens
    """
    revisions = _revisions()
    loaded = load_sources(read_text(file), latest_directories(revisions))
    print_faults(file, loaded.faults)
    if loaded.document is None:
        raise typer.Exit(1)
    last = latest_sources(revisions, loaded.document.sources)
    held = {source.id: source.tokens for source in last.document.entries} if last else {}
    names = [_token_file(source.id) for source in loaded.document.entries]
    if issue_tokens is not None and len(set(names)) < len(names):
        err.print("two sources would share one token file: their ids differ only in `/` and `_`")
        raise typer.Exit(1)
    kept = set(issue_tokens.glob("*.token")) if issue_tokens is not None else set()
    entries = tuple(_with_tokens(source, held.get(source.id, ()), issue_tokens) for source in loaded.document.entries)
    for source in entries:
        if not source.tokens:
            err.print(f"{source.id} has no token, so nobody can send as it", markup=False)
    _say("sources", _publish(loaded.document.model_copy(update={"entries": entries})))
    if issue_tokens is not None and (fresh := sorted(set(issue_tokens.glob("*.token")) - kept)):
        more = f" and {len(fresh) - 1} more" if len(fresh) > 1 else ""
        out.print(f"{counted(len(fresh), 'token', 'tokens')} issued: {fresh[0]}{more}", markup=False)


def _with_tokens(source: Source, held: Sequence[TokenHash], folder: Path | None) -> Source:
    """Return *source* with its own tokens; else with those published and, given a folder, the one kept there."""
    if source.tokens:
        return source
    tokens = list(held)
    if folder is not None:
        digest = hashlib.sha256(_kept_token(folder / _token_file(source.id)).encode()).hexdigest()
        if digest not in {token.sha256 for token in tokens}:
            tokens.append(TokenHash(sha256=digest))
    return source.model_copy(update={"tokens": tuple(tokens)})


def _kept_token(file: Path) -> str:
    """Return the token in *file*, a new random one where there is none yet."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if file.exists():
        return file.read_text(encoding="ascii").strip()
    token = secrets.token_urlsafe(32)
    # Written whole under another name first: a file cut off half-way would be taken for a token ever after.
    draft = file.with_suffix(".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as written:
        written.write(token + "\n")
    draft.rename(file)
    return token


def _token_file(source: str) -> str:
    return f"{source.replace('/', '_')}.token"


def _revisions() -> list[AnyRevision]:
    settings = SharedSettings()
    return read_revisions(settings.kafka(), replication=settings.kafka_replication)


def _publish(document: Plan | Directory | Sources) -> Published:
    settings = SharedSettings()
    return publish(settings.kafka(), document, open_clock()(), replication=settings.kafka_replication)


def _say(kind: str, published: Published) -> None:
    revision = published.revision
    news = "published" if published.new else "unchanged"
    out.print(f"{kind} {revision.id}: {news}, revision {revision.revision}, in force from {revision.in_force_from}")


def _directory_named_in(text: str, revisions: Sequence[AnyRevision]) -> Directory | None:
    """Return the published directory that a plan names; where it names none that exists, the only one there is."""
    found = latest_directory(revisions, stated(text, "directory") or "")
    everything = latest_directories(revisions)
    return found.document if found else (everything[0] if len(everything) == 1 else None)


def _published_directory(text: str) -> Directory | None:
    try:
        return _directory_named_in(text, _revisions())
    except Transient:
        return None


def _plan_revision(plan: str, number: int | None) -> Any:
    everything = _revisions()
    revisions = [one for one in everything if one.kind == "plan" and one.id == plan]
    found = [one for one in revisions if number is None or one.revision == number]
    if not found:
        published = ", ".join(sorted({one.id for one in everything if one.kind == "plan"})) or "none"
        there = ", ".join(str(one.revision) for one in revisions)
        lacks = f"plan {plan!r} has no revision {number}; it has: {there}"
        err.print(lacks if revisions else f"there is no plan {plan!r}; published are: {published}", markup=False)
        raise typer.Exit(1)
    return max(found, key=lambda one: one.revision)


def _said(value: Any) -> str:
    return "–" if value is None else str(value)


plan_app.command()(preview)
plan_app.command()(moved)
plan_app.command("holidays")(holidays)
plan_app.command("baseline")(baseline)
