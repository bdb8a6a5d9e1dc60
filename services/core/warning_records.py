"""What the records of ``warnings.v1`` amount to: the state of each warning and of each notice. Pure folds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from schemas.warnings import Notice, Transition

#: (agency or feed id, cause)
Subject = tuple[str, str]


def fold(transitions: Iterable[Transition]) -> dict[Subject, Transition]:
    """Return the last transition of each subject and cause: its state. Order and repeats do not matter.

    Of two records of one transition (overlapping leaders) the one decided first counts.
    """
    last: dict[Subject, Transition] = {}
    for one in transitions:
        subject = (one.agency, one.cause)
        held = last.get(subject)
        if held is None or (one.sequence, -one.at.timestamp()) > (held.sequence, -held.at.timestamp()):
            last[subject] = one
    return last


class DeliveryFault(StrEnum):
    """Why a mail was not taken. Passing faults are tried again; final ones need a person."""

    UNREACHABLE = "smtp-unreachable"
    TIMED_OUT = "smtp-timed-out"
    CONNECTION_LOST = "smtp-connection-lost"
    TRY_LATER = "smtp-try-later"  # 4xx: greylisting, a full queue
    TLS_FAILED = "smtp-tls-failed"
    NOT_AUTHENTICATED = "smtp-not-authenticated"
    SENDER_REFUSED = "smtp-sender-refused"
    RECIPIENT_REFUSED = "smtp-recipient-refused"
    CONTENT_REFUSED = "smtp-content-refused"
    NO_RECIPIENT = "no-recipient"  # the directory no longer names anybody

    @property
    def final(self) -> bool:
        """Whether trying again unchanged cannot help. Wrong credentials are mended in settings, so they pass."""
        return self in _FINAL


_FINAL: Final = frozenset(
    {
        DeliveryFault.SENDER_REFUSED,
        DeliveryFault.RECIPIENT_REFUSED,
        DeliveryFault.CONTENT_REFUSED,
        DeliveryFault.NO_RECIPIENT,
    }
)


@dataclass(frozen=True, kw_only=True)
class NoticeState:
    """What the records of one notice amount to."""

    notice: Notice  # as first recorded, pending
    sent: bool
    fault: str  # of the last failure; empty where there is none
    at: datetime  # when it was sent, or last recorded

    @property
    def state(self) -> str:
        """Return pending, sent or failed."""
        return "sent" if self.sent else "failed" if self.fault else "pending"

    @property
    def settled(self) -> bool:
        """Whether nothing is left to do: sent, or failed for a reason that trying again cannot mend."""
        return self.sent or (self.fault in set(DeliveryFault) and DeliveryFault(self.fault).final)


def fold_notices(records: Iterable[Notice]) -> dict[str, NoticeState]:
    """Return notice id → what its records amount to. Sent wins over everything; order and repeats do not matter."""
    grouped: dict[str, list[Notice]] = defaultdict(list)
    for record in records:
        grouped[record.id].append(record)
    states = {}
    for number, ones in grouped.items():
        ones.sort(key=lambda one: (one.state != "pending", one.at))  # a clock set back reorders the rest
        failures = [one.detail for one in ones if one.state == "failed"]
        sent = [one.at for one in ones if one.state == "sent"]
        states[number] = NoticeState(
            notice=ones[0],
            sent=bool(sent),
            fault=failures[-1] if failures else "",
            at=sent[0] if sent else ones[-1].at,
        )
    return states
