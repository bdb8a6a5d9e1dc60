"""What holders of a token say about warnings: answers, silences, notices to be sent again. It goes to ``warnings.v1``."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final, TypeVar
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import JSONResponse
from fastapi.security import HTTPBearer
from pydantic import BaseModel, Field, ValidationError
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from schemas.common import Contract, Day, Moment, Slug
from schemas.policy import Match
from schemas.warning_views import SilenceView
from schemas.warnings import Answer, AnswerKind, Notice, Reason, Silence
from services.board.http.answers import WRITE_RESPONSES, problem
from services.board.http.api import only_known_parameters
from services.board.metrics import BoardMetrics
from services.board.writing import Writing
from services.core.errors import Rejected, Transient
from services.core.warnings.answers import answer_to
from services.core.warnings.sending_again import sent_again
from services.core.warnings.silences import SilenceLife, end_of, silence_of
from services.infra.clickhouse.asking import Database
from services.infra.clickhouse.client import ClickHouse
from services.infra.http.body import TooLarge, read_small
from services.infra.warnings_names import Unknown, read_names
from services.infra.warnings_reader import WarningsReader
from services.infra.warnings_views import meant_now, silence_view

_MOST_BYTES: Final = 16 << 10
_SECONDS: Final = 10.0
_NO_TOKENS: Final = (
    "this board takes no writes: set TIENDO_BOARD_TOKENS_FILE to a file with a name and a token's SHA-256 a line"
)
_BROKER: Final = "the broker does not acknowledge: take nothing as recorded and send it again"

M = TypeVar("M", bound=BaseModel)
Said = Answer | Silence | Notice


class AnswerRequest(Contract):
    """An answer to the warning that is open there. The author is the token's name."""

    plan: Slug
    agency: Slug = Field(description="Of a feed's warning, the feed.")
    cause: str = Field(max_length=80, description="`lag:<indicator>` or `feed:<feed>`.")
    answer: AnswerKind
    promised: Day | None = Field(default=None, description="Accepted: the day by which it will have caught up.")
    reason: Reason | None = Field(default=None, description="Disputed: why. Else a remark. Name no person.")
    dry_run: bool = Field(default=False, description="Check, and record nothing.")


class SilenceRequest(Contract):
    """A span in which nobody is told about what *match* means. The author is the token's name."""

    plan: Slug
    match: Match
    from_: Moment | None = Field(default=None, alias="from", description="At once, unless given.")
    until: Moment
    reason: Reason
    everything: bool = Field(default=False, description="Needed where *match* leaves nothing out.")
    dry_run: bool = False


class ResendRequest(Contract):
    """Which notices may be sent again."""

    though_sent: bool = Field(default=False, description="Though it was sent.")
    dry_run: bool = False


class Recorded(BaseModel):
    """What was recorded. Alerts takes it up with its next look."""

    id: str
    kind: str
    recorded: bool = Field(description="False: a dry run.")
    by: str
    follows: str = Field(description="What follows from it.")


class SilenceRecorded(Recorded):
    """A silence, or its end."""

    silence: SilenceView
    open_now: int = Field(description="How many warnings that are open now it means.")


