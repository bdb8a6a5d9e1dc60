"""Rows as statements, as a mapping says. Every fault is named by its column; the cell's content is never repeated."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping as Cells
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from schemas.events import CATALOGUE
from services.ingest.core.mapping import (
    EventRule,
    FromColumn,
    FromDay,
    FromNumber,
    FromSetting,
    Mapping,
    When,
    strptime_format,
)


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong in a row: the column's heading (or the field's name) and the reason, never the cell's content."""

    column: str
    reason: str


@dataclass(frozen=True, slots=True)
class RowStatement:
    """A row's statement under *step*: the short event type and its data."""

    step: str
    type: str
    data: dict[str, Any]

    @property
    def canonical(self) -> str:
        """The statement as a text that is equal exactly where the statement is."""
        return json.dumps([self.type, self.data], sort_keys=True, ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Row:
    """A row as read: its key, its own time (None: the register states none) and what it says."""

    key: str
    time: datetime | None
    statements: tuple[RowStatement, ...]


def read_row(
    mapping: Mapping, cells: Cells[str, str], settings: Cells[str, str], zone: ZoneInfo
) -> Row | tuple[Fault, ...]:
    """Return what a row says, or all its faults. *cells*: heading → text, every heading of `mapping.columns()` present."""
    faults: list[Fault] = []
    key = cells[mapping.key].strip()
    if not key:
        faults.append(Fault(mapping.key, "the row's key is empty"))
    elif not key.isprintable():
        faults.append(Fault(mapping.key, "the row's key holds signs that cannot be printed"))
    time: datetime | None = None
    if mapping.updated is not None and (text := cells[mapping.updated.column].strip()):
        try:
            time = datetime.strptime(text, strptime_format(mapping.updated.format)).replace(tzinfo=zone)
        except ValueError:
            faults.append(Fault(mapping.updated.column, f"not a moment written as {mapping.updated.format}"))
    statements: dict[str, RowStatement] = {}
    for rule in mapping.events:
        if rule.step in statements or not _holds(rule.when, cells):
            continue
        found = len(faults)
        data = {name: _value(mapping, value, name, cells, settings, faults) for name, value in rule.data.items()}
        if len(faults) == found:
            faults += _contract_faults(rule, data)
        statements[rule.step] = RowStatement(rule.step, rule.type, data)
    return tuple(dict.fromkeys(faults)) if faults else Row(key, time, tuple(statements.values()))


def _value(
    mapping: Mapping, value: Any, name: str, cells: Cells[str, str], settings: Cells[str, str], faults: list[Fault]
) -> Any:
    match value:
        case FromSetting(setting=setting):
            return settings[setting]
        case dict():
            return {key: _value(mapping, inner, key, cells, settings, faults) for key, inner in value.items()}
        case FromColumn(column=column) | FromDay(day=column) | FromNumber(number=column):
            text = cells[column].strip()
            if not text:
                if not value.optional:
                    faults.append(Fault(column, f"empty, but `{name}` is needed"))
                return None
            return _cell(mapping, value, column, text, faults)
        case date():
            return value.isoformat()
        case _:
            return value


def _cell(
    mapping: Mapping, value: FromColumn | FromDay | FromNumber, column: str, text: str, faults: list[Fault]
) -> str | int | None:
    match value:
        case FromColumn():
            return text
        case FromDay():
            form = value.format or mapping.days
            try:
                return datetime.strptime(text, strptime_format(form)).date().isoformat()  # noqa: DTZ007 - a civil day
            except ValueError:
                faults.append(Fault(column, f"not a day written as {form}"))
        case FromNumber():
            plain = text.replace(" ", "").replace("." if value.decimal == "," else ",", "").replace(",", ".")
            if re.fullmatch(r"-?\d{1,15}(\.\d{1,4})?", plain):
                whole, _, fraction = plain.partition(".")
                return plain if fraction.strip("0") else int(whole)  # as a text, because a float keeps 15 digits
            faults.append(Fault(column, "not a number"))
    return None


def _holds(when: When, cells: Cells[str, str]) -> bool:
    return (
        all(cells[name].strip() for name in when.filled)
        and not any(cells[name].strip() for name in when.empty)
        and all(cells[name].strip() == value for name, value in when.equals.items())
    )


def _contract_faults(rule: EventRule, data: dict[str, Any]) -> list[Fault]:
    """Check *data* as the gateway will, so that a fault is named by row and column instead of by event."""
    try:
        CATALOGUE[rule.type].model_validate(data)
    except ValidationError as error:
        faults = []
        for wrong in error.errors(include_input=False, include_url=False):
            field = str(wrong["loc"][0]) if wrong["loc"] else ""
            faults.append(
                Fault(_column_of(rule.data.get(field)) or field or rule.type, f"`{rule.type}`: {wrong['msg']}")
            )
        return faults
    return []


def _column_of(value: Any) -> str | None:
    match value:
        case FromColumn(column=name) | FromDay(day=name) | FromNumber(number=name):
            return name
        case dict():
            return next((found for inner in value.values() if (found := _column_of(inner))), None)
        case _:
            return None


def short_hash(text: str) -> str:
    """Return 12 hexadecimal digits of a hash of *text*."""
    return hashlib.blake2b(text.encode(), digest_size=6).hexdigest()
