"""Figures computed the naive way, in plain Python, straight from the design: the judge of the SQL and of the fold.

Shares nothing with the services but the contracts. For every day it goes over every event again; it is slow on purpose.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from schemas import usage
from schemas.directory import Agency, Directory
from schemas.plan import Indicator, Plan
from schemas.revisions import DirectoryRevision

FAR = date(2299, 12, 31)
EARLY = date(1900, 1, 1)
ADOPTED, UNDONE = 1, 2
Compute = Callable[[str, date], tuple[Any, Any]]


class Oracle:
    """Answers for one list of events; with *known_at*, as if only what had been received or published by then existed.

    *directory* is the only one there has ever been, or a list of revisions.
    """

    def __init__(
        self,
        events: Iterable[Any],
        plan: Plan,
        directory: Directory | Sequence[DirectoryRevision],
        zone: str,
        known_at: datetime | None = None,
    ) -> None:
        self.plan = plan
        self.revisions: list[tuple[tuple[date, datetime, int], Directory]] = []
        if isinstance(directory, Directory):
            self.revisions.append(((EARLY, datetime(1970, 1, 1, tzinfo=UTC), 1), directory))
        else:
            for one in directory:
                if known_at is None or one.published <= known_at:
                    self.revisions.append(((one.in_force_from, one.published, one.revision), one.document))
        self.revisions.sort(key=lambda pair: pair[0])
        self.agencies: dict[str, Agency] = {}
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
        return {key: figure[:2] for key, figure in self.with_shares(indicator, first, last).items()}

    def with_shares(
        self, indicator: Indicator, first: date, last: date
    ) -> dict[tuple[str, date], tuple[Decimal, Decimal, Fraction]]:
        """Return the same with the share of the denominator that was measured."""
        groups = {target.group for target in indicator.targets} | set(indicator.shown_for)
        computes: dict[int, tuple[Compute, dict[str, date]]] = {}
        result = {}
        day = first
        while day <= last and self.revisions:
            at, directory = self._directory_on(day)
            self.agencies = {agency.id: agency for agency in directory.agencies}
            self.judged = {agency.id for agency in directory.agencies if groups & set(agency.groups)}
            if at not in computes:
                computes[at] = self._measured(indicator.measure)
            compute, since = computes[at]
            for judged in sorted(self.judged):
                if self._alive(judged, day):
                    numerator, measured = (Decimal(part) for part in compute(judged, day))
                    denominator = measured
                    for agency in self.agencies:
                        begun = agency in since and since[agency] <= day
                        if self._judged_for(agency) == judged and self._alive(agency, day) and not begun:
                            done, total = self._declared(indicator, agency, day)
                            numerator += done
                            denominator += total
                    if denominator:
                        result[(judged, day)] = numerator, denominator, Fraction(measured) / Fraction(denominator)
            day += timedelta(days=1)
        return result

    def _directory_on(self, day: date) -> tuple[int, Directory]:
        begun = [n for n, (order, _) in enumerate(self.revisions) if order[0] <= day]
        if not begun:
            begun = [n for n, (order, _) in enumerate(self.revisions) if order[0] == self.revisions[0][0][0]]
        return begun[-1], self.revisions[begun[-1]][1]

    def _measured(self, measure: Any) -> tuple[Compute, dict[str, date]]:
        """Return how to compute what was measured, and agency → since when anything was."""
        match measure.kind:
            case "members":
                return self._members(measure), self._listed_since(measure.roster)
            case "activity":
                return self._activity(measure), self._listed_since(measure.roster)
            case "items":
                return self._counted_items(measure)
            case "progress":
                return self._progress(measure)
            case other:
                raise AssertionError(other)

    def _listed_since(self, roster: str) -> dict[str, date]:
        since: dict[str, date] = {}
        for span in self._memberships(roster):
            since[span.agency] = min(span.from_, since.get(span.agency, span.from_))
        return since

    def _declared(self, indicator: Indicator, agency: str, day: date) -> tuple[Decimal, Decimal]:
        """Return what is declared of an agency for a day: a figure before a headcount, the newest statement of each."""
        kinds = (usage.FigureDeclared, usage.HeadcountDeclared)
        best: dict[Hashable, tuple[int, Any]] = {}
        for version, event in self.events:
            d = event.data
            if isinstance(event, kinds) and d.agency == agency:
                key = (d.indicator, d.from_, d.to, event.source)
                if key not in best or version > best[key][0]:
                    best[key] = (version, d)
        standing = [(version, d) for version, d in best.values() if not d.retracted]
        figures = [(v, d) for v, d in standing if d.indicator == indicator.id and d.from_ <= day <= d.to]
        if figures:
            found = max(figures, key=lambda pair: pair[0])[1]
            return found.numerator, found.denominator
        roster = getattr(indicator.measure, "roster", None)
        counts = [(d.from_, v, d) for v, d in standing if d.indicator == f"headcount.{roster}" and d.from_ <= day]
        if roster is not None and counts:
            return Decimal(0), max(counts, key=lambda triple: triple[:2])[2].denominator
        return Decimal(0), Decimal(0)

    # who counts where

    def _alive(self, agency: str, day: date) -> bool:
        unit = self.agencies.get(agency)
        return unit is not None and (unit.from_ or EARLY) <= day <= (unit.to or FAR)

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
        kind = {
            "record.filed": usage.RecordFiled,
            "document.handled": usage.DocumentHandled,
            "task.directed": usage.TaskDirected,
        }[facts]
        standing = self._standing((kind,), lambda e: (e.data.agency, e.data.id, e.data.step, e.source))
        for data in (event.data for event in standing):
            items.setdefault((data.agency, data.id), (data.agency, []))[1].append((data.step, data.day, None))
        return items

    @staticmethod
    def _adopted(steps: list[tuple[date, int]], day: date) -> bool:
        """Whether the last step up to *day* is adopted; on equal days undone wins."""
        past = sorted(step for step in steps if step[0] <= day)
        return bool(past) and past[-1][1] == ADOPTED

    def _counted_items(self, measure: Any) -> tuple[Compute, dict[str, date]]:
        items = self._steps(measure.facts)
        since: dict[str, date] = {}
        begin = (measure.period.start or self.plan.start) if measure.period.kind == "cumulative" else EARLY
        for agency, steps in items.values():
            days = [on for step, on, _ in steps if step == "entered"] or [on for _, _, on in steps if on is not None]
            if days and min(days) >= begin and self._alive(agency, min(days)):
                since[agency] = min(min(days), since.get(agency, FAR))

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

        return compute, since

    def _progress(self, measure: Any) -> tuple[Compute, dict[str, date]]:
        kind = usage.MilestoneReached if measure.facts == "milestone.reached" else usage.BudgetRecorded
        standing = self._standing((kind,), lambda e: (e.data.agency, e.data.id, e.data.step, e.source))
        items: dict[Hashable, list[Any]] = {}
        since: dict[str, date] = {}
        stages = {measure.done or "disbursed": "adopted", measure.planned or "budgeted": "entered"}

        def step_of(data: Any) -> str | None:
            return stages.get(data.id.split("/")[1]) if kind is usage.BudgetRecorded else data.step

        for event in standing:
            data = event.data
            begins = measure.start or self.plan.start
            if step_of(data) is not None and data.day >= begins and self._alive(data.agency, data.day):
                items.setdefault((data.agency, data.id), []).append(event)
                if step_of(data) == "entered":
                    since[data.agency] = min(data.day, since.get(data.agency, FAR))

        def compute(judged: str, day: date) -> tuple[Decimal, Decimal]:
            total = done = Decimal(0)
            for (agency, _), events in items.items():
                if self._judged_for(agency) != judged:
                    continue
                newest = max(events, key=lambda e: usage.version(e.time, usage.payload_hash(usage.canonical(e))))
                if any(step_of(e.data) == "entered" and e.data.day <= day for e in events):
                    total += newest.data.weight
                moves = [
                    (e.data.day, UNDONE if step_of(e.data) == "undone" else ADOPTED)
                    for e in events
                    if step_of(e.data) != "entered"
                ]
                if self._adopted(moves, day):
                    done += newest.data.weight
            return done, total

        return compute, since
