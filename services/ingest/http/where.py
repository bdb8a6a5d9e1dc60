"""``GET /v1/events?source=…&id=…``: what became of one event of the caller's own source."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any, Final, Protocol

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from services.core.errors import Transient
from services.core.whereabouts import NotCounted, State, Whereabouts
from services.ingest.http.answers import Problem, problem
from services.ingest.http.events import Door, authenticated


class WhereQuery(BaseModel):
    """Which event is asked about."""

    model_config = ConfigDict(extra="forbid")

    source: str = Field(
        min_length=1, max_length=200, description="The event's `source`: the caller's own; for operations any."
    )
    id: str = Field(min_length=1, max_length=256, description="The event's `id`, as it was sent.")


class StoredShown(BaseModel):
    """One payload under the id."""

    type: str
    agency: str
    occurred: AwareDatetime = Field(description="The event's `time`.")
    received: AwareDatetime = Field(description="When the gateway first took it.")
    stored: AwareDatetime = Field(description="When it was first in the archive.")
    retracted: bool
    sandbox: bool = Field(description="Sent by a source that is trying out.")
    wins: bool = Field(description="Of several payloads under one id the one that counts.")


class TurnedShown(BaseModel):
    """One refusal of an event of this id."""

    rejection: str
    reason: str
    detail: str
    pointer: str
    last: AwareDatetime
    replayed: AwareDatetime | None = Field(description="When it was taken after all; null: it still stands.")


class FigureShown(BaseModel):
    """An indicator whose measure reads statements of this type."""

    plan: str
    indicator: str


class WhereShown(BaseModel):
    """What became of an event."""

    id: str
    state: State = Field(
        description="pending: acknowledged, not stored yet. counted: stored, and read by the indicators in `figures`; a "
        "later statement about the same thing replaces it there. kept: stored, and counts nowhere, for `reason`. rejected: "
        "see `refusals`. unknown: never seen."
    )
    reason: NotCounted | None = None
    figures: list[FigureShown] = []
    stored: list[StoredShown] = []
    refusals: list[TurnedShown] = []


WHERE_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    200: {"model": WhereShown, "description": "What became of the event."},
    400: {"model": Problem, "description": "The question could not be read."},
    401: {"model": Problem, "description": "No valid bearer token."},
    403: {"model": Problem, "description": "The source is not the one of this token."},
    404: {"model": WhereShown, "description": "No event of this id has been seen."},
    503: {"model": Problem, "description": "The database does not answer; ask again."},
}


class WhereTable(Protocol):
    """Where the answer is read."""

    async def of(
        self, source: str, ids: Collection[str], pseudonym: str, day: date, *, taken_lately: bool
    ) -> Whereabouts:
        """Return where the event is. Raises Transient."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WhereDoor:
    """Answers about single events. *last_day*: the last complete day at a moment; *is_operations*: may ask about every source."""

    door: Door
    table: WhereTable
    last_day: Callable[[datetime], date]
    is_operations: Callable[[Request], bool]

    async def event(self, request: Request) -> Response:
        """Answer with what became of the event asked for."""
        registry, now = self.door.registry(), self.door.now()
        if registry is None:
            return problem("unavailable", "the directory has not been read yet; ask again")
        permit = authenticated(request, registry, now)
        operations = permit is None and self.is_operations(request)
        if permit is None and not operations:
            self.door.turned_away.note(request, registry)
            return problem("unauthorized", "a valid bearer token is required")
        try:
            asked = WhereQuery.model_validate(dict(request.query_params))
        except ValidationError:
            return problem("invalid", "ask with ?source=…&id=…, both as they were sent")
        if permit is not None and asked.source != permit.source:
            return problem("forbidden", "`source` is not the source of this token")
        pseudonym = self.door.pseudonyms.event_id(source=asked.source, id=asked.id)
        # Ids of events that name people stand in the log as pseudonyms, all others as they are.
        ids = (asked.id, pseudonym)
        lately = any(self.door.taken_lately(asked.source, one) for one in ids)
        try:
            found = await self.table.of(asked.source, ids, pseudonym, self.last_day(now), taken_lately=lately)
        except Transient:
            return problem("unavailable", "the database does not answer; ask again")
        body = _shown(asked.id, found).model_dump_json()
        code = 404 if found.state is State.UNKNOWN else 200
        return Response(body, code, {"Cache-Control": "no-store"}, "application/json")


def _shown(id: str, found: Whereabouts) -> WhereShown:
    return WhereShown(
        id=id,
        state=found.state,
        reason=found.reason,
        figures=[FigureShown(plan=plan, indicator=indicator) for plan, indicator in found.figures],
        stored=[StoredShown(**asdict(one)) for one in found.stored],
        refusals=[TurnedShown(**asdict(one)) for one in found.refusals],
    )


def where_parameters() -> dict[str, Any]:
    """Return the OpenAPI description of the query."""
    schema = WhereQuery.model_json_schema()
    return {
        "parameters": [
            {"name": name, "in": "query", "required": True, "description": field["description"],
             "schema": {key: one for key, one in field.items() if key != "description"}}
            for name, field in schema["properties"].items()
        ]
    }  # fmt: skip
