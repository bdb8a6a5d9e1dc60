"""Officials and their mailboxes: who joins, leaves, moves, and whose address is whose."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Final

from simulator.courses import AGENCIES, BY_ID, DOMAIN, Agency
from simulator.days import YEAR_END, YEAR_START, planned_share, span, working_from
from simulator.truth import Mailbox, Post, Span, World, Writer

OUTSIDE_DOMAIN: Final = "yahoo.com.vn"
LOOKALIKE_DOMAIN: Final = f"mang-{DOMAIN}"  # ends like the official domain and is not below it
PRIVATE_UNTIL: Final = date(2008, 9, 30)  # who gets no mailbox before this day may have registered a private one
#: (agency, last day of the first owner, first day of the second): days between belong to nobody.
PASSED_ON: Final = (
    ("so-tai-chinh", date(2008, 5, 30), date(2008, 6, 16)),
    ("so-y-te", date(2008, 7, 18), date(2008, 8, 4)),
    ("huyen-pho-yen", date(2008, 9, 5), date(2008, 9, 22)),
    ("so-khoa-hoc-cong-nghe", date(2008, 6, 30), date(2008, 7, 1)),  # from one day to the next
)


def moment(random: Random, day: date) -> datetime:
    """Return a moment of office hours on *day*, to the second."""
    return datetime.combine(day, time(7, 30)) + timedelta(seconds=random.randrange(9 * 3600))


def first_day(share: Callable[[date], float], rank: float) -> date | None:
    """Return the first day of the year on which a growing *share* exceeds *rank*; None if it never does."""
    return next((day for day in span(YEAR_START, YEAR_END) if share(day) > rank), None)


def mailbox_share(agency: Agency) -> Callable[[date], float]:
    course = agency.course
    return lambda day: min(1.0, max(course.mailbox_base, course.mailboxes * planned_share(day, 1.0)))


def email_share(agency: Agency) -> Callable[[date], float]:
    course, target = agency.course, agency.email_target
    return lambda day: min(0.98, max(course.email_base, course.email * planned_share(day, target)))


class Staff:
    """Builds rosters and mailboxes, agency by agency, always in the same order."""

    def __init__(self, world: World, seed: int) -> None:
        self._world = world
        self._seed = seed
        self._random = Random(f"{seed}/people")
        self._people = 0
        self._addresses = 0
        self._rows: dict[str, int] = {}
        self.owners: dict[str, list[tuple[str, str, date]]] = {}  # agency → (person, address, opened)

    def build(self) -> None:
        """Fill the world's posts, mailboxes and writers."""
        moving: list[tuple[str, date, str | None]] = []
        for agency in AGENCIES:
            moving += self._agency(agency)
        self._move(moving)
        self._second_posts()
        self._pass_on()
        self._shared()

    def _agency(self, agency: Agency) -> list[tuple[str, date, str | None]]:
        """Staff *agency*; return those who move away from it: person, last day, kept address."""
        ranks = [(k + 0.5) / agency.officials for k in range(agency.officials)]
        self._random.shuffle(ranks)
        joining = max(1, round(agency.officials * 0.06))
        leaving = max(1, round(agency.officials * 0.05))
        moved: list[tuple[str, date, str | None]] = []
        for number, rank in enumerate(ranks):
            person = self._person()
            late = number >= agency.officials - joining
            since = working_from(self._day(20, 330)) if late else date(self._random.randint(1985, 2007), 9, 1)
            until = self._day(30, 350) if number < leaving + 1 else None
            self._post(agency, person, since, until, extended=number == 0 and agency.officials > 40)
            address = self._first_mailbox(agency, person, rank, max(since, YEAR_START), until)
            if until is not None and number == leaving:
                moved.append((person, until, address))
        return moved

    def _day(self, low: int, high: int) -> date:
        return YEAR_START + timedelta(days=self._random.randint(low, high))

    def _person(self) -> str:
        self._people += 1
        return f"TN-{(self._people * 7919) % 99991:05d}"

    def _row(self, office: str) -> str:
        self._rows[office] = self._rows.get(office, 0) + 1
        return f"{BY_ID[office].notation if office in BY_ID else office}/{self._rows[office]:04d}"

    def _post(self, agency: Agency, person: str, since: date, until: date | None, *, extended: bool = False) -> None:
        random = self._random
        known_from = moment(random, max(since, date(2008, 1, 2)) + timedelta(days=random.choice((0, 0, 0, 1, 3))))
        versions = [Span(recorded=known_from, first=since, last=None)]
        if until is not None:
            # Some leave by a decision registered weeks ahead, most are entered on the day or a little later.
            ahead = random.choice((0, 0, 1, 2, -20))
            recorded = max(moment(random, until + timedelta(days=ahead)), known_from + timedelta(hours=1))
            if extended:  # first a term, then an extension of it
                term = until - timedelta(days=25)
                early = max(moment(random, term - timedelta(days=30)), known_from + timedelta(hours=1))
                versions.append(Span(recorded=early, first=since, last=max(term, since)))
                recorded = max(recorded, early + timedelta(hours=1))
            versions.append(Span(recorded=recorded, first=since, last=until))
        office = agency.parent or agency.id
        self._world.posts.append(
            Post(row=self._row(office), person=person, agency=agency.id, office=office, versions=tuple(versions))
        )

    def _new_address(self, domain: str) -> str:
        self._addresses += 1
        return f"cb{self._addresses:04d}@{domain}"

    def _mailbox(self, address: str, owner: str | None, opened: date, closed: date | None) -> None:
        random = self._random
        recorded = moment(random, max(opened, date(2008, 1, 2)))
        versions = [Span(recorded=recorded, first=opened, last=None)]
        if closed is not None:
            late = max(moment(random, closed + timedelta(days=random.choice((0, 0, 1)))), recorded + timedelta(hours=1))
            versions.append(Span(recorded=late, first=opened, last=closed))
        row = f"HT{len(self._world.mailboxes) + 1:05d}"
        self._world.mailboxes.append(Mailbox(row=row, address=address, owner=owner, versions=tuple(versions)))

    def _writes(self, address: str, first: date, last: date | None) -> None:
        random = self._random
        start = self._day(40, 330)
        pause = (start, start + timedelta(days=random.choice((7, 12, 35, 45))))
        if random.random() < 0.45:
            pause = (YEAR_END, YEAR_START)
        chance = random.choice((0.5, 0.7, 0.85, 0.95))
        self._world.writers.append(
            Writer(address=address, first=first, last=last or YEAR_END, daily=chance, pause=pause)
        )

    def _first_mailbox(self, agency: Agency, person: str, rank: float, since: date, until: date | None) -> str | None:
        """Open the person's mailbox when the agency's share reaches its rank; return its address if it is ever opened."""
        random = self._random
        reached = first_day(mailbox_share(agency), rank)
        if (reached is None or reached > PRIVATE_UNTIL) and random.random() < 0.3:
            # A private address in the register is no official mailbox.
            domain = LOOKALIKE_DOMAIN if agency.kind == "city" else OUTSIDE_DOMAIN
            self._mailbox(self._new_address(domain), person, working_from(since), None)
        if reached is None:
            return None
        if reached == since == YEAR_START:
            opened = date(2007, random.randint(3, 11), random.randint(1, 28))
        else:
            opened = working_from(max(reached, since))
        if until is not None and opened > until:
            return None
        lingering = until + timedelta(days=random.choice((0, 14))) if until is not None else None
        address = self._new_address(agency.domain)
        self._mailbox(address, person, opened, lingering)
        writing = first_day(email_share(agency), rank)
        if writing is not None:
            self._writes(address, max(writing, opened), lingering)
            if random.random() < 0.04:  # a second address: one official all the same
                second = self._new_address(DOMAIN)
                self._mailbox(second, person, max(opened, date(2008, 1, 3)), lingering)
                self._writes(second, max(writing, opened, date(2008, 1, 3)), lingering)
        self.owners.setdefault(agency.id, []).append((person, address, opened))
        return address if lingering is None or lingering == until else None

    def _move(self, moving: list[tuple[str, date, str | None]]) -> None:
        """Let each mover start next door on the day after, with a new address there for every other one."""
        homes = {post.person: post.agency for post in self._world.posts}
        for number, (person, last, _) in enumerate(moving):
            agency = AGENCIES[(AGENCIES.index(BY_ID[homes[person]]) + 3) % len(AGENCIES)]
            self._post(agency, person, last + timedelta(days=1), None)
            if number % 2 == 0:
                opened = working_from(last + timedelta(days=4))
                address = self._new_address(agency.domain)
                self._mailbox(address, person, opened, None)
                self._writes(address, opened, None)

    def _second_posts(self) -> None:
        """One official serves two offices, one a department and the office below it."""
        self._post(BY_ID["thanh-tra-tinh"], self.owners["so-noi-vu"][3][0], date(2008, 3, 3), None)
        self._post(BY_ID["chi-cuc-dan-so"], self.owners["so-y-te"][3][0], date(2008, 4, 1), None)

    def _pass_on(self) -> None:
        """Close addresses and give each to a colleague who had none; mails in between belong to nobody."""
        world = self._world
        for agency_id, last, first in PASSED_ON:
            agency = BY_ID[agency_id]
            owners = {mailbox.owner for mailbox in world.mailboxes}
            heir = self._person()
            self._post(agency, heir, min(first, date(2008, 3, 10)), None)
            assert heir not in owners
            _, address, _ = next(
                found
                for found in self.owners[agency_id]
                if found[2] < date(2008, 1, 1)
                and any(w.address == found[1] and w.last == YEAR_END for w in world.writers)
            )
            position = next(k for k, mailbox in enumerate(world.mailboxes) if mailbox.address == address)
            old = world.mailboxes[position]
            opened = old.versions[0]
            closing = Span(recorded=moment(self._random, last), first=opened.first, last=last)
            world.mailboxes[position] = Mailbox(
                row=old.row, address=address, owner=old.owner, versions=(opened, closing)
            )
            self._mailbox(address, heir, first, None)
            self._always(address)  # somebody writes from it, gap or not

    def _shared(self) -> None:
        """Every office has a mailbox that belongs to nobody in particular."""
        for agency in AGENCIES:
            address = f"vanthu@{agency.domain}"
            self._mailbox(address, None, date(2007, 6, 1), None)
            self._always(address)

    def _always(self, address: str) -> None:
        """Let mails go out from *address* nearly every working day of the year."""
        self._world.writers.append(
            Writer(address=address, first=YEAR_START, last=YEAR_END, daily=0.9, pause=(YEAR_END, YEAR_START))
        )
