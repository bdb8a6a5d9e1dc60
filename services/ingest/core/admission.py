"""The decision at the door: is this event taken, and if not, for which one reason."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from schemas.common import short_type
from schemas.reasons import Reason
from schemas.usage import NormalisedEvent, sandboxed
from services.ingest.core.inbound import read_event
from services.ingest.core.mail_lane import MailLane
from services.ingest.core.normalise import agencies_of, normalise, scheme_of
from services.ingest.core.permission import Permit, Registry, check_permission
from services.ingest.core.pseudonyms import Pseudonyms
from services.ingest.core.rejection import Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """What decides about the events of one request: who asks, what is known, when it is."""

    permit: Permit
    registry: Registry
    pseudonyms: Pseudonyms
    now: datetime
    tolerance: timedelta
    _lane: MailLane = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        lane = MailLane(self.permit, self.registry, self.pseudonyms, self.now, self.tolerance)
        object.__setattr__(self, "_lane", lane)

    def admit(self, raw: bytes) -> NormalisedEvent | Refusal:
        """Return the event in *raw* (structured JSON form) as the log keeps it, or the first reason against it."""
        taken = self._lane.take(raw)
        decided = self.judge(raw) if taken is None else taken
        # Judged like everything else; only then is it put where it counts for nothing.
        return sandboxed(decided) if self.permit.sandbox and not isinstance(decided, Refusal) else decided

    def judge(self, raw: bytes) -> NormalisedEvent | Refusal:
        """Do what :meth:`admit` does, the whole way."""
        event = read_event(raw)
        if isinstance(event, Refusal):
            return event
        # Values that no table can hold are faults of the schema, and so come before permission.
        normalised = normalise(event, pseudonyms=self.pseudonyms, received=self.now)
        if isinstance(normalised, Refusal):
            return normalised
        refusal = check_permission(
            self.registry,
            self.permit,
            source=event.source,
            short=short_type(event.type),
            agencies=agencies_of(event),
            scheme=scheme_of(event),
        )
        if refusal is not None:
            return refusal
        if event.time > self.now + self.tolerance:
            return Refusal(
                Reason.FUTURE_DATED, "`time` lies ahead of the gateway's clock; is the sender's right?", "/time"
            )
        return normalised
