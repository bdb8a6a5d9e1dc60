"""What the board answers where it has no figures: typed JSON, whatever happened."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

from pydantic import BaseModel
from starlette.responses import Response

ErrorCode = Literal["invalid", "not-found", "wrong-method", "unavailable", "internal"]


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
}

RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    404: {"model": Problem, "description": "There is no such plan, indicator, agency or day; it says what there is."},
    422: {"model": Problem, "description": "A parameter is missing, unknown or cannot be read."},
    503: {"model": Problem, "description": "The database does not answer at the moment; ask again."},
}


def problem(error: ErrorCode, detail: str) -> Response:
    """Return the answer to a request that could not be answered."""
    headers = {"Retry-After": "2"} if error == "unavailable" else None
    return Response(
        Problem(error=error, detail=detail).model_dump_json(), _CODES[error], headers, media_type="application/json"
    )
