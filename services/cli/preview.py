"""``tiendo plan preview``: what a plan would have warned of, before it is published."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from schemas.directory import Directory
from schemas.plan import Plan
from schemas.policy import Policy
from services.cli import documents, output
from services.cli.asked import over
from services.cli.goalposts import as_record, notes
from services.cli.standing import Language
from services.core.errors import Rejected
from services.core.in_force import directory_in_force
from services.core.schedule.standing_words import Words, words_of
from services.infra.clickhouse.client import open_clickhouse
from services.infra.clock import last_complete_day, open_clock
from services.infra.documents import Document, Loaded, load_plan, load_policy, stated
from services.infra.plan_reader import PlanReader
from services.infra.settings import SharedSettings

if TYPE_CHECKING:  # judging waits for numpy, which the other commands about plans need not
    from services.core.preview import Line, Preview, Totals, Warned
    from services.core.preview_words import PreviewWords
    from services.core.schedule.standing import Standing
    from services.infra.figures.preview import Previewed, WhatIf

FIELDS: Final = (
    "indicator", "agency", "difference", "by", "first_before", "first_after", "warnings_before", "warnings_after",
    "days_open_before", "days_open_after", "open_before", "open_after", "spans_before", "spans_after",
    "verdict_before", "verdict_after", "days_behind_before", "days_behind_after",
)  # fmt: skip
_FEED_FIELDS: Final = ("feed", *FIELDS[2:14])


def preview(
    file: Path = typer.Argument(..., help="The plan that is not published yet, in YAML.", exists=True, dir_okay=False),
    as_of: datetime | None = typer.Option(
        None,
        "--as-of",
        formats=["%Y-%m-%d"],
        metavar="YYYY-MM-DD",
        help="The last day; the last complete one, unless given.",
    ),
    known_at: datetime | None = typer.Option(
        None,
        "--known-at",
        formats=["%Y-%m-%d"],
        metavar="YYYY-MM-DD",
        help="By what had been received by the end of this day, not by now.",
    ),
    as_published: bool = typer.Option(
        False, "--as-published", help="Let the draft count from its `in_force_from` only, as it will once published."
    ),
    policy: Path | None = typer.Option(
        None,
        "--policy",
        help="A policy of warnings that is not published yet; on the draft's side.",
        exists=True,
        dir_okay=False,
    ),
    changed: bool = typer.Option(False, "--changed", help="In the table, only agencies for which something differs."),
    form: output.Format = typer.Option(output.Format.TABLE, "--format", help="table, json or csv."),
    lang: Language = typer.Option(Language.EN, "--lang", help="Words of the table: vi or en."),
) -> None:
    """Say whom a plan would have warned, and when, had it been in force from its start, beside today's plan.

    Targets, definitions and thresholds of FILE are run over the facts of all days from the plan's start; so are the
    published revisions, each from its own day. Both are computed from all that is known now (or by --known-at) as if one
    had looked each morning, not read from the warnings that were sent: data that came late count as if they had always
    been there, silent feeds hold warnings back, nothing else does. Faults of FILE are named as `tiendo plan check` names
    them, against the published directory. With --policy the draft's side is warned of under that policy; with the plan as
    it is published, that previews the policy alone. Nothing is published or stored.

    Examples:
    tiendo plan preview plan-2.yaml --changed
    tiendo plan preview plan-2.yaml --as-of 2008-07-31 --lang vi
    tiendo plan preview plan-2.yaml --format csv > preview.csv
    tiendo plan preview plan.yaml --policy policy-2.yaml
    """
    settings = SharedSettings()
    complete = last_complete_day(open_clock()(), settings.zone)
    known = known_at.date() if known_at else None
    day = over(as_of.date(), settings.zone) if as_of else min(complete, known or complete)
    text = documents.read_text(file)
    with open_clickhouse(settings.clickhouse()) as database:
        from services.infra.figures.afresh import CannotJudge
        from services.infra.figures.preview import WhatIf
        from services.infra.figures.preview import preview as previewed

        reader = PlanReader(database)
        directory = _directory(reader, stated(text, "directory"), day)
        document = _sound(file, text, directory, form)
        under = _sound_policy(policy, document, directory, form) if policy is not None else None
        what = WhatIf(document=document, day=day, known_at=known, as_published=as_published, policy=under)
        words = _preview_words(lang)
        columns = TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn()
        bar = Progress(*columns, console=documents.err, transient=True, disable=not documents.err.is_terminal)
        with bar:
            task = bar.add_task(words.working)
            try:
                found = previewed(
                    database,
                    what,
                    zone=settings.zone,
                    tell=lambda done, total: bar.update(task, completed=done, total=total),
                )
            except CannotJudge as fault:
                raise Rejected(str(fault)) from fault
    if form is output.Format.JSON:
        output.print_json(as_document(what, found))
    elif form is output.Format.CSV:
        output.print_csv(FIELDS, [_record(one) for one in found.preview.lines])
    elif directory is not None:
        _print(what, found, directory, words_of(lang), words, changed=changed)


def as_document(what: WhatIf, found: Previewed) -> dict[str, Any]:
    """Return a preview as JSON has it: both sides' totals, a record per agency and indicator, and what asks less."""
    shown = found.preview
    return {
        "plan": what.document.plan,
        "first": what.document.start,
        "day": shown.day,
        "known_at": what.known_at,
        "as_published": what.as_published,
        "published_revision": found.published.revision if found.published else None,
        "draft_revision": found.proposed.revision,
        "differs": shown.differs,
        "before": _totals(shown.before),
        "after": _totals(shown.after),
        "lines": [_record(one) for one in shown.lines],
        "feeds": [{name: (_record(one) | {"feed": one.agency})[name] for name in _FEED_FIELDS} for one in shown.feeds],
        "moved": [as_record(one) for one in shown.moved],
    }


