"""Rows of a file about others: cells as people write them, into figures, or every fault with its row, column and hint."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Final

from services.core.findings import meant
from services.core.others_course import Kind, Published

COLUMNS: Final = (
    "indicator",
    "group",
    "who",
    "kind",
    "day",
    "ratio",
    "numerator",
    "denominator",
    "source",
    "comparable",
)
_NEEDED: Final = ("indicator", "who", "day", "source")
_VIETNAMESE: Final = {
    "chỉ tiêu": "indicator", "nhóm": "group", "đơn vị": "who", "tỉnh": "who", "loại": "kind", "ngày": "day", "tỷ lệ": "ratio",
    "tỉ lệ": "ratio", "tử số": "numerator", "mẫu số": "denominator", "nguồn": "source", "so sánh được": "comparable",
}  # fmt: skip
_KINDS: Final = {
    "": Kind.OTHER, "other": Kind.OTHER, "tỉnh khác": Kind.OTHER,
    "last-year": Kind.LAST_YEAR, "last year": Kind.LAST_YEAR, "năm trước": Kind.LAST_YEAR,
}  # fmt: skip
_YES: Final = frozenset({"", "yes", "có"})
_NO: Final = re.compile(r"^(?:no|không)(?:\s*[:,;–-]\s*|$)(.*)$", re.IGNORECASE)
_NUMBER: Final = re.compile(r"^(\d+)(?:[.,](\d+))?\s*(%?)$")
_THOUSANDS: Final = re.compile(r"^[1-9]\d{0,2}(?:[., ]\d{3})+$")
_ISO: Final = re.compile(r"^(\d{4})-(\d{1,2})-(\d{1,2})$")
_DAY_FIRST: Final = re.compile(r"^(\d{1,2})[/.](\d{1,2})[/.](\d{4})$")


@dataclass(frozen=True, slots=True, kw_only=True)
class RowFault:
    """What is wrong in which line of the file (from 1) and column; ``column`` is empty where it is the row as a whole."""

    line: int
    column: str
    message: str
    hint: str | None = None

    def text(self, name: str) -> str:
        """Return the fault as one line, the place first."""
        where = f"{name}:{self.line}: " + (f"column `{self.column}`: " if self.column else "")
        return where + self.message + (f" — {self.hint}" if self.hint else "")


class Unreadable(ValueError):
    """A cell that says nothing usable; ``hint`` is what was probably meant."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


def read_rows(
    headings: Sequence[str],
    rows: Iterable[tuple[int, Sequence[str]]],
    indicators: Collection[str],
    groups: Collection[str] = (),
) -> tuple[list[Published], list[RowFault]]:
    """Return the figures of *rows* (line, cells) and all faults, in the order of the file.

    *indicators* and *groups* are those that there are. Headings are ``COLUMNS`` or their Vietnamese names; ``group``, ``kind``
    and ``comparable`` may be missing, and either ``ratio`` or the two counts. Faulty headings are told alone, since every
    row would repeat them.
    """
    names = [_VIETNAMESE.get(_tidy(heading).casefold(), _tidy(heading).casefold()) for heading in headings]
    faults = _heading_faults(headings, names)
    if faults:
        return [], faults
    figures: list[Published] = []
    first: dict[tuple[str, str, str, date], int] = {}
    kinds: dict[str, tuple[Kind, int]] = {}
    for line, cells in rows:
        texts = [_tidy(cell) for cell in cells]
        if not any(texts):
            continue
        if any(texts[len(names) :]):
            hint = 'a decimal comma needs quotes where commas separate, as in "40,5 %"'
            faults.append(
                RowFault(line=line, column="", message=f"{len(texts)} cells for {len(names)} headings", hint=hint)
            )
            continue
        row = dict.fromkeys(COLUMNS, "") | dict(zip(names, texts, strict=False))
        figure, found = _read(line, row, indicators, groups)
        if figure is not None:
            found += _clashes(line, figure, first, kinds)
        faults += found
        if figure is not None and not found:
            figures.append(figure)
    return figures, faults


def read_share(text: str) -> Fraction:
    """Return the share of 1 that *text* writes: ``40 %``, ``40,5 %``, ``0.4`` or ``0,4``. Raises Unreadable."""
    match = _NUMBER.match(text)
    if match is None:
        raise Unreadable(
            f"{text!r} is no share", "write `40 %`, `40,5 %` or `0.4`; leave it empty where there is no figure"
        )
    whole, decimals, sign = match.groups()
    value = Fraction(Decimal(f"{whole}.{decimals or 0}"))
    if sign:
        if value > 100:
            raise Unreadable(f"{text!r} is more than 100 %")
        return value / 100
    if value > 1:
        raise Unreadable(f"{text!r} is more than 1", f"did you mean `{text} %`?" if value <= 100 else None)
    if value and decimals is None:
        raise Unreadable(f"{text!r} may be 1 % or 100 %", "write its sign")
    return value


def read_day(text: str) -> date:
    """Return the day that *text* writes, as 2008-09-30 or 30/09/2008. Raises Unreadable."""
    iso, day_first = _ISO.match(text), _DAY_FIRST.match(text)
    if iso is not None:
        year, month, day = (int(part) for part in iso.groups())
    elif day_first is not None:
        day, month, year = (int(part) for part in day_first.groups())
    else:
        raise Unreadable(f"{text!r} is no day", "write 2008-09-30 or 30/09/2008")
    try:
        return date(year, month, day)
    except ValueError as error:
        swapped = day_first is not None and month > 12 and day <= 12
        hint = f"the day comes first: did you mean {month:02}/{day:02}/{year}?" if swapped else None
        raise Unreadable(f"there is no day {text!r}", hint) from error


