"""Many events of every type over the aggregator's small world, and what must come of them, computed naively.

Shares nothing with the services but the contracts; :class:`tests.oracle.Oracle` judges the figures.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Hashable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from schemas import usage
from schemas.common import short_type
from tests.aggregator_world import START, ZONE
from tests.oracle import FAR, Oracle

Rows = dict[tuple[Any, ...], tuple[Any, ...]]
Figures = dict[tuple[str, str, date], tuple[Decimal, Decimal]]

LAST = date(2008, 6, 30)
NOW = "2008-07-01T08:00:00+07:00"
_STATED = datetime(2008, 6, 20, tzinfo=UTC)
_RECEIVED = datetime(2008, 6, 30, 3, tzinfo=UTC)
_AGENCIES = ["a", "a1", "b", "c"]
_PARTIES = ["edoc:A", "agency:a", "edoc:A1", "edoc:B", "agency:b", "edoc:nobody"]
_STEPS = ["entered", "entered", "adopted", "adopted", "undone"]
_DAYS = 40
_ZONE = ZoneInfo(ZONE)


class _Maker:
    """Draws events; about *count* of them make the world's people, addresses and papers meet often enough."""

    def __init__(self, rng: random.Random, count: int) -> None:
        self.rng = rng
        self.people = max(20, count // 60)
        self.papers = max(20, count // 12)

    def person(self) -> str:
        return f"k1:{self.rng.randrange(self.people):032x}"

    def address(self) -> str:
        return f"k1:{self.rng.randrange(self.people) + (1 << 64):032x}"

    def day(self) -> date:
        return START + timedelta(days=self.rng.randrange(-6, _DAYS - 6))

    def span(self) -> dict[str, Any]:
        first = self.day()
        to = first + timedelta(days=self.rng.randrange(30)) if self.rng.random() < 0.4 else None
        return {"from_": first, "to": to, "stint": f"s{self.rng.randrange(3)}", "retracted": self.rng.random() < 0.05}

    def membership(self, roster: str) -> usage.MembershipSpan:
        return usage.MembershipSpan(
            person=self.person(), agency=self.rng.choice(_AGENCIES), roster=roster, **self.span()
        )

    def mailbox(self) -> usage.MailboxSpan:
        owner = self.person() if self.rng.random() < 0.9 else None
        domain = self.rng.choice(["x.gov.vn", "sub.x.gov.vn", "notx.gov.vn"])
        return usage.MailboxSpan(address=self.address(), domain=domain, owner=owner, **self.span())

    def mail(self) -> usage.MailUse:
        by_address = self.rng.random() < 0.8
        return usage.MailUse(
            actor=self.address() if by_address else self.person(), kind="address" if by_address else "person",
            day=self.day(), action=self.rng.choice(["sent", "sent", "read"]), retracted=self.rng.random() < 0.05,
        )  # fmt: skip

    def exchange(self) -> usage.Exchange:
        parties = [self.rng.choice(["edoc:L", "agency:lead"]), self.rng.choice(_PARTIES)]
        self.rng.shuffle(parties)
        return usage.Exchange(
            issuer=parties[0], counterpart=parties[1], number=f"{self.rng.randrange(self.papers)}/VB",
            issued_on=self.day(), step=self.rng.choice(_STEPS), day=self.day(), retracted=self.rng.random() < 0.05,
        )  # fmt: skip

    def item(self, name: str, *, weighted: bool = False) -> usage.Item:
        weight = Decimal(self.rng.randrange(1, 50000)) / 10000 if weighted else Decimal(1)
        return usage.Item(
            agency=self.rng.choice(_AGENCIES), id=f"{name}{self.rng.randrange(self.papers)}", day=self.day(),
            step=self.rng.choice(_STEPS), weight=weight, retracted=self.rng.random() < 0.05,
        )  # fmt: skip

    def declaration(self, indicator: str, numerator: Decimal | None) -> usage.Declaration:
        first = self.day()
        return usage.Declaration(
            agency=self.rng.choice(_AGENCIES), indicator=indicator, from_=first, to=first + timedelta(days=3),
            numerator=numerator, denominator=Decimal(self.rng.randrange(100)),
        )  # fmt: skip

    def report(self) -> usage.FeedReport:
        kind = self.rng.choice(["mail.used", "record.filed", "document.exchanged"])
        day = (_STATED + timedelta(days=self.rng.randrange(10))).date()
        return usage.FeedReport(type=kind, day=day, count=self.rng.randrange(2000))


_KINDS: list[tuple[int, type, str, Callable[[_Maker], Any]]] = [
    (12, usage.OfficialJoined, "/office", lambda m: m.membership("officials")),
    (4, usage.OfficialLeft, "/office", lambda m: m.membership("officials")),
    (6, usage.TrainingCompleted, "/school", lambda m: m.membership("trained.it")),
    (9, usage.MailboxOpened, "/mailboxes", lambda m: m.mailbox()),
    (3, usage.MailboxClosed, "/mailboxes", lambda m: m.mailbox()),
    (34, usage.MailUsed, "/mail", lambda m: m.mail()),
    (10, usage.DocumentExchanged, "/office", lambda m: m.exchange()),
    (5, usage.DocumentHandled, "/office", lambda m: m.item("d")),
    (4, usage.TaskDirected, "/office", lambda m: m.item("t")),
    (7, usage.RecordFiled, "/records", lambda m: m.item("r")),
    (1, usage.MilestoneReached, "/plan", lambda m: m.item("p/", weighted=True)),
    (2, usage.BudgetRecorded, "/plan", lambda m: m.item("p/budgeted/", weighted=True)),
    (1, usage.HeadcountDeclared, "/office", lambda m: m.declaration("headcount.officials", None)),
    (1, usage.FigureDeclared, "/office", lambda m: m.declaration("records", Decimal(m.rng.randrange(50)))),
    (1, usage.FeedReported, "/mail", lambda m: m.report()),
]


def chaos_events(rng: random.Random, count: int, *, window: int = 5000) -> list[Any]:
    """Return *count* events of every type from several sources, a third of them repeats, shuffled within *window*.

    A repeat may have been received at another moment; of a hundred events one has another's id and its own payload.
    """
    maker = _Maker(rng, count)
    weights = [weight for weight, *_ in _KINDS]
    events: list[tuple[float, Any]] = []
    different = count - count // 3
    for number in range(different):
        _, kind, source, data_of = rng.choices(_KINDS, weights)[0]
        data = data_of(maker)
        same_id = number and rng.random() < 0.01
        event = kind(
            id=f"e{rng.randrange(number) if same_id else number}",
            source=f"{source}/{rng.randrange(2)}",
            agency=getattr(data, "agency", "root"),
            time=_STATED + timedelta(microseconds=rng.randrange(9 * 86_400 * 10**6)),
            received=_RECEIVED + timedelta(seconds=rng.randrange(36_000)),
            data=data,
        )
        events.append((number + rng.random() * window, event))
    for _ in range(count - different):
        place, event = events[rng.randrange(different)]
        if rng.random() < 0.5:
            event = msgspec.structs.replace(
                event, received=event.received + timedelta(seconds=rng.randrange(-900, 900))
            )
        events.append((place + rng.random() * 4 * window, event))
    return [event for _, event in sorted(events, key=lambda pair: pair[0])]


class FastOracle(Oracle):
    """The oracle with a memory: what does not depend on the day is worked out once, which 200,000 events need."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._known: dict[Hashable, list[Any]] = {}

    def _standing(self, kinds: tuple[type, ...], key: Callable[[Any], Hashable]) -> list[Any]:
        if kinds not in self._known:  # each kind has one key, wherever it is asked for
            self._known[kinds] = super()._standing(kinds, key)
        return self._known[kinds]

    def _activity(self, measure: Any) -> Callable[[str, date], tuple[int, int]]:
        deeds = self._standing(
            (usage.MailUsed,), lambda e: (e.data.actor, e.data.kind, e.data.day, e.data.action, e.source)
        )
        boxes: dict[str, list[Any]] = {}
        for box in self._mailboxes():
            boxes.setdefault(box.address, []).append(box)
        done: dict[str, set[date]] = {}
        for deed in (event.data for event in deeds if event.data.action == measure.action):
            if deed.kind == "person":
                done.setdefault(deed.actor, set()).add(deed.day)
            else:
                for box in boxes.get(deed.actor, ()):
                    if box.from_ <= deed.day <= (box.to or FAR):
                        done.setdefault(box.owner, set()).add(deed.day)

        def compute(judged: str, day: date) -> tuple[int, int]:
            window = [day - timedelta(days=n) for n in range(measure.window)]
            people = self._roster(measure.roster, judged, day)
            return sum(len(done.get(p, set()).intersection(window)) >= measure.days for p in people), len(people)

        return compute


def expected_figures(oracle: Oracle, last: date = LAST) -> Figures:
    """Return (indicator, agency, day) → figure up to *last*."""
    return {
        (indicator.id, agency, day): figure
        for indicator in oracle.plan.indicators
        for (agency, day), figure in oracle.figures(indicator, START, last).items()
    }


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


def expected_facts(events: list[Any]) -> dict[str, Rows]:
    """Return table → key → values of every fact table and the archive, one event after the other."""
    tables: dict[str, Rows] = {}

    def keep(table: str, key: tuple[Any, ...], values: tuple[Any, ...], last: Any, better: Callable[..., Any]) -> None:
        rows = tables.setdefault(table, {})
        rows[key] = (*values, better(last, rows[key][-1]) if key in rows else last)

    for event in events:
        payload = usage.canonical(event)
        hashed = usage.payload_hash(payload)
        version = usage.version(event.time, hashed)
        data, source, received = event.data, event.source, _utc(event.received)
        short = short_type(str(type(event).__struct_config__.tag))
        gone = int(data.retracted)
        occurred = (short, event.agency, _utc(event.time), event.time.astimezone(_ZONE).date(), payload.decode())
        keep("events", (source, event.id, hashed), occurred, received, min)
        if isinstance(data, usage.MembershipSpan):
            key = (data.person, data.roster, data.agency, data.stint, source, version)
            keep("memberships", key, (data.from_, data.to or FAR, gone), received, min)
        elif isinstance(data, usage.MailboxSpan):
            box = (data.owner or "", data.domain, data.from_, data.to or FAR, gone)
            keep("mailboxes", (data.address, data.stint, source, version), box, received, min)
        elif isinstance(data, usage.MailUse):
            on = event.received.astimezone(_ZONE).date()
            keep("activity", (data.actor, data.kind, data.day, data.action, source, gone, on), (), version, max)
        elif isinstance(data, usage.Exchange):
            key = (data.issuer, data.issued_on.year, data.number, data.counterpart, data.step, source, version)
            keep("exchanges", key, (data.day, data.issued_on, gone), received, min)
        elif isinstance(data, usage.Item):
            key = (short, data.agency, data.id, data.step, source, version)
            keep("items", key, (data.day, gone, data.weight), received, min)
        elif isinstance(data, usage.Declaration):
            key = (data.agency, data.indicator, data.from_, data.to, source, version)
            keep("declarations", key, (data.numerator, data.denominator, gone), received, min)
        else:
            keep("feed_reports", (source, data.type, data.day, version), (data.count, gone), received, min)
    return tables


def expected_feed_days(events: list[Any]) -> Rows:
    """Return (source, type, day) → (reported or None, counted)."""
    ids: dict[tuple[str, str, date], set[str]] = {}
    said: dict[tuple[str, str, date], tuple[int, int | None]] = {}
    for event in events:
        if isinstance(event, usage.FeedReported):
            key = (event.source, event.data.type, event.data.day)
            version = usage.version(event.time, usage.payload_hash(usage.canonical(event)))
            stated = None if event.data.retracted else event.data.count
            said[key] = max(said.get(key, (-1, None)), (version, stated), key=lambda pair: pair[0])
        else:
            short = short_type(str(type(event).__struct_config__.tag))
            key = (event.source, short, event.time.astimezone(_ZONE).date())
            ids.setdefault(key, set()).add(event.id)
    keys = ids.keys() | {key for key, (_, count) in said.items() if count is not None}
    return {key: (said.get(key, (0, None))[1], len(ids.get(key, ()))) for key in keys}
