"""What the answer page shows, as values that a template only lays out. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from schemas.warnings import Answer, Transition
from services.board.core.answering import ALL, Choice, Fault, Filled
from services.board.core.matter import FEED_OWNER, Matter
from services.board.core.page_words import PageWords
from services.board.core.shown import Field, Frame, Shown, shown, title_of, what_of
from services.core.schedule.standing_words import words_of
from services.core.warnings.lifecycle import quieted
from services.core.warnings.warning_words import warning_words_of

_NOTHING: Final = Filled()


@dataclass(frozen=True, kw_only=True, slots=True)
class Restated:
    """What is about to be recorded about one warning."""

    title: str
    what: str
    day: str
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """The page of one link."""

    words: PageWords
    intro: str
    plan: str
    decision: str
    deadline: str
    as_of: str
    headline: str
    valid_until: str
    earliest: date
    latest: date
    day_hint: str
    warnings: tuple[Shown, ...]
    for_all: Field | None
    fault: str = ""


def page_of(
    matter: Matter,
    frame: Frame,
    *,
    recent: Sequence[Answer] = (),
    filled: Mapping[str, Filled] | None = None,
    faults: Mapping[tuple[str, str], Fault] | None = None,
) -> Page:
    """Return the page. *filled* and *faults*: of a submission that could not be taken."""
    words, numbers, plan = frame.words, words_of(frame.language), matter.plan
    sent, wrong = filled or {}, faults or {}
    opened = matter.open
    warnings = tuple(
        shown(matter, frame, one, recent, _field(str(at), one, sent, wrong, words)) for at, one in enumerate(opened, 1)
    )
    general = wrong.get(("", ""))
    title, decision = plan.title.text(frame.language), plan.decision
    if not opened:
        headline = words.nothing_open
    else:
        headline = words.count_one if len(opened) == 1 else words.count.format(count=len(opened))
    return Page(
        words=words,
        intro=words.intro.format(role=_role(frame), name=name_of(matter, frame)),
        plan=title,
        decision=f"{decision.number}, {numbers.date(decision.day)}, {decision.signer}",
        deadline=numbers.date(plan.deadline),
        as_of=words.as_of.format(day=numbers.date(matter.day)),
        headline=headline,
        valid_until=words.valid_until.format(at=frame.moment(frame.link.expires)),
        earliest=frame.earliest,
        latest=frame.latest,
        day_hint=words.day_hint.format(earliest=numbers.date(frame.earliest), latest=numbers.date(frame.latest)),
        warnings=warnings,
        for_all=_all(sent, wrong, words, feeds=frame.link.role == FEED_OWNER) if len(opened) > 1 else None,
        fault=words.faults[general] if general is not None else words.faults_above if wrong else "",
    )


def restated(matter: Matter, frame: Frame, choices: Sequence[Choice]) -> tuple[Restated, ...]:
    """Return what *choices* would record, in words."""
    numbers = words_of(frame.language)
    titles = {one.cause: title_of(matter, one, frame.language) for one in matter.open}
    return tuple(
        Restated(
            title=titles.get(one.cause, one.cause),
            what=what_of(one.kind, frame.words, feed=one.cause.startswith("feed:")),
            day=frame.words.promised.format(day=numbers.date(one.promised)) if one.promised else "",
            reason=one.reason or "",
        )
        for one in choices
    )


def name_of(matter: Matter, frame: Frame) -> str:
    """Return the name of the agency that is asked, or of the feeds' owner."""
    agencies = {one.id: one.name.text(frame.language) for one in matter.directory.agencies}
    owners = {one.id: one.owner.name for one in matter.directory.feeds}
    named = owners if frame.link.role == FEED_OWNER else agencies
    return named.get(frame.link.agency, frame.link.agency)


def confirm_intro(matter: Matter, frame: Frame) -> str:
    """Return what the confirmation page says first."""
    return frame.words.confirm_intro.format(role=_role(frame), name=name_of(matter, frame))


def _role(frame: Frame) -> str:
    return warning_words_of(frame.language).role(frame.link.role)


def _field(
    number: str,
    one: Transition,
    sent: Mapping[str, Filled],
    wrong: Mapping[tuple[str, str], Fault],
    words: PageWords,
) -> Field:
    return Field(
        number=number,
        cause=one.cause,
        opened=one.opened or 0,
        feed=one.cause.startswith("feed:"),
        heard=quieted(one),
        filled=sent.get(one.cause, _NOTHING),
        faults=_faults_of(one.cause, wrong, words),
    )


def _all(sent: Mapping[str, Filled], wrong: Mapping[tuple[str, str], Fault], words: PageWords, *, feeds: bool) -> Field:
    return Field(
        number=ALL,
        cause=ALL,
        opened=0,
        feed=feeds,
        heard=False,
        filled=sent.get(ALL, _NOTHING),
        faults=_faults_of(ALL, wrong, words),
    )


def _faults_of(cause: str, wrong: Mapping[tuple[str, str], Fault], words: PageWords) -> dict[str, str]:
    return {name: words.faults[fault] for (whose, name), fault in wrong.items() if whose == cause}
