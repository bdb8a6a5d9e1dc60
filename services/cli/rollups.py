"""``tiendo standing --by group``: the figures of many agencies together, with what the silent ones could make of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from schemas.directory import Directory
from schemas.plan import Plan, Unit
from services.cli import output
from services.core.schedule.standing_words import Words

FIELDS: Final = (
    "plan", "revision", "indicator", "by", "name", "day", "agencies", "silent", "numerator", "denominator", "ratio", "low",
    "high", "planned", "target",
)  # fmt: skip
_HEADINGS: Final = {
    "vi": ("", "Số cơ quan", "Mất tín hiệu", "Số liệu", "Tỷ lệ", "Thấp nhất", "Cao nhất", "Kế hoạch", "Chỉ tiêu"),
    "en": ("", "agencies", "silent", "figure", "share", "at least", "at most", "planned", "target"),
}
_ALL: Final = {"vi": "Tất cả", "en": "all"}


def as_record(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a roll-up as JSON values, null where there is none."""
    return {name: _number(row[name]) for name in FIELDS}


def print_rollups(
    rows: Sequence[Mapping[str, Any]], plan: Plan, directory: Directory, about: str, words: Words
) -> None:
    """Print one table per indicator, in the plan's order."""
    out = output.console()
    names = {group: title.text(words.language) for group, title in directory.groups.items()}
    names |= {one.id: one.name.text(words.language) for one in directory.agencies} | {"": _ALL[words.language]}
    out.print(f"{plan.title.text(words.language)} — {about}", style="bold", markup=False)
    for indicator in plan.indicators:
        mine = [row for row in rows if row["indicator"] == indicator.id]
        if not mine:
            continue
        headings = _HEADINGS[words.language]
        table = output.table(indicator.title.text(words.language), headings, right=headings[1:])
        for row in mine:
            shares = (words.percent(row[name]) for name in ("ratio", "low", "high", "planned", "target"))
            name, figure = names.get(row["name"], row["name"]), _figure(row, indicator.unit, words)
            table.add_row(name, str(row["agencies"]), str(row["silent"]), figure, *shares)
        out.print()
        out.print(table)


def _figure(row: Mapping[str, Any], unit: Unit, words: Words) -> str:
    done, of = row["numerator"], row["denominator"]
    if done is None or of is None:
        return "–"
    named = f" {unit.text(words.language)}" if unit.size > 1 else ""
    return f"{words.amount(done, unit)}/{words.amount(of, unit)}{named}"


def _number(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value
