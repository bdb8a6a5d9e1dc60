"""``tiendo standing``: who stands where, read from ClickHouse as it was judged."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, NoReturn
from zoneinfo import ZoneInfo

import typer
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from schemas.directory import Directory
from schemas.plan import Plan
from services.cli import output, rollups
from services.cli.asked import misnamed, unjudged
from services.cli.goalposts import moved_by, notes
from services.core.in_force import directory_in_force, plan_in_force
from services.core.schedule.standing_words import STYLES, Words, words_of
from services.infra.clickhouse.client import ClickHouse, open_clickhouse
from services.infra.plan_reader import PlanReader
from services.infra.settings import SharedSettings
from services.infra.standing_reader import read_rollups, read_standing

if TYPE_CHECKING:  # only --known-at and --revision judge; to read what was judged need not wait for what that takes
    from services.core.schedule.assess import Assessment

#: The fields of a standing, the same wherever one leaves the system.
FIELDS: Final = (
    "plan", "revision", "indicator", "agency", "day", "numerator", "denominator", "ratio", "measured_share", "planned",
    "target", "verdict", "days_behind", "spi", "needed_pace", "recent_pace", "forecast", "forecast_low", "forecast_high",
    "feed_state", "provisional",
)  # fmt: skip
WIDTH: Final = 150  # of the table where no terminal says otherwise
_WIDE: Final = 180  # from here on a forecast's range has room

Row = Mapping[str, Any]


class Format(StrEnum):
    """How standing is printed."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


class By(StrEnum):
    """What figures are shown together."""

    ALL = "all"
    GROUP = "group"
    PARENT = "parent"


class Language(StrEnum):
    """Whose words the table uses; JSON and CSV have none."""

    VI = "vi"
    EN = "en"


def standing(
    plan: str = typer.Option(..., "--plan", help="The plan's id."),
    as_of: datetime | None = typer.Option(
        None, "--as-of", formats=["%Y-%m-%d"], metavar="YYYY-MM-DD", help="The day judged; the last one, unless given."
    ),
    known_at: datetime | None = typer.Option(
        None,
        "--known-at",
        formats=["%Y-%m-%d"],
        metavar="YYYY-MM-DD",
        help="Judge by what had been received by the end of this day.",
    ),
    revision: int | None = typer.Option(
        None, "--revision", help="Judge under this revision of the plan; under the one then in force, unless given."
    ),
    indicator: list[str] | None = typer.Option(None, "--indicator", help="Only this one; may be repeated."),
    agency: list[str] | None = typer.Option(None, "--agency", help="Only this one; may be repeated."),
    by: By | None = typer.Option(
        None,
        "--by",
        help="group, parent or all: figures together, with what they would be if the silent were at 0 or 100 %.",
    ),
    form: Format = typer.Option(Format.TABLE, "--format", help="table, json or csv."),
    lang: Language = typer.Option(Language.EN, "--lang", help="Words of the table: vi or en."),
) -> None:
    """Print who stands where: verdict, figure, plan, days behind, needed pace, forecast.

    With --known-at or --revision it is computed afresh from the facts, which takes a while where agencies are many.

    Examples:
    tiendo standing --plan thai-nguyen-2008 --as-of 2008-07-31 --lang vi
    tiendo standing --plan thai-nguyen-2008 --as-of 2008-07-31 --known-at 2008-08-05
    tiendo standing --plan thai-nguyen-2008 --as-of 2008-07-31 --by group
    """
    settings = SharedSettings()
    known = known_at.date() if known_at else None
    if by is not None and (known is not None or revision is not None or agency):
        _end("--by shows what was judged of many agencies: leave out --known-at, --revision and --agency")
    with open_clickhouse(settings.clickhouse()) as database:
        reader = PlanReader(database)
        day = as_of.date() if as_of else _last_judged(reader, plan, known)
        if day is None:
            ids = ", ".join(reader.plan_ids()) or "none"
            _end(f"plan {plan!r} has not been judged yet; plans published: {ids}")
        if by is not None:
            _print_rollups(database, reader, plan, day, by, indicator or (), form, words_of(lang))
            return
        if known is None and revision is None:
            rows = read_standing(database, plan, day, indicators=indicator or (), agencies=agency or ())
            documents = _documents(reader, plan, day) if form is Format.TABLE else None
        else:
            judged = _afresh(database, plan, day, known, revision, settings.zone)
            rows = chosen(judged, indicators=indicator or (), agencies=agency or ())
            documents = judged.plan, judged.directory
        fault = misnamed(reader, plan, day, rows, indicators=indicator or (), agencies=agency or ())
        if fault is not None or (not rows and form is Format.TABLE):
            _end(fault or unjudged(reader, plan, day))
        asks_less = revision is None and form is Format.TABLE
        moved = moved_by(reader, plan, day, _end_of(known, settings.zone)) if asks_less else ()
    if form is Format.JSON:
        sys.stdout.write(json.dumps([as_record(row) for row in rows], ensure_ascii=False, indent=2) + "\n")
    elif form is Format.CSV:
        sys.stdout.write(as_csv(rows))
    elif documents is None:
        _end(f"no revision of {plan!r} is in force on {day}")
    else:
        out = Console(highlight=False) if sys.stdout.isatty() else Console(highlight=False, width=WIDTH)
        words = words_of(lang)
        print_table(out, rows, *documents, _about(words, day, known, revision), words)
        shown = {row["indicator"] for row in rows}
        titles = {one.id: one.title.text(words.language) for one in documents[0].indicators}
        for note in notes((one for one in moved if one.indicator in shown), titles, words):
            out.print(note, style="bold", markup=False)


