"""The board's app: the read API, health, metrics, and the page of its calls."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from services.board.http.answers import problem
from services.board.http.api import read_api
from services.board.http.warnings_api import warnings_api
from services.board.http.writing_api import writing_api
from services.board.metrics import BoardMetrics
from services.board.writing import Writing
from services.core.errors import Transient
from services.infra.clickhouse.asking import Database
from services.infra.explain.reader import NotThere
from services.infra.http.docs import render_docs
from services.infra.http.observed import Observed
from services.infra.warnings_names import Unknown

Closing = Callable[[], None]


class Readiness(BaseModel):
    """Whether questions can be answered, and what hinders."""

    status: str
    missing: list[str]


def create_app(
    database: Database,
    metrics: BoardMetrics,
    *,
    zone: str,
    writing: Writing | None = None,
    closing: Closing | None = None,
) -> FastAPI:
    """Return the app. Every answer is JSON, whatever happened. *closing* is called when it ends.

    Without *writing* nothing is written; with it what holders of a token say goes to ``warnings.v1``, and to the database
    nothing ever.
    """
    writing = writing or Writing()

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        if closing is not None:
            await asyncio.to_thread(closing)

    app = FastAPI(
        title="Tiến Độ board", version="1", redirect_slashes=False, docs_url=None, redoc_url=None, lifespan=lifespan
    )
    app.add_middleware(
        Observed, requests=metrics.requests, fault=lambda: problem("internal", "a fault of the board; it is in its log")
    )
    app.include_router(read_api(database, zone))
    app.include_router(warnings_api(database, writing.clock))
    app.include_router(writing_api(database, writing, metrics, zone))
    _add_probes(app, database, metrics)
    _add_faults(app, metrics)

    @app.get("/docs", include_in_schema=False)
    async def docs() -> Response:
        return Response(render_docs(app.openapi(), whose="a token of the board"), media_type="text/html")

    return app


def _add_faults(app: FastAPI, metrics: BoardMetrics) -> None:
    @app.exception_handler(NotThere)
    async def _not_there(_request: Request, fault: NotThere) -> Response:
        return problem("not-found", str(fault))

    @app.exception_handler(Unknown)
    async def _unknown(_request: Request, fault: Unknown) -> Response:
        return problem("not-found", str(fault))

    @app.exception_handler(Transient)
    async def _away(_request: Request, _fault: Transient) -> Response:
        metrics.unanswered.inc()
        return problem("unavailable", "the database does not answer at the moment; ask again in a moment")

    @app.exception_handler(RequestValidationError)
    async def _invalid(_request: Request, fault: RequestValidationError) -> Response:
        faults = [f"{one['loc'][-1]}: {one['msg']}" for one in fault.errors()]
        return problem("invalid", "; ".join(faults))

    @app.exception_handler(HTTPException)
    async def _unserved(_request: Request, error: HTTPException) -> Response:
        if error.status_code == 405:
            return problem("wrong-method", "this path does not take this method")
        return problem("not-found", "there is nothing at this path; /docs lists what there is")


def _add_probes(app: FastAPI, database: Database, metrics: BoardMetrics) -> None:
    @app.get("/healthz", tags=["operations"], summary="The process is alive")
    async def healthz() -> dict[str, str]:
        return {"status": "alive"}

    @app.get("/readyz", tags=["operations"], summary="Questions can be answered", responses={503: {"model": Readiness}})
    async def readyz(response: Response) -> Readiness:
        try:
            await database.ask(lambda it: it.rows("SELECT 1 FROM plan_revisions LIMIT 0"))
        except Transient:
            metrics.ready.set(0)
            response.status_code = 503
            return Readiness(status="not ready", missing=["the database does not answer, or is not set up yet"])
        metrics.ready.set(1)
        return Readiness(status="ready", missing=[])

    @app.get("/metrics", tags=["operations"], summary="Prometheus metrics", response_class=Response)
    async def render() -> Response:
        return Response(metrics.render(), media_type=CONTENT_TYPE_LATEST)
