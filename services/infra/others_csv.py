"""Figures of others from a CSV file, as spreadsheets write it: commas, semicolons or tabs, with a byte order mark or without."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from services.core.errors import Rejected
from services.core.others_course import Published
from services.core.others_rows import RowFault, read_rows

_SEPARATORS: Final = ",;\t"
MOST_ROWS: Final = 10_000  # a hundred places, ten indicators, ten days


@dataclass(frozen=True, slots=True)
class Others:
    """A file's figures; none of them where there are faults, so that nobody is compared with half a file."""

    figures: tuple[Published, ...]
    faults: tuple[RowFault, ...]


def load_others(file: Path, indicators: Collection[str], groups: Collection[str] = ()) -> Others:
    """Return what *file* says about the plan's *indicators* and the directory's *groups*.

    Raises Rejected if it cannot be read at all.
    """
    try:
        raw = file.read_bytes()
    except OSError as error:
        raise Rejected(f"cannot read {file}: {error.strerror}") from error
    return read_others(raw, indicators, groups)


def read_others(raw: bytes, indicators: Collection[str], groups: Collection[str] = ()) -> Others:
    """Return the figures of the CSV *raw*, or all its faults in the order of its lines."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        hint = "save it as “CSV UTF-8”"
        return Others((), (RowFault(line=line, column="", message=f"byte {error.start} is not UTF-8", hint=hint),))
    first, _, _ = text.lstrip().partition("\n")
    # A heading holds no separator, and whichever stands there most often separates.
    separator = max(_SEPARATORS, key=first.count)
    rows, broken = _lines(text, separator)
    if not rows:
        return Others((), tuple(broken) or (RowFault(line=1, column="", message="the file is empty"),))
    (_, headings), *others = rows
    if len(others) > MOST_ROWS:
        message = f"{len(others):,} rows, where at most {MOST_ROWS:,} can be compared with"
        return Others((), (RowFault(line=1, column="", message=message, hint="leave out what is not of this plan"),))
    figures, faults = read_rows(headings, others, indicators, groups)
    every = (*faults, *broken)
    return Others(() if every else tuple(figures), every)


def _lines(text: str, separator: str) -> tuple[list[tuple[int, Sequence[str]]], list[RowFault]]:
    """Return the line in which each row begins with its cells, up to where the file is no CSV any more."""
    rows: list[tuple[int, Sequence[str]]] = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    begins = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                rows.append((begins, cells))
            begins = reader.line_num + 1
    except csv.Error as error:
        return rows, [RowFault(line=begins, column="", message=f"this is not CSV: {error}", hint="check the quotes")]
    return rows, []
