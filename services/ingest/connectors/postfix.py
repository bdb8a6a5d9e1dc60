"""Postfix: who sent mail on which day, from the logs that it writes anyway."""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from threading import Event
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec

from schemas.common import full_type
from services.infra.clock import Clock
from services.ingest.connectors.base import Checkpoint, Item, Meter, Passed, Saved, Stated, Summary
from services.ingest.connectors.log_files import FileState, LogFiles
from services.ingest.connectors.position import Store
from services.ingest.core.postfix_lines import Kind, Line, read_line
from services.ingest.core.postfix_mail import MailFold, Senders, Sent
from services.ingest.core.syslog_time import LineTimes, first_year, read_yearless

_LINES_PER_CHECKPOINT: Final = 2000
_POLL: Final = 1.0
_KEPT_LINES: Final = 1000
_BAD_TIME: Final = "not understood: time missing, or ahead of the clock"


class _LogState(msgspec.Struct):
    files: list[FileState] = []
    last: str | None = None  # the last yearless moment
    first_day: int = 0
    day: int = 0


class _Position(msgspec.Struct):
    logs: dict[str, _LogState]
    fold: bytes = b""


@dataclass
class _Log:
    name: str
    files: LogFiles
    times: LineTimes
    first_day: int
    day: int
    ahead: bool = False  # its last line waits for those of other logs: not yet used


@dataclass
class PostfixConnector:
    """Reads *logs* (one per server, each with its rotated files) together, in the order of their times.

    A day is passed once every log has a line of a later day.
    """

    logs: tuple[Path, ...]
    source: str
    agency: str
    senders: Senders
    zone: str
    clock: Clock
    stop: Event
    log_zone: str | None = None
    since: date | None = None
    follow: bool = False
    types: tuple[str, ...] = ("mail.used",)
    not_understood: list[str] = field(default_factory=list)  # the first thousand lines of this run

    def items(self, store: Store, meter: Meter, summary: Summary) -> Iterator[Item]:
        """Read on from the store's position; with *follow* for ever."""
        saved = store.position
        position = msgspec.json.decode(saved, type=_Position) if saved else _Position({})
        fold = MailFold(self.senders, self.since or date.min, summary.read)
        if position.fold:
            fold.load(position.fold)
        logs = [self._open(path, position.logs.get(str(path), _LogState())) for path in self.logs]
        for log in logs:
            if not log.files.found:
                summary.remarks.append(f"{log.name}: no such log yet, or an empty one")
        while True:
            meter.total = meter.done + sum(log.files.backlog() for log in logs)
            before = meter.read
            yield from self._read(logs, fold, meter, summary)
            if meter.read > before or not self.follow:
                yield Checkpoint(lambda: _saved(logs, fold), now=True)
            if not self.follow or self.stop.wait(_POLL):
                return
            for log in logs:
                log.times.advance(self.clock())

    def _open(self, path: Path, state: _LogState) -> _Log:
        files = LogFiles(path, state.files)
        now, log_zone = self.clock(), self.log_zone or self.zone

        def opening_year() -> int:
            local = now.astimezone(ZoneInfo(log_zone)).replace(tzinfo=None)
            stamps = (read_yearless(head[:15].decode("latin-1")) for head in files.heads())
            return first_year((stamp for stamp in stamps if stamp is not None), local)

        times = LineTimes(self.zone, log_zone=log_zone, not_after=now, opening_year=opening_year, last=state.last)
        return _Log(str(path), files, times, state.first_day, state.day)

    def _read(self, logs: list[_Log], fold: MailFold, meter: Meter, summary: Summary) -> Iterator[Item]:
        servers = [f"{place}/" if len(logs) > 1 else "" for place in range(len(logs))]
        first_day, passed = _covered(logs)
        count = 0
        for place, text in _merged(logs):
            log = logs[place]
            log.ahead = False
            count += 1
            meter.read += 1
            meter.done += len(text) + 1
            line = read_line(text)
            day = log.times.day(line.stamp) if line.stamp else 0
            if not day:
                summary.read[_BAD_TIME] += 1
                self._keep(text)
                continue
            if day > log.day:
                log.day = day
                log.first_day = log.first_day or day
                first_day, now_passed = _covered(logs)
                if now_passed > passed:
                    passed = now_passed
                    since = max(date.fromordinal(first_day), self.since or date.min)
                    if since.toordinal() <= passed:
                        yield Passed(date.fromordinal(passed), _instant(log, line), since)
            if line.kind is Kind.NOT_UNDERSTOOD:
                self._keep(text)
            sent = fold.step(line, day, servers[place])
            if sent is not None:
                yield self._statement(sent, _instant(log, line))
            if count % _LINES_PER_CHECKPOINT == 0:
                yield Checkpoint(lambda: _saved(logs, fold))
        for log in logs:
            if log.files.too_long:
                summary.read["not understood: longer than 1 MB"] += log.files.too_long
                log.files.too_long = 0

    def _keep(self, text: str) -> None:
        if len(self.not_understood) < _KEPT_LINES:
            self.not_understood.append(text)

    def _statement(self, sent: Sent, moment: datetime) -> Stated:
        day = sent.day.isoformat()
        who = hashlib.blake2b(sent.address.encode(), digest_size=16).hexdigest()
        event: dict[str, Any] = {
            "specversion": "1.0",
            "id": f"mail:{day}:sent:{who}",
            "source": self.source,
            "type": full_type("mail.used"),
            "time": moment.isoformat(),
            "agency": self.agency,
            "data": {"address": sent.address, "day": day, "action": "sent"},
        }
        return Stated(event, "mail.used", sent.day)


def _instant(log: _Log, line: Line) -> datetime:
    moment = log.times.moment(line.stamp)
    if moment is None:
        raise AssertionError("a line with a day has a time")
    return moment


def _covered(logs: list[_Log]) -> tuple[int, int]:
    """Return the first day that every log covers and the last that every log has passed; 0 where one has none."""
    if any(not log.day for log in logs):
        return 0, 0
    first, passed = max(log.first_day for log in logs), min(log.day for log in logs) - 1
    return first, passed if passed >= first else 0


def _merged(logs: list[_Log]) -> Iterable[tuple[int, str]]:
    """Return the lines of all logs in the order of their times; of a single log as they stand."""
    if len(logs) == 1:
        return ((0, text) for text in logs[0].files.lines())
    return ((place, text) for _, place, text in heapq.merge(*(_timed(place, log) for place, log in enumerate(logs))))


def _timed(place: int, log: _Log) -> Iterator[tuple[datetime, int, str]]:
    last = datetime.min.replace(tzinfo=UTC)
    for text in log.files.lines():
        line = read_line(text)
        last = (log.times.moment(line.stamp) if line.stamp else None) or last
        log.ahead = True
        yield last, place, text


def _state(log: _Log) -> _LogState:
    return _LogState(log.files.states(before_last=log.ahead), log.times.last, log.first_day, log.day)


def _saved(logs: list[_Log], fold: MailFold) -> Saved:
    return Saved(msgspec.json.encode(_Position({log.name: _state(log) for log in logs}, fold.dump())))
