"""What a webhook carries: a notice with the warnings that it tells of, as they were when it was written."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, TypeAdapter

from schemas.common import Contract, Slug
from schemas.policy import Severity
from schemas.warnings import TransitionReason, WarningState


class ToldWarning(Contract):
    """One change of one warning."""

    id: str = Field(description="Of the change; a notice never tells one twice.")
    agency: str = Field(description="The agency warned; of a feed's warning, the feed's id.")
    cause: str = Field(description="`lag:<indicator>` or `feed:<feed>`.")
    state: WarningState
    reason: TransitionReason
    severity: Severity | None = Field(description="The gravest so far; null for feeds.")
    level: str = Field(description="The highest role that it was brought to; empty for none.")
    day: date = Field(description="The day of standing that brought the change.")
    since: date = Field(description="The first day of the run of days that did.")
    opened_day: date | None = Field(description="The day of standing that opened the warning.")
    acknowledged: bool
    promised: date | None = Field(description="The day accepted for having caught up.")


class ToldNotice(Contract):
    """A notice. ``id`` is also the header `webhook-id`; it stays the same when the notice is sent again."""

    id: str
    plan: Slug
    agency: str = Field(description="Whom it is about; of feeds, the first of them.")
    about: Literal["agency", "feeds"]
    number: int = Field(ge=1, description="Which of those about this agency over this channel.")
    attempt: int = Field(ge=0, description="How often somebody has had it sent again by hand.")
    language: Literal["vi", "en"]
    title: str = Field(description="One line for people.")
    text: str = Field(description="A few lines for people, plain text.")
    warnings: tuple[ToldWarning, ...] = Field(min_length=1)


class NoticeMessage(Contract):
    """What has changed of warnings. *timestamp*: when the notice was recorded, by the deployment's clock."""

    type: Literal["warning.notice.v1"] = "warning.notice.v1"
    timestamp: AwareDatetime
    data: ToldNotice


class TrialData(Contract):
    """Nothing but a text."""

    text: str


class TrialMessage(Contract):
    """What `tiendo channels try` sends. Receivers answer 2xx and do nothing."""

    type: Literal["channel.test.v1"] = "channel.test.v1"
    timestamp: AwareDatetime
    data: TrialData


#: Reads and writes bodies of webhooks.
WEBHOOK_MESSAGE: TypeAdapter[NoticeMessage | TrialMessage] = TypeAdapter(
    Annotated[NoticeMessage | TrialMessage, Field(discriminator="type")]
)
