"""What ``warnings.v1`` carries: the life of warnings, the notices sent about them, answers and silences.

Records are only appended. What they amount to is a fold in the order of the log (``services/core/warnings/warning_records.py``).
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, TypeAdapter, model_validator

from schemas.common import Contract, Day, Moment, Number, Slug, Text
from schemas.policy import Match, Severity

#: A few sentences for people; name offices, not persons.
Reason = Annotated[str, StringConstraints(min_length=1, max_length=2000, strip_whitespace=True)]
Cause = Annotated[str, StringConstraints(pattern=r"^(lag|feed):\S+$", max_length=80)]
#: What stands in mail headers, links and log lines: printable ASCII without spaces.
Id = Annotated[str, StringConstraints(pattern=r"^[!-~]+$", min_length=1, max_length=200)]
#: How often something has happened: from 0 to the greatest that the database can hold.
Times = Annotated[int, Field(ge=0, lt=1 << 32)]


class WarningState(StrEnum):
    """Where a warning stands. The state is a fold of its transitions."""

    PENDING = "pending"  # behind, not yet for the hold time; nobody is told
    OPEN = "open"
    ESCALATED = "escalated"  # brought to a higher level, and not acknowledged
    ACKNOWLEDGED = "acknowledged"  # until it is resolved
    ANSWERED = "answered"  # accepted with a date, or disputed with a reason
    RESOLVED = "resolved"


class TransitionReason(StrEnum):
    """Why a warning changed."""

    FALLING_BEHIND = "falling-behind"  # → pending
    NOT_HELD = "not-held"  # pending → resolved: not behind for long enough; nobody was told
    FELL_BEHIND = "fell-behind"  # → open
    MISSED = "missed"  # → open: the deadline has passed
    AT_RISK = "at-risk"  # → open: by the forecast, not behind yet
    BEHIND_AGAIN = "behind-again"  # → open: the same matter, soon after it was resolved
    WORSENED = "worsened"  # graver than ever in this warning
    UNANSWERED = "unanswered"  # → escalated: old enough for the next level
    PROMISE_PASSED = "promise-passed"  # → escalated: the date accepted has passed
    STILL_BEHIND = "still-behind"  # a reminder
    ACKNOWLEDGED = "acknowledged"
    ACCEPTED = "accepted"  # → answered, with a date
    DISPUTED = "disputed"  # → answered, with a reason
    CAUGHT_UP = "caught-up"  # → resolved
    NO_LONGER_JUDGED = "no-longer-judged"  # → resolved: the plan no longer sets a target here
    FEED_SILENT = "feed-silent"  # → open
    FEED_PARTIAL = "feed-partial"  # → open
    FEED_STILL_OUT = "feed-still-out"  # a reminder
    FEED_RETURNED = "feed-returned"  # → resolved


class Transition(Contract):
    """A change of a warning. ``id`` derives from plan, subject, cause and sequence: doing it twice makes one.

    The last one holds all that the warning is: its level, how grave it has been, what was answered.
    """

    kind: Literal["transition"] = "transition"
    id: Id
    plan: Slug
    agency: Slug = Field(description="The agency warned; of a feed's warning, the feed's id.")
    cause: Cause = Field(description="`lag:<indicator>` or `feed:<feed>`.")
    sequence: Number = Field(description="1 for the first transition of this cause, and so on.")
    state: WarningState
    reason: TransitionReason
    day: Day = Field(description="The day of standing that caused it.")
    since: Day = Field(description="The first day of the run of days that caused it.")
    at: Moment
    revision: Times = Field(description="Revision of the plan that judged.")
    opened: Number | None = Field(default=None, description="Sequence of the transition that opened this warning.")
    opened_day: Day | None = Field(default=None, description="The day of standing that opened it.")
    severity: Severity | None = Field(default=None, description="The gravest so far; null for feeds.")
    level: str = Field(
        default="", max_length=40, description="The highest role that it, or the one before it, was brought to."
    )
    level_day: Day | None = Field(default=None, description="The day of standing on which it was brought to that role.")
    told_day: Day | None = Field(default=None, description="Day of the last transition that somebody is told of.")
    acknowledged: bool = Field(default=False, description="Somebody has acknowledged or disputed it.")
    promised: Day | None = Field(default=None, description="The day accepted for having caught up.")
    answer: Id | None = Field(default=None, description="Id of the answer that made this transition, or holds.")


class Notice(Contract):
    """A message to one recipient over one channel: recorded before it is sent (`pending`) and after (`sent`, `failed`, `dead`).

    ``id`` derives from plan, agency, recipient, channel and number, so whoever sends it again sends the same Message-ID.
    """

    kind: Literal["notice"] = "notice"
    id: Id = Field(description="Also in the Message-ID.")
    plan: Slug
    agency: Slug = Field(
        description="Whom it is about; of feeds, the owner's first feed; of a digest, whose role reads it."
    )
    recipient: Id = Field(description="The directory's role, such as `head`; the address stays in the directory.")
    channel: Id = Field(default="email", description="`email`, or the deployment's name of a channel.")
    about: Literal["agency", "feeds", "digest"] = "agency"
    number: Number = Field(default=1, description="Which of those to this recipient over this channel.")
    period: Day | None = Field(default=None, description="First day of the week or month of a digest.")
    language: Literal["vi", "en"]
    transitions: tuple[Id, ...] = Field(default=(), description="What it tells; a digest tells the state instead.")
    state: Literal["pending", "sent", "failed", "dead"]
    attempt: Times = Field(default=0, description="Grows by one each time somebody has it sent again by hand.")
    detail: str = Field(
        default="", description="The fault that kept it from being sent; of `pending` by hand, who has it sent again."
    )
    due: Moment | None = Field(default=None, description="Not before; null: at once.")
    at: Moment

    @model_validator(mode="after")
    def _tells_something(self) -> Self:
        if (self.about == "digest") != (self.period is not None):
            raise ValueError("a digest has a period, and nothing else has")
        if self.about != "digest" and not self.transitions:
            raise ValueError("a notice tells at least one transition")
        return self


class AnswerKind(StrEnum):
    """What was answered."""

    ACKNOWLEDGED = "acknowledged"
    ACCEPTED = "accepted"
    DISPUTED = "disputed"


class Answer(Contract):
    """What somebody answered to one warning. ``id`` derives from the content without ``at``: twice the same is one."""

    kind: Literal["answer"] = "answer"
    id: Id
    plan: Slug
    agency: Slug
    cause: Cause
    opened: Number = Field(description="Sequence of the transition that opened the warning answered.")
    answer: AnswerKind
    by: Text = Field(description="Who answers: the role that the notice went to, or an office.")
    via: Literal["link", "command", "api"]
    notice: Id | None = Field(default=None, description="The notice whose link was followed.")
    promised: Day | None = Field(default=None, description="Accepted: the day by which it will have caught up.")
    reason: Reason | None = Field(default=None, description="Disputed: why. Else a remark.")
    at: Moment

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if (self.answer is AnswerKind.ACCEPTED) != (self.promised is not None):
            raise ValueError("accepted needs `promised`, a day; nothing else has one")
        if self.answer is AnswerKind.DISPUTED and self.reason is None:
            raise ValueError("disputed needs a `reason`")
        return self


class Silence(Contract):
    """A span in which nobody is told about what is meant. It acknowledges nothing; ``ended`` ends it before its time."""

    kind: Literal["silence"] = "silence"
    id: Id
    plan: Slug
    agency: Slug | Literal[""] = Field(default="", description="Empty: it is the plan's.")
    action: Literal["begun", "ended"]
    match: Match
    from_: Moment = Field(alias="from")
    until: Moment
    author: Text = Field(description="Who silences: an office or a duty.")
    reason: Reason
    at: Moment

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if self.from_ >= self.until:
            raise ValueError("`from` lies before `until`")
        return self


Record = Transition | Notice | Answer | Silence
WarningRecord = Annotated[Record, Field(discriminator="kind")]
#: Reads and writes records of ``warnings.v1``.
WARNING_RECORD: TypeAdapter[Record] = TypeAdapter(WarningRecord)


def record_key(record: Record) -> str:
    """Return the record's key in ``warnings.v1``: plan/agency."""
    return f"{record.plan}/{record.agency}"
