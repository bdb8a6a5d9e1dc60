"""What became of an event: pending, counted, kept without counting, rejected, or unknown. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from schemas.plan import Plan
from services.core.definition import types_read


class State(StrEnum):
    """Where an event is."""

    PENDING = "pending"
    COUNTED = "counted"
    KEPT = "kept"
    REJECTED = "rejected"
    UNKNOWN = "unknown"


class NotCounted(StrEnum):
    """Why an event that is kept counts nowhere."""

    SANDBOX = "sandbox"  # its source is trying out
    TAKEN_BACK = "taken-back"  # it says `retracted`, and so takes an earlier statement back
    UNREAD = "unread"  # no indicator of a plan in force reads statements of its type


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """One payload under an id, as the archive holds it.

    ``occurred`` is the event's ``time``; ``wins``: its version is the greatest, so it counts.
    """

    type: str
    agency: str
    occurred: datetime
    received: datetime
    stored: datetime
    retracted: bool
    wins: bool
    sandbox: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Turned:
    """A refusal of an event of this id. ``replayed``: when it was taken after all."""

    rejection: str
    reason: str
    detail: str
    pointer: str
    last: datetime
    replayed: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Whereabouts:
    """Where an event is, and everything that is known of its id. ``figures``: (plan, indicator) that read it, or would."""

    state: State
    reason: NotCounted | None = None
    figures: tuple[tuple[str, str], ...] = ()
    stored: tuple[Stored, ...] = ()
    refusals: tuple[Turned, ...] = ()


def readers_of(plans: Iterable[Plan], type: str) -> tuple[tuple[str, str], ...]:
    """Return (plan, indicator) of every indicator whose measure, or a part of it, reads statements of *type* (short)."""
    found = []
    for plan in plans:
        indicators = {one.id: one for one in plan.indicators}
        found += [(plan.plan, one.id) for one in plan.indicators if type in types_read(one, indicators)]
    return tuple(found)


def whereabouts(
    stored: Sequence[Stored], refusals: Sequence[Turned], plans: Collection[Plan], *, taken_lately: bool
) -> Whereabouts:
    """Return what became of an id: *stored* are its payloads, *refusals* what was refused under it, the latest first.

    *taken_lately*: the gateway has acknowledged it a moment ago, or cannot rule that out. What is stored comes before what was
    refused, because an event that was mended and sent again has arrived.
    """
    winner = next((one for one in stored if one.wins), None)
    if winner is not None:
        figures = readers_of(plans, winner.type)
        reason = (
            NotCounted.SANDBOX if winner.sandbox
            else NotCounted.TAKEN_BACK if winner.retracted
            else None if figures
            else NotCounted.UNREAD
        )  # fmt: skip
        state = State.COUNTED if reason is None else State.KEPT
        return Whereabouts(
            state=state, reason=reason, figures=figures, stored=tuple(stored), refusals=tuple(refusals)
        )  # fmt: skip
    if taken_lately:
        return Whereabouts(state=State.PENDING, refusals=tuple(refusals))
    return Whereabouts(state=State.REJECTED if refusals else State.UNKNOWN, refusals=tuple(refusals))
