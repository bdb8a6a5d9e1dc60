"""The door: a request in, an answer per event out. All of a request is published before it is answered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from schemas.reasons import Reason
from schemas.usage import NormalisedEvent
from services.core.errors import Rejected, Transient
from services.ingest.adapters.gathering import Gathering, Publishing
from services.ingest.adapters.publisher import event_messages
from services.ingest.adapters.rejected import Refused, RejectedRecords
from services.ingest.core.admission import Admission
from services.ingest.core.inbound import id_of, split_batch
from services.ingest.core.permission import Permit, Registry
from services.ingest.core.pseudonyms import Pseudonyms
from services.ingest.core.quota import NO_LIMITS, Allowance, Quotas
from services.ingest.core.recent import Recent
from services.ingest.core.rejection import Refusal
from services.ingest.http.answers import answer, problem, refused_whole, rejected_event
from services.ingest.http.binding import BATCH_TYPE, STRUCTURED_TYPE, Mode, mode_of, structured
from services.ingest.http.body import ENCODINGS, BodyRefused, read_body
from services.ingest.http.turned_away import TurnedAway, token_hash
from services.ingest.metrics import IngestMetrics


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one request may take."""

    body: int
    events: int
    seconds: float
    tolerance: timedelta
    allowance: Allowance = NO_LIMITS


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """Judges the events of requests and publishes what is accepted and what is refused."""

    registry: Callable[[], Registry | None]
    pseudonyms: Pseudonyms
    records: RejectedRecords
    publishing: Publishing
    gathering: Gathering
    metrics: IngestMetrics
    now: Callable[[], datetime]
    limits: Limits
    quotas: Quotas
    turned_away: TurnedAway
    recent: Recent
    clock: Callable[[], float] = monotonic

    def taken_lately(self, source: str, id: str) -> bool:
        """Return whether an event that the log names *id* may have been acknowledged a moment ago."""
        return self.recent.may_hold(source, id, self.clock())

    async def take(self, request: Request, *, publish: bool) -> Response:
        """Return the answer to a request that carries events; without *publish* nothing is kept or counted."""
        registry = self.registry()
        if registry is None:
            return problem("unavailable", "the directory has not been read yet; send all of it again")
        received = self.now()
        permit = authenticated(request, registry, received)
        if permit is None:
            self.turned_away.note(request, registry)
            return problem("unauthorized", "a valid bearer token is required")
        allowance = permit.allowance.over(self.limits.allowance)
        if wait := self.quotas.wait(permit.source, allowance, received):
            self.turned_away.too_many(permit.source)
            return problem("too-many", "this source has sent more than it may for now; send it again later", after=wait)
        mode = mode_of(request.headers)
        if mode is None:
            return problem(
                "unsupported-media-type",
                f"send {STRUCTURED_TYPE}, {BATCH_TYPE}, or application/json with ce- headers, in UTF-8",
            )
        encoding = request.headers.get("content-encoding", "identity").strip().lower() or "identity"
        if encoding not in ENCODINGS:
            return problem("unsupported-media-type", "content encodings taken are gzip and zstd")
        try:
            raws = await self._events(request, mode, encoding)
        except BodyRefused as whole:
            self.quotas.spend(permit.source, allowance, 1, received)
            refused = [Refused(whole.refusal, whole.original)]
            return await self._settle(permit, received, [], refused, refused_whole(whole.refusal), publish=publish)
        except TimeoutError:
            return problem("too-slow", "the body did not arrive in time")
        except ClientDisconnect:
            return problem("too-slow", "the sender has gone")
        self.quotas.spend(permit.source, allowance, len(raws), received)
        return await self._judge(raws, permit, registry, received, publish=publish)

    async def _events(self, request: Request, mode: Mode, encoding: str) -> list[bytes]:
        """Return each event of the request in structured form. Raises BodyRefused where there is none to look at."""
        limits = self.limits
        body = await read_body(request, encoding=encoding, limit=limits.body, seconds=limits.seconds)
        if mode is Mode.BINARY:
            event = structured(request.headers, body)
            if len(event) > limits.body:
                refusal = Refusal(Reason.TOO_LARGE, f"the event may have at most {limits.body} bytes")
                raise BodyRefused(refusal, event[: limits.body])
            return [event]
        # A structured event is read as a batch of one, so that an unreadable body is told from an event of wrong form.
        raws = split_batch(body if mode is Mode.BATCH else b"[%b\n]" % body)
        if isinstance(raws, Refusal):
            raise BodyRefused(raws if mode is Mode.BATCH else _UNREADABLE, body)
        if mode is Mode.STRUCTURED and (len(raws) != 1 or not raws[0].startswith(b"{")):
            raise BodyRefused(_LIST if raws and raws[0].startswith(b"[") else _UNREADABLE, body)
        if len(raws) > limits.events:
            refusal = Refusal(Reason.TOO_LARGE, f"a batch may have at most {limits.events} events")
            raise BodyRefused(refusal, body)
        return raws

    async def _judge(
        self, raws: list[bytes], permit: Permit, registry: Registry, received: datetime, *, publish: bool
    ) -> Response:
        admission = Admission(
            permit=permit,
            registry=registry,
            pseudonyms=self.pseudonyms,
            now=received,
            tolerance=self.limits.tolerance,
        )
        accepted: list[NormalisedEvent] = []
        refused: list[Refused] = []
        told = []
        for index, raw in enumerate(raws):
            decision = admission.admit(raw)
            if isinstance(decision, Refusal):
                refused.append(Refused(decision, raw))
                told.append(rejected_event(decision, index=index, id=id_of(raw)))
            else:
                accepted.append(decision)
        return await self._settle(permit, received, accepted, refused, answer(len(accepted), told), publish=publish)

    async def _settle(
        self,
        permit: Permit,
        received: datetime,
        accepted: list[NormalisedEvent],
        refused: list[Refused],
        response: Response,
        *,
        publish: bool,
    ) -> Response:
        """Publish everything, then let *response* go; 503 instead where the broker did not take all of it."""
        if not publish:
            return response
        try:
            if len(accepted) == 1 and not refused:
                await self.gathering.publish(accepted[0])
            else:
                messages = event_messages(accepted)
                messages += self.records.messages(refused, source=permit.source, received=received)
                await self.publishing.publish(messages)
        except Transient:
            return problem("unavailable", "nothing was accepted; send all of it again")
        except Rejected:
            return refused_whole(Refusal(Reason.TOO_LARGE, "larger than the broker takes; send smaller batches"))
        self.recent.add(accepted, self.clock())
        self.metrics.accepted.inc(len(accepted))
        for one in refused:
            self.metrics.rejected.labels(one.refusal.reason.value).inc()
        return response


_LIST = Refusal(Reason.MALFORMED, "a list of events goes as application/cloudevents-batch+json")
_UNREADABLE = Refusal(Reason.MALFORMED, "the body is not one readable JSON object")


def authenticated(request: Request, registry: Registry, now: datetime) -> Permit | None:
    """Return what the request's token permits; None where it is missing, unknown or no longer valid."""
    given = token_hash(request)
    return None if given is None else registry.authenticate(given, now)