def _record(line: Line) -> dict[str, Any]:
    record: dict[str, Any] = {
        "indicator": line.indicator,
        "agency": line.agency,
        "difference": line.difference.value,
        "by": line.by,
    }
    for side, warned, standing in (
        ("before", line.before, line.standing_before),
        ("after", line.after, line.standing_after),
    ):
        behind = standing.days_behind if standing else None
        record |= {
            f"first_{side}": warned.first,
            f"warnings_{side}": warned.times,
            f"days_open_{side}": warned.days,
            f"open_{side}": warned.open,
            f"spans_{side}": [[str(first), str(last)] for first, last in warned.spans],
            f"verdict_{side}": standing.verdict.value if standing and standing.verdict else None,
            f"days_behind_{side}": None if behind is None else float(behind),
        }
    return {name: record[name] for name in FIELDS}


def _totals(totals: Totals) -> dict[str, Any]:
    return {
        "warnings": totals.warnings,
        "days_open": totals.days,
        "open": totals.open,
        "agencies": totals.agencies,
        "verdicts": dict(sorted(totals.verdicts.items())),
    }


def _directory(reader: PlanReader, named: str | None, day: date) -> Directory | None:
    """Return the published directory that the plan names, else the only one there is."""
    ids = reader.directory_ids()
    name = named if named in ids else ids[0] if len(ids) == 1 else None
    found = directory_in_force(reader.directories(name), day) if name else None
    return found.document if found else None


def _sound(file: Path, text: str, directory: Directory | None, form: output.Format) -> Plan:
    """Return the plan; ends the command with its faults where it has any that keep it from being published."""
    return _without_faults(file, load_plan(text, directory), form)


def _sound_policy(file: Path, plan: Plan, directory: Directory | None, form: output.Format) -> Policy:
    """Return the policy in *file*, as :func:`_sound` returns the plan."""
    return _without_faults(file, load_policy(documents.read_text(file), plan, directory), form)


def _without_faults(file: Path, loaded: Loaded[Document], form: output.Format) -> Document:
    if loaded.document is None:
        as_json = documents.Format.JSON if form is output.Format.JSON else documents.Format.TABLE
        documents.print_faults(file, loaded.faults, as_json)
        raise typer.Exit(1)
    for fault in loaded.faults:
        documents.err.print(fault.text(file.name), markup=False)
    return loaded.document


