"""Refused inputs judged once more, as if their source sent them now. Pure."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import msgspec

from schemas.reasons import Reason
from schemas.usage import BATCH_CONTENT_TYPE, SINGLE_CONTENT_TYPE, NormalisedEvent, decode
from services.ingest.core.inbound import split_batch
from services.ingest.core.rejection import Refusal

#: accepted: taken as a whole. partly: a batch of which some were taken, the others are refused one by one now. refused: still
#: not usable, nothing changes. unknown: no such refusal is stored. unreadable: sealed under another key of the gateway.
Outcome = Literal["accepted", "partly", "refused", "unknown", "unreadable"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What became of a refused input, with the events to publish, and its parts that are refused: index, reason, bytes."""

    accepted: tuple[NormalisedEvent, ...] = ()
    refused: tuple[tuple[int, Refusal, bytes], ...] = field(default=(), repr=False)

    @property
    def outcome(self) -> Outcome:
        """Return accepted, partly or refused."""
        if not self.accepted:
            return "refused"
        return "partly" if self.refused else "accepted"


def judge_again(
    original: bytes, reason: str, admit: Callable[[bytes], NormalisedEvent | Refusal], *, body: int, events: int
) -> Judged:
    """Return what the door says to *original* now; *body* and *events* are what a request may hold.

    What was too large was a whole request and is read as a batch where it is one; everything else was one event.
    """
    if len(original) > body:
        return _whole(Refusal(Reason.TOO_LARGE, f"the body may have at most {body} bytes"), original)
    parts: Sequence[bytes] = [original]
    if reason == Reason.TOO_LARGE and original.lstrip().startswith(b"["):
        split = split_batch(original)
        if isinstance(split, Refusal):
            return _whole(
                Refusal(Reason.TOO_LARGE, "only the beginning of it was kept; the source must send it"), original
            )
        if len(split) > events:
            return _whole(Refusal(Reason.TOO_LARGE, f"a batch may have at most {events} events"), original)
        parts = split
    accepted: list[NormalisedEvent] = []
    refused: list[tuple[int, Refusal, bytes]] = []
    for index, part in enumerate(parts):
        decision = admit(part)
        if isinstance(decision, Refusal):
            refused.append((index, decision, part))
        else:
            accepted.append(decision)
    return Judged(accepted=tuple(accepted), refused=tuple(refused))


def read_again(body: str) -> Judged:
    """Return what a part of the topic of events, which the aggregator could not read, says to this version (*body*: base64)."""
    try:
        value = base64.b64decode(body, validate=True)
        kind = BATCH_CONTENT_TYPE if value.lstrip().startswith(b"[") else SINGLE_CONTENT_TYPE
        return Judged(accepted=tuple(decode(value, kind)))
    except (msgspec.MsgspecError, binascii.Error, ValueError, RecursionError):
        return _whole(Refusal(Reason.MALFORMED, "this version cannot read it either"), b"")


def _whole(refusal: Refusal, original: bytes) -> Judged:
    return Judged(refused=((0, refusal, original),))
