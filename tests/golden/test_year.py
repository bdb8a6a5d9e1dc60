"""A year of warnings, to be read through: every notice of the example's province with its moment and what it says.

``UPDATE_GOLDEN=1`` writes the file anew; agree with each line that differs.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import date, datetime
from math import ceil
from pathlib import Path

from schemas.directory import Directory
from schemas.policy import Role
from schemas.warnings import Notice, Transition, TransitionReason
from services.alerts.core.notices import AddressBook, contact_of, is_feed
from services.alerts.core.planning import length_of, worth_reading
from services.core.warnings.lifecycle import is_open
from services.core.warnings.transitions import transitions_of
from services.core.warnings.warning_words import ENGLISH
from tests import year_world as world

AGREED = {date(2008, 7, 9), date(2008, 10, 2), date(2009, 1, 1)}  # nobody answers on these days
GOLDEN = Path(__file__).parent / "year" / "notices.txt"


class Telling:
    """Writes looks as lines."""

    def __init__(self) -> None:
        self._every: dict[str, tuple[Transition, str]] = {}
        self._told: set[str] = set()

    def lines(self, look: world.Look) -> Iterator[str]:
        directory = look.assessment.directory
        self._every |= {one.id: (one, self._words(one, look)) for one in look.transitions}
        for notice in look.notices:
            yield self._notice(notice, look, directory)
        told = {number for notice in look.notices for number in notice.transitions}
        self._told |= told
        for one in look.transitions:
            if one.id not in told:
                nobody = "nobody told yet" if world.to_be_told(one.reason) else "nobody told"
                yield f"{_moment(look.now)}  {nobody}: {_agency(directory, one)}: {self._every[one.id][1]}"

    def never_told(self) -> list[str]:
        """Return what somebody was to be told of and never was."""
        wanted = ((one, words) for one, words in self._every.values() if world.to_be_told(one.reason))
        return [f"{one.day} {one.agency}: {words}" for one, words in wanted if one.id not in self._told]

    def _notice(self, notice: Notice, look: world.Look, directory: Directory) -> str:
        contact = contact_of(directory, notice)
        assert contact is not None
        to = f"{ENGLISH.role(notice.recipient)} ({contact.name})"
        head = f"{_moment(notice.at)}  {notice.channel} to {to}"
        if notice.about == "digest":
            return f"{head}: digest from {notice.period} on: {self._digest(notice, look)}"
        ones = sorted(
            (self._every[number] for number in notice.transitions), key=lambda pair: (pair[0].agency, pair[0].cause)
        )
        words = " · ".join(
            f"{_agency(directory, one)}: {said}" if is_feed(one) or one.agency != notice.agency else said
            for one, said in ones
        )
        about = "feeds" if notice.about == "feeds" else _name(directory, ones[0][0].agency)
        return f"{head}, no. {notice.number}, about {about}: {words}"

    @staticmethod
    def _digest(notice: Notice, look: world.Look) -> str:
        role: Role = "chair" if notice.recipient == "chair" else "department-in-charge"
        assert notice.period is not None
        length = length_of("month" if role == "chair" else "week", notice.period)
        spoken = [one for one in look.states.values() if worth_reading(one, role, notice.period, length)]
        out = [one for one in spoken if is_open(one)]
        return f"warnings: {len(out)} open, of {len({one.agency for one in out})} agencies, {len(spoken) - len(out)} resolved"

    @staticmethod
    def _words(one: Transition, look: world.Look) -> str:
        said = ENGLISH.reasons[one.reason]
        if is_feed(one):
            return f"{said} (out since {one.since})" if is_open(one) else said
        indicator = one.cause.partition(":")[2]
        history = look.assessment.histories.get((indicator, one.agency), ())
        on_day = next((standing for standing in reversed(history) if standing.day == one.day), None)
        behind = (
            f", {ceil(on_day.days_behind)} days behind" if on_day is not None and (on_day.days_behind or 0) > 0 else ""
        )
        grave = f", {one.severity.value}" if one.severity is not None else ""
        level = f", brought to {ENGLISH.role(one.level)}" if one.reason in _BROUGHT else ""
        promised = f", by {one.promised}" if one.promised is not None else ""
        return f"{indicator}: {said} (since {one.since}{behind}{grave}{level}{promised})"


_BROUGHT = frozenset({TransitionReason.UNANSWERED, TransitionReason.PROMISE_PASSED, TransitionReason.WORSENED})


def _moment(at: datetime) -> str:
    return f"{at.astimezone(world.ZONE):%Y-%m-%d %a %H:%M}"


def _name(directory: Directory, agency: str) -> str:
    known = AddressBook(directory).agencies.get(agency)
    return known.name.vi if known is not None else agency


def _agency(directory: Directory, one: Transition) -> str:
    return one.agency if is_feed(one) else _name(directory, one.agency)


def test_the_year_is_told_as_the_file_says() -> None:
    """A look each morning from 29 May 2008 to 1 June 2009; now and then the evaluator that follows nothing agrees."""
    telling, lines, year = Telling(), [], world.Year()
    for look in year.looks():
        lines += telling.lines(look)
        if look.now.date() in AGREED:
            assert transitions_of(look.assessment, look.past, year.policy, at=look.now) == look.transitions
    lines.sort(key=lambda line: (line[:10], line[15:20]))
    text = "\n".join([*lines, "", "never told:", *telling.never_told(), ""])
    if os.environ.get("UPDATE_GOLDEN"):
        GOLDEN.parent.mkdir(exist_ok=True)
        GOLDEN.write_text(text, encoding="utf-8")
    assert GOLDEN.read_text(encoding="utf-8") == text
