"""``tiendo policy``: when warnings open and grow, who is told when, checked and published like plans."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import typer
from rich.markup import escape

from schemas.directory import Directory
from schemas.plan import Plan
from schemas.policy import Policy
from schemas.revisions import AnyRevision, PolicyRevision
from services.cli.documents import Format, checked, err, out, print_faults, read_text
from services.cli.flattening import flat
from services.core.errors import Transient
from services.infra.clock import open_clock
from services.infra.documents import load_directory, load_plan, load_policy, stated
from services.infra.publishing import latest_directory, latest_plan, latest_policy, publish, read_revisions
from services.infra.settings import SharedSettings

policy_app = typer.Typer(
    name="policy", no_args_is_help=True, help="Policies of warnings: check, publish, show, compare."
)

_FILE = typer.Argument(..., help="The policy, in YAML.", exists=True, dir_okay=False)
_PLAN = typer.Option(
    None,
    "--plan",
    help="Check against this plan; else `plan.yaml` beside the policy, else the published one.",
    exists=True,
    dir_okay=False,
)
_FORMAT = typer.Option(Format.TABLE, "--format", help="table or json.")


@policy_app.callback()
def _group() -> None:
    """Policies of warnings: check, publish, show, compare."""


@policy_app.command()
def check(file: Path = _FILE, plan: Path | None = _PLAN, form: Format = _FORMAT) -> None:
    """Name every fault of a policy, with line and column and what was probably meant.

    Example: tiendo policy check examples/thai-nguyen-2008/policy.yaml
    """
    text = read_text(file)
    of_plan, directory = _beside(plan or file.parent / "plan.yaml")
    if plan is not None and of_plan is None:
        err.print(f"{plan}: has faults of its own; see `tiendo plan check`", markup=False)
        raise typer.Exit(1)
    if of_plan is None:
        of_plan, directory = _published(text)
    if of_plan is None:
        err.print("no plan to check against: groups, agencies, indicators and feeds go unchecked")
    checked(file, load_policy(text, of_plan, directory), form)


@policy_app.command("publish")
def publish_policy(file: Path = _FILE) -> None:
    """Publish a policy as its next revision; the same content again makes none. Its plan must be published.

    Example: tiendo policy publish policy.yaml
    """
    loaded = load_policy(read_text(file), *_named_in(read_text(file), _revisions()))
    print_faults(file, loaded.faults)
    if loaded.document is None:
        raise typer.Exit(1)
    settings = SharedSettings()
    done = publish(settings.kafka(), loaded.document, open_clock()(), replication=settings.kafka_replication)
    news, revision = "published" if done.new else "unchanged", done.revision
    out.print(f"policy {revision.id}: {news}, revision {revision.revision}, in force from {revision.in_force_from}")


@policy_app.command()
def show(
    policy: str = typer.Argument(..., help="The policy's id."),
    revision: int | None = typer.Option(None, help="Its number; the latest, unless given."),
    form: Format = _FORMAT,
) -> None:
    """Show a published revision of a policy.

    Example: tiendo policy show thai-nguyen-2008
    """
    found = _revision(policy, revision)
    if form is Format.JSON:
        out.print_json(found.model_dump_json(by_alias=True))
        return
    published = found.published.astimezone(ZoneInfo(SharedSettings().zone))
    out.print(f"[bold]{escape(found.id)}[/], of plan {escape(found.document.plan)}")
    out.print(f"revision {found.revision}, in force from {found.in_force_from}, published {published:%Y-%m-%d %H:%M}")
    for line in described(found.document):
        out.print(line, markup=False, soft_wrap=True)


@policy_app.command()
def diff(file: Path = _FILE, form: Format = _FORMAT) -> None:
    """Say what a policy would change against its latest published revision.

    Example: tiendo policy diff policy.yaml
    """
    text, revisions = read_text(file), _revisions()
    loaded = load_policy(text, *_named_in(text, revisions))
    if loaded.document is None:
        print_faults(file, loaded.faults)
        raise typer.Exit(1)
    last = latest_policy(revisions, loaded.document.policy)
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
        said = ("–" if change[side] is None else str(change[side]) for side in ("before", "after"))
        out.print(f"{change['path']}: {' → '.join(said)}", markup=False)
    if not changes:
        out.print("unchanged")


def described(policy: Policy) -> list[str]:
    """Return what *policy* says, a sentence a line."""
    lines = [
        f"a warning opens after {policy.hold} days of standing in a row, and ends after {policy.clear} without",
        f"within {policy.reopen} days after its end it is the same matter again",
    ]
    for one in policy.thresholds:
        values = one.model_dump(mode="json", exclude_none=True, exclude={"severity"})
        said = ", ".join(f"{field.replace('_', ' ')} {value}" for field, value in values.items())
        lines.append(f"{one.severity}: {said}")
    for step in policy.levels:
        when = [f"after {step.after} days"] if step.after is not None else []
        when += [f"when {step.severity}"] if step.severity is not None else []
        how = f", told in a digest each {step.digest}" if step.digest is not None else ""
        lines.append(f"to the {step.to}: {' or '.join(when) or 'when it opens'}{how}")
    lines.append(f"reminders every {policy.repeat} days" if policy.repeat else "no reminders")
    if policy.working_time is not None:
        hours = policy.working_time
        at_once = f"; {hours.at_once} at any time" if hours.at_once else ""
        lines.append(f"mails go out {', '.join(hours.days)}, {hours.from_:%H:%M} to {hours.until:%H:%M}{at_once}")
    if policy.stand_for_children:
        lines.append("a parent that is warned stands for its children")
    lines += [f"maintenance from {one.from_} to {one.until}: {one.title.vi}" for one in policy.maintenance]
    lines += [f"also to {', '.join(one.channels)}: {_meant(one.match)}, {one.about}" for one in policy.routes]
    return lines


def _meant(match: Any) -> str:
    given = match.model_dump(mode="json", exclude_defaults=True)
    return "; ".join(f"{field} {', '.join(names)}" for field, names in given.items()) or "everything"


def _beside(file: Path) -> tuple[Plan | None, Directory | None]:
    """Return the plan in *file* and the directory beside it, where they are there and have no faults."""
    if not file.exists():
        return None, None
    beside = file.parent / "directory.yaml"
    directory = load_directory(read_text(beside)).document if beside.exists() else None
    return load_plan(read_text(file), directory).document, directory


def _published(text: str) -> tuple[Plan | None, Directory | None]:
    try:
        return _named_in(text, _revisions())
    except Transient:
        return None, None


def _named_in(text: str, revisions: Sequence[AnyRevision]) -> tuple[Plan | None, Directory | None]:
    plan = latest_plan(revisions, stated(text, "plan") or "")
    directory = latest_directory(revisions, plan.document.directory) if plan is not None else None
    return (plan.document if plan else None), (directory.document if directory else None)


def _revisions() -> list[AnyRevision]:
    settings = SharedSettings()
    return read_revisions(settings.kafka(), replication=settings.kafka_replication)


def _revision(policy: str, number: int | None) -> PolicyRevision:
    everything = [one for one in _revisions() if isinstance(one, PolicyRevision)]
    mine = [one for one in everything if one.id == policy]
    found = [one for one in mine if number is None or one.revision == number]
    if not found:
        published = ", ".join(sorted({one.id for one in everything})) or "none"
        there = ", ".join(str(one.revision) for one in mine)
        lacks = f"policy {policy!r} has no revision {number}; it has: {there}"
        err.print(lacks if mine else f"there is no policy {policy!r}; published are: {published}", markup=False)
        raise typer.Exit(1)
    return max(found, key=lambda one: one.revision)
