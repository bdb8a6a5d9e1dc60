"""Registers exported as CSV: rosters, mailboxes, documents, records; whole registers, export after export."""

from __future__ import annotations

import csv
import glob
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from io import TextIOWrapper
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from services.infra.clock import Clock
from services.ingest.connectors.base import Checkpoint, Item, Meter, Passed, Saved, Stated, Summary
from services.ingest.connectors.errors import CannotGoOn
from services.ingest.connectors.position import Store
from services.ingest.core.mapping import Mapping
from services.ingest.core.mapping_rows import Fault, read_row
from services.ingest.core.register import Change, Known, changes

_ROWS_PER_CHECKPOINT: Final = 500
_KEPT_REMARKS: Final = 1000
_SKEW: Final = timedelta(days=1)
_SEPARATOR: Final = "\x1f"  # between a row's key and a step; neither holds control characters


class _Position(msgspec.Struct):
    stamp: str  # of the last export that was read to its end


class _Register:
    """What each row was last stated to say, by row and step, and what of it is not saved yet."""

    def __init__(self, entries: dict[str, bytes]) -> None:
        self._rows: dict[str, dict[str, Known]] = {}
        self._unsaved: dict[str, bytes] = {}
        for entry, value in entries.items():
            row, _, step = entry.rpartition(_SEPARATOR)
            self._rows.setdefault(row, {})[step] = msgspec.json.decode(value, type=Known)

    def known(self, row: str) -> dict[str, Known]:
        return self._rows.get(row, {})

    def remember(self, row: str, change: Change) -> None:
        if change.after is not None:
            self._rows.setdefault(row, {})[change.step] = change.after
            self._unsaved[row + _SEPARATOR + change.step] = msgspec.json.encode(change.after)

    def claims(self) -> Counter[str]:
        """Return how many entries state each natural key."""
        return Counter(entry.key for steps in self._rows.values() for entry in steps.values() if not entry.retracted)

    def take(self) -> dict[str, bytes]:
        unsaved, self._unsaved = self._unsaved, {}
        return unsaved


