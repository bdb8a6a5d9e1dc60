"""How commands print records: a table for people, JSON and CSV for programs."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final

from rich import box
from rich.console import Console
from rich.table import Table

WIDTH: Final = 150  # of a table where no terminal says otherwise


class Format(StrEnum):
    """How figures are printed."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


def console() -> Console:
    """Return where tables go: the terminal, or a fixed width where there is none."""
    return Console(highlight=False) if sys.stdout.isatty() else Console(highlight=False, width=WIDTH)


def counted(number: int, one: str, many: str) -> str:
    """Return *number* with its noun: ``1 event``, ``2,000 events``."""
    return f"{number:,} {one if number == 1 else many}"


def as_value(value: Any) -> Any:
    """Return *value* as JSON has it: days and moments in ISO form."""
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {name: as_value(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [as_value(one) for one in value]
    return value


def print_json(document: Any) -> None:
    """Print *document* as JSON."""
    sys.stdout.write(json.dumps(as_value(document), ensure_ascii=False, indent=2) + "\n")


def print_csv(names: Sequence[str], records: Sequence[Mapping[str, Any]]) -> None:
    """Print *records* as CSV, null as an empty field, lists joined with ``; ``."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(names)
    for record in records:
        writer.writerow([_field(as_value(record[name])) for name in names])


def _field(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return "; ".join(" ".join(map(str, one)) if isinstance(one, list) else str(one) for one in value)
    return "" if value is None else value


def table(title: str, columns: Sequence[str], *, right: Sequence[str] = (), fixed: Sequence[str] = ()) -> Table:
    """Return an empty table; columns in *right* hold numbers, those in *fixed* are not wrapped."""
    made = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
    for name in columns:
        made.add_column(
            name, justify="right" if name in right else "left", no_wrap=name in fixed or name in right, overflow="fold"
        )
    return made
