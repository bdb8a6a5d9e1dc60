"""A log that rotates: its lines once each, in order, whatever is renamed, copied, truncated or compressed meanwhile.

A file is known by the hash of its first bytes, uncompressed (at most 1,024, whole lines), because names, inodes and sizes all
change under rotation; the inode only decides between files that begin alike. Offsets count uncompressed bytes.
"""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, cast
from zlib import error as ZlibError

import msgspec

from services.ingest.connectors.errors import CannotGoOn

_FINGERPRINT: Final = 1024
_CHUNK: Final = 1 << 20
_LONGEST_LINE: Final = 1 << 20
_REMEMBERED: Final = 400  # rotated files that no longer exist; more than a year of daily ones
_SUFFIX: Final = re.compile(r"(?:[.-](\d[\d.T-]*))?(\.gz)?")


class FileState(msgspec.Struct):
    """One file that was read: its fingerprint (hash of the first *length* bytes), inode, and how far."""

    length: int
    digest: str
    inode: int
    offset: int = 0
    sealed: str = ""  # size and time of a compressed file that was read to its end: it need not be opened again


@dataclass
class _Found:
    path: Path
    inode: int
    size: int
    head: bytes
    seal: str
    closed: bool = False  # nothing more is written to it: a last line without its end is a line

    @property
    def compressed(self) -> bool:
        return self.path.suffix == ".gz"