def writing_api(database: Database, writing: Writing, metrics: BoardMetrics, zone: str) -> APIRouter:
    """Return the routes. Each answers 202 once the broker has the record; the same record again does no harm."""
    bearer = HTTPBearer(auto_error=False, description="A token of the board; its name becomes the author.")
    guards = [Depends(only_known_parameters), Depends(bearer)]
    router = APIRouter(
        prefix="/v1", tags=["say"], responses=WRITE_RESPONSES, dependencies=guards, default_response_class=JSONResponse
    )

    async def record(said: Said, answer: Recorded, *, dry_run: bool) -> Response:
        if not dry_run:
            try:
                await writing.publish(said)
            except Transient:
                return problem("unavailable", _BROKER)
            metrics.recorded.labels(said.kind).inc()
        return Response(answer.model_dump_json(), 202, media_type="application/json")

    @router.post("/warnings/answers", status_code=202, summary="Answer a warning", response_model=Recorded, openapi_extra=_takes(
        AnswerRequest, {"plan": "thai-nguyen-2008", "agency": "so-xay-dung", "cause": "lag:email-use", "answer": "accepted",
                        "promised": "2008-11-30"}))  # fmt: skip
    async def answer(request: Request) -> Response:
        by = _author(request, writing)
        if isinstance(by, Response):
            return by
        asked = await _body(request, AnswerRequest)
        if isinstance(asked, Response):
            return asked
        now = writing.clock()

        def decide(it: ClickHouse) -> Answer:
            names = read_names(it, asked.plan)
            agency, cause = names.subject(asked.agency, asked.cause)
            last = WarningsReader(it).last(asked.plan, agency, cause)
            today = now.astimezone(ZoneInfo(zone)).date()
            return answer_to(
                last, asked.answer, by=by, via="api", at=now, today=today, promised=asked.promised,
                latest=names.latest_promise, reason=asked.reason,
            )  # fmt: skip

        try:
            said = await database.ask(decide)
        except Rejected as why:
            return _refused(why)
        told = Recorded(id=said.id, kind="answer", recorded=not asked.dry_run, by=by, follows=_FOLLOWS[said.answer])
        return await record(said, told, dry_run=asked.dry_run)

    @router.post("/silences", status_code=202, summary="Tell nobody for a while", response_model=SilenceRecorded,
                 openapi_extra=_takes(SilenceRequest, {"plan": "thai-nguyen-2008", "match": {"feeds": ["mail"]},
                     "until": "2008-10-04T00:00:00+07:00", "reason": "Bảo trì máy chủ thư"}))  # fmt: skip
    async def silence(request: Request) -> Response:
        by = _author(request, writing)
        if isinstance(by, Response):
            return by
        asked = await _body(request, SilenceRequest)
        if isinstance(asked, Response):
            return asked
        now = writing.clock()

        def decide(it: ClickHouse) -> tuple[Silence, int]:
            wanted = meant_now(asked.match, read_names(it, asked.plan))
            said = silence_of(
                plan=asked.plan, match=asked.match, begins=asked.from_, until=asked.until, author=by, reason=asked.reason,
                at=now, everything=asked.everything,
            )  # fmt: skip
            return said, sum(WarningsReader(it).states(wanted).values()) if wanted is not None else 0

        try:
            said, count = await database.ask(decide)
        except Rejected as why:
            return _refused(why)
        told = _silenced(SilenceLife(begun=said), now, count, by, _SILENCED, recorded=not asked.dry_run)
        return await record(said, told, dry_run=asked.dry_run)

    @router.delete(
        "/silences/{id}", status_code=202, summary="End a silence before its time", response_model=SilenceRecorded
    )
    async def unsilence(
        request: Request,
        id: Annotated[str, Path(max_length=64)],
        reason: Annotated[str, Query(min_length=1, max_length=2000, description="Why. Name no person.")],
        dry_run: bool = False,
    ) -> Response:
        by = _author(request, writing)
        if isinstance(by, Response):
            return by
        now = writing.clock()

        def decide(it: ClickHouse) -> tuple[SilenceLife, Silence]:
            found = WarningsReader(it).silences((), [id])
            if not found:
                raise Unknown(f"there is no silence {id!r}")
            return found[0], end_of(found[0], author=by, reason=reason, at=now)

        try:
            life, said = await database.ask(decide)
        except Rejected as why:
            return _refused(why)
        ended = SilenceLife(begun=life.begun, ended=said)
        told = _silenced(ended, now, 0, by, _UNSILENCED, recorded=not dry_run)
        return await record(said, told, dry_run=dry_run)

    @router.post("/notices/{id}/resend", status_code=202, summary="Have a notice sent again", response_model=Recorded,
                 openapi_extra=_takes(ResendRequest, {"though_sent": False}))  # fmt: skip
    async def resend(request: Request, id: Annotated[str, Path(max_length=64)]) -> Response:
        by = _author(request, writing)
        if isinstance(by, Response):
            return by
        asked = await _body(request, ResendRequest, empty=ResendRequest())
        if isinstance(asked, Response):
            return asked

        def decide(it: ClickHouse) -> Notice:
            found = WarningsReader(it).notices([id])
            if not found:
                raise Unknown(f"there is no notice {id!r}")
            return sent_again(found[0], by=by, at=writing.clock(), though_sent=asked.though_sent)

        try:
            said = await database.ask(decide)
        except Rejected as why:
            return _refused(why)
        told = Recorded(id=said.id, kind="notice", recorded=not asked.dry_run, by=by, follows=_RESENT)
        return await record(said, told, dry_run=asked.dry_run)

    return router


