"""``tiendo plan moved``: where revisions ask less than before, and the same said under a table of standing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from datetime import date, datetime
from fractions import Fraction
from itertools import groupby
from typing import Any, Final

import typer

from services.cli.output import Format, console, print_csv, print_json, table
from services.core.errors import Rejected
from services.core.goalposts import Moved, moved_goalposts
from services.core.schedule.standing_words import Words
from services.infra.clickhouse.client import open_clickhouse
from services.infra.clock import last_complete_day, open_clock
from services.infra.plan_reader import PlanReader
from services.infra.settings import SharedSettings

FIELDS: Final = tuple(field.name for field in fields(Moved))


def moved(
    plan: str = typer.Argument(..., help="The plan's id."),
    as_of: datetime | None = typer.Option(
        None,
        "--as-of",
        formats=["%Y-%m-%d"],
        metavar="YYYY-MM-DD",
        help="What was planned for this day; the last complete one, unless given.",
    ),
    form: Format = typer.Option(Format.TABLE, "--format", help="table, json or csv."),
) -> None:
    """List where a revision asks less of an agency than the one before it: targets lowered, dropped or put off.

    Example: tiendo plan moved thai-nguyen-2008 --as-of 2008-09-30
    """
    settings = SharedSettings()
    day = as_of.date() if as_of else last_complete_day(open_clock()(), settings.zone)
    with open_clickhouse(settings.clickhouse()) as database:
        reader = PlanReader(database)
        plans = reader.plans(plan)
        if not plans:
            raise Rejected(f"there is no plan {plan}; published are: {', '.join(reader.plan_ids()) or 'none'}")
        found = moved_goalposts(plans, reader.directories(plans[-1].document.directory), day)
    records = [as_record(one) for one in found]
    if form is Format.JSON:
        print_json(records)
    elif form is Format.CSV:
        print_csv(FIELDS, records)
    elif not found:
        console().print(f"no revision of {plan} in force by {day} asks less than the one before it", markup=False)
    else:
        shown = table(
            f"asked less, as of {day}", ["indicator", "agency", "revision", "since", "target", "planned", "deadline"]
        )
        for one in found:
            shown.add_row(
                one.indicator,
                one.agency,
                f"{one.before} → {one.revision}",
                str(one.since),
                f"{_percent(one.target_before)} → {_percent(one.target)}",
                f"{_percent(one.planned_before)} → {_percent(one.planned)}",
                f"{one.deadline_before} → {one.deadline or '–'}",
            )
        console().print(shown)


def notes(found: Iterable[Moved], titles: dict[str, str], words: Words) -> list[str]:
    """Return a sentence per revision and indicator that asks less, in the words of a table of standing."""

    def about(one: Moved) -> tuple[Any, ...]:
        gone = one.target is None
        planned = one.planned_before, one.planned or Fraction(0)
        deadline = one.deadline_before, one.deadline or one.deadline_before
        return (
            one.revision,
            one.since,
            one.indicator,
            one.target_before,
            gone,
            one.target or Fraction(0),
            planned,
            deadline,
        )

    said = []
    for key, agencies in groupby(sorted(found, key=about), key=about):
        revision, since, indicator, before, dropped, target, (planned_before, planned), deadlines = key
        said.append(
            words.moved.format(
                revision=revision,
                since=words.date(since),
                title=titles.get(indicator, indicator),
                asks=_asks(titles.get(indicator, indicator), (before, None if dropped else target), deadlines, words),
                planned_before=words.percent(float(planned_before)),
                planned="–" if dropped else words.percent(float(planned)),
                agencies=len(list(agencies)),
            )
        )
    return said


def _asks(title: str, targets: tuple[Fraction, Fraction | None], deadlines: tuple[date, date], words: Words) -> str:
    """Return in which way less is asked; a share that stays is not said to be lowered."""
    before, after = targets
    lowered, off = after is not None and after < before, deadlines[1] > deadlines[0]
    if after is None:
        return words.moved_dropped.format(title=title, before=words.percent(float(before)))
    said = [words.percent(float(before)), words.percent(float(after))]
    kept = words.moved_off if off else words.moved_path
    less = words.moved_both if off else words.moved_lowered
    template = less if lowered else kept
    return template.format(
        title=title,
        before=said[0],
        after=said[1],
        target=said[0] if said[0] == said[1] else " → ".join(said),
        deadline_before=words.date(deadlines[0]),
        deadline=words.date(deadlines[1]),
    )


def as_record(one: Moved) -> dict[str, Any]:
    """Return what was asked before and after, shares as fractions of 1."""
    values = {name: getattr(one, name) for name in FIELDS}
    return {name: float(value) if isinstance(value, Fraction) else value for name, value in values.items()}


def _percent(share: Fraction | None) -> str:
    return "–" if share is None else f"{float(share) * 100:.1f} %"


def moved_by(reader: PlanReader, plan: str, day: date, known: datetime | None = None) -> tuple[Moved, ...]:
    """Return where the revisions in force by *day*, and published by *known*, ask less."""
    plans = [one for one in reader.plans(plan) if known is None or one.published <= known]
    # A single revision moves nothing, and a large directory takes a while to read.
    return moved_goalposts(plans, reader.directories(plans[-1].document.directory), day) if len(plans) > 1 else ()
