"""What the board answers where it has no figures: typed JSON, whatever happened."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

from pydantic import BaseModel
from starlette.responses import Response

ErrorCode = Literal[
    "invalid", "not-found", "wrong-method", "unavailable", "internal", "unauthorized", "forbidden", "refused", "too-large",
    "too-many", "too-slow",
]  # fmt: skip


class Problem(BaseModel):
    """The request could not be answered, and why."""

    error: ErrorCode
    detail: str


_CODES: Final[Mapping[str, int]] = {
    "invalid": 422,
    "not-found": 404,
    "wrong-method": 405,
    "unavailable": 503,
    "internal": 500,
    "unauthorized": 401,
    "forbidden": 403,
    "too-slow": 408,
    "refused": 409,
    "too-large": 413,
    "too-many": 429,
}

_HEADERS: Final[Mapping[str, dict[str, str]]] = {
    "unavailable": {"Retry-After": "2"},
    "too-many": {"Retry-After": "10"},
    "unauthorized": {"WWW-Authenticate": "Bearer"},
}

RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    404: {"model": Problem, "description": "There is no such plan, indicator, agency or day; it says what there is."},
    422: {"model": Problem, "description": "A parameter is missing, unknown or cannot be read."},
    503: {"model": Problem, "description": "The database does not answer at the moment; ask again."},
}

WRITE_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    401: {"model": Problem, "description": "A valid bearer token is required."},
    403: {"model": Problem, "description": "This board takes no writes; it says what to set."},
    404: {"model": Problem, "description": "There is no such plan, agency, warning, silence or notice."},
    409: {
        "model": Problem,
        "description": "It makes no sense as things stand, such as an answer where nothing is open.",
    },
    413: {"model": Problem, "description": "The body is larger than 16 kB."},
    422: {"model": Problem, "description": "The body cannot be read, or something in it is missing or unknown."},
    429: {"model": Problem, "description": "Too many writes in a minute; wait."},
    503: {"model": Problem, "description": "Database or broker do not answer; nothing is to be taken as recorded."},
}


def problem(error: ErrorCode, detail: str) -> Response:
    """Return the answer to a request that could not be answered."""
    headers = _HEADERS.get(error)
    return Response(
        Problem(error=error, detail=detail).model_dump_json(), _CODES[error], headers, media_type="application/json"
    )
