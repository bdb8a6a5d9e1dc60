"""What is asked and answered about refused events; also the models that the OpenAPI document shows."""

from __future__ import annotations

from typing import Any, Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from schemas.common import Moment
from schemas.reasons import Reason
from services.ingest.core.replay import Outcome
from services.ingest.http.answers import Problem, RejectedEvent

#: Each may hold a whole request body, and all of them are in memory at once.
MOST_REPLAYED: Final = 50


class ListQuery(BaseModel):
    """Which refused events are listed."""

    model_config = ConfigDict(extra="forbid")

    source: str = Field(default="", description="For operations; a source sees its own alone.")
    reason: Reason | None = None
    type: str = Field(default="", description="Short event type, such as mail.used.")
    since: Moment | None = Field(default=None, description="Refused at this moment or later.")
    open: bool = Field(default=False, description="Only those not taken since.")
    limit: int = Field(default=100, ge=1, le=1000)


class ListedRejection(BaseModel):
    """A refused event, without what was sent."""

    rejection: str
    source: str
    reason: Reason
    detail: str
    pointer: str
    where: str
    type: str = Field(description="Empty where it is not of the catalogue, or could not be read.")
    first: AwareDatetime = Field(description="When this input was first refused.")
    last: AwareDatetime = Field(description="When it was last refused.")
    replayed: AwareDatetime | None = Field(description="When it was taken in a replay; null: it still stands.")


class RejectedPage(BaseModel):
    """Refused events, the last refused first."""

    rejected: list[ListedRejection]


class ShownRejection(ListedRejection):
    """A refused event; what was sent is shown to operations alone."""

    body: str | None = None
    body_note: str = ""


class ReplayRequest(BaseModel):
    """Which refused events to send again; a dry run says what would become of them and changes nothing."""

    model_config = ConfigDict(extra="forbid")

    ids: list[str] = Field(min_length=1, max_length=MOST_REPLAYED)
    dry_run: bool = False


class ReplayedInput(BaseModel):
    """What became of one refused input."""

    rejection: str
    outcome: Outcome
    accepted: int = Field(ge=0, description="Events taken; more than one where a whole batch had been refused.")
    refused: list[RejectedEvent]


class ReplayAnswer(BaseModel):
    """What became of each input asked for, in the order asked."""

    dry_run: bool
    replayed: list[ReplayedInput]


_PROBLEMS: Final[dict[int | str, dict[str, Any]]] = {
    400: {"model": Problem, "description": "The question could not be read."},
    401: {"model": Problem, "description": "No valid bearer token."},
    503: {"model": Problem, "description": "The table or the broker does not answer; ask again."},
}
LIST_RESPONSES: Final = {200: {"model": RejectedPage, "description": "The refused events."}, **_PROBLEMS}
SHOW_RESPONSES: Final = {
    200: {"model": ShownRejection, "description": "The refused event."},
    404: {"model": Problem, "description": "There is no such refusal, or it is another source's."},
    **_PROBLEMS,
}
REPLAY_RESPONSES: Final = {
    200: {"model": ReplayAnswer, "description": "What became of each; look at the outcomes."},
    **_PROBLEMS,
}


def query_parameters() -> dict[str, Any]:
    """Return the OpenAPI description of the list's query."""
    schema = ListQuery.model_json_schema()
    reasons = schema.get("$defs", {}).get("Reason", {})
    parameters = []
    for name, field in schema["properties"].items():
        shape = reasons if name == "reason" else {key: one for key, one in field.items() if key != "description"}
        parameters.append({"name": name, "in": "query", "schema": shape, "description": field.get("description", "")})
    return {"parameters": parameters}