def _print_rollups(
    database: ClickHouse,
    reader: PlanReader,
    plan: str,
    day: date,
    by: By,
    indicators: Sequence[str],
    form: Format,
    words: Words,
) -> None:
    rows = read_rollups(database, plan, day, by.value, indicators=indicators)
    if fault := misnamed(reader, plan, day, rows, indicators=indicators):
        _end(fault)
    documents = _documents(reader, plan, day) if form is Format.TABLE else None
    if form is Format.JSON:
        output.print_json([rollups.as_record(row) for row in rows])
    elif form is Format.CSV:
        output.print_csv(rollups.FIELDS, [rollups.as_record(row) for row in rows])
    elif not rows or documents is None:
        _end(unjudged(reader, plan, day))
    else:
        rollups.print_rollups(rows, *documents, _about(words, day, None, None), words)


def _about(words: Words, day: date, known_at: date | None, revision: int | None) -> str:
    said = [f"{words.as_of} {words.date(day)}"]
    if known_at is not None:
        said.append(f"{words.known_at} {words.date(known_at)}")
    if revision is not None:
        said.append(f"{words.under} {revision}")
    return ", ".join(said)


def _end(message: str) -> NoReturn:
    Console(stderr=True, highlight=False).print(message, markup=False, soft_wrap=True)
    raise typer.Exit(1)


def _afresh(
    database: ClickHouse, plan: str, day: date, known: date | None, revision: int | None, zone: str
) -> Assessment:
    from services.infra.figures.afresh import CannotJudge, Question, judge_afresh

    try:
        return judge_afresh(database, Question(plan=plan, day=day, known_at=known, revision=revision), zone=zone)
    except CannotJudge as fault:
        _end(str(fault))


def _end_of(known: date | None, zone: str) -> datetime | None:
    if known is None:
        return None
    from services.infra.figures.afresh import end_of

    return end_of(known, ZoneInfo(zone))


def chosen(judged: Assessment, *, indicators: Sequence[str] = (), agencies: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Return the last day's rows of an assessment as the table has them, of these indicators and agencies where any are named."""
    from services.core.schedule.standing_row import COLUMNS, as_row

    return [
        dict(zip(COLUMNS, as_row(history[-1]), strict=True))
        for (indicator, agency), history in sorted(judged.histories.items())
        if history[-1].day == judged.day
        and (not indicators or indicator in indicators)
        and (not agencies or agency in agencies)
    ]


def as_record(row: Row) -> dict[str, Any]:
    """Return the fields of a standing as JSON values: days as ISO dates, null where there is none."""
    record: dict[str, Any] = {}
    for name in FIELDS:
        value = row[name]
        if isinstance(value, Decimal):
            value = int(value) if value == value.to_integral_value() else float(value)
        elif isinstance(value, date):
            value = value.isoformat()
        record[name] = value
    record["verdict"] = record["verdict"] or None
    record["provisional"] = bool(row["provisional"])
    return record


def as_csv(rows: Sequence[Row]) -> str:
    """Return the same records as CSV, null as an empty field."""
    text = io.StringIO()
    writer = csv.DictWriter(text, FIELDS, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        record = as_record(row)
        writer.writerow(record | {"provisional": str(record["provisional"]).lower()})
    return text.getvalue()


def print_table(out: Console, rows: Sequence[Row], plan: Plan, directory: Directory, about: str, words: Words) -> None:
    """Print one table per indicator, in the plan's order, those furthest behind first; *about* says of which day."""
    names = {one.id: one.name.text(words.language) for one in directory.agencies}
    out.print(f"[bold]{escape(plan.title.text(words.language))}[/] — {about}")
    for indicator in plan.indicators:
        mine = [row for row in rows if row["indicator"] == indicator.id]
        if not mine:
            continue
        table = Table(
            title=indicator.title.text(words.language), title_justify="left", title_style="bold", box=box.SIMPLE_HEAD
        )
        for heading in words.headings:
            table.add_column(
                heading, justify="left" if heading in words.texts else "right", no_wrap=heading in words.short
            )
        for row in sorted(mine, key=_worst_first):
            verdict = row["verdict"]
            table.add_row(
                escape(names.get(row["agency"]) or row["agency"]),
                f"[{STYLES.get(verdict, 'default')}]{words.verdicts[verdict]}[/]",
                words.figure(row, indicator.unit),
                words.percent(row["planned"]),
                words.percent(row["target"]),
                words.days(row["days_behind"]),
                words.needed(row, indicator.unit),
                words.forecast(row, with_range=out.width >= _WIDE),
                words.feed(row),
            )
        out.print()
        out.print(table)
    counts = {verdict: sum(row["verdict"] == verdict for row in rows) for verdict in words.verdicts}
    out.print("   ".join(f"{words.verdicts[verdict]}: {count}" for verdict, count in counts.items() if count))


def _worst_first(row: Row) -> tuple[bool, float, str]:
    behind = row["days_behind"]
    return behind is None, -(behind or 0.0), row["agency"]


def _last_judged(reader: PlanReader, plan: str, known: date | None) -> date | None:
    evaluation = reader.last_evaluation(plan)
    if evaluation is None:
        return None
    return evaluation.day if known is None else min(evaluation.day, known)


def _documents(reader: PlanReader, plan: str, day: date) -> tuple[Plan, Directory] | None:
    plans = reader.plans(plan)
    in_force = plan_in_force(plans, day)
    directory = directory_in_force(reader.directories(plans[-1].document.directory), day) if plans else None
    return (in_force.document, directory.document) if in_force and directory else None
