"""``tiendo contradictions`` and ``tiendo discrepancies``: where sources disagree, for the agency to clear up."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

import typer
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from schemas.directory import Directory
from schemas.plan import Plan
from services.cli.asked import over
from services.cli.output import counted
from services.cli.standing import WIDTH, Format
from services.core.errors import Rejected
from services.core.in_force import directory_in_force, plan_in_force
from services.infra.clickhouse.client import ClickHouse, open_clickhouse
from services.infra.clock import last_complete_day, open_clock
from services.infra.evidence import Contradiction, Discrepancy, Statement
from services.infra.evidence import contradictions as read_contradictions
from services.infra.evidence import discrepancies as read_discrepancies
from services.infra.plan_reader import PlanReader
from services.infra.settings import SharedSettings

_CONTRADICTION: Final = tuple(field.name for field in fields(Contradiction))
_DISCREPANCY: Final = tuple(field.name for field in fields(Discrepancy))
_Cells = tuple[Sequence[str], Sequence[Sequence[str]]]  # headings, rows
_COMPARED: Final = (
    "agency",
    "indicator",
    "source",
    "first",
    "last",
    "compared on",
    "declared",
    "measured",
    "difference",
)

_PLAN = typer.Option(..., "--plan", help="The plan's id.")
_AS_OF = typer.Option(
    None,
    "--as-of",
    formats=["%Y-%m-%d"],
    metavar="YYYY-MM-DD",
    help="The day asked about; the last one judged, unless given.",
)
_AGENCY = typer.Option(None, "--agency", help="Only this one and the offices below it; may be repeated.")
_FORM = typer.Option(Format.TABLE, "--format", help="table, json or csv.")


@dataclass(frozen=True, kw_only=True)
class _Asked:
    database: ClickHouse
    plan: Plan
    directory: Directory
    revision: int
    day: date


def contradictions(
    plan: str = _PLAN,
    agency: list[str] | None = _AGENCY,
    as_of: datetime | None = _AS_OF,
    form: Format = _FORM,
) -> None:
    """List the items of which one source says they are adopted and another that they are not, such as a paper register.

    Example: tiendo contradictions --plan thai-nguyen-2008 --agency so-y-te --as-of 2008-09-30
    """
    with _asked(plan, as_of, agency or ()) as asked:
        found = read_contradictions(
            asked.database, asked.plan, asked.directory, asked.revision, asked.day, agencies=agency or ()
        )
    rows = [[one.agency, one.type, one.item, _told(one.adopted), _told(one.otherwise)] for one in found]
    flat = (_CONTRADICTION, rows)
    _print(form, found, flat, flat, ("contradiction", "contradictions"), asked.day)


def discrepancies(
    plan: str = _PLAN,
    agency: list[str] | None = _AGENCY,
    as_of: datetime | None = _AS_OF,
    form: Format = _FORM,
) -> None:
    """List the declared figures that differ from the measured ones by more than the plan's margin.

    Example: tiendo discrepancies --plan thai-nguyen-2008 --format csv
    """
    with _asked(plan, as_of, agency or ()) as asked:
        found = read_discrepancies(
            asked.database, asked.plan, asked.directory, asked.revision, asked.day, agencies=agency or ()
        )
    spans = [[one.agency, one.indicator, one.source, str(one.first), str(one.last), str(one.day)] for one in found]
    shown = [
        [
            *span,
            _figure(one.declared_numerator, one.declared_denominator),
            _figure(one.measured_numerator, one.measured_denominator),
            f"{one.difference * 100:+.1f} %",
        ]
        for span, one in zip(spans, found, strict=True)
    ]
    flat = [
        [
            *span, _number(one.declared_numerator), _number(one.declared_denominator),
            _number(one.measured_numerator), _number(one.measured_denominator), f"{one.difference:+.4f}",
        ]
        for span, one in zip(spans, found, strict=True)
    ]  # fmt: skip
    _print(form, found, (_DISCREPANCY, flat), (_COMPARED, shown), ("discrepancy", "discrepancies"), asked.day)


@contextmanager
def _asked(plan: str, as_of: datetime | None, agencies: Sequence[str]) -> Iterator[_Asked]:
    """Yield the revisions in force on the day. Raises Rejected for a plan or an agency that is not there."""
    settings = SharedSettings()
    with open_clickhouse(settings.clickhouse()) as database:
        reader = PlanReader(database)
        plans = reader.plans(plan)
        if not plans:
            raise Rejected(f"there is no plan {plan}; published are: {', '.join(reader.plan_ids()) or 'none'}")
        judged = reader.last_evaluation(plan)
        last = judged.day if judged else last_complete_day(open_clock()(), settings.zone)
        day = over(as_of.date(), settings.zone) if as_of else last
        in_force = plan_in_force(plans, day)
        directory = directory_in_force(reader.directories(plans[-1].document.directory), day)
        if in_force is None or directory is None:
            raise Rejected(f"no revision of {plan} is in force on {day}")
        unknown = sorted(set(agencies) - {one.id for one in directory.document.agencies})
        if unknown:
            raise Rejected(f"not in the directory of {day}: {', '.join(unknown)}")
        yield _Asked(
            database=database, plan=in_force.document, directory=directory.document,
            revision=directory.revision, day=day,
        )  # fmt: skip


def _told(statements: Sequence[Statement]) -> str:
    return "; ".join(f"{one.source} {one.step} {one.day}" for one in statements)


def _number(value: Decimal | None) -> str:
    return "" if value is None else f"{value.normalize():f}"


def _figure(numerator: Decimal | None, denominator: Decimal | None) -> str:
    """Return a figure as it is read; of a headcount the number alone."""
    return "/".join(_number(part) for part in (numerator, denominator) if part is not None)


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value.isoformat() if isinstance(value, date) else str(value)


def _print(
    form: Format,
    found: Sequence[Contradiction | Discrepancy],
    flat: _Cells,
    shown: _Cells,
    nouns: tuple[str, str],
    day: date,
) -> None:
    if form is Format.JSON:
        print(json.dumps([asdict(one) for one in found], ensure_ascii=False, indent=2, default=_plain))
    elif form is Format.CSV:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(flat[0])
        writer.writerows(flat[1])
    else:
        out = Console(highlight=False) if sys.stdout.isatty() else Console(highlight=False, width=WIDTH)
        table = Table(title=f"{counted(len(found), *nouns)} as of {day}", title_justify="left", box=box.SIMPLE_HEAD)
        for heading in shown[0]:
            table.add_column(heading, overflow="fold")
        for row in shown[1]:
            table.add_row(*(escape(cell) for cell in row))
        out.print(table)
