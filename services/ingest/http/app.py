"""The gateway's HTTP: an app made of a door, what is missing for it to work, and metrics."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, Final

from fastapi import FastAPI, Request, Response
from fastapi.security import HTTPBearer
from fastapi.security.base import SecurityBase
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from schemas.common import full_type, short_type
from schemas.envelope import CloudEvent
from schemas.events import CATALOGUE, PERSONAL
from services.infra.http.docs import render_docs
from services.infra.http.observed import Observed
from services.ingest.http.answers import EVENT_RESPONSES, Problem, problem
from services.ingest.http.binding import BATCH_TYPE, STRUCTURED_TYPE
from services.ingest.http.events import Door
from services.ingest.http.rejected import RejectedDoor
from services.ingest.http.rejected_models import (
    LIST_RESPONSES,
    REPLAY_RESPONSES,
    SHOW_RESPONSES,
    ReplayRequest,
    query_parameters,
)
from services.ingest.http.scorecard import FEEDS_RESPONSES, ScorecardDoor
from services.ingest.http.where import WHERE_RESPONSES, WhereDoor, where_parameters
from services.ingest.metrics import IngestMetrics


class EventSchema(BaseModel):
    """One event type of the catalogue."""

    type: str
    description: str
    personal: bool = Field(description="Whether it names a person or an address, which become pseudonyms at the door.")
    data: dict[str, Any] = Field(description="JSON Schema of the event's `data`.")


class Catalogue(BaseModel):
    """Everything that may be sent."""

    envelope: dict[str, Any] = Field(description="JSON Schema of the CloudEvents attributes.")
    types: list[EventSchema]


class Readiness(BaseModel):
    """Whether events can be accepted, and what hinders."""

    status: str
    missing: list[str]


_TYPES: Final = "Event types with their schemas: <a href=v1/schemas>v1/schemas</a>."
_EXAMPLE: Final = {
    "specversion": "1.0",
    "id": "register/214/entered/1",
    "source": "/office/so-thong-tin-truyen-thong",
    "type": "vn.tiendo.document.exchanged.v1",
    "time": "2008-09-30T08:15:00+07:00",
    "agency": "so-thong-tin-truyen-thong",
    "data": {
        "issuer": "ubnd-tinh",
        "number": "214/UBND-VX",
        "issued_on": "2008-09-29",
        "counterpart": "so-thong-tin-truyen-thong",
        "step": "entered",
        "day": "2008-09-30",
    },
}


def _request_body() -> dict[str, Any]:
    event = CloudEvent.model_json_schema()
    return {
        "requestBody": {
            "required": True,
            "description": "CloudEvents 1.0 in structured, batch or binary mode (`ce-` headers); gzip and zstd are taken.",
            "content": {
                STRUCTURED_TYPE: {"schema": event, "example": _EXAMPLE},
                BATCH_TYPE: {"schema": {"type": "array", "items": event}, "example": [_EXAMPLE]},
                "application/json": {"schema": {"type": "object"}, "example": _EXAMPLE["data"]},
            },
        }
    }


def _schema_of(short: str) -> EventSchema:
    model = CATALOGUE[short]
    return EventSchema(
        type=full_type(short),
        description=model.__doc__ or "",
        personal=short in PERSONAL,
        data=model.model_json_schema(by_alias=True),
    )


def create_app(
    door: Door,
    metrics: IngestMetrics,
    *,
    missing: Callable[[], list[str]],
    lifespan: Callable[[FastAPI], AbstractAsyncContextManager[None]] | None = None,
    refused: RejectedDoor | None = None,
    scorecard: ScorecardDoor | None = None,
    where: WhereDoor | None = None,
) -> FastAPI:
    """Return the app. *missing* says what hinders accepting events; *lifespan* runs what must run beside requests.

    Without *refused* nothing can be asked about refused events, without *scorecard* and *where* nothing about the caller's
    feeds and single events.
    """
    app = FastAPI(
        title="Tiến Độ gateway", version="1", lifespan=lifespan, redirect_slashes=False, docs_url=None, redoc_url=None
    )
    bearer: SecurityBase = HTTPBearer(auto_error=False, description="The source's token.")
    app.add_middleware(
        Observed,
        requests=metrics.requests,
        fault=lambda: problem("internal", "a fault of the gateway; sending again is safe"),
        busy={"/v1/events"},
    )
    _add_probes(app, metrics, missing)
    _add_schemas(app)

    @app.exception_handler(HTTPException)
    async def _unserved(_request: Request, error: HTTPException) -> Response:
        if error.status_code == 405:
            return problem("wrong-method", "this path does not take this method")
        return problem("unknown-path", "there is nothing at this path")

    async def post(request: Request) -> Response:
        return await door.take(request, publish=True)

    async def check(request: Request) -> Response:
        return await door.take(request, publish=False)

    for path, call, summary in (
        ("/v1/events", post, "Publish events"),
        ("/v1/events:check", check, "Judge events as publishing would, and publish nothing"),
    ):
        app.add_api_route(
            path,
            call,
            methods=["POST"],
            summary=summary,
            status_code=202,
            responses=EVENT_RESPONSES,
            openapi_extra=_request_body() | {"security": [{"HTTPBearer": []}]},
            tags=["events"],
            response_class=Response,
        )
    if refused is not None:
        _add_rejected(app, refused)
    if scorecard is not None and where is not None:
        _add_asked(app, scorecard, where)
    _declare(app, bearer)

    @app.get("/docs", include_in_schema=False)
    async def docs() -> Response:
        return Response(render_docs(app.openapi(), _TYPES), media_type="text/html")

    return app


def _add_rejected(app: FastAPI, refused: RejectedDoor) -> None:
    async def listed(request: Request) -> Response:
        return await refused.list(request)

    async def shown(request: Request, rejection: str) -> Response:
        return await refused.show(request, rejection)

    async def replayed(request: Request) -> Response:
        return await refused.replay(request)

    secured: dict[str, Any] = {"security": [{"HTTPBearer": []}]}
    content = {"application/json": {"schema": ReplayRequest.model_json_schema(), "example": {"ids": ["k1:3f…"]}}}
    body = {"requestBody": {"required": True, "description": "For operations.", "content": content}}
    for path, method, call, summary, responses, extra in (
        ("/v1/rejected", "GET", listed, "The caller's own refused events", LIST_RESPONSES, query_parameters()),
        ("/v1/rejected/{rejection}", "GET", shown, "One refused event", SHOW_RESPONSES, {}),
        ("/v1/rejected:replay", "POST", replayed, "Send refused events again", REPLAY_RESPONSES, body),
    ):
        app.add_api_route(
            path,
            call,
            methods=[method],
            summary=summary,
            responses=responses,
            openapi_extra=secured | extra,
            tags=["refused events"],
            response_class=Response,
        )


def _add_asked(app: FastAPI, scorecard: ScorecardDoor, where: WhereDoor) -> None:
    async def feeds(request: Request) -> Response:
        return await scorecard.feeds(request)

    async def event(request: Request) -> Response:
        return await where.event(request)

    for path, call, summary, responses, extra, tag in (
        ("/v1/feeds", feeds, "How the caller's own source does", FEEDS_RESPONSES, {}, "feeds"),
        ("/v1/events", event, "What became of one event", WHERE_RESPONSES, where_parameters(), "events"),
    ):
        app.add_api_route(
            path,
            call,
            methods=["GET"],
            summary=summary,
            responses=responses,
            openapi_extra={"security": [{"HTTPBearer": []}]} | extra,
            tags=[tag],
            response_class=Response,
        )


def _declare(app: FastAPI, bearer: SecurityBase) -> None:
    """Name the way of authentication in the OpenAPI document; the door itself reads the header, after no more than it."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        document = generate()
        schemes = document.setdefault("components", {}).setdefault("securitySchemes", {})
        schemes["HTTPBearer"] = bearer.model.model_dump(by_alias=True, exclude_none=True, mode="json")
        return document

    app.openapi = openapi  # type: ignore[method-assign]  # the way that FastAPI documents


