"""The report as rows: CSV for programs, a workbook for people who reckon on."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Final

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter

from services.core.schedule.standing_words import words_of
from services.report.core.model import Line, Report, Row
from services.report.core.texts import TERMS

#: A standing's fields, as everywhere.
FIELDS: Final = (
    "plan", "revision", "indicator", "agency", "day", "numerator", "denominator", "ratio", "measured_share", "planned",
    "target", "verdict", "days_behind", "spi", "needed_pace", "recent_pace", "forecast", "forecast_low", "forecast_high",
    "feed_state", "provisional",
)  # fmt: skip
SEALED: Final = "seal"
_PERCENT: Final = frozenset({"ratio", "measured_share", "planned", "target"})
_PACE: Final = frozenset({"needed_pace", "recent_pace"})


def as_csv(report: Report) -> str:
    """Return a standing a line, the furthest behind agency first, with its seal in the last column of every line."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*FIELDS, SEALED])
    seal = report.seal.to_json()
    for _, line in _lines(report):
        writer.writerow([*(_plain(line.row, name) for name in FIELDS), seal])
    return text.getvalue()


def as_xlsx(report: Report, languages: Sequence[str]) -> bytes:
    """Return a workbook: sheets ``standing``, ``series`` and ``about``; shares are percentages, days are dates."""
    book = Workbook()
    standing = book.active
    standing.title = "standing"
    _heads(standing, ["agency_name", "indicator_title", "verdict_name", *FIELDS])
    words = words_of(languages[0])
    for name, line in _lines(report, languages[0]):
        title = line.indicator.title.text(languages[0])
        standing.append([name, title, words.verdicts[line.row["verdict"]], *(_typed(line.row, one) for one in FIELDS)])
    _formats(standing)
    series = book.create_sheet("series")
    _heads(series, ["agency", "indicator", "day", "ratio", "planned"])
    for page in report.pages:
        for line in page.lines:
            actual, planned = dict(line.actual), dict(line.planned)
            for day in sorted(actual.keys() | planned.keys()):
                series.append([page.agency, line.indicator.id, day, actual.get(day), planned.get(day)])
    _formats(series)
    _about(book.create_sheet("about"), report, languages)
    held = io.BytesIO()
    book.save(held)
    return held.getvalue()


def _lines(report: Report, language: str = "vi") -> list[tuple[str, Line]]:
    return [(page.name.text(language), line) for page in report.pages for line in page.lines]


def _typed(row: Row, name: str) -> Any:
    value = row[name]
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if name == "provisional":
        return bool(value)
    return None if value == "" else value


def _plain(row: Row, name: str) -> Any:
    value = _typed(row, name)
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else value.isoformat() if isinstance(value, date) else value


def _heads(sheet: Any, names: Sequence[str]) -> None:
    sheet.append(list(names))
    for cell in sheet[1]:
        cell.font = Font(bold=True)
    sheet.freeze_panes = "A2"


def _formats(sheet: Any) -> None:
    for at, cell in enumerate(sheet[1], start=1):
        name = str(cell.value)
        form = "0.0%" if name in _PERCENT else "0.000%" if name in _PACE else "0.0" if name == "days_behind" else None
        form = "0.000" if name == "spi" else form
        for (one,) in sheet.iter_rows(min_row=2, min_col=at, max_col=at):
            if isinstance(one.value, date):
                one.number_format = "yyyy-mm-dd"
            elif form is not None:
                one.number_format = form
        wide = {"agency_name": 34, "indicator_title": 52, "agency": 24, "indicator": 22}
        sheet.column_dimensions[get_column_letter(at)].width = wide.get(name, 13)
    sheet.auto_filter.ref = sheet.dimensions


def _about(sheet: Any, report: Report, languages: Sequence[str]) -> None:
    seal = report.seal
    known = seal.known_at.isoformat() if seal.known_at else "all received when made"
    _heads(sheet, ["what", "value"])
    for row in (
        ("plan", seal.plan),
        ("title", report.plan.title.text(languages[0])),
        ("decision", report.plan.decision.number),
        ("signer", report.plan.decision.signer),
        ("revision", seal.revision),
        ("directory_revision", seal.directory_revision),
        ("as_of", seal.as_of),
        ("known_at", known),
        ("made", report.made),
        ("checksum", seal.checksum),
        (SEALED, seal.to_json()),
        *((f"moved ({language})", note) for language in languages for note in report.notes.get(language, ())),
        *(
            (term, said.format(behind_after=report.plan.behind_after))
            for language in languages
            for term, said in TERMS[language]
        ),
    ):
        sheet.append(row)
    sheet.column_dimensions["A"].width, sheet.column_dimensions["B"].width = 28, 100
    for (cell,) in sheet.iter_rows(min_row=2, min_col=2, max_col=2):
        cell.alignment = Alignment(wrap_text=True, vertical="top", horizontal="left")
