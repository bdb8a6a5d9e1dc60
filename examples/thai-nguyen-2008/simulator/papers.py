"""Documents between offices, and what each office handles: on paper or over the network, refused, recalled, corrected."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from random import Random
from typing import Final, Literal

from simulator.courses import AGENCIES, DEPARTMENTS, UBND, UBND_CODE, WITH_REGISTERS, Agency, code_on
from simulator.days import WORKING_DAYS, Diffusion, planned_share, spread, working_from
from simulator.people import moment
from simulator.truth import Deed, Document, Item, Step, World

#: The ministries are not in the directory; a document with one of them counts for nobody.
MINISTRIES: Final = ("000.00.00.G05", "000.00.00.G14", "000.00.00.G22")


def rate(factor: float, target: float) -> Callable[[date], float]:
    """Return the share of new items that go electronic on a day, so that the cumulative share follows the plan's line.

    Who is not late starts well above nothing, so that the first handful of items does not decide.
    """
    floor = factor * (0.3 * target if factor >= 1 else 0.06)
    return lambda day: min(0.97, max(floor, 2 * factor * planned_share(day, target)))


class Office:
    """Writes deeds into registers, late or wrong at times as clerks do."""

    def __init__(self, random: Random) -> None:
        self._random = random

    def enter(self, deeds: list[Deed], office: str, step: Step, day: date) -> None:
        """Note a step in the register of *office*; sometimes days later, sometimes with a wrong day that is corrected."""
        random = self._random
        late = random.choice((0,) * 22 + (1, 2, 4, 20))
        recorded = moment(random, day + timedelta(days=late))
        earlier = [deed.recorded for deed in deeds if deed.office == office]
        if earlier:
            recorded = max(recorded, max(earlier) + timedelta(minutes=1))
        if step == "adopted" and random.random() < 0.02:
            wrong = day - timedelta(days=random.randint(1, 6))
            deeds.append(Deed(office=office, step=step, day=wrong, recorded=recorded))
            recorded = moment(random, recorded.date() + timedelta(days=random.randint(2, 20)))
        deeds.append(Deed(office=office, step=step, day=day, recorded=recorded))

    def conclude(self, deeds: list[Deed], office: str, day: date, case: str) -> None:
        """Note how an electronic item ended: accepted, refused, recalled, recalled the same day, accepted once more."""
        later = day + timedelta(days=self._random.randint(2, 20))
        if case != "refused":
            self.enter(deeds, office, "adopted", day)
        if case == "refused" or case == "same-day":
            self.enter(deeds, office, "undone", day)
        elif case in ("recalled", "again"):
            self.enter(deeds, office, "undone", later)
        if case == "again":
            self.enter(deeds, office, "adopted", later + timedelta(days=self._random.randint(1, 9)))


class Endings:
    """Deals out unhappy endings evenly: about one electronic item in sixteen."""

    CASES: Final = ("recalled", "refused", "same-day", "again")

    def __init__(self, random: Random) -> None:
        self._unhappy = Diffusion(random.random())
        self._next = random.randrange(4)

    def deal(self) -> str:
        if not self._unhappy.take(1 / 16):
            return "accepted"
        self._next += 1
        return self.CASES[self._next % 4]


class Papers:
    """Builds the year's documents and items."""

    def __init__(self, world: World, seed: int) -> None:
        self._world = world
        self._seed = seed
        self._numbers: dict[str, int] = {}

    def build(self) -> None:
        """Fill the world's documents and items."""
        self._with_leadership()
        self._between_others()
        for agency in WITH_REGISTERS:
            course, target = agency.course, agency.documents_target
            self._items(agency, "handling", 190, rate(course.handled, target), 6)
            self._items(agency, "tasks", 90, rate(course.directed, target), 12)
            self._items(agency, "records", 240, lambda day, share=course.filed: share, 3)  # type: ignore[misc]

    def _number(self, issuer: str, suffix: str) -> str:
        """Return the office's next number of the year; a new code of the office does not begin it anew."""
        self._numbers[issuer] = self._numbers.get(issuer, 0) + 1
        return f"{self._numbers[issuer]}/{suffix}"

    def _with_leadership(self) -> None:
        """Documents between UBND tỉnh and every office, most of them in both registers."""
        random = Random(f"{self._seed}/leadership")
        queue: list[tuple[date, Agency, bool]] = []
        for agency in AGENCIES:
            count = {"department": 190, "unit": 16}.get(agency.kind, 40)
            queue += [(day, agency, random.random() < 0.6) for day in spread(random, count)]
        queue.sort(key=lambda entry: (entry[0], entry[1].id))
        shares = {a.id: rate(a.course.exchanged, 0.4) for a in AGENCIES}
        electronic = {a.id: Diffusion(random.random()) for a in AGENCIES}
        endings = {a.id: Endings(random) for a in AGENCIES}
        circular, on, to = "", date.min, set[str]()
        for day, agency, upward in queue:
            code = code_on(agency, day)
            if upward:
                issuer, counterpart = code, UBND_CODE
                number = self._number(agency.id, f"{random.choice(('BC', 'TTr', 'CV'))}-{agency.notation}")
            else:
                issuer, counterpart = UBND_CODE, code
                # A circular goes to several offices under one number: a document with each of them.
                if on != day or agency.id in to or random.random() < 0.3:
                    circular, on, to = self._number(UBND, random.choice(("UBND-VX", "QĐ-UBND"))), day, set()
                to.add(agency.id)
                number = circular
            case = endings[agency.id].deal() if electronic[agency.id].take(shares[agency.id](day)) else "paper"
            deeds = self._deeds(random, agency.parent or agency.id, day, upward=upward, case=case)
            self._world.documents.append(
                Document(
                    number=number,
                    issued_on=day,
                    issuer=issuer,
                    counterpart=counterpart,
                    agency=agency.id,
                    deeds=tuple(deeds),
                )
            )

    def _deeds(self, random: Random, own: str, day: date, *, upward: bool, case: str) -> list[Deed]:
        """Enter one document into the registers that see it: the office's own, UBND tỉnh's, or both."""
        office = Office(random)
        sender, receiver = (own, UBND) if upward else (UBND, own)
        seen_by = random.choice(("both",) * 15 + ("sender",) * 3 + ("receiver",) * 2)
        arrival = working_from(day + timedelta(days=random.choice((0, 0, 1, 1, 2, 4))))
        deeds: list[Deed] = []
        if seen_by != "receiver":
            office.enter(deeds, sender, "entered", day)
        if seen_by != "sender":
            office.enter(deeds, receiver, "entered", arrival)
        if case == "paper":
            return deeds
        concluding = sender if seen_by == "sender" else receiver
        accepted = working_from(arrival + timedelta(days=random.choice((0, 0, 0, 1, 2, 5))))
        if case == "recalled" and seen_by == "both":  # accepted there, recalled here
            office.enter(deeds, receiver, "adopted", accepted)
            office.enter(deeds, sender, "undone", accepted + timedelta(days=random.randint(1, 15)))
            return deeds
        office.conclude(deeds, concluding, accepted, case)
        if case == "accepted" and seen_by == "both" and random.random() < 0.4:
            office.enter(deeds, sender, "adopted", accepted + timedelta(days=random.choice((0, 1))))
        return deeds

    def _between_others(self) -> None:
        """Documents that count for nobody: between two offices, and between UBND tỉnh and a ministry."""
        random = Random(f"{self._seed}/others")
        for day in spread(random, 260):
            one, other = random.sample(DEPARTMENTS, 2)
            office, deeds = Office(random), list[Deed]()
            for own in (one.id, other.id):
                office.enter(deeds, own, "entered", day)
            office.enter(deeds, other.id, "adopted", day + timedelta(days=random.randint(0, 3)))
            self._add(one, day, code_on(one, day), code_on(other, day), deeds)
        for day in spread(random, 80):
            office, deeds = Office(random), list[Deed]()
            office.enter(deeds, UBND, "entered", day)
            office.enter(deeds, UBND, "adopted", day)
            self._add(None, day, UBND_CODE, random.choice(MINISTRIES), deeds)

    def _add(self, issuer: Agency | None, day: date, code: str, counterpart: str, deeds: list[Deed]) -> None:
        number = self._number(issuer.id, f"CV-{issuer.notation}") if issuer else self._number(UBND, "UBND-BC")
        self._world.documents.append(
            Document(
                number=number, issued_on=day, issuer=code, counterpart=counterpart, agency=None, deeds=tuple(deeds)
            )
        )

    def _items(
        self,
        agency: Agency,
        kind: Literal["handling", "tasks", "records"],
        count: int,
        share: Callable[[date], float],
        lag: int,
    ) -> None:
        """The register of *agency* for one kind of item, with at most *lag* days from entry to conclusion."""
        random = Random(f"{self._seed}/{agency.id}/{kind}")
        office, electronic, endings = Office(random), Diffusion(random.random()), Endings(random)
        suffix = {"handling": "VBĐ", "tasks": "NV", "records": "HS"}[kind]
        count = round(count * random.uniform(0.9, 1.1))
        for number, day in enumerate(spread(random, count, WORKING_DAYS), start=1):
            deeds: list[Deed] = []
            office.enter(deeds, agency.id, "entered", day)
            if electronic.take(share(day)):
                after = min(random.randint(0, lag), random.randint(0, lag))
                done = working_from(day + timedelta(days=after))
                office.conclude(deeds, agency.id, done, endings.deal())
            self._world.items.append(
                Item(kind=kind, agency=agency.id, number=f"{number:04d}/{suffix}", deeds=tuple(deeds))
            )
