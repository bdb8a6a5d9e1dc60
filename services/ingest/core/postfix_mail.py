"""Who sent mail on which day: the lines of a Postfix log folded into one statement per address and day.

A mail counts when the queue manager first has it active, after smtpd, pickup or cleanup took it; its retries do not count
again. Filters, aliases and second servers take the same mail in once more under another queue id: the same sender with
the same Message-ID (or Resent-Message-ID, for a resent one is a mail of its own) within a week is one mail, of the day of
its first acceptance. One without a Message-ID is the same as another of its sender that is still in the queue. Bounces
have no sender; the system's own senders, and senders outside our domains, count for nothing.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date
from typing import Final

import msgspec

from services.ingest.core.postfix_lines import Kind, Line

SYSTEM_SENDERS: Final = frozenset(
    [
        "root",
        "postmaster",
        "mailer-daemon",
        "double-bounce",
        "daemon",
        "cron",
        "anacron",
        "nobody",
        "www-data",
        "logwatch",
    ]
)
_REMEMBERED_DAYS: Final = 7  # longer than Postfix keeps a mail in its queue (maximal_queue_lifetime, 5 days)
_MAX_OPEN: Final = 200_000  # mails in the queue at once; beyond it the oldest are forgotten
_MAX_IDS: Final = 2_000_000
_ADDRESS: Final = re.compile(r"[^\s@\x00-\x1f\x7f]+@[^\s@\x00-\x1f\x7f]+")  # what the contract of mail.used takes
_LONGEST_ADDRESS: Final = 254


@dataclass(frozen=True, kw_only=True)
class Senders:
    """Whose mails count: addresses of *domains* and their subdomains whose local part is not in *system*; lower case."""

    domains: tuple[str, ...]
    system: Collection[str] = SYSTEM_SENDERS

    def ours(self, address: str) -> bool:
        """Tell whether *address* (lower case) lies in one of the domains."""
        domain = address.rpartition("@")[2]
        return any(domain == ours or domain.endswith("." + ours) for ours in self.domains)


class Sent(msgspec.Struct, frozen=True):
    """*address* (lower case) sent mail on *day*; *stamp* is the head's time of the first line that says so."""

    address: str
    day: date
    stamp: str


class _Open(msgspec.Struct, array_like=True):
    mail: int = 0  # 64 bits of a hash of the Message-ID, 0 while unknown
    resent: bool = False
    active: bool = False
    nameless: str = ""  # sender of an active mail without a Message-ID


class _State(msgspec.Struct):
    open: dict[str, _Open]
    mails: dict[int, int]
    sent: dict[int, set[str]]
    nameless: dict[str, int]  # sender → active mails of theirs without a Message-ID
    day: int


@dataclass
class MailFold:
    """The fold: `step` takes the lines in order; `dump` and `load` carry its state across restarts.

    Memory is bounded: open queue ids, a week of Message-IDs as hashes, a week of senders.
    """

    senders: Senders
    since: date = date.min
    counts: Counter[str] = field(default_factory=Counter)
    _state: _State = field(default_factory=lambda: _State({}, {}, {}, {}, 0))

    def step(self, line: Line, day: int, server: str = "") -> Sent | None:
        """Take the next line, written on *day* (an ordinal) by *server*; return what it newly says. *line* was read as Latin-1.

        Never raises. Each line is counted under one reason in `counts`.
        """
        kind = line.kind
        open_ = self._state.open
        queue = server + line.queue
        if kind is Kind.ACTIVE:
            reason, sent = self._active(line, queue, day)
            self.counts[reason] += 1
            return sent
        self.counts[kind] += 1
        if kind is Kind.REMOVED:
            self._drop(queue)
        elif kind is Kind.ACCEPTED:
            self._drop(queue)  # short queue ids come again: a new mail, whatever we knew under this one
            self._keep(queue, _Open())
        elif kind is Kind.IDENTIFIED or kind is Kind.RESENT:
            entry = open_.get(queue)
            if entry is None:
                entry = self._keep(queue, _Open())
            if line.value not in ("", "<>") and (kind is Kind.RESENT or not entry.resent):
                entry.mail = _hashed(line.value)
                entry.resent = kind is Kind.RESENT
        return None

    def dump(self) -> bytes:
        """Return the state, for `load`."""
        return msgspec.msgpack.encode(self._state)

    def load(self, state: bytes) -> None:
        """Go on from *state*. Raises msgspec.DecodeError (a ValueError) if it is not one."""
        self._state = msgspec.msgpack.decode(state, type=_State)

    def _keep(self, queue: str, entry: _Open) -> _Open:
        open_ = self._state.open
        if len(open_) >= _MAX_OPEN:
            self._drop(next(iter(open_)))
        open_[queue] = entry
        return entry

    def _drop(self, queue: str) -> None:
        entry = self._state.open.pop(queue, None)
        if entry is not None and entry.nameless:
            nameless = self._state.nameless
            nameless[entry.nameless] -= 1
            if not nameless[entry.nameless]:
                del nameless[entry.nameless]

    def _again(self, entry: _Open, address: str, day: int) -> bool:
        """Tell whether this mail was seen before, and remember it."""
        state = self._state
        if not entry.mail:
            # A filter hands a mail back before the original leaves the queue: that is all there is to know it by.
            before = state.nameless.get(address, 0)
            state.nameless[address] = before + 1
            entry.nameless = address
            return before > 0
        mail = _hashed(address, entry.mail)
        if mail in state.mails:
            return True
        if len(state.mails) >= _MAX_IDS:
            del state.mails[next(iter(state.mails))]
        state.mails[mail] = day
        return False

    def _active(self, line: Line, queue: str, day: int) -> tuple[str, Sent | None]:
        entry = self._state.open.get(queue)
        if entry is None:
            return "ignored: acceptance not in the log", None
        if entry.active:
            return "ignored: active again", None
        entry.active = True
        address = _text(line.value).lower()
        if not address:
            return "ignored: no sender (bounce)", None
        if address.partition("@")[0] in self.senders.system:
            return "ignored: system sender", None
        if not _ADDRESS.fullmatch(address) or len(address) > _LONGEST_ADDRESS:
            return "ignored: sender is no mail address", None
        if not self.senders.ours(address):
            return "ignored: sender outside the domains", None
        if day > self._state.day:
            self._forget(day)
        if self._again(entry, address, day):
            return "ignored: the same mail again", None
        if day < self.since.toordinal():
            return "ignored: before the first day asked for", None
        of_day = self._state.sent.setdefault(day, set())
        if address in of_day:
            return "used: a further mail of that day", None
        of_day.add(address)
        return "used: first mail of the day", Sent(address, date.fromordinal(day), line.stamp)

    def _forget(self, day: int) -> None:
        state, oldest = self._state, day - _REMEMBERED_DAYS
        state.day = day
        state.sent = {at: addresses for at, addresses in state.sent.items() if at >= oldest}
        for mail, at in list(state.mails.items()):
            if at >= oldest:
                break  # in order of arrival: what follows is as young, clock jumps aside
            del state.mails[mail]


def _text(latin: str) -> str:
    """Return what is written in UTF-8 but was read as Latin-1, so that offsets are those of bytes."""
    if latin.isascii():
        return latin
    try:
        return latin.encode("latin-1").decode("utf-8", "replace")
    except UnicodeEncodeError:
        return latin


def _hashed(text: str, salt: int = 0) -> int:
    digest = hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8, salt=salt.to_bytes(8, "big")).digest()
    return int.from_bytes(digest, "big") or 1