def _preview_words(lang: Language) -> PreviewWords:
    from services.core.preview_words import preview_words_of

    return preview_words_of(lang.value)


def _print(
    what: WhatIf, found: Previewed, directory: Directory, words: Words, said: PreviewWords, *, changed: bool
) -> None:
    out = output.console()
    shown, document = found.preview, what.document
    about = said.about if found.published else said.unpublished
    number = found.published.revision if found.published else None
    parts = [about.format(revision=number, first=words.date(document.start), day=words.date(shown.day))]
    if what.as_published:
        parts.append(said.published.format(day=words.date(document.in_force_from)))
    if what.known_at:
        parts.append(said.known.format(day=words.date(what.known_at)))
    out.print(f"{document.title.text(words.language)} — {', '.join(parts)}", style="bold", markup=False)
    until = said.until.format(day=words.date(what.known_at)) if what.known_at else said.until_now
    out.print(said.assumed.format(until=until), markup=False)
    indicators = [*document.indicators, *(found.published.document.indicators if found.published else ())]
    titles = {one.id: one.title.text(words.language) for one in reversed(indicators)}
    names = {agency.id: agency.name.text(words.language) for agency in directory.agencies}
    for indicator in dict.fromkeys(one.id for one in indicators):
        lines = [one for one in shown.lines if one.indicator == indicator and (one.told_apart or _listed(one, changed))]
        if lines:
            table = output.table(titles[indicator], said.headings, right=said.headings[3:5])
            for one in sorted(lines, key=_first_come):
                table.add_row(
                    names.get(one.agency, one.agency),
                    _when(one.before, words, said),
                    _when(one.after, words, said),
                    _both(one.before.times, one.after.times),
                    _both(one.before.days, one.after.days),
                    _both(_verdict(one.standing_before, words), _verdict(one.standing_after, words)),
                    said.difference(one.difference, one.by),
                )
            out.print()
            out.print(table)
    _print_totals(shown, words, said)
    for feed in shown.feeds:
        if feed.differs:
            difference = said.difference(feed.difference, feed.by)
            out.print(said.feed.format(feed=feed.agency, difference=difference), markup=False)
    for note in notes(shown.moved, titles, words):
        out.print(note, style="bold", markup=False)
    lagging = sum(one.differs and not one.told_apart for one in shown.lines)
    if lagging:
        out.print(said.lag.format(count=lagging), markup=False)
    if not shown.differs:
        out.print(said.nothing, markup=False)


def _print_totals(shown: Preview, words: Words, said: PreviewWords) -> None:
    before, after = shown.before, shown.after
    rows: list[tuple[str, int, int]] = [
        (said.counts[0], before.warnings, after.warnings),
        (said.counts[1], before.days, after.days),
        (said.counts[2], before.open, after.open),
        (said.counts[3], before.agencies, after.agencies),
    ]
    for verdict, name in words.verdicts.items():
        had, has = before.verdicts.get(verdict, 0), after.verdicts.get(verdict, 0)
        if had or has:
            rows.append((f"{name}, {words.date(shown.day)}", had, has))
    table = output.table("", said.totals, right=said.totals[1:])
    for name, had, has in rows:
        table.add_row(name, str(had), str(has), f"{has - had:+d}" if has != had else "")
    output.console().print(table)


def _listed(line: Line, changed: bool) -> bool:
    return not changed and bool(line.before.times or line.after.times)


def _first_come(line: Line) -> tuple[Any, ...]:
    days: Sequence[date] = [one for one in (line.before.first, line.after.first) if one is not None]
    return not line.told_apart, min(days, default=date.max), line.agency


def _when(warned: Warned, words: Words, said: PreviewWords) -> str:
    if warned.first is None:
        return said.unwarned
    day = words.date(warned.first)
    return said.still.format(day=day) if warned.open else day


def _verdict(standing: Standing | None, words: Words) -> str:
    return "–" if standing is None else words.verdicts[standing.verdict or ""]


def _both(before: Any, after: Any) -> str:
    return str(after) if before == after else f"{before} → {after}"