class LogFiles:
    """The files of one log: *path* and its rotated siblings (``.1``, ``.2.gz``, ``-20080601``, ``.20080601-000000.gz``)."""

    def __init__(self, path: Path, states: list[FileState] | None = None) -> None:
        self._path = path
        self._states = states or []
        self._heads: dict[Path, tuple[str, bytes]] = {}  # what a file began with when it was last looked at
        self._reading: FileState | None = None
        self._step = 0
        self.too_long = 0  # lines beyond 1 MB: not kept

    def states(self, *, before_last: bool = False) -> list[FileState]:
        """Return what to remember: everything up to the line last yielded; *before_last*: it excluded, to be read again."""
        if not before_last or self._reading is None:
            return list(self._states)
        last = msgspec.structs.replace(self._reading, offset=self._reading.offset - self._step)
        return [last if state is self._reading else state for state in self._states]

    @property
    def found(self) -> bool:
        """Whether there is anything to read, or ever was."""
        return bool(self._states or self._listing())

    def backlog(self) -> int:
        """Return about how many bytes are still to be read (compressed ones as they lie on disk)."""
        size = 0
        for found in self._listing():
            state = self._state_of(found)
            if state is None:
                size += found.size
            elif not found.compressed:
                size += max(0, found.size - state.offset)
        return size

    def heads(self) -> Iterator[bytes]:
        """Return the first bytes of every line not yet read, oldest file first; for finding out years."""
        for found in self._listing():
            state = self._state_of(found)
            with _open(found) as file:
                file.seek(state.offset if state else 0)
                try:
                    for line in file:
                        yield line[:16]
                except (OSError, EOFError, ZlibError):
                    continue

    def lines(self) -> Iterator[str]:
        """Yield the lines not yet read, without their ends, each character one byte (Latin-1); then end.

        A last line without its end waits for the rest, unless a newer file shows that none will come. Go on by calling it again.
        """
        listing = self._listing()
        self._forget(listing)
        for found in listing:
            state = self._state_of(found)
            if state is None:
                state = FileState(len(found.head), _digest(found.head), found.inode)
                self._states.append(state)
            elif len(found.head) > state.length:
                state.length, state.digest = len(found.head), _digest(found.head)
            state.inode = found.inode
            if found.compressed and state.sealed == found.seal:
                continue
            yield from self._read(found, state)

    def _read(self, found: _Found, state: FileState) -> Iterator[str]:
        try:
            file = _open(found)
        except FileNotFoundError:
            return  # renamed since we looked: found under its new name the next time
        with file:
            file.seek(0, 2 if not found.compressed else 0)
            if not found.compressed and file.tell() < state.offset:
                return  # a copy that holds less than we read, or truncated since we looked
            file.seek(state.offset)
            self._reading = state
            rest = b""
            skipping = False
            while True:
                try:
                    chunk = file.read(_CHUNK)
                except (OSError, EOFError, ZlibError):
                    return  # a compressed file still being written: again the next time
                if not chunk:
                    break
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    state.offset += len(line) + 1
                    if skipping:
                        skipping = False
                    else:
                        self._step = len(line) + 1
                        yield line.decode("latin-1")
                if len(rest) > _LONGEST_LINE:
                    self.too_long += 0 if skipping else 1
                    state.offset += len(rest)
                    rest, skipping = b"", True
            if found.closed and rest and not skipping:
                self._step = len(rest)
                state.offset += self._step
                yield rest.decode("latin-1")
            if found.compressed:
                state.sealed = found.seal

    def _listing(self) -> list[_Found]:
        """Return the files with at least one whole line, oldest first, each content once (a copy just made counts as one)."""
        found: list[_Found] = []
        for path in self._path.parent.glob(self._path.name + "*"):
            match = _SUFFIX.fullmatch(path.name[len(self._path.name) :])
            if match is None or not path.is_file():
                continue
            try:
                stat = path.stat()
                one = _Found(path, stat.st_ino, stat.st_size, b"", f"{stat.st_size}:{stat.st_mtime_ns}")
                one.head = self._head(one)
            except PermissionError as error:
                raise CannotGoOn(f"may not read {path}: run as a user of the log's group (often adm)") from error
            except (OSError, EOFError, ZlibError):
                continue  # gone, or being compressed at this moment
            if one.head:
                found.append(one)
        found.sort(key=lambda one: _age(one.path.name[len(self._path.name) :]))
        kept: list[_Found] = []
        for one in found:
            twin = next((other for other in kept if _alike(one.head, other.head)), None)
            if twin is None:
                kept.append(one)
            elif twin.compressed or (not one.compressed and one.size > twin.size):
                kept[kept.index(twin)] = one  # copy-and-truncate before its second half, or gzip before its last step
        for place, one in enumerate(kept, start=1):
            one.closed = one.compressed or place < len(kept)
        return kept

    def _head(self, found: _Found) -> bytes:
        """Return the first bytes up to the last whole line in them; a first line beyond the limit counts as it is."""
        known = self._heads.get(found.path)
        look = f"{found.inode}:{found.seal}"
        if known is not None and known[0] == look:
            return known[1]
        with _open(found) as file:
            head = file.read(_FINGERPRINT)
        end = head.rfind(b"\n") + 1
        head = head[:end] if end else (head if len(head) == _FINGERPRINT else b"")
        self._heads[found.path] = (look, head)
        return head

    def _state_of(self, found: _Found) -> FileState | None:
        alike = [
            state
            for state in self._states
            if state.length <= len(found.head) and _digest(found.head[: state.length]) == state.digest
        ]
        same = [state for state in alike if state.inode == found.inode]
        matching = same or alike
        return matching[-1] if matching else None

    def _forget(self, listing: list[_Found]) -> None:
        present = {id(state) for found in listing if (state := self._state_of(found)) is not None}
        gone = [state for state in self._states if id(state) not in present]
        for state in gone[: max(0, len(gone) - _REMEMBERED)]:
            self._states.remove(state)


def _open(found: _Found) -> BinaryIO:
    return cast(BinaryIO, gzip.open(found.path, "rb")) if found.compressed else found.path.open("rb")


def _digest(head: bytes) -> str:
    return hashlib.blake2b(head, digest_size=16).hexdigest()


def _alike(first: bytes, second: bytes) -> bool:
    shorter = min(len(first), len(second))
    return first[:shorter] == second[:shorter]


def _age(suffix: str) -> tuple[int, int, str]:
    """Order of suffixes, oldest first: dated ones by date, numbered ones from the greatest down, the live file last."""
    match = _SUFFIX.fullmatch(suffix)
    mark = match[1] if match else None
    if mark is None:
        return (2, 0, "")
    return (1, -int(mark), "") if mark.isdecimal() and len(mark) <= 4 else (0, 0, mark)
