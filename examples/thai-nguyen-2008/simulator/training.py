"""Courses: which officials learnt to work with computers, and what those who lead the work on IT learnt."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date, timedelta
from random import Random
from typing import Final

from simulator.courses import AGENCIES, AHEAD, GOOD, JUDGED, LATE_ALL, TRAINED_TARGET, Agency
from simulator.days import YEAR_END, YEAR_START, planned_share
from simulator.people import first_day, moment
from simulator.truth import Certificate, Post, Span, Trainee, World

BASICS: Final = "CNTT-CB"
LEADERSHIP: Final = "CNTT-LĐ"
SESSIONS: Final = (date(2008, 7, 18), date(2008, 11, 14))  # last days of the two courses for those who lead
FRIDAY: Final = 4
HANDED_OVER: Final = (
    "tp-thai-nguyen",
    date(2008, 9, 15),
)  # last day of one who leads; somebody else begins the day after


def trained_share(agency: Agency) -> Callable[[date], float]:
    course = agency.course
    return lambda day: min(0.95, max(course.trained_base, course.trained * planned_share(day, TRAINED_TARGET)))


class Training:
    """Builds the register of courses and the list of those who lead the work on IT, from the people that are there.

    It draws from a generator of its own, so that nothing else of the year depends on it.
    """

    def __init__(self, world: World, seed: int) -> None:
        self._world = world
        self._random = Random(f"{seed}/training")

    def build(self) -> None:
        """Fill the world's trainees and leaders."""
        done: set[str] = set()
        for agency in AGENCIES:
            people = [post.person for post in self._world.posts if post.agency == agency.id and post.person not in done]
            done.update(people)
            ranks = [(k + 0.5) / len(people) for k in range(len(people))]
            self._random.shuffle(ranks)
            for person, rank in zip(people, ranks, strict=True):
                if reached := first_day(trained_share(agency), rank):
                    self._basics(agency, person, reached)
        for agency in JUDGED:
            self._leaders(agency)

    def _basics(self, agency: Agency, person: str, reached: date) -> None:
        """Let *person* complete the course on the Friday of the week in which the agency's share calls for it."""
        random = self._random
        day = reached + timedelta(days=(FRIDAY - reached.weekday()) % 7)
        if reached == YEAR_START:
            day = date(2007, random.randint(3, 11), random.randint(1, 28))
        if day > YEAR_END:
            return
        recorded = moment(random, max(day + timedelta(days=random.choice((0, 0, 3, 4))), date(2008, 1, 2)))
        versions = [Certificate(recorded=recorded, day=day)]
        chance = random.random()
        if chance < 0.02:  # a wrong day, found out later
            right = day - timedelta(days=7)
            versions.append(Certificate(recorded=recorded + timedelta(days=random.randint(2, 20)), day=right))
        elif chance < 0.035:  # the certificate of somebody who was not there
            gone = recorded + timedelta(days=random.randint(2, 20))
            versions.append(Certificate(recorded=gone, day=day, withdrawn=gone.date()))
        self._enter(agency, person, BASICS, versions)

    def _enter(self, agency: Agency, person: str, course: str, versions: list[Certificate]) -> None:
        row = f"ĐT{len(self._world.trainees) + 1:05d}"
        self._world.trainees.append(
            Trainee(row=row, person=person, agency=agency.id, course=course, versions=tuple(versions))
        )

    def _leaders(self, agency: Agency) -> None:
        """Name two to four people who stay all year. Of a quick agency all attend the first course, of a late one nobody, else
        half of them, rounded up; the others attend the second.
        """
        staying = sorted(
            post.person
            for post in self._world.posts
            if post.agency == agency.id and len(post.versions) == 1 and post.versions[0].first < YEAR_START
        )
        count = 2 + (agency.officials >= 30) + (agency.officials >= 60)
        named = self._random.sample(staying, count + 1)
        quick = agency.course in (AHEAD, GOOD)
        early = 0 if agency.course is LATE_ALL else count if quick else math.ceil(count / 2)
        for number, person in enumerate(named[:count]):
            span = Span(recorded=moment(self._random, date(2008, 1, 7)), first=date(2008, 1, 7), last=None)
            versions = [span]
            if agency.id == HANDED_OVER[0] and number == count - 1:
                ends = HANDED_OVER[1]
                versions.append(Span(recorded=moment(self._random, ends), first=span.first, last=ends))
                begins = ends + timedelta(days=1)
                self._lead(agency, named[count], [Span(recorded=moment(self._random, begins), first=begins, last=None)])
            self._lead(agency, person, versions)
            session = SESSIONS[0 if number < early else 1]
            recorded = moment(self._random, session + timedelta(days=3))
            self._enter(agency, person, LEADERSHIP, [Certificate(recorded=recorded, day=session)])

    def _lead(self, agency: Agency, person: str, versions: list[Span]) -> None:
        row = f"LĐ{len(self._world.leaders) + 1:04d}"
        self._world.leaders.append(
            Post(row=row, person=person, agency=agency.id, office=agency.id, versions=tuple(versions))
        )
