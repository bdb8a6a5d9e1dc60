"""``GET /v1/feeds``: how the caller's own source does, for whoever connected it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, Protocol

from pydantic import AwareDatetime, BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from services.core.errors import Transient
from services.core.feed_accounts import FeedAccount
from services.core.schedule.coverage import FeedState
from services.infra.scorecard import Arrivals, Refusals, Scorecard
from services.ingest.http.answers import Problem, problem
from services.ingest.http.events import Door, authenticated


class FeedShown(BaseModel):
    """One feed of the source, as its own reports and what was counted make it."""

    feed: str
    types: list[str]
    state: FeedState
    covered: date | None = Field(description="The last day that its reports cover, completely and for all types.")
    silent_since: date | None
    completeness: float | None = Field(description="Counted ÷ reported of 28 days, at most 1; null: nothing reported.")
    reported: int
    counted: int
    unreported: list[tuple[str, date]] = Field(description="Type and day of days passed over, of the same 28.")
    incomplete: list[tuple[str, date, int, int]] = Field(description="Type, day, reported, counted.")


class ArrivalsShown(BaseModel):
    """Events of one type in the last 28 days."""

    type: str
    events: int
    last_received: AwareDatetime
    delay_median: float = Field(description="Seconds from an event's `time` to its receipt.")
    delay_p95: float
    ahead: int = Field(description="Events whose `time` lay after their receipt: the sender's clock is fast.")
    conflicts: int = Field(description="Ids that came with several payloads; a correction needs an id of its own.")


class RefusalsShown(BaseModel):
    """What was refused for one reason; `GET /v1/rejected` lists it one by one."""

    reason: str
    type: str
    refused: int
    open: int = Field(description="Not taken since.")
    last: AwareDatetime


class ScorecardShown(BaseModel):
    """How a source does."""

    source: str
    day: date = Field(description="The last day that has wholly passed.")
    feeds: list[FeedShown]
    arrivals: list[ArrivalsShown]
    refusals: list[RefusalsShown]


FEEDS_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    200: {"model": ScorecardShown, "description": "The caller's own feeds, arrivals and refusals."},
    401: {"model": Problem, "description": "No valid bearer token."},
    503: {"model": Problem, "description": "The database does not answer; ask again."},
}


class ScorecardTable(Protocol):
    """Where scorecards are read."""

    async def of(self, source: str, day: date, now: datetime) -> Scorecard:
        """Return the scorecard of *source* on *day*. Raises Transient."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScorecardDoor:
    """Answers with the scorecard of the source whose token the request carries. *last_day*: the last complete day then."""

    door: Door
    table: ScorecardTable
    last_day: Callable[[datetime], date]

    async def feeds(self, request: Request) -> Response:
        """Answer with the caller's own scorecard."""
        registry, now = self.door.registry(), self.door.now()
        if registry is None:
            return problem("unavailable", "the directory has not been read yet; ask again")
        permit = authenticated(request, registry, now)
        if permit is None:
            self.door.turned_away.note(request, registry)
            return problem("unauthorized", "a valid bearer token is required")
        try:
            found = await self.table.of(permit.source, self.last_day(now), now)
        except Transient:
            return problem("unavailable", "the database does not answer; ask again")
        body = _shown(found).model_dump_json()
        return Response(body, media_type="application/json", headers={"Cache-Control": "no-store"})


def _shown(found: Scorecard) -> ScorecardShown:
    return ScorecardShown(
        source=found.source,
        day=found.day,
        feeds=[_feed(one) for one in found.feeds],
        arrivals=[_arrivals(one) for one in found.arrivals],
        refusals=[_refusals(one) for one in found.refusals],
    )


def _feed(one: FeedAccount) -> FeedShown:
    return FeedShown(
        feed=one.feed.id,
        types=list(one.feed.types),
        state=one.state,
        covered=one.covered,
        silent_since=one.silent_since,
        completeness=None if one.completeness is None else float(one.completeness),
        reported=one.reported,
        counted=one.counted,
        unreported=[tuple(gap) for gap in one.unreported],
        incomplete=[tuple(gap) for gap in one.incomplete],
    )


def _arrivals(one: Arrivals) -> ArrivalsShown:
    return ArrivalsShown(
        type=one.type,
        events=one.events,
        last_received=one.last_received,
        delay_median=one.delay_median,
        delay_p95=one.delay_p95,
        ahead=one.ahead,
        conflicts=one.conflicts,
    )


def _refusals(one: Refusals) -> RefusalsShown:
    return RefusalsShown(reason=one.reason, type=one.type, refused=one.refused, open=one.open, last=one.last)
