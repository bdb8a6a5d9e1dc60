"""What the commands for plans, directories and sources share: reading files, printing faults."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Any

import typer
from rich.console import Console

from services.infra.documents import Fault, Loaded

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


class Format(StrEnum):
    """How a command prints."""

    TABLE = "table"
    JSON = "json"


def read_text(file: Path) -> str:
    """Return the file's text. Ends the command with one line where it cannot be read."""
    try:
        return file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as fault:
        err.print(f"{file}: cannot be read: {getattr(fault, 'strerror', None) or 'not UTF-8'}", markup=False)
        raise typer.Exit(1) from fault


def print_faults(file: Path, faults: tuple[Fault, ...], form: Format = Format.TABLE) -> None:
    """Print *faults*: a line each, or a JSON list."""
    if form is Format.JSON:
        rows = [
            {
                "file": str(file),
                "line": fault.line,
                "column": fault.column,
                "path": list(fault.path),
                "message": fault.message,
                "hint": fault.hint,
                "warning": fault.warning,
            }
            for fault in faults
        ]
        out.print_json(json.dumps(rows, ensure_ascii=False))
        return
    for fault in faults:
        out.print(fault.text(file.name), markup=False)


def checked(file: Path, loaded: Loaded[Any], form: Format) -> None:
    """Print what a check found; ends the command with exit code 1 where there is more than warnings."""
    print_faults(file, loaded.faults, form)
    if loaded.refused:
        raise typer.Exit(1)
    if form is Format.TABLE:
        out.print(f"{file.name}: no faults" if not loaded.faults else f"{file.name}: can be published", markup=False)
