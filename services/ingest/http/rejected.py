"""Refused events over HTTP: a source sees its own, operations see what they hold and send them again."""

from __future__ import annotations

import hmac
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from schemas.reasons import Reason
from schemas.rejected import Replayed
from schemas.topics import Topic
from services.core.errors import Rejected, Transient
from services.infra.kafka import Message
from services.infra.rejected import RefusedEvent, Wanted
from services.ingest.adapters.publisher import event_messages
from services.ingest.adapters.rejected import Refused
from services.ingest.core.admission import Admission
from services.ingest.core.permission import Permit, Registry
from services.ingest.core.rejection import Refusal
from services.ingest.core.replay import Judged, judge_again, read_again
from services.ingest.http.answers import problem, rejected_event
from services.ingest.http.body import BodyRefused, read_body
from services.ingest.http.events import Door, authenticated
from services.ingest.http.rejected_models import (
    MOST_REPLAYED,
    ListedRejection,
    ListQuery,
    RejectedPage,
    ReplayAnswer,
    ReplayedInput,
    ReplayRequest,
    ShownRejection,
)
from services.ingest.http.turned_away import token_hash

_REQUEST_BYTES = 64 << 10
_NO_STORE = {"Cache-Control": "no-store"}
_UNKNOWN = "there is no such refusal; a fresh one takes seconds to be stored"


class Table(Protocol):
    """Where refused events are kept."""

    async def listed(self, wanted: Wanted, *, limit: int) -> list[RefusedEvent]:
        """Return the latest of those wanted, without their bodies. Raises Transient."""

    async def held(self, rejections: Collection[str]) -> list[RefusedEvent]:
        """Return those named, with their bodies; unknown ones are left out. Raises Transient."""


class Opening(Protocol):
    """What opens sealed bodies."""

    def unseal(self, body: str, *, rejection: str) -> bytes | None:
        """Return what was sealed; None where this key does not open it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedDoor:
    """Lists, shows and replays refused events, through the same admission as *door*."""

    door: Door
    table: Table
    seal: Opening
    operations: str | None = field(repr=False)  # SHA-256 of operations' token in hex; None: nobody has one

    async def list(self, request: Request) -> Response:
        """Answer with the caller's own refused events; with operations' token, those of every source."""
        registry = self.door.registry()
        if registry is None:
            return _not_ready()
        permit = authenticated(request, registry, self.door.now())
        if permit is None and not self.is_operations(request):
            self.door.turned_away.note(request, registry)
            return problem("unauthorized", "a valid bearer token is required")
        try:
            query = ListQuery.model_validate(dict(request.query_params))
        except ValidationError as error:
            return problem("invalid", _first_fault(error))
        source = permit.source if permit is not None else query.source
        wanted = Wanted(
            source=source, reason=query.reason or "", type=query.type, since=query.since, only_open=query.open
        )
        try:
            found = await self.table.listed(wanted, limit=query.limit)
        except Transient:
            return _no_table()
        return _json(RejectedPage(rejected=[_listed(one) for one in found]))

    async def show(self, request: Request, rejection: str) -> Response:
        """Answer with one refused event; what was sent is shown to operations alone."""
        registry = self.door.registry()
        if registry is None:
            return _not_ready()
        operations = self.is_operations(request)
        permit = authenticated(request, registry, self.door.now())
        if permit is None and not operations:
            self.door.turned_away.note(request, registry)
            return problem("unauthorized", "a valid bearer token is required")
        try:
            found = await self.table.held((rejection,))
        except Transient:
            return _no_table()
        if not operations:
            found = [one for one in found if permit is not None and one.source == permit.source]
        if not found:
            return problem("unknown-path", _UNKNOWN)
        shown = ShownRejection(**_listed(found[0]).model_dump())
        if operations:
            shown.body, shown.body_note = self._body(found[0])
        return _json(shown)

    async def replay(self, request: Request) -> Response:
        """Send refused events again as if their sources did so now, and answer what became of each."""
        registry = self.door.registry()
        if registry is None:
            return _not_ready()
        if not self.is_operations(request):
            return problem("unauthorized", "only operations may replay; their token is required")
        try:
            body = await read_body(request, encoding="identity", limit=_REQUEST_BYTES, seconds=self.door.limits.seconds)
            asked = ReplayRequest.model_validate_json(body)
        except (BodyRefused, ValidationError, TimeoutError, ClientDisconnect):
            return problem("invalid", f'send {{"ids": […], "dry_run": false}} with 1 to {MOST_REPLAYED} ids')
        try:
            found = {one.rejection: one for one in await self.table.held(tuple(asked.ids))}
        except Transient:
            return _no_table()
        now = self.door.now()
        judged = {name: self._judge(one, registry, now) for name, one in found.items()}
        if not asked.dry_run:
            try:
                await self._publish(found, judged, now)
            except Transient:
                return problem("unavailable", "the broker did not acknowledge all of it; replay it again")
            except Rejected:
                return problem("invalid", "larger than the broker takes; replay fewer at a time")
        told = [_told(name, judged) for name in dict.fromkeys(asked.ids)]
        if not asked.dry_run:
            for one in told:
                self.door.metrics.replayed.labels(one.outcome).inc()
        return _json(ReplayAnswer(dry_run=asked.dry_run, replayed=told))

    async def _publish(
        self, found: Mapping[str, RefusedEvent], judged: Mapping[str, Judged | None], now: datetime
    ) -> None:
        # Events first: what is marked as taken must be in the log. Cut off in between, it is taken twice, which is once.
        accepted = [event for one in judged.values() if one is not None for event in one.accepted]
        await self.door.publishing.publish(event_messages(accepted))
        records: list[Message] = []
        for name, one in judged.items():
            if one is None:
                continue
            held = found[name]
            if one.accepted:
                records.append(_replayed(held, now))
            if (one.accepted or _differs(held, one)) and held.place != "aggregator":
                refused = [Refused(refusal, part) for _, refusal, part in one.refused]
                records += self.door.records.messages(refused, source=held.source, received=now)
        await self.door.publishing.publish(records)
        self.door.metrics.accepted.inc(len(accepted))

    def _judge(self, held: RefusedEvent, registry: Registry, now: datetime) -> Judged | None:
        """Return what is said to a refused event now; None where it cannot be opened."""
        if held.place == "aggregator":
            return read_again(held.body)
        original = self.seal.unseal(held.body, rejection=held.rejection)
        if original is None:
            return None
        permit = registry.permits.get(held.source)
        if permit is None:
            refusal = Refusal(Reason.NOT_PERMITTED, "this source is not registered", "/source")
            return Judged(refused=((0, refusal, original),))
        limits = self.door.limits
        admission = self._admission(permit, registry, now)
        return judge_again(original, held.reason, admission.admit, body=limits.body, events=limits.events)

    def _admission(self, permit: Permit, registry: Registry, now: datetime) -> Admission:
        return Admission(
            permit=permit,
            registry=registry,
            pseudonyms=self.door.pseudonyms,
            now=now,
            tolerance=self.door.limits.tolerance,
        )

    def _body(self, held: RefusedEvent) -> tuple[str | None, str]:
        if held.place == "aggregator":
            return held.body, "base64: a part of the topic of events, with pseudonyms"
        original = self.seal.unseal(held.body, rejection=held.rejection)
        if original is None:
            return None, f"sealed under another key than the gateway's present one (its id was {held.key_id})"
        return original.decode("utf-8", "backslashreplace"), "as sent; bytes that are not UTF-8 as \\x.."

    def is_operations(self, request: Request) -> bool:
        """Return whether the request carries operations' token."""
        given = token_hash(request)
        return self.operations is not None and given is not None and hmac.compare_digest(self.operations, given)


