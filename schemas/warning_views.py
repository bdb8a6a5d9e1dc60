"""What is told about warnings: the answers of the board's API, and what ``tiendo warnings`` prints as JSON."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import AwareDatetime, Field

from schemas.common import Contract
from schemas.policy import Match

NoticeStateName = Literal["pending", "sent", "failed", "dead"]


class About(Contract):
    """Which warning is meant. Names are in the language asked for, and empty where the documents have them no more."""

    plan: str
    agency: str = Field(description="The agency warned; of a feed's warning, the feed's id.")
    agency_name: str = Field(default="", description="Of the agency, or the feed's title.")
    cause: str = Field(description="`lag:<indicator>` or `feed:<feed>`.")
    title: str = Field(default="", description="Of the indicator, or the feed's.")


class Told(Contract):
    """A notice, and what became of it."""

    id: str = Field(description="Also in the Message-ID.")
    recipient: str = Field(description="A role; addresses stay in the directory.")
    channel: str
    number: int = Field(description="Which of those to this recipient over this channel.")
    state: NoticeStateName
    attempt: int = Field(description="How often somebody has had it sent again by hand.")
    detail: str = Field(default="", description="The fault that kept it from being sent.")
    due: AwareDatetime | None = Field(default=None, description="Not before; null: at once.")
    at: AwareDatetime = Field(description="When it was sent, or last recorded.")


class WarningView(About):
    """A warning as it stands."""

    state: str
    reason: str = Field(description="Of the last transition.")
    severity: str | None = Field(description="The gravest so far; null for feeds.")
    level: str = Field(description="The highest role that it was brought to.")
    since: date = Field(description="The first day of the run of days that caused the last transition.")
    day: date = Field(description="The day of standing that caused the last transition.")
    opened_day: date | None = Field(description="The day of standing that opened it.")
    days_behind: float | None = Field(description="On the day last judged; null for feeds and where there is none.")
    acknowledged: bool
    promised: date | None = Field(description="The day accepted for having caught up.")
    at: AwareDatetime = Field(description="When the last transition was made.")
    notices: tuple[Told, ...] = Field(description="About this warning, the oldest first; digests are not among them.")


class WarningPage(Contract):
    """Warnings: open ones first, the gravest first, the longest behind first."""

    total: int = Field(description="How many there are that fit, on all pages.")
    states: dict[str, int] = Field(description="State → how many of those.")
    warnings: tuple[WarningView, ...]


class TransitionView(Contract):
    """A change of a warning."""

    sequence: int
    day: date
    since: date
    at: AwareDatetime
    state: str
    reason: str
    words: str = Field(description="The reason in the language asked for.")
    severity: str | None
    level: str
    promised: date | None
    answer: str | None = Field(description="Id of the answer that made it, or holds.")
    notices: tuple[str, ...] = Field(description="Ids of the notices that tell it.")


class AnswerView(Contract):
    """What somebody answered, and what came of it."""

    id: str
    answer: str
    by: str
    via: str
    at: AwareDatetime
    opened: int = Field(description="Sequence of the transition that opened the warning answered.")
    promised: date | None
    reason: str | None
    taken_up: int | None = Field(description="Sequence of the transition that it made; null: none (yet).")


class SilenceView(Contract):
    """A silence, and how it stands."""

    id: str
    plan: str
    state: Literal["waiting", "in-force", "over", "ended", "withdrawn"]
    match: Match
    begins: AwareDatetime
    until: AwareDatetime
    author: str
    reason: str
    recorded: AwareDatetime
    ended: AwareDatetime | None = Field(default=None, description="When somebody ended it before its time.")
    ended_by: str | None = None
    ended_because: str | None = None


class WarningHistory(Contract):
    """The whole life of the warnings of one agency and cause."""

    warning: WarningView
    transitions: tuple[TransitionView, ...] = Field(description="In their order, from the first warning on.")
    answers: tuple[AnswerView, ...] = Field(description="In the order of the log.")
    notices: tuple[Told, ...] = Field(description="The oldest first.")
    silences: tuple[SilenceView, ...] = Field(
        description="Of the plan, those that mean this warning; the latest first."
    )


class NoticeView(Told):
    """A notice with whom it is about."""

    plan: str
    agency: str
    agency_name: str = ""
    about: Literal["agency", "feeds", "digest"]
    period: date | None = Field(default=None, description="First day of the week or month of a digest.")
    language: str
    recorded: AwareDatetime = Field(description="When it was first recorded.")
    fault: str = Field(default="", description="What kept it from being sent, in the language asked for.")
    remedy: str = Field(default="", description="What to do about it.")
    causes: tuple[str, ...] = Field(default=(), description="Causes of the warnings that it tells.")


class NoticePage(Contract):
    """Notices, the oldest first."""

    total: int = Field(description="How many there are in that state, on all pages.")
    notices: tuple[NoticeView, ...]


class SilencePage(Contract):
    """Silences, the latest begun first."""

    silences: tuple[SilenceView, ...]
