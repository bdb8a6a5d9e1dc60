"""What the records of ``warnings.v1`` amount to: the state of each warning and of each notice. Pure folds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from schemas.warnings import Answer, Notice, Silence, Transition

#: (agency or feed id, cause)
Subject = tuple[str, str]


def fold(transitions: Iterable[Transition]) -> dict[Subject, Transition]:
    """Return the last transition of each subject and cause: its state. *transitions* come in the order of the log.

    Of two records of one transition (overlapping leaders) the one that was recorded first counts; repeats do not matter.
    """
    last: dict[Subject, Transition] = {}
    for one in transitions:
        subject = (one.agency, one.cause)
        held = last.get(subject)
        if held is None or one.sequence > held.sequence:
            last[subject] = one
    return last


def counted(transitions: Iterable[Transition]) -> tuple[Transition, ...]:
    """Return the transitions that count, in the order of the log: of each place in a warning's life the first recorded."""
    first: dict[tuple[str, str, int], Transition] = {}
    for one in transitions:
        first.setdefault((one.agency, one.cause, one.sequence), one)
    return tuple(first.values())


def waiting_answers(answers: Iterable[Answer], transitions: Iterable[Transition]) -> dict[Subject, list[Answer]]:
    """Return the answers that no transition has taken up, by subject, in the order of the log, each once."""
    taken = {one.answer for one in transitions if one.answer is not None}
    found: dict[Subject, list[Answer]] = {}
    for answer in answers:
        if answer.id not in taken:
            taken.add(answer.id)
            found.setdefault((answer.agency, answer.cause), []).append(answer)
    return found


def silences_in_force(records: Iterable[Silence], now: datetime) -> tuple[Silence, ...]:
    """Return the silences that are in force at *now*: begun, not ended before their time. Order does not matter."""
    every = list(records)
    ended = {one.id for one in every if one.action == "ended"}
    begun = {one.id: one for one in every if one.action == "begun" and one.from_ <= now < one.until}
    return tuple(one for number, one in sorted(begun.items()) if number not in ended)


class DeliveryFault(StrEnum):
    """Why a notice was not taken. Passing faults are tried again; final ones need a person."""

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
    NO_CHANNEL = "no-channel"  # the deployment has no channel of that name
    HTTP_UNREACHABLE = "http-unreachable"
    HTTP_TIMED_OUT = "http-timed-out"
    HTTP_TRY_LATER = "http-try-later"  # 408, 425, 429, 5xx
    HTTP_REFUSED = "http-refused"  # any other answer that is not 2xx
    GATEWAY_FAILED = "gateway-failed"  # a chat or SMS gateway did not take it
    NOT_WRITTEN = "not-written"  # a defect of ours in writing it; the log says where
    TOO_OLD = "too-old"  # tried in vain for longer than the deployment allows

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
        DeliveryFault.NO_CHANNEL,
        DeliveryFault.HTTP_REFUSED,
        DeliveryFault.TOO_OLD,
    }
)


@dataclass(frozen=True, kw_only=True)
class NoticeState:
    """What the records of one notice amount to."""

    notice: Notice  # as first recorded, with every transition that any record of it tells
    attempt: int  # how often somebody has had it sent again by hand
    sent: bool
    dead: bool  # given up; a person can have it sent again
    fault: str  # of the last failure of this attempt; empty where there is none
    at: datetime  # when it was sent, or last recorded
    begun: datetime  # when this attempt was recorded first

    @property
    def state(self) -> str:
        """Return pending, sent, failed (will be tried again) or dead."""
        return "sent" if self.sent else "dead" if self.dead else "failed" if self.fault else "pending"

    @property
    def settled(self) -> bool:
        """Whether nothing is left to do: sent, or given up."""
        return self.sent or self.dead


def fold_notices(records: Iterable[Notice]) -> dict[str, NoticeState]:
    """Return notice id → what its records amount to. Order and repeats do not matter.

    The last attempt decides: within one sent wins, then dead. A final fault is the end, whether or not it was recorded so.
    """
    grouped: dict[str, list[Notice]] = defaultdict(list)
    for record in records:
        grouped[record.id].append(record)
    states = {}
    for number, every in grouped.items():
        every.sort(key=lambda one: (one.attempt, one.state != "pending", one.at))  # a clock set back reorders the rest
        attempt = every[-1].attempt
        ones = [one for one in every if one.attempt == attempt]
        failures = [one.detail for one in ones if one.state in ("failed", "dead")]
        fault = failures[-1] if failures else ""
        sent = [one.at for one in ones if one.state == "sent"]
        told = tuple(sorted({told for one in every for told in one.transitions}))
        states[number] = NoticeState(
            notice=every[0].model_copy(update={"transitions": told}),
            attempt=attempt,
            sent=bool(sent),
            dead=any(one.state == "dead" for one in ones) or is_final(fault),
            fault=fault,
            at=sent[0] if sent else ones[-1].at,
            begun=min(one.at for one in ones),
        )
    return states


def is_final(fault: str) -> bool:
    """Return whether trying again after *fault* (a :class:`DeliveryFault` as text) cannot help."""
    return fault in set(DeliveryFault) and DeliveryFault(fault).final
