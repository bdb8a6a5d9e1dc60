"""Figures computed the naive way, in plain Python, straight from the design: the judge of the SQL and of the fold.

Shares nothing with the services but the contracts. For every day it goes over every event again; it is slow on purpose.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from schemas import usage
from schemas.directory import Agency, Directory
from schemas.plan import Indicator, Plan

FAR = date(2299, 12, 31)
EARLY = date(1900, 1, 1)
ADOPTED, UNDONE = 1, 2


class Oracle:
    """Answers for one list of events; with *known_at*, as if only what had been received by then existed."""

    def __init__(
        self,
        events: Iterable[Any],
        plan: Plan,
        directory: Directory,
        zone: str,
        known_at: datetime | None = None,
    ) -> None:
        self.plan = plan
        self.agencies: dict[str, Agency] = {agency.id: agency for agency in directory.agencies}
        zone_info = ZoneInfo(zone)
        self.events: list[tuple[int, Any]] = []
        for event in events:
            if known_at is None:
                known = True
            elif isinstance(event, usage.MailUsed):
                # Deeds are known by the day of their receipt.
                known = event.received.astimezone(zone_info).date() <= known_at.astimezone(zone_info).date()
            else:
                known = event.received <= known_at
            if known:
                version = usage.version(event.time, usage.payload_hash(usage.canonical(event)))
                self.events.append((version, event))

    def figures(self, indicator: Indicator, first: date, last: date) -> dict[tuple[str, date], tuple[Decimal, Decimal]]:
        """Return (judged agency, day) → (numerator, denominator), where the denominator is not 0."""
        measure = indicator.measure
        compute: Callable[[str, date], tuple[Any, Any]]
        match measure.kind:
            case "members":
                compute = self._members(measure)
            case "activity":
                compute = self._activity(measure)
            case "items":
                compute = self._counted_items(measure)
            case "progress":
                compute = self._progress(measure)
            case other:
                raise AssertionError(other)
        groups = {target.group for target in indicator.targets} | set(indicator.shown_for)
        self.judged = {agency.id for agency in self.agencies.values() if groups & set(agency.groups)}
        result = {}
        for judged in sorted(self.judged):
            day = first
            while day <= last:
                if self._alive(judged, day):
                    numerator, denominator = compute(judged, day)
                    if denominator:
                        result[(judged, day)] = (Decimal(numerator), Decimal(denominator))
                day += timedelta(days=1)
        return result

    # who counts where

    def _alive(self, agency: str, day: date) -> bool:
        unit = self.agencies[agency]
        return (unit.from_ or EARLY) <= day <= (unit.to or FAR)

    def _judged_for(self, agency: str) -> str | None:
        at: str | None = agency
        while at is not None and at in self.agencies:
            if at in self.judged:
                return at
            at = self.agencies[at].parent
        return None

    def _standing(self, kinds: tuple[type, ...], key: Callable[[Any], Hashable]) -> list[Any]:
        """Return the statement that counts of every key: the greatest version, unless it takes itself back."""
        best: dict[Hashable, tuple[int, Any]] = {}
        for version, event in self.events:
            if isinstance(event, kinds):
                held = best.get(key(event))
                if held is None or version > held[0]:
                    best[key(event)] = (version, event)
        return [event for _, event in best.values() if not event.data.retracted]

    def _memberships(self, roster: str) -> list[Any]:
        kinds = (usage.OfficialJoined, usage.OfficialLeft, usage.TrainingCompleted)
        standing = self._standing(
            kinds, lambda e: (e.data.person, e.data.roster, e.data.agency, e.data.stint, e.source)
        )
        return [event.data for event in standing if event.data.roster == roster]

    def _roster(self, roster: str, judged: str, day: date) -> set[str]:
        return {
            span.person
            for span in self._memberships(roster)
            if span.from_ <= day <= (span.to or FAR)
            and self._judged_for(span.agency) == judged
            and self._alive(span.agency, day)
        }

    def _mailboxes(self) -> list[Any]:
        kinds = (usage.MailboxOpened, usage.MailboxClosed)
        return [
            e.data for e in self._standing(kinds, lambda e: (e.data.address, e.data.stint, e.source)) if e.data.owner
        ]

    # the kinds of measure

    def _members(self, measure: Any) -> Callable[[str, date], tuple[int, int]]:
        def compute(judged: str, day: date) -> tuple[int, int]:
            people = self._roster(measure.roster, judged, day)
            if measure.mailbox_domain:
                wanted = measure.mailbox_domain.split(".")
                others = {
                    box.owner
                    for box in self._mailboxes()
                    if box.from_ <= day <= (box.to or FAR) and box.domain.split(".")[-len(wanted) :] == wanted
                }
            else:
                others = {s.person for s in self._memberships(measure.also_on) if s.from_ <= day <= (s.to or FAR)}
            return len(people & others), len(people)

        return compute

    def _activity(self, measure: Any) -> Callable[[str, date], tuple[int, int]]:
        boxes = self._mailboxes()

        def compute(judged: str, day: date) -> tuple[int, int]:
            days: dict[str, set[date]] = {}
            deeds = self._standing(
                (usage.MailUsed,), lambda e: (e.data.actor, e.data.kind, e.data.day, e.data.action, e.source)
            )
            for deed in (event.data for event in deeds):
                if deed.action != measure.action or not day - timedelta(days=measure.window) < deed.day <= day:
                    continue
                if deed.kind == "person":
                    days.setdefault(deed.actor, set()).add(deed.day)
                for box in boxes:
                    owned = box.address == deed.actor and box.from_ <= deed.day <= (box.to or FAR)
                    if deed.kind == "address" and owned:
                        days.setdefault(box.owner, set()).add(deed.day)
            people = self._roster(measure.roster, judged, day)
            return sum(len(days.get(person, ())) >= measure.days for person in people), len(people)

        return compute

    def _resolved(self, party: str, day: date) -> list[str]:
        scheme, _, value = party.partition(":")
        found = []
        for agency in self.agencies.values():
            if (scheme == "agency" and value == agency.id) or any(
                (code.scheme, code.value) == (scheme, value) and (code.from_ or EARLY) <= day <= (code.to or FAR)
                for code in agency.codes
            ):
                found.append(agency.id)
        return found

    def _steps(self, facts: str) -> dict[Hashable, tuple[str, list[tuple[str, date, date | None]]]]:
        """Return item → (agency, its steps (step, day, day of issue))."""
        items: dict[Hashable, tuple[str, list[tuple[str, date, date | None]]]] = {}
        if facts == "document.exchanged":
            standing = self._standing(
                (usage.DocumentExchanged,),
                lambda e: (
                    e.data.issuer,
                    e.data.issued_on.year,
                    e.data.number,
                    e.data.counterpart,
                    e.data.step,
                    e.source,
                ),
            )
            for data in (event.data for event in standing):
                for issuer in self._resolved(data.issuer, data.issued_on):
                    for counterpart in self._resolved(data.counterpart, data.issued_on):
                        leads = ["leadership" in self.agencies[party].groups for party in (issuer, counterpart)]
                        if sum(leads) == 1:
                            party = counterpart if leads[0] else issuer
                            key = (issuer, data.issued_on.year, data.number, counterpart)
                            items.setdefault(key, (party, []))[1].append((data.step, data.day, data.issued_on))
            return items
        kind = {"record.filed": usage.RecordFiled, "document.handled": usage.DocumentHandled}[facts]
        standing = self._standing((kind,), lambda e: (e.data.agency, e.data.id, e.data.step, e.source))
        for data in (event.data for event in standing):
            items.setdefault((data.agency, data.id), (data.agency, []))[1].append((data.step, data.day, None))
        return items

    @staticmethod
    def _adopted(steps: list[tuple[date, int]], day: date) -> bool:
        """Whether the last step up to *day* is adopted; on equal days undone wins."""
        past = sorted(step for step in steps if step[0] <= day)
        return bool(past) and past[-1][1] == ADOPTED

    def _counted_items(self, measure: Any) -> Callable[[str, date], tuple[int, int]]:
        items = self._steps(measure.facts)

        def compute(judged: str, day: date) -> tuple[int, int]:
            if measure.period.kind == "cumulative":
                since = measure.period.start or self.plan.start
            else:
                since = day - timedelta(days=measure.period.days - 1)
            total = done = 0
            for agency, steps in items.values():
                entered = [on for step, on, _ in steps if step == "entered"]
                issued = [on for _, _, on in steps if on is not None]
                if not entered and not issued:
                    continue
                enters = min(entered or issued)
                if since <= enters <= day and self._judged_for(agency) == judged and self._alive(agency, enters):
                    total += 1
                    moves = [
                        (on, UNDONE if step == "undone" else ADOPTED) for step, on, _ in steps if step != "entered"
                    ]
                    done += self._adopted(moves, day)
            return done, total

        return compute

    def _progress(self, measure: Any) -> Callable[[str, date], tuple[Decimal, Decimal]]:
        def compute(judged: str, day: date) -> tuple[Decimal, Decimal]:
            standing = self._standing(
                (usage.MilestoneReached,), lambda e: (e.data.agency, e.data.id, e.data.step, e.source)
            )
            items: dict[Hashable, list[Any]] = {}
            for event in standing:
                if event.data.day >= self.plan.start and self._alive(event.data.agency, event.data.day):
                    items.setdefault((event.data.agency, event.data.id), []).append(event)
            total = done = Decimal(0)
            for (agency, _), events in items.items():
                if self._judged_for(agency) != judged:
                    continue
                newest = max(events, key=lambda e: usage.version(e.time, usage.payload_hash(usage.canonical(e))))
                if any(e.data.step == "entered" and e.data.day <= day for e in events):
                    total += newest.data.weight
                moves = [
                    (e.data.day, UNDONE if e.data.step == "undone" else ADOPTED)
                    for e in events
                    if e.data.step != "entered"
                ]
                if self._adopted(moves, day):
                    done += newest.data.weight
            return done, total

        return compute