def _replayed(held: RefusedEvent, now: datetime) -> Message:
    record = Replayed(rejection=held.rejection, source=held.source, replayed=now)
    return Message(
        topic=Topic.REJECTED,
        key=held.source.encode(),
        value=record.model_dump_json().encode(),
        headers=(("content-type", b"application/json"),),
    )


def _differs(held: RefusedEvent, one: Judged) -> bool:
    """Return whether an input that is still refused has another reason now: that is worth a record, the same is not."""
    known = (held.reason, held.detail, held.pointer)
    if len(one.refused) != 1:
        return False
    refusal = one.refused[0][1]
    return (refusal.reason.value, refusal.detail, refusal.pointer) != known


def _told(name: str, judged: Mapping[str, Judged | None]) -> ReplayedInput:
    if name not in judged:
        return ReplayedInput(rejection=name, outcome="unknown", accepted=0, refused=[])
    one = judged[name]
    if one is None:
        return ReplayedInput(rejection=name, outcome="unreadable", accepted=0, refused=[])
    refused = [rejected_event(refusal, index=index) for index, refusal, _ in one.refused]
    return ReplayedInput(rejection=name, outcome=one.outcome, accepted=len(one.accepted), refused=refused)


def _listed(one: RefusedEvent) -> ListedRejection:
    return ListedRejection(
        rejection=one.rejection,
        source=one.source,
        reason=Reason(one.reason),
        detail=one.detail,
        pointer=one.pointer,
        where=one.place,
        type=one.type,
        first=one.first,
        last=one.last,
        replayed=one.replayed,
    )


def _json(model: BaseModel) -> Response:
    return Response(model.model_dump_json(), 200, _NO_STORE, "application/json")


def _first_fault(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    return f"`{'.'.join(str(part) for part in first['loc'])}`: {first['msg']}"


def _not_ready() -> Response:
    return problem("unavailable", "the directory has not been read yet")


def _no_table() -> Response:
    return problem("unavailable", "the table of refused events does not answer")
