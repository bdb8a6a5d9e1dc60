"""``tiendo warnings``: which warnings there are, their whole life, who was told; and what can be said about them by hand."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Annotated, Any, Final

import typer

from schemas.policy import ROLES, Severity
from schemas.warning_views import WarningView
from schemas.warnings import WARNING_RECORD, WarningState
from services.cli import warnings_answering, warnings_sending, warnings_silencing
from services.cli.harmless import cells, in_a_cell
from services.cli.output import Format, as_value, counted, print_csv, print_json
from services.cli.warnings_common import (
    AgencyArgument,
    CauseArgument,
    Desk,
    Form,
    Lang,
    Language,
    OfPlan,
    PlanArgument,
    open_desk,
    words_for,
)
from services.cli.warnings_tables import print_history, print_warnings
from services.infra.warnings_names import read_names
from services.infra.warnings_queries import MOST, WantedWarnings
from services.infra.warnings_views import history, wanted_of, warning_view

#: The fields of a warning, the same in JSON and CSV; notices are one text there.
FIELDS: Final = (
    "plan", "agency", "agency_name", "cause", "title", "state", "reason", "severity", "level", "since", "day", "opened_day",
    "days_behind", "acknowledged", "promised", "at", "notices",
)  # fmt: skip

warnings_app = typer.Typer(
    name="warnings", no_args_is_help=True, help="Warnings: list, answer, silence, and the notices sent about them."
)


class Level(StrEnum):
    """Whom a warning was brought to."""

    CONTACT = "contact"
    HEAD = "head"
    DEPARTMENT = "department-in-charge"
    CHAIR = "chair"
    FEED_OWNER = "feed-owner"


assert {*ROLES, "feed-owner"} == set(Level)  # the levels of policies, and that of feeds


class Kept(StrEnum):
    """What is exported."""

    WARNINGS = "warnings"
    TRANSITIONS = "transitions"
    ANSWERS = "answers"
    NOTICES = "notices"
    SILENCES = "silences"


class ExportFormat(StrEnum):
    """How it is written."""

    CSV = "csv"
    JSONL = "jsonl"


OfAgency = Annotated[list[str] | None, typer.Option("--agency", help="Only of this one, or feed; may be repeated.")]
OfIndicator = Annotated[list[str] | None, typer.Option("--indicator", help="Only about this one; may be repeated.")]
InState = Annotated[list[WarningState] | None, typer.Option("--state", help="May be repeated.")]
OfSeverity = Annotated[list[Severity] | None, typer.Option("--severity", help="May be repeated.")]
AtLevel = Annotated[list[Level] | None, typer.Option("--level", help="Brought up to this role; may be repeated.")]
Open = Annotated[bool, typer.Option("--open/--all", help="Only open ones; or pending and resolved ones, too.")]


@warnings_app.callback()
def _group() -> None:
    """Warnings: list, answer, silence, and the notices sent about them."""


@warnings_app.command("list")
def list_warnings(
    plan: OfPlan = None,
    agency: OfAgency = None,
    indicator: OfIndicator = None,
    state: InState = None,
    severity: OfSeverity = None,
    level: AtLevel = None,
    only_open: Open = True,
    limit: Annotated[int, typer.Option(min=1, max=MOST, help="So many at most; `export` writes all.")] = MOST,
    lang: Lang = Language.EN,
    form: Form = Format.TABLE,
) -> None:
    """List warnings: open ones, the gravest first, the longest behind first, with the notices sent about them.

    \b
    Examples:
    tiendo warnings list --plan thai-nguyen-2008 --severity critical --lang vi
    tiendo warnings list --plan thai-nguyen-2008 --all --agency so-xay-dung --format csv
    """
    with open_desk() as desk:
        names = desk.names(plan)
        wanted = wanted_of(
            names,
            agencies=agency or (),
            indicators=indicator or (),
            states=[one.value for one in state or ()],
            severities=[one.value for one in severity or ()],
            levels=[one.value for one in level or ()],
            only_open=only_open,
        )
        counts = desk.reader.states(wanted)
        found = [
            warning_view(one, names.get(one.last.plan), lang.value) for one in desk.reader.listed(wanted, limit=limit)
        ]
        if form is Format.JSON:
            print_json([one.model_dump(mode="json") for one in found])
        elif form is Format.CSV:
            print_csv(FIELDS, [_row(one, desk) for one in found])
        else:
            print_warnings(found, counts, desk, words_for(lang))
    total = sum(counts.values())
    if len(found) < total:
        left = (
            f"the first {len(found):,} of {counted(total, 'warning', 'warnings')}; `tiendo warnings export` writes all"
        )
        typer.echo(left, err=True)


@warnings_app.command("show")
def show(
    plan: PlanArgument,
    agency: AgencyArgument,
    cause: CauseArgument,
    lang: Lang = Language.EN,
    form: Form = Format.TABLE,
) -> None:
    """Print the whole life of a warning: every change with its reason, every answer, every notice and what became of it.

    In CSV, the changes alone.

    Example: tiendo warnings show thai-nguyen-2008 so-xay-dung lag:email-use --lang vi
    """
    words = words_for(lang)
    with open_desk() as desk:
        names = read_names(desk.database, plan)
        of, about = names.subject(agency, cause)
        found = history(desk.reader, names, of, about, words=words, now=desk.now)
        if form is Format.JSON:
            print_json(found.model_dump(mode="json"))
        elif form is Format.CSV:
            rows = [one.model_dump(mode="json") for one in found.transitions]
            print_csv(list(type(found.transitions[0]).model_fields), [cells(row) for row in rows])
        else:
            print_history(found, desk, words)


@warnings_app.command("export")
def export(
    what: Annotated[
        Kept, typer.Argument(help="What: warnings as they stand, or the records behind them.")
    ] = Kept.WARNINGS,
    plan: OfPlan = None,
    form: Annotated[
        ExportFormat, typer.Option("--format", help="csv or jsonl: one JSON document a line.")
    ] = ExportFormat.CSV,
    lang: Lang = Language.VI,
) -> None:
    """Write all warnings, resolved ones too, or all transitions, answers, notices or silences, however many they are.

    In CSV a text that a spreadsheet would compute begins with an apostrophe; JSON lines are exact.

    \b
    Examples:
    tiendo warnings export --plan thai-nguyen-2008 > warnings.csv
    tiendo warnings export transitions --format jsonl | jq 'select(.reason == "promise-passed")'
    """
    with open_desk() as desk:
        names = desk.names(plan)
        if what is Kept.WARNINGS:
            every = desk.reader.walk(WantedWarnings(plans=list(names) or [""]))
            views = (warning_view(one, names.get(one.last.plan), lang.value) for one in every)
            rows: Iterable[Mapping[str, Any]] = (
                _row(one, desk) if form is ExportFormat.CSV else one.model_dump(mode="json") for one in views
            )
            _write(rows, FIELDS, form)
            return
        table = "warnings" if what is Kept.TRANSITIONS else what.value
        records = desk.reader.records(table, list(names) or [""])
        _write((WARNING_RECORD.dump_python(one, mode="json", by_alias=True) for one in records), (), form)


def _write(rows: Iterable[Mapping[str, Any]], fields: tuple[str, ...], form: ExportFormat) -> None:
    if form is ExportFormat.JSONL:
        for row in rows:
            sys.stdout.write(json.dumps(row, ensure_ascii=False) + "\n")
        return
    writer = csv.writer(sys.stdout, lineterminator="\n")
    for number, row in enumerate(rows):
        if number == 0:
            fields = fields or tuple(row)
            writer.writerow(fields)
        writer.writerow([_cell(row.get(name)) for name in fields])


def _cell(value: Any) -> Any:
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else in_a_cell(value)


def _row(one: WarningView, desk: Desk) -> dict[str, Any]:
    told = "; ".join(f"{each.recipient} {each.state} {desk.moment(each.at)}" for each in one.notices)
    row = {name: as_value(value) for name, value in one.model_dump().items()}
    days = None if one.days_behind is None else float(f"{one.days_behind:.6g}")
    return cells(row | {"notices": told, "days_behind": days})


for _name, _command in (
    ("ack", warnings_answering.acknowledge),
    ("accept", warnings_answering.accept),
    ("dispute", warnings_answering.dispute),
    ("silence", warnings_silencing.silence),
    ("silences", warnings_silencing.silences),
    ("unsilence", warnings_silencing.unsilence),
    ("dead", warnings_sending.dead),
    ("resend", warnings_sending.resend),
):
    warnings_app.command(_name)(_command)
