"""What a connector remembers across restarts: how far it has read, what it stated and what it reported.

One SQLite file per connector. Everything is written in one transaction, and only after the gateway answered for all that
came before, so that a kill at any moment leaves a state from which repeating is harmless.
"""

from __future__ import annotations

import fcntl
import hashlib
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import IO, Final

from services.ingest.connectors.errors import CannotGoOn
from services.ingest.core.feed_days import DayBook

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS stated (type TEXT, day INTEGER, id BLOB, PRIMARY KEY (type, day, id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS days (type TEXT, day INTEGER, counted INTEGER NOT NULL, reported INTEGER, reported_at TEXT,
                                 PRIMARY KEY (type, day)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS register (entry TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
"""


class Store:
    """The state of one connector. Not for several threads at once."""

    def __init__(self, database: sqlite3.Connection, rejected: Path) -> None:
        self._database = database
        self._new: set[tuple[str, int, bytes]] = set()
        self.rejected = rejected

    @property
    def position(self) -> bytes | None:
        """How far the connector has read, in its own form; None before the first save."""
        row = self._database.execute("SELECT value FROM meta WHERE name = 'position'").fetchone()
        return row[0] if row else None

    def register(self) -> dict[str, bytes]:
        """Return everything that the register of statements holds."""
        return dict(self._database.execute("SELECT entry, value FROM register"))

    def is_new(self, type_: str, day: date, id_: str) -> bool:
        """Tell whether no event of this id was stated before, and remember it as stated."""
        entry = (type_, day.toordinal(), hashlib.blake2b(id_.encode(), digest_size=16).digest())
        if entry in self._new:
            return False
        if self._database.execute("SELECT 1 FROM stated WHERE type = ? AND day = ? AND id = ?", entry).fetchone():
            return False
        self._new.add(entry)
        return True

    def day_book(self, types: tuple[str, ...]) -> DayBook:
        """Return the counts and reports of *types* as last saved."""
        meta = dict(self._database.execute("SELECT name, value FROM meta WHERE name IN ('first', 'passed_to')"))
        book = DayBook(types, first=_day(meta.get("first")), passed_to=_day(meta.get("passed_to")))
        for type_, day, counted, reported, at in self._database.execute("SELECT * FROM days"):
            key = (type_, date.fromordinal(day))
            book.counted[key] = counted
            if reported is not None:
                book.reported[key] = (reported, datetime.fromisoformat(at))
        book.restore_changed()
        return book

    def save(self, position: bytes, entries: Mapping[str, bytes], book: DayBook) -> None:
        """Write everything in one transaction. Raises CannotGoOn, with nothing written, where the disk does not take it."""
        keys = book.take_touched()
        try:
            with self._database:
                self._database.executemany("INSERT OR IGNORE INTO stated VALUES (?, ?, ?)", self._new)
                self._database.executemany("INSERT OR REPLACE INTO register VALUES (?, ?)", entries.items())
                self._database.executemany("INSERT OR REPLACE INTO days VALUES (?, ?, ?, ?, ?)", _days(book, keys))
                meta: dict[str, bytes | str] = {"position": position}
                if book.first is not None:
                    meta["first"] = book.first.isoformat()
                if book.passed_to is not None:
                    meta["passed_to"] = book.passed_to.isoformat()
                self._database.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", meta.items())
        except sqlite3.Error as error:
            raise CannotGoOn(
                f"the state folder does not take the position ({error}). Nothing is lost: make room or mend the folder "
                f"({self.rejected.parent}) and start again"
            ) from error
        self._new.clear()

    def claim(self, identity: str) -> None:
        """Tie this state to *identity* (source and kind), for good. Raises CannotGoOn where it belongs to another."""
        row = self._database.execute("SELECT value FROM meta WHERE name = 'identity'").fetchone()
        if row is None:
            with self._database:
                self._database.execute("INSERT INTO meta VALUES ('identity', ?)", (identity,))
        elif row[0] != identity:
            raise CannotGoOn(
                f"the state in {self.rejected.parent} belongs to {row[0]}, not to {identity}: give each connector its own "
                "--state folder or name"
            )


def _day(value: str | None) -> date | None:
    return date.fromisoformat(value) if value else None


def _days(book: DayBook, keys: Iterable[tuple[str, date]]) -> Iterator[tuple[str, int, int, int | None, str | None]]:
    for type_, day in keys:
        reported = book.reported.get((type_, day))
        yield (
            type_,
            day.toordinal(),
            book.counted[type_, day],
            reported[0] if reported else None,
            reported[1].isoformat() if reported else None,
        )


@contextmanager
def open_store(folder: Path, name: str) -> Iterator[Store]:
    """Open the state of connector *name* below *folder* for the time of a ``with`` block; only its owner may read it.

    Raises CannotGoOn where another process holds it, or where the file is not one of ours.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = folder / f"{_safe(name)}.sqlite"
        lock = (folder / f"{_safe(name)}.lock").open("a")
    except OSError as error:
        raise CannotGoOn(
            f"cannot use the state folder {folder}: {error.strerror}. Give another with --state"
        ) from error
    try:
        _lock(lock, name)
        path.touch(mode=0o600)
        database = sqlite3.connect(path, check_same_thread=False)
        try:
            database.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;" + _SCHEMA)
            yield Store(database, folder / f"{_safe(name)}.rejected.jsonl")
        except sqlite3.DatabaseError as error:
            raise CannotGoOn(
                f"{path} cannot be used ({error}). Remove it to read everything again: repeats are harmless"
            ) from error
        finally:
            database.close()
    finally:
        lock.close()


def _lock(lock: IO[str], name: str) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise CannotGoOn(f"another process runs the connector {name} on this state folder: end it first") from error


def _safe(name: str) -> str:
    return "".join(sign if sign.isalnum() or sign in ".-" else "_" for sign in name)
