"""Events on disk until the gateway has taken them: SQLite, one process at a time, every commit synced."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Final

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS waiting (place INTEGER PRIMARY KEY AUTOINCREMENT, event BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS refused (
    place INTEGER PRIMARY KEY, event BLOB NOT NULL, reason TEXT NOT NULL, detail TEXT NOT NULL, pointer TEXT NOT NULL
);
"""


class SpoolInUse(RuntimeError):
    """Another process has the spool open; two would send in no order."""


class SpoolFull(RuntimeError):
    """So many events wait already that one more would be too many; nothing of the call was kept."""


@dataclass(frozen=True, slots=True)
class Refused:
    """An event that the gateway will not take as it is, with its typed reason and where in the event the fault lies."""

    place: int
    event: bytes
    reason: str
    detail: str
    pointer: str


class Spool:
    """A file of events in the order in which they came. Safe to use from several threads of one process."""

    def __init__(self, path: Path, most: int) -> None:
        """Open or make the file at *path*, for at most *most* events. Raises SpoolInUse."""
        self._most = most
        self._lock = Lock()
        self._file = sqlite3.connect(path, timeout=1, isolation_level=None, check_same_thread=False)
        try:
            self._file.execute("PRAGMA locking_mode = EXCLUSIVE")
            self._file.execute("PRAGMA journal_mode = WAL")
            self._file.execute("PRAGMA synchronous = FULL")
            self._file.executescript(f"BEGIN EXCLUSIVE;{_SCHEMA}COMMIT;")
        except sqlite3.OperationalError as error:
            self._file.close()
            if "locked" in str(error):
                raise SpoolInUse(f"{path} is open in another process; give each process a spool of its own") from None
            raise
        self._waiting = self._count()

    @property
    def waiting(self) -> int:
        """How many events the gateway has not taken yet."""
        return self._waiting

    def put(self, events: Sequence[bytes]) -> None:
        """Keep *events*, all or none; on return they are on disk. Raises SpoolFull."""
        with self._lock:
            if self._waiting + len(events) > self._most:
                raise SpoolFull(f"{self._waiting} events wait for the gateway already; {self._most} may")
            with self._transaction():
                self._file.executemany("INSERT INTO waiting (event) VALUES (?)", [(event,) for event in events])
            self._waiting += len(events)

    def first(self, count: int) -> list[tuple[int, bytes]]:
        """Return the first *count* events that wait, each with its place."""
        with self._lock:
            return self._file.execute("SELECT place, event FROM waiting ORDER BY place LIMIT ?", (count,)).fetchall()

    def done(self, last: int, refused: Sequence[Refused]) -> None:
        """Forget everything up to the place *last*, which was answered; keep what was *refused* apart."""
        with self._lock:
            with self._transaction():
                self._file.executemany(
                    "INSERT OR REPLACE INTO refused VALUES (?, ?, ?, ?, ?)",
                    [(one.place, one.event, one.reason, one.detail, one.pointer) for one in refused],
                )
                self._file.execute("DELETE FROM waiting WHERE place <= ?", (last,))
            self._waiting = self._count()

    def refused(self) -> list[Refused]:
        """Return what the gateway would not take, in its order."""
        with self._lock:
            rows = self._file.execute("SELECT place, event, reason, detail, pointer FROM refused ORDER BY place")
            return [Refused(*row) for row in rows]

    def forget(self, places: Sequence[int]) -> None:
        """Drop refused events that somebody has seen to."""
        with self._lock, self._transaction():
            self._file.executemany("DELETE FROM refused WHERE place = ?", [(place,) for place in places])

    def close(self) -> None:
        """Close the file; what waits is sent by whoever opens it next."""
        with self._lock:
            self._file.close()

    def _transaction(self) -> sqlite3.Connection:
        self._file.execute("BEGIN IMMEDIATE")
        return self._file  # as a context it commits, or rolls back on an exception

    def _count(self) -> int:
        (found,) = self._file.execute("SELECT count(*) FROM waiting").fetchone()
        return int(found)
