"""How an open warning is shown: its figures, feeds, chart and the answers given. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from schemas.explanation import FeedUsed
from schemas.plan import Indicator
from schemas.warnings import Answer, AnswerKind, Transition
from services.board.core.answering import Filled
from services.board.core.chart import Lines, draw
from services.board.core.matter import Matter, answers_to
from services.board.core.page_words import PageWords, page_words_of
from services.core.schedule.standing_words import Words, words_of
from services.core.warnings.answer_link import AnswerLink
from services.core.warnings.warning_words import WarningWords, warning_words_of


@dataclass(frozen=True, kw_only=True, slots=True)
class Frame:
    """What a page needs beside the matter: the link, the language shown, days that may be promised, the zone."""

    link: AnswerLink
    language: str
    earliest: date
    latest: date
    zone: ZoneInfo

    @property
    def words(self) -> PageWords:
        """The page's words."""
        return page_words_of(self.language)

    def moment(self, at: datetime) -> str:
        """Return a moment in the deployment's zone, to the minute."""
        local = at.astimezone(self.zone)
        return f"{local:%H:%M} {words_of(self.language).date(local.date())}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Given:
    """An answer given before."""

    what: str
    by: str
    day: str
    reason: str
    status: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Field:
    """The fields of one warning, or of all: ``number`` makes ids, ``cause`` names; with what was filled in and its faults."""

    number: str
    cause: str
    opened: int
    feed: bool
    heard: bool
    filled: Filled
    faults: Mapping[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """An open warning: title, facts as (label, text), feeds, a chart, answers given and the fields for another."""

    title: str
    objective: str
    facts: tuple[tuple[str, str], ...]
    feeds: tuple[tuple[str, str], ...]
    chart: str
    given: tuple[Given, ...]
    field: Field


def what_of(kind: AnswerKind, words: PageWords, *, feed: bool) -> str:
    """Return what answering so means, in words."""
    accept = words.accept_feed if feed else words.accept
    return {
        AnswerKind.ACKNOWLEDGED: words.acknowledge,
        AnswerKind.ACCEPTED: accept,
        AnswerKind.DISPUTED: words.dispute,
    }[kind]


def _indicator(matter: Matter, cause: str) -> Indicator | None:
    return next((one for one in matter.plan.indicators if f"lag:{one.id}" == cause), None)


def title_of(matter: Matter, one: Transition, language: str) -> str:
    """Return the title of the indicator or the feed."""
    indicator = _indicator(matter, one.cause)
    if indicator is not None:
        return indicator.title.text(language)
    feed = next((feed for feed in matter.directory.feeds if f"feed:{feed.id}" == one.cause), None)
    return feed.title.text(language) if feed is not None else one.cause


def shown(matter: Matter, frame: Frame, one: Transition, recent: Sequence[Answer], fields: Field) -> Shown:
    """Return *one* as it is shown, with the *fields* for another answer."""
    numbers, said = words_of(frame.language), warning_words_of(frame.language)
    indicator = _indicator(matter, one.cause)
    evidence = matter.evidence.get(indicator.id) if indicator is not None else None
    facts = [(frame.words.state, f"{said.states[one.state]} – {said.reasons[one.reason]}")]
    if one.severity is not None:
        facts.append((frame.words.severity, said.severities[one.severity]))
    feeds: tuple[FeedUsed, ...] = ()
    chart = objective = ""
    if indicator is not None and indicator.objective is not None:
        objective = frame.words.objective.format(number=indicator.objective)
    if indicator is not None and evidence is not None:
        facts = [*_figures(evidence.row, indicator, frame.words, numbers, one), *facts]
        feeds = evidence.feeds
        lines = Lines(
            planned=evidence.planned, actual=evidence.actual, target=evidence.row["target"], day=matter.day
        )  # fmt: skip
        chart = draw(lines, numbers, label=_label(matter, frame, one, evidence.row, numbers))
    else:
        facts.append((frame.words.since, numbers.date(one.since)))
        feed = matter.feeds.get(one.agency)
        feeds = (feed,) if feed is not None else ()
    return Shown(
        title=title_of(matter, one, frame.language),
        objective=objective,
        facts=tuple(facts),
        feeds=tuple(_feed(feed, frame, numbers) for feed in feeds),
        chart=chart,
        given=tuple(_given(answer, status, frame, said, numbers) for answer, status in answers_to(matter, one, recent)),
        field=fields,
    )


def _figures(
    row: Mapping[str, Any], indicator: Indicator, words: PageWords, numbers: Words, one: Transition
) -> list[tuple[str, str]]:
    figure = _figure(row, indicator, numbers)
    forecast = numbers.forecast(row, with_range=True)
    needed = numbers.needed(row, indicator.unit)
    found = [
        (words.figure, f"{figure}, {words.provisional}" if row["provisional"] else figure),
        (words.planned, numbers.percent(row["planned"])),
        (words.target, numbers.percent(row["target"])),
        (words.behind, f"{numbers.verdicts[row['verdict']]}, {numbers.days(row['days_behind'])}"),
        (words.since, numbers.date(one.since)),
        (words.needed, needed),
        (words.forecast, forecast),
    ]
    return [pair for pair in found if pair[1] != "–"]


def _figure(row: Mapping[str, Any], indicator: Indicator, numbers: Words) -> str:
    share = numbers.percent(row["ratio"])
    if row["denominator"] is None:
        return share
    done, of = (numbers.amount(Fraction(row[part]), indicator.unit) for part in ("numerator", "denominator"))
    return f"{done}/{of} {indicator.unit.text(numbers.language)} ({share})"


def _label(matter: Matter, frame: Frame, one: Transition, row: Mapping[str, Any], numbers: Words) -> str:
    return frame.words.chart.format(
        title=title_of(matter, one, frame.language),
        day=numbers.date(matter.day),
        planned=numbers.percent(row["planned"]),
        actual=numbers.percent(row["ratio"]),
        target=numbers.percent(row["target"]),
    )


def _feed(feed: FeedUsed, frame: Frame, numbers: Words) -> tuple[str, str]:
    words = frame.words
    covered = words.covered.format(day=numbers.date(feed.covered)) if feed.covered else words.never_covered
    return f"{feed.title.text(frame.language)} ({feed.source})", f"{numbers.feeds[feed.state]}; {covered}"


def _given(answer: Answer, status: str, frame: Frame, said: WarningWords, numbers: Words) -> Given:
    words = frame.words
    return Given(
        what=what_of(answer.answer, words, feed=answer.cause.startswith("feed:")),
        by=words.by.format(role=said.role(answer.by), at=frame.moment(answer.at)),
        day=words.promised.format(day=numbers.date(answer.promised)) if answer.promised is not None else "",
        reason=answer.reason or "",
        status=words.statuses[status],
    )
