"""What the gateway answers: typed JSON, whatever happened. Also the models that the OpenAPI document shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, Literal

from pydantic import BaseModel, Field
from starlette.responses import Response

from schemas.reasons import Reason
from services.ingest.core.rejection import Refusal

ErrorCode = Literal[
    "invalid",
    "unauthorized",
    "forbidden",
    "unknown-path",
    "wrong-method",
    "too-slow",
    "too-many",
    "unsupported-media-type",
    "unavailable",
    "internal",
]


class RejectedEvent(BaseModel):
    """One event that was refused. Nothing that was sent is repeated here but its place and its id."""

    index: int | None = Field(description="Position in the batch, from 0; null where the body as a whole was refused.")
    id: str | None = Field(description="The event's own id, where it could be read.")
    reason: Reason
    detail: str = Field(description="What is wrong, for a person.")
    pointer: str = Field(description="JSON pointer into the event; empty for the whole of it.")


class Answer(BaseModel):
    """What became of the events of a request."""

    accepted: int = Field(ge=0)
    rejected: list[RejectedEvent]


class Problem(BaseModel):
    """The request itself could not be served; no event of it was accepted."""

    error: ErrorCode
    detail: str
    accepted: Literal[0] = 0


_CODES: Final[Mapping[str, int]] = {
    "invalid": 400,
    "unauthorized": 401,
    "forbidden": 403,
    "unknown-path": 404,
    "wrong-method": 405,
    "too-slow": 408,
    "unsupported-media-type": 415,
    "too-many": 429,
    "internal": 500,
    "unavailable": 503,
}
_HEADERS: Final[Mapping[str, dict[str, str]]] = {
    "unauthorized": {"WWW-Authenticate": "Bearer"},
    "unsupported-media-type": {"Accept-Encoding": "gzip, zstd"},
    "too-slow": {"Connection": "close"},
    "unavailable": {"Retry-After": "2"},
}

#: The answers of the two calls that take events, for the OpenAPI document.
EVENT_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    202: {"model": Answer, "description": "All events were accepted (of an empty batch, too): the broker has them."},
    207: {"model": Answer, "description": "Some events were accepted, the others refused with their reasons."},
    400: {"model": Answer, "description": "The body could not be read."},
    401: {"model": Problem, "description": "No valid bearer token."},
    403: {"model": Answer, "description": "The source of this token may state none of these events."},
    408: {"model": Problem, "description": "The body did not arrive in time."},
    413: {"model": Answer, "description": "The body, unpacked, or the number of events is above the limit."},
    415: {"model": Problem, "description": "A content type or encoding that is not taken here."},
    422: {"model": Answer, "description": "No event was accepted; each has its reason."},
    429: {
        "model": Problem,
        "description": "The source has sent more than it may for now; nothing of this request was accepted.",
        "headers": {
            "Retry-After": {"schema": {"type": "integer"}, "description": "Seconds to wait before sending again."}
        },
    },
    500: {"model": Problem, "description": "A fault of the gateway; sending again is safe."},
    503: {
        "model": Problem,
        "description": "The broker did not acknowledge, or the directory is not read yet: nothing was accepted.",
        "headers": {
            "Retry-After": {"schema": {"type": "integer"}, "description": "Seconds to wait before sending again."}
        },
    },
}


def problem(error: ErrorCode, detail: str, *, after: int | None = None) -> Response:
    """Return the answer to a request that could not be served; *after* so many seconds it may be sent again."""
    body = Problem(error=error, detail=detail).model_dump_json()
    headers = _HEADERS.get(error, {}) | ({} if after is None else {"Retry-After": str(after)})
    return Response(body, _CODES[error], headers, "application/json")


def rejected_event(refusal: Refusal, *, index: int | None = None, id: str | None = None) -> RejectedEvent:
    """Return what the sender is told about one refusal."""
    return RejectedEvent(index=index, id=id, reason=refusal.reason, detail=refusal.detail, pointer=refusal.pointer)


def answer(accepted: int, rejected: Sequence[RejectedEvent]) -> Response:
    """Return the answer about events that were looked at one by one."""
    if not rejected:
        return Response(_all_accepted(accepted), 202, media_type="application/json")
    barred = all(one.reason is Reason.NOT_PERMITTED for one in rejected)
    return _answered(207 if accepted else 403 if barred else 422, accepted, rejected)


def refused_whole(refusal: Refusal) -> Response:
    """Return the answer to a body in which no event could be looked at."""
    code = 413 if refusal.reason is Reason.TOO_LARGE else 400
    return _answered(code, 0, [rejected_event(refusal)])


@lru_cache(maxsize=4096)
def _all_accepted(count: int) -> bytes:
    return Answer(accepted=count, rejected=[]).model_dump_json().encode()


def _answered(code: int, accepted: int, rejected: Sequence[RejectedEvent]) -> Response:
    body = Answer(accepted=accepted, rejected=list(rejected)).model_dump_json()
    return Response(body, code, media_type="application/json")
