"""The CloudEvents 1.0 envelope, as integrators send it.

Attributes that are not listed here (``subject``, ``dataschema``, extensions of others) are dropped at the door, because
nobody has promised that they carry no person's name.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any, Final, Literal

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from schemas.common import Slug

_TEXT = r"^[^\x00-\x1f\x7f]+$"
_RFC3339: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
#: Attributes without which something is no CloudEvent at all.
REQUIRED_BY_CLOUDEVENTS: Final = frozenset({"specversion", "id", "source", "type"})


def _rfc3339(value: Any) -> Any:
    """Read RFC 3339 and nothing else: pydantic would take a string of digits for seconds since 1970."""
    if not isinstance(value, str):
        return value
    if _RFC3339.fullmatch(value) is None:
        raise ValueError("write a moment as RFC 3339 with an offset, such as 2008-10-01T08:00:00+07:00")
    try:
        return datetime.fromisoformat(value.upper())
    except ValueError:
        raise ValueError("there is no such moment") from None


def _json_where_null(value: Any) -> Any:
    """Read null as CloudEvents does in JSON, where it says no more than leaving the attribute out."""
    return "application/json" if value is None else value


class Envelope(BaseModel):
    """The attributes that we read. ``time`` is required: it is when the source made the statement."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    specversion: Literal["1.0"]
    id: Annotated[str, StringConstraints(min_length=1, max_length=256, pattern=_TEXT)] = Field(
        description="Unique within the source; a repeat of the same statement carries the same id, a correction a new one."
    )
    source: Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=_TEXT)] = Field(
        description="The publishing system, as registered in the directory of sources."
    )
    type: Annotated[str, StringConstraints(min_length=1, max_length=120, pattern=_TEXT)]
    time: Annotated[AwareDatetime, BeforeValidator(_rfc3339)] = Field(
        description="When the source made the statement (RFC 3339, with an offset)."
    )
    agency: Slug = Field(description="Extension attribute: the agency that reports, often a parent.")
    datacontenttype: Annotated[
        str, StringConstraints(pattern=r"^application/json\s*(;.*)?$"), BeforeValidator(_json_where_null)
    ] = "application/json"


class CloudEvent(Envelope):
    """One event in structured JSON form."""

    data: dict[str, Any]
