"""What ``warnings.v1`` carries: the life of warnings, and the notices sent about them."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, TypeAdapter

from schemas.common import Contract, Slug


class WarningState(StrEnum):
    """Where a warning stands. The state is a fold of its transitions."""

    OPEN = "open"
    RESOLVED = "resolved"


class TransitionReason(StrEnum):
    """Why a warning changed its state."""

    FELL_BEHIND = "fell-behind"
    MISSED = "missed"
    CAUGHT_UP = "caught-up"
    NO_LONGER_JUDGED = "no-longer-judged"  # the plan no longer sets a target here
    FEED_SILENT = "feed-silent"
    FEED_RETURNED = "feed-returned"


class Transition(Contract):
    """A change of a warning. ``id`` derives from plan, subject, cause and sequence: doing it twice makes one."""

    kind: Literal["transition"] = "transition"
    id: str
    plan: Slug
    agency: str = Field(description="The agency warned; of a feed's warning, the feed's id.")
    cause: str = Field(description="`lag:<indicator>` or `feed:<feed>`.")
    sequence: int = Field(ge=1, description="1 for the first transition of this cause, and so on.")
    state: WarningState
    reason: TransitionReason
    day: date = Field(description="The day of standing that caused it.")
    since: date = Field(description="The first day of the run of days that caused it.")
    at: AwareDatetime
    revision: int = Field(description="Revision of the plan that judged.")


class Notice(Contract):
    """A message about one or more transitions, recorded before (`pending`) and after (`sent`, `failed`) it is sent."""

    kind: Literal["notice"] = "notice"
    id: str = Field(description="Derives from the transitions, the recipient and the channel; also in the Message-ID.")
    plan: Slug
    agency: str
    recipient: str = Field(description="The directory's role, such as `head`; the address stays in the directory.")
    channel: Literal["email"] = "email"
    language: Literal["vi", "en"]
    transitions: tuple[str, ...] = Field(min_length=1)
    state: Literal["pending", "sent", "failed"]
    detail: str = ""
    at: AwareDatetime


WarningRecord = Annotated[Transition | Notice, Field(discriminator="kind")]
#: Reads and writes records of ``warnings.v1``.
WARNING_RECORD: TypeAdapter[Transition | Notice] = TypeAdapter(WarningRecord)