def _add_probes(app: FastAPI, metrics: IngestMetrics, missing: Callable[[], list[str]]) -> None:
    @app.get("/healthz", tags=["operations"], summary="The process is alive")
    async def healthz() -> dict[str, str]:
        return {"status": "alive"}

    @app.get("/readyz", tags=["operations"], summary="Events can be accepted", responses={503: {"model": Readiness}})
    async def readyz(response: Response) -> Readiness:
        lacking = missing()
        response.status_code = 503 if lacking else 200
        return Readiness(status="not ready" if lacking else "ready", missing=lacking)

    @app.get("/metrics", tags=["operations"], summary="Prometheus metrics", response_class=Response)
    async def render() -> Response:
        return Response(metrics.render(), media_type=CONTENT_TYPE_LATEST)


def _add_schemas(app: FastAPI) -> None:
    catalogue = Catalogue(envelope=CloudEvent.model_json_schema(), types=[_schema_of(short) for short in CATALOGUE])
    by_type = {entry.type: entry for entry in catalogue.types}

    @app.get("/v1/schemas", tags=["schemas"], summary="Every event type with its JSON Schema")
    async def schemas() -> Catalogue:
        return catalogue

    @app.get(
        "/v1/schemas/{type}",
        tags=["schemas"],
        summary="One event type, by its full or short name",
        response_model=EventSchema,
        responses={404: {"model": Problem}},
    )
    async def schema(type: str) -> Any:
        found = by_type.get(full_type(short_type(type)))
        return found if found is not None else problem("unknown-path", "there is no such event type")