def _tidy(text: str) -> str:
    """Return *text* composed, with plain single spaces: a spreadsheet's no-break spaces are none of its meaning."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def _heading_faults(headings: Sequence[str], names: Sequence[str]) -> list[RowFault]:
    known = {*COLUMNS, *_VIETNAMESE}
    said = [
        (heading, "unknown column", meant(name, known))
        for heading, name in zip(headings, names, strict=True)
        if name not in COLUMNS
    ]
    said += [(name, f"stands {names.count(name)} times", None) for name in COLUMNS if names.count(name) > 1]
    missing = [name for name in _NEEDED if name not in names]
    if "ratio" not in names and not {"numerator", "denominator"} <= set(names):
        missing.append("ratio` or `numerator` and `denominator")
    said += [("", f"no column `{name}`", None) for name in missing]
    return [RowFault(line=1, column=column, message=message, hint=hint) for column, message, hint in said]


def _read(
    line: int, row: Mapping[str, str], indicators: Collection[str], groups: Collection[str]
) -> tuple[Published | None, list[RowFault]]:
    faults: list[RowFault] = []

    def fault(column: str, message: str, hint: str | None) -> None:
        faults.append(RowFault(line=line, column=column, message=message, hint=hint))

    for name, text in row.items():
        # What a file holds is printed: an escape sequence of somebody else's must not reach a terminal.
        if any(unicodedata.category(sign) == "Cc" for sign in text):
            fault(name, "holds a control character", None)
    for name in _NEEDED:
        if not row[name]:
            fault(name, "is empty", "say where the figure is published" if name == "source" else None)
    if row["indicator"] and row["indicator"] not in indicators:
        fault("indicator", f"the plan has no indicator {row['indicator']!r}", meant(row["indicator"], indicators))
    if row["group"] and row["group"] not in groups:
        fault("group", f"the directory has no group {row['group']!r}", meant(row["group"], groups))
    kind = _KINDS.get(row["kind"].casefold())
    if kind is None:
        fault("kind", f"{row['kind']!r} is neither `other` nor `last-year`", meant(row["kind"].casefold(), _KINDS))
    day = None
    if row["day"]:
        try:
            day = read_day(row["day"])
        except Unreadable as unreadable:
            fault("day", str(unreadable), unreadable.hint)
    ratio = _ratio(row, fault)
    if faults or kind is None or day is None:
        return None, faults
    refused = _NO.match(row["comparable"])
    note = refused[1] if refused else "" if row["comparable"].casefold() in _YES else row["comparable"]
    figure = Published(
        indicator=row["indicator"],
        group=row["group"],
        who=row["who"],
        kind=kind,
        day=day,
        ratio=ratio,
        source=row["source"],
        comparable=refused is None,
        note=note,
    )
    return figure, faults


def _ratio(row: Mapping[str, str], fault: Callable[[str, str, str | None], None]) -> Fraction | None:
    """Return the row's share, from its counts where it has them; None where it states none, or a fault was told."""
    share: Fraction | None = None
    counts: dict[str, Fraction] = {}
    try:
        share = read_share(row["ratio"]) if row["ratio"] else None
    except Unreadable as unreadable:
        fault("ratio", str(unreadable), unreadable.hint)
        return None
    for name in ("numerator", "denominator"):
        match = _NUMBER.match(row[name])
        if _THOUSANDS.match(row[name]):
            fault(
                name,
                f"{row[name]!r} may be a thousand or a decimal",
                f"write `{re.sub('[., ]', '', row[name])}` if it is whole",
            )
        elif row[name] and (match is None or match[3]):
            fault(name, f"{row[name]!r} is no count", "digits alone; leave it empty where there is none")
        elif match is not None:
            counts[name] = Fraction(Decimal(f"{match[1]}.{match[2] or 0}"))
    if len(counts) < 2:
        if counts and not (row["numerator"] and row["denominator"]):
            fault(
                "denominator" if "numerator" in counts else "numerator", "is empty, and the other count is given", None
            )
        return share
    done, of = counts["numerator"], counts["denominator"]
    if done > of:
        fault("numerator", f"{row['numerator']} of {row['denominator']} is more than all", None)
        return None
    if not of:
        if share is not None:
            fault("ratio", "a share of nothing: the denominator is 0", None)
        return None
    if share is not None and abs(done / of - share) > _rounding(row["ratio"]):
        fault(
            "ratio",
            f"{row['ratio']} is not {row['numerator']} of {row['denominator']}",
            f"that is {float(done / of):.2%}",
        )
    return done / of


def _rounding(text: str) -> Fraction:
    """Return half a unit of the last digit written."""
    match = _NUMBER.match(text)
    digits = len(match[2] or "") + (2 if match[3] else 0) if match else 0
    return Fraction(1, 2 * 10**digits)


def _clashes(
    line: int, figure: Published, first: dict[tuple[str, str, str, date], int], kinds: dict[str, tuple[Kind, int]]
) -> list[RowFault]:
    faults = []
    before = first.setdefault((figure.indicator, figure.group, figure.who, figure.day), line)
    if before != line:
        message = (
            f"a second figure of {figure.who!r} for {figure.indicator!r} on this day; the first is in line {before}"
        )
        faults.append(RowFault(line=line, column="day", message=message))
    kind, told = kinds.setdefault(figure.who, (figure.kind, line))
    if kind is not figure.kind:
        message = f"{figure.who!r} is `{kind}` in line {told} and `{figure.kind}` here"
        faults.append(RowFault(line=line, column="kind", message=message))
    return faults
