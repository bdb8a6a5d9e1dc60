"""The mail log on disk: appended to, rotated at the start of each month, never rewritten."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path


class RotatedLog:
    """``mail.log`` and what logrotate makes of it: ``mail.log.1`` is last month's. Nothing is compressed.

    *written* lines stand there already from earlier runs; as many are skipped.
    """

    def __init__(self, folder: Path, written: int) -> None:
        self._folder = folder
        self._skip = written
        self.lines = written

    def rotate(self) -> None:
        """Rename mail.log.N to N + 1 and mail.log to mail.log.1; nothing during what was written before."""
        if self._skip:
            return
        olds = [path for path in self._folder.glob("mail.log.*") if path.suffix[1:].isdigit()]
        for path in sorted(olds, key=lambda path: int(path.suffix[1:]), reverse=True):
            path.rename(path.with_suffix(f".{int(path.suffix[1:]) + 1}"))
        current = self._folder / "mail.log"
        if current.exists():
            current.rename(self._folder / "mail.log.1")

    def append(self, lines: Iterable[str]) -> None:
        """Add *lines* to mail.log, less those that stand there already."""
        fresh = []
        for line in lines:
            if self._skip:
                self._skip -= 1
            else:
                fresh.append(line)
        if fresh:
            self.lines += len(fresh)
            with (self._folder / "mail.log").open("a", encoding="utf-8", newline="\n") as file:
                file.write("\n".join(fresh) + "\n")