@dataclass
class CsvConnector:
    """Reads the exports that *pattern* (a glob) finds, in the order of their stamps, each once."""

    mapping: Mapping
    pattern: str
    source: str
    agency: str
    zone: str
    clock: Clock
    since: date | None = None  # the first day to report; statements are sent whatever their day

    @property
    def types(self) -> tuple[str, ...]:
        """The event types that this register gives."""
        return self.mapping.types

    def items(self, store: Store, meter: Meter, summary: Summary) -> Iterator[Item]:
        """Read the exports made since the last one that was read. Ends with the last. Raises CannotGoOn on a file that it
        cannot use as a whole; single faulty rows are left out and named in the summary."""
        saved = store.position
        position = msgspec.json.decode(saved, type=_Position) if saved else _Position("")
        exports = self._exports(position, summary)
        if not exports:
            return
        meter.total = sum(path.stat().st_size for _, paths in exports for path in paths)
        register = _Register(store.register())

        def take() -> Saved:
            return Saved(msgspec.json.encode(position), register.take())

        for stamp, paths in exports:
            later: list[tuple[str, tuple[Change, ...]]] = []
            seen: dict[str, str] = {}
            for path in paths:
                for row, found in self._rows(path, stamp, register, seen, meter, summary):
                    if any(change.data.get("retracted") for change in found):
                        later.append((row, found))  # only at the end is it known whether another row has taken the key
                        continue
                    for change in found:
                        register.remember(row, change)
                        yield self._stated(row, change)
                    if meter.read % _ROWS_PER_CHECKPOINT == 0:
                        yield Checkpoint(take)
            for row, found in later:
                for change in found:
                    register.remember(row, change)
            claims = register.claims() if later else Counter()
            for row, found in later:
                for change in found:
                    if change.data.get("retracted") and claims[Known(change.type, change.data, "").key]:
                        summary.read["taken back by one row, stated by another: kept"] += 1
                        continue
                    yield self._stated(row, change)
            local = stamp.astimezone(ZoneInfo(self.zone)).date()
            if self.since is None or self.since < local:
                yield Passed(local - timedelta(days=1), stamp, self.since)
            position.stamp = stamp.isoformat()
            yield Checkpoint(take)
        yield Checkpoint(take, now=True)

    def _exports(self, position: _Position, summary: Summary) -> list[tuple[datetime, list[Path]]]:
        """Return the exports still to be read with their stamps, oldest first."""
        last = datetime.fromisoformat(position.stamp) if position.stamp else None
        found: dict[datetime, list[Path]] = {}
        names = sorted(glob.glob(self.pattern))  # noqa: PTH207 - the pattern may be absolute
        if not names:
            _remark(summary, f"no file matches {self.pattern}")
        for name in names:
            path = Path(name)
            stamp = self.mapping.export_time(path.name)
            if stamp is None:
                _remark(summary, f"{path}: the name does not say when the export was made; see `stamp` in the mapping")
                summary.read["files without a stamp"] += 1
            elif stamp > self.clock() + _SKEW:
                _remark(summary, f"{path}: its stamp lies ahead of the clock")
                summary.read["files ahead of the clock"] += 1
            elif last is None or stamp > last:
                found.setdefault(stamp, []).append(path)
        return sorted(found.items())

    def _rows(
        self,
        path: Path,
        stamp: datetime,
        register: _Register,
        seen: dict[str, str],
        meter: Meter,
        summary: Summary,
    ) -> Iterator[tuple[str, tuple[Change, ...]]]:
        """Yield each usable row's key with what it newly says."""
        zone, settings = ZoneInfo(self.zone), {"agency": self.agency, "source": self.source}
        before = meter.done
        for number, cells, offset in self._cells(path):
            meter.read += 1
            meter.done = before + offset
            row = read_row(self.mapping, cells, settings, zone)
            if not isinstance(row, tuple) and row.key in seen:
                row = (Fault(self.mapping.key, f"the same key as in {seen[row.key]}"),)
            if isinstance(row, tuple):
                summary.read["faulty rows"] += 1
                for fault in row:
                    _remark(summary, f"{path}:{number}: column `{fault.column}`: {fault.reason}")
                continue
            seen[row.key] = f"{path.name}:{number}"
            found = changes(row, register.known(row.key), stamp)
            summary.read["rows with something new" if found else "rows as before"] += 1
            yield row.key, found
        meter.done = before + path.stat().st_size

    def _cells(self, path: Path) -> Iterator[tuple[int, dict[str, str], int]]:
        """Yield each row's line number, its cells by heading, and about how many bytes were read by then."""
        try:
            with path.open("rb") as raw, TextIOWrapper(raw, encoding=self.mapping.encoding, newline="") as text:
                reader = csv.reader(text, delimiter=self.mapping.delimiter, strict=True)
                headings = [heading.strip() for heading in next(reader, [])]
                places = self._places(path, headings)
                for cells in reader:
                    if any(cells):
                        row = {name: cells[at] if at < len(cells) else "" for name, at in places.items()}
                        yield reader.line_num, row, raw.tell()
        except OSError as error:
            raise CannotGoOn(f"cannot read {path}: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise CannotGoOn(
                f"{path} is not {self.mapping.encoding} (byte {error.start}): set `encoding` in the mapping"
            ) from error
        except LookupError as error:
            raise CannotGoOn(f"unknown encoding {self.mapping.encoding} in the mapping") from error
        except csv.Error as error:
            raise CannotGoOn(
                f"{path}, line {reader.line_num}: not CSV ({error}); check `delimiter` and quotes"
            ) from error

    def _places(self, path: Path, headings: list[str]) -> dict[str, int]:
        needed = self.mapping.columns()
        missing = [name for name in needed if name not in headings]
        twice = [name for name in needed if headings.count(name) > 1]
        if missing or twice:
            faults = [f"no column `{name}`" for name in missing] + [f"two columns `{name}`" for name in twice]
            raise CannotGoOn(
                f"{path}, line 1: {'; '.join(faults)}. Its headings, split at `{self.mapping.delimiter}`, are {len(headings)}: "
                "compare them with the mapping"
            )
        return {name: headings.index(name) for name in needed}

    def _stated(self, row: str, change: Change) -> Stated:
        event = change.event(register=self.mapping.register_, row=row, source=self.source, agency=self.agency)
        return Stated(event, change.type, change.time.astimezone(ZoneInfo(self.zone)).date())


def _remark(summary: Summary, text: str) -> None:
    if len(summary.remarks) < _KEPT_REMARKS:
        summary.remarks.append(text)
