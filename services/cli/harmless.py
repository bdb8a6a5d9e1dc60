"""Texts that others wrote, made harmless for a terminal and for spreadsheets."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any, Final

from rich.markup import escape

_FORMULA: Final = ("=", "+", "-", "@")
_TURNS: Final = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def plain(text: str) -> str:
    """Return *text* on one line, without characters that move a cursor, colour a terminal or turn the reading direction."""
    kept = "".join(" " if unicodedata.category(sign) == "Cc" or sign in _TURNS else sign for sign in text)
    return " ".join(kept.split())


def shown(text: str) -> str:
    """Return *text* plain, and without meaning as markup of our tables."""
    return escape(plain(text))


def in_a_cell(value: Any) -> Any:
    """Return *value* for CSV: a text is plain, and one that a spreadsheet would compute begins with an apostrophe."""
    if not isinstance(value, str):
        return value
    text = plain(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def cells(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return *record* with every text fit for a cell of CSV."""
    return {name: in_a_cell(value) for name, value in record.items()}