_FOLLOWS: Final = {
    AnswerKind.ACKNOWLEDGED: "no more reminders, and it is brought no higher by age; graver, it is told again",
    AnswerKind.ACCEPTED: "no more reminders; still behind after the day promised it is brought one level higher",
    AnswerKind.DISPUTED: "operations get a mail; the warning stays, without reminders",
}
_SILENCED: Final = "nobody is told of what it means until it ends; what still holds then is told then"
_UNSILENCED: Final = "what still holds and was not told is told with the next look"
_RESENT: Final = "it is sent at once, with the same Message-ID"


def _author(request: Request, writing: Writing) -> str | Response:
    if not writing.tokens.names:
        return problem("forbidden", _NO_TOKENS)
    name = writing.tokens.whose(request.headers.get("authorization"))
    if name is None:
        return problem("unauthorized", "a valid bearer token is required")
    return name if writing.allowed(name) else problem("too-many", "too many writes in a minute; wait")


async def _body(request: Request, model: type[M], *, empty: M | None = None) -> M | Response:
    try:
        body = await read_small(request, limit=_MOST_BYTES, seconds=_SECONDS)
        return empty if empty is not None and not body.strip() else model.model_validate_json(body)
    except TooLarge:
        return problem("too-large", f"the body may hold {_MOST_BYTES:,} bytes")
    except (TimeoutError, ClientDisconnect):
        return problem("too-slow", f"the body did not arrive within {_SECONDS:g} s")
    except ValidationError as invalid:
        faults = invalid.errors(include_url=False, include_input=False, include_context=False)
        return problem(
            "invalid", "; ".join(f"{'.'.join(map(str, one['loc'])) or 'body'}: {one['msg']}" for one in faults[:10])
        )


def _refused(why: Rejected) -> Response:
    return problem("not-found" if isinstance(why, Unknown) else "refused", str(why))


def _silenced(
    life: SilenceLife, now: datetime, count: int, by: str, follows: str, *, recorded: bool
) -> SilenceRecorded:
    return SilenceRecorded(
        id=life.begun.id, kind="silence", recorded=recorded, by=by, follows=follows, silence=silence_view(life, now),
        open_now=count,
    )  # fmt: skip


def _takes(model: type[BaseModel], example: dict[str, Any]) -> dict[str, Any]:
    # Bodies are read by hand, after the token: what nobody sent is not even parsed. So the document is told of them here.
    schema = model.model_json_schema(by_alias=True)
    content = {"application/json": {"schema": _whole(schema, schema.pop("$defs", {})), "example": example}}
    return {"requestBody": {"required": True, "description": model.__doc__, "content": content}}


def _whole(schema: Any, parts: dict[str, Any]) -> Any:
    if isinstance(schema, list):
        return [_whole(one, parts) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _whole(parts[schema["$ref"].rpartition("/")[2]], parts)
    return {name: _whole(one, parts) for name, one in schema.items()}
