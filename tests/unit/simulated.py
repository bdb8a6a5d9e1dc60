"""Makes the example's simulator importable by its own name, as it is when it runs, and reads what it writes."""

from __future__ import annotations

import csv
import sys
from datetime import date, datetime
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "thai-nguyen-2008"
if str(EXAMPLE) not in sys.path:
    sys.path.insert(0, str(EXAMPLE))

from simulator.run import write  # noqa: E402  isort: skip - importable only now
from simulator.truth import World  # noqa: E402  isort: skip


UNTIL = date(2008, 9, 30)
_built: list[tuple[Path, World]] = []


def province(factory: pytest.TempPathFactory) -> tuple[Path, World]:
    """Return the folder and the truth of the example's world up to 30 September, written once for all tests."""
    if not _built:
        folder = factory.mktemp("province")
        _built.append((folder, write(2008, UNTIL, folder)))
    return _built[0]


def log_text(folder: Path) -> str:
    """Return the whole mail log, oldest file first."""
    old = sorted((folder / "mail").glob("mail.log.*"), key=lambda path: -int(path.suffix[1:]))
    return "".join(path.read_text(encoding="utf-8") for path in [*old, folder / "mail" / "mail.log"])


def rows(path: Path) -> list[dict[str, str]]:
    """Return the rows of an export by their headings."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file, delimiter=";"))


def newest(folder: Path, register: str) -> Path:
    """Return the newest export of a register."""
    return max(folder.glob(f"{register}-*.csv"))


def day(text: str) -> date | None:
    """Read ``dd/mm/yyyy``; None where the cell is empty."""
    return datetime.strptime(text, "%d/%m/%Y").date() if text else None


def files(folder: Path) -> dict[str, bytes]:
    """Return every file below *folder* with its content."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
