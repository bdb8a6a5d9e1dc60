"""The CloudEvents 1.0 envelope, as integrators send it.

Attributes that are not listed here (``subject``, ``dataschema``, extensions of others) are dropped at the door, because
nobody has promised that they carry no person's name.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from schemas.common import Slug

_TEXT = r"^[^\x00-\x1f\x7f]+$"


class CloudEvent(BaseModel):
    """One event in structured JSON form. ``time`` is required: it is when the source made the statement."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    specversion: Literal["1.0"]
    id: Annotated[str, StringConstraints(min_length=1, max_length=256, pattern=_TEXT)] = Field(
        description="Unique within the source; a repeat of the same statement carries the same id, a correction a new one."
    )
    source: Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=_TEXT)] = Field(
        description="The publishing system, as registered in the directory of sources."
    )
    type: Annotated[str, StringConstraints(min_length=1, max_length=120, pattern=_TEXT)]
    time: AwareDatetime = Field(description="When the source made the statement (RFC 3339, with an offset).")
    agency: Slug = Field(description="Extension attribute: the agency that reports, often a parent.")
    datacontenttype: Literal["application/json"] = "application/json"
    data: dict[str, Any]
