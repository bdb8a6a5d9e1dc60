"""The figures as the simulator itself knows them: from people, mailboxes, mails and deeds, not from the files."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Final

from simulator import progress
from simulator.courses import AGENCIES, BY_ID, DOMAIN, JUDGED, NEVER, PROJECTS, Agency
from simulator.days import PLAN_START, is_working
from simulator.exports import last_exported, night_after
from simulator.truth import Deed, World, deeds_known, known

WINDOW: Final = 28
RHYTHM_DAYS: Final = 1
LIMIT_WORKING_DAYS: Final = 2  # 16 working hours
_REGISTERS: Final = {
    "documents-exchanged": "exchange",
    "documents-handled": "handling",
    "direction-online": "tasks",
    "records-filed": "records",
}


@dataclass(frozen=True, kw_only=True)
class Figure:
    """What holds for an agency on a day. A mean has no numerator; a ratio over nothing is None."""

    numerator: int | Decimal | None
    denominator: int | Decimal | None
    ratio: Fraction | None
    judged_day: date
    feed_state: str

    def as_json(self) -> dict[str, str | None]:
        """Return the figure as text; null parts where there was nothing to count, for nothing is not zero."""
        counted = bool(self.denominator)
        return {
            "numerator": str(self.numerator) if counted else None,
            "denominator": str(self.denominator) if counted else None,
            "ratio": None if self.ratio is None else f"{self.ratio.numerator}/{self.ratio.denominator}",
            "judged_day": self.judged_day.isoformat(),
            "feed_state": self.feed_state,
        }


def concerned(indicator: str) -> tuple[Agency, ...]:
    """Return the agencies that an indicator of the example concerns."""
    if indicator == "documents-exchanged":
        return tuple(agency for agency in JUDGED if agency.kind == "department")
    if indicator in progress.PROJECT_INDICATORS:
        return tuple(agency for agency in JUDGED if agency.id in PROJECTS)
    return JUDGED


INDICATORS: Final = (
    "documents-exchanged",
    "mailboxes",
    "email-use",
    "documents-handled",
    "direction-online",
    "documents-online",
    "officials-trained",
    "it-leaders-trained",
    "project-milestones",
    "project-funds-balanced",
    "project-funds-disbursed",
    "records-filed",
)


class Oracle:
    """Answers for any agency, indicator and day up to *until*, knowing what the registers knew the night after it."""

    def __init__(self, world: World, until: date) -> None:
        self._world = world
        self._until = until
        self._night = night_after(until)

    def figure(self, indicator: str, agency: str, day: date) -> Figure:
        """Return the figure judged on *day*: of the last covered day where a feed that it needs is silent."""
        if indicator == "documents-online":
            return self._mean([self.figure(part, agency, day) for part in ("documents-handled", "direction-online")])
        last = min((day, *self._covered(indicator, agency)), default=day)
        state = (
            "never-connected" if agency == NEVER and _REGISTERS.get(indicator, "records") != "records" else "reporting"
        )
        if state == "reporting" and is_silent(last, day):
            state, day = "silent", last
        numerator, denominator = self._counted(indicator, agency, day)
        return Figure(
            numerator=numerator,
            denominator=denominator,
            ratio=Fraction(numerator) / Fraction(denominator) if denominator else None,
            judged_day=day,
            feed_state=state,
        )

    def answer(self, days: Iterable[date]) -> dict[str, dict[str, dict[str, dict[str, str | None]]]]:
        """Return day → indicator → agency → figure, as JSON has it."""
        return {
            day.isoformat(): {
                indicator: {
                    agency.id: self.figure(indicator, agency.id, day).as_json() for agency in concerned(indicator)
                }
                for indicator in INDICATORS
            }
            for day in days
        }

    def uses_per_day(self) -> dict[str, int]:
        """Return day → how many of the province's addresses sent something."""
        counts: dict[str, int] = {}
        for _, day in self._world.uses:
            if day <= self._until:
                counts[day.isoformat()] = counts.get(day.isoformat(), 0) + 1
        return dict(sorted(counts.items()))

    def secrets(self) -> list[str]:
        """Return every address and personnel number that must not appear behind the gateway."""
        found = {box.address for box in self._world.mailboxes} | {post.person for post in self._world.posts}
        found |= {address for address, _ in self._world.uses} | self._world.outside
        return sorted(found)

    def _mean(self, parts: list[Figure]) -> Figure:
        ratios = [part.ratio for part in parts]
        whole = None if None in ratios else sum((r for r in ratios if r is not None), Fraction(0)) / len(ratios)
        worst = max(parts, key=lambda part: ("reporting", "silent", "never-connected").index(part.feed_state))
        judged = min(part.judged_day for part in parts)
        return Figure(numerator=None, denominator=None, ratio=whole, judged_day=judged, feed_state=worst.feed_state)

    def _covered(self, indicator: str, agency: str) -> list[date]:
        """Return the last covered days of the feeds that the figure needs and that ever reported."""
        register = _REGISTERS.get(indicator, "roster")
        offices = [office.id for office in AGENCIES if agency in (office.id, office.parent)]
        days = [last_exported(office, register, self._until) for office in offices]
        return [day for day in days if day is not None]

    def _counted(self, indicator: str, agency: str, day: date) -> tuple[int | Decimal, int | Decimal]:
        match indicator:
            case "mailboxes":
                return self._share_of_people(agency, day, self._owners(day))
            case "email-use":
                return self._share_of_people(agency, day, self._senders(day))
            case "documents-exchanged":
                return self._exchanged(agency, day)
            case "officials-trained":
                return self._share_of_people(agency, day, self._trained(indicator, day))
            case "it-leaders-trained":
                offices = [office.id for office in AGENCIES if agency in (office.id, office.parent)]
                people = progress.leaders(self._world, offices, day, self._night)
                return len(people & self._trained(indicator, day)), len(people)
            case "project-milestones":
                return progress.milestones(self._world, agency, day, self._night)
            case "project-funds-balanced" | "project-funds-disbursed":
                return progress.money(self._world, indicator, agency, day, self._night)
            case _:
                kind = _REGISTERS[indicator]
                items = (
                    item.deeds
                    for item in self._world.items
                    if item.kind == kind and agency in (item.agency, BY_ID[item.agency].parent)
                )
                return self._of_items(items, day, kind)

    def _share_of_people(self, agency: str, day: date, counted: set[str]) -> tuple[int, int]:
        people = set()
        for post in self._world.posts:
            row = known(post.versions, self._night)
            if agency in (post.agency, BY_ID[post.agency].parent) and row is not None and row.holds_on(day):
                people.add(post.person)
        return len(people & counted), len(people)

    def _owned(self, wanted: Callable[[str], bool], day: date) -> Iterable[tuple[str, str]]:
        """Yield (address, owner) as it holds on *day*."""
        for box in self._world.mailboxes:
            row = known(box.versions, self._night)
            if box.owner is not None and row is not None and row.holds_on(day) and wanted(box.address):
                yield box.address, box.owner

    def _owners(self, day: date) -> set[str]:
        """People who own a mailbox of the official domain, or below it, on *day*."""

        def official(address: str) -> bool:
            domain = address.partition("@")[2]
            return domain == DOMAIN or domain.endswith("." + DOMAIN)

        return {owner for _, owner in self._owned(official, day)}

    def _senders(self, day: date) -> set[str]:
        """People who, in the window that ends with *day*, sent from an address that was theirs on the day of sending."""
        senders = set()
        for back in range(WINDOW):
            on = day - timedelta(days=back)
            senders |= {
                owner for address, owner in self._owned(lambda _: True, on) if (address, on) in self._world.uses
            }
        return senders

    def _trained(self, indicator: str, day: date) -> set[str]:
        return progress.trained(self._world, progress.COURSES[indicator], day, self._night)

    def _exchanged(self, agency: str, day: date) -> tuple[int, int]:
        documents = (
            document.deeds
            for document in self._world.documents
            if document.agency is not None and agency in (document.agency, BY_ID[document.agency].parent)
        )
        return self._of_items(documents, day, "exchange")

    def _of_items(self, items: Iterable[tuple[Deed, ...]], day: date, register: str) -> tuple[int, int]:
        """Count items that entered in the period, and those of them that stand adopted on *day*."""
        adopted = total = 0
        for deeds in items:
            current = self._current(deeds, register)
            entered = min((deed.day for deed in current if deed.step == "entered"), default=None)
            if entered is None or not PLAN_START <= entered <= day:
                continue
            total += 1
            later = [deed for deed in current if deed.step != "entered" and deed.day <= day]
            last = max((deed.day for deed in later), default=None)
            steps = {deed.step for deed in later if deed.day == last}
            adopted += steps == {"adopted"}
        return adopted, total

    def _current(self, deeds: tuple[Deed, ...], register: str) -> list[Deed]:
        """Return the deeds as the registers that export them have them."""
        found: list[Deed] = []
        for office in {deed.office for deed in deeds}:
            last = last_exported(office, register, self._until)
            if last is None:
                continue
            found += deeds_known(deeds, office, night_after(last)).values()
        return found


def is_silent(covered: date, day: date) -> bool:
    """Say whether more than a day and the working days of the silence limit lie between the last covered day and *day*."""
    allowed = covered + timedelta(days=RHYTHM_DAYS)
    left = LIMIT_WORKING_DAYS
    while left:
        allowed += timedelta(days=1)
        left -= is_working(allowed)
    return day > allowed


__all__ = ["INDICATORS", "Figure", "Oracle", "concerned", "is_silent"]
