"""``tiendo report``: the monthly report of a plan as a file, and whether its facts are still the same."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Final
from zipfile import BadZipFile
from zoneinfo import ZoneInfo

import typer
from rich.console import Console

from services.cli.asked import days_judged
from services.cli.goalposts import moved_by, notes
from services.cli.output import counted
from services.cli.standing import chosen
from services.core.errors import Rejected
from services.core.schedule.standing_words import words_of
from services.core.seal import Seal, changed
from services.infra.clickhouse.client import ClickHouse, open_clickhouse
from services.infra.clock import open_clock
from services.infra.figures.afresh import CannotJudge, Question, end_of, judge_afresh
from services.infra.figures.seal import seal_of
from services.infra.plan_reader import PlanReader
from services.infra.settings import SharedSettings
from services.infra.standing_reader import read_courses, read_standing
from services.report.core.build import Courses, report_of
from services.report.core.model import Report, Row

_DIFFERS: Final = 3  # exit code of --verify where the facts have changed
err = Console(stderr=True, highlight=False, soft_wrap=True)


class Format(StrEnum):
    """What kind of file the report is."""

    HTML = "html"
    PDF = "pdf"
    XLSX = "xlsx"
    CSV = "csv"


class Language(StrEnum):
    """Whose words the report uses: one after the other where both."""

    VI = "vi"
    EN = "en"
    BOTH = "both"


def report(
    plan: str | None = typer.Option(None, "--plan", help="The plan's id."),
    as_of: datetime | None = typer.Option(
        None, "--as-of", formats=["%Y-%m-%d"], metavar="YYYY-MM-DD", help="The day judged; the last one, unless given."
    ),
    known_at: datetime | None = typer.Option(
        None,
        "--known-at",
        formats=["%Y-%m-%d"],
        metavar="YYYY-MM-DD",
        help="By what had been received by the end of this day.",
    ),
    form: Format = typer.Option(Format.HTML, "--format", help="html, pdf, xlsx or csv."),
    language: Language = typer.Option(Language.BOTH, "--language", "--lang", help="vi, en, or both, Vietnamese first."),
    output: Path | None = typer.Option(None, "--output", help="The file; PLAN-DAY.FORMAT here, unless given."),
    issuer: str | None = typer.Option(None, "--issuer", help="The issuing body; who signed the plan, unless given."),
    place: str = typer.Option("", "--place", help="The place beside the date; dots to write on, unless given."),
    verify: Path | None = typer.Option(None, "--verify", help="Compare this report's checksum with today's facts."),
) -> None:
    """Write the report of a plan, ready to print: who is behind and by how much, then a page for each agency.

    --verify ends with 0 where the facts are those of the report, and with 3 where they have changed since.

    Examples:
    tiendo report --plan thai-nguyen-2008 --as-of 2008-09-30 --format pdf --place "Thái Nguyên"
    tiendo report --verify thai-nguyen-2008-2008-09-30.pdf
    """
    settings = SharedSettings()
    with open_clickhouse(settings.clickhouse()) as database:
        if verify is not None:
            _verify(database, verify, settings.zone)
            return
        if plan is None:
            raise Rejected("say which plan: --plan ID (or --verify FILE)")
        evaluation = PlanReader(database).last_evaluation(plan)
        if as_of is None and evaluation is None:
            raise Rejected(f"plan {plan!r} has not been judged yet; there are: {_plans(database)}")
        day = as_of.date() if as_of else evaluation.day if evaluation else date.min
        made = open_clock()().astimezone(ZoneInfo(settings.zone)).date()
        known = end_of(known_at.date(), ZoneInfo(settings.zone)) if known_at else None
        with err.status("reading and sealing the figures"):
            found = _report(database, plan, day, known, made, settings.zone, issuer=issuer, place=place)
    target = output or Path(f"{plan}-{day}.{form}")
    with err.status(f"setting {counted(len(found.pages), 'page', 'pages')} of agencies as {form}"):
        content = _written(found, form, ("vi", "en") if language is Language.BOTH else (language.value,))
    try:
        target.write_bytes(content)
    except OSError as fault:
        raise Rejected(f"{target} cannot be written: {fault.strerror}") from fault
    err.print(f"{target}: {len(found.late)} of {len(found.pages)} agencies behind on {day}", markup=False)
    err.print(f"checksum of the facts: {found.seal.checksum}", markup=False)


def _plans(database: ClickHouse) -> str:
    return ", ".join(PlanReader(database).plan_ids()) or "none"


def _report(
    database: ClickHouse, plan: str, day: date, known: datetime | None, made: date, zone: str, **heading: Any
) -> Report:
    try:
        seal, on_plan, on_directory = seal_of(database, plan, day, zone=zone, known_at=known)
        rows, courses = _standing(database, plan, day, known, zone)
        again = seal_of(database, plan, day, zone=zone, known_at=known)[0]
    except CannotJudge as fault:
        raise Rejected(str(fault)) from fault
    if not rows:
        raise Rejected(f"plan {plan!r} was not judged on {day}{days_judged(PlanReader(database), plan, day)}")
    if again != seal:
        raise Rejected("facts arrived while the report was being made; make it again")
    marks = int(database.rows("SELECT count() FROM outstanding")[0][0])
    if known is None and marks:
        err.print(
            f"note: {marks} changes of facts are not in the figures yet; make the report again soon", style="yellow"
        )
    moved = moved_by(PlanReader(database), plan, day, known)
    said = {
        one: tuple(notes(moved, {each.id: each.title.text(one) for each in on_plan.document.indicators}, words_of(one)))
        for one in ("vi", "en")
    }
    return report_of(
        on_plan.document, on_directory.document, rows, courses, day=day, made=made, seal=seal, notes=said, **heading
    )


def _standing(
    database: ClickHouse, plan: str, day: date, known: datetime | None, zone: str
) -> tuple[list[dict[str, Any]] | list[Row], Courses]:
    if known is None:
        return read_standing(database, plan, day), read_courses(database, plan, day)
    local = known.astimezone(ZoneInfo(zone)).date()
    judged = judge_afresh(database, Question(plan=plan, day=day, known_at=local), zone=zone)
    courses = {
        key: [(one.day, _float(one.ratio), _float(one.planned)) for one in history]
        for key, history in judged.histories.items()
    }
    return chosen(judged), courses


def _float(value: Any) -> float | None:
    return None if value is None else float(value)


def _written(found: Report, form: Format, languages: tuple[str, ...]) -> bytes:
    # The writers are imported where they are used: one that is not installed takes no other format with it.
    if form is Format.CSV or form is Format.XLSX:
        from services.report.render.tables import as_csv, as_xlsx

        return as_csv(found).encode() if form is Format.CSV else as_xlsx(found, languages)
    from services.report.render.html import as_html

    html = as_html(found, languages)
    if form is Format.HTML:
        return html.encode()
    from services.report.render.pdf import as_pdf

    return as_pdf(html)


def _verify(database: ClickHouse, file: Path, zone: str) -> None:
    from services.report.render.reading import seal_in

    try:
        before: Seal = seal_in(file.read_bytes())
    except OSError as fault:
        raise Rejected(f"{file} cannot be read: {fault.strerror}") from fault
    except (ValueError, KeyError, BadZipFile) as fault:
        raise Rejected(f"{file}: {fault}") from fault
    try:
        now, _, _ = seal_of(database, before.plan, before.as_of, zone=zone, known_at=before.known_at)
    except CannotJudge as fault:
        raise Rejected(str(fault)) from fault
    out = Console(highlight=False, soft_wrap=True)
    out.print(f"report:  {before.checksum}", markup=False)
    out.print(f"today:   {now.checksum}", markup=False)
    if now.checksum == before.checksum:
        out.print(f"same: the facts behind {before.plan} on {before.as_of} are those of the report", markup=False)
        return
    out.print("different: since the report these have changed", markup=False)
    for phrase in changed(before, now):
        out.print(f"  {phrase}", markup=False)
    raise typer.Exit(_DIFFERS)
