"""What an answer page is about: the warnings of an agency, or of an owner's feeds, with their evidence. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from schemas.directory import Directory
from schemas.explanation import FeedUsed
from schemas.plan import Plan
from schemas.warnings import Answer, AnswerKind, Transition
from services.board.core.answering import Answerable
from services.board.core.chart import Series
from services.core.warnings.answer_link import AnswerLink
from services.core.warnings.lifecycle import is_open, quieted
from services.core.warnings.warning_records import fold

FEED_OWNER = "feed-owner"


@dataclass(frozen=True, kw_only=True, slots=True)
class LagEvidence:
    """A figure against the plan: the standing's row, and plan and figures by day."""

    row: Mapping[str, Any]
    planned: Series
    actual: Series
    feeds: tuple[FeedUsed, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Matter:
    """Everything that an answer page is made of.

    ``answers`` in the order of the log; ``evidence`` by indicator, of those whose warnings are open; ``feeds`` by id, of
    feeds whose warnings are open. ``day``: the day last judged.
    """

    plan: Plan
    directory: Directory
    day: date
    transitions: tuple[Transition, ...]
    answers: tuple[Answer, ...]
    evidence: Mapping[str, LagEvidence]
    feeds: Mapping[str, FeedUsed]

    @property
    def open(self) -> tuple[Transition, ...]:
        """The last transition of every open warning, lags in the plan's order, then feeds."""
        return open_of(self.transitions, self.plan)

    @property
    def answerable(self) -> tuple[Answerable, ...]:
        """What may be answered."""
        return tuple(Answerable(cause=one.cause, opened=one.opened or 0, heard=quieted(one)) for one in self.open)

    def taken(self) -> frozenset[str]:
        """Return the ids of the answers that a transition has taken up."""
        return frozenset(one.answer for one in self.transitions if one.answer is not None)


def subjects_of(link: AnswerLink, directory: Directory) -> tuple[str, ...]:
    """Return the agency whose warnings *link* is about, or for a feed's owner all feeds of the same owner."""
    feed = next((one for one in directory.feeds if one.id == link.agency), None)
    if link.role != FEED_OWNER or feed is None:
        return (link.agency,)
    owner = feed.owner.email.casefold()
    return tuple(one.id for one in directory.feeds if one.owner.email.casefold() == owner)


def open_of(transitions: Sequence[Transition], plan: Plan) -> tuple[Transition, ...]:
    """Return the last transitions of those warnings that are open, lags in the order of *plan*, then feeds."""
    order = {f"lag:{one.id}": at for at, one in enumerate(plan.indicators)}
    found = [one for one in fold(transitions).values() if is_open(one)]
    return tuple(sorted(found, key=lambda one: (order.get(one.cause, len(order)), one.cause)))


def answers_to(matter: Matter, last: Transition, recent: Sequence[Answer] = ()) -> tuple[tuple[Answer, str], ...]:
    """Return the answers to an open warning, the latest first, each with what became of it: taken, waiting or held.

    *recent*: published a moment ago, and perhaps not in the table yet. Held: acknowledged after an answer, which changes nothing.
    """
    taken = matter.taken()
    found: dict[str, Answer] = {}
    for one in (*matter.answers, *recent):
        if (one.agency, one.cause, one.opened) == (last.agency, last.cause, last.opened):
            found.setdefault(one.id, one)
    shown = []
    for one in found.values():
        idle = one.answer is AnswerKind.ACKNOWLEDGED and quieted(last)
        shown.append((one, "taken" if one.id in taken else "held" if idle else "waiting"))
    return tuple(sorted(shown, key=lambda pair: pair[0].at, reverse=True))
