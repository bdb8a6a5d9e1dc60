"""Which notices follow: one per agency, recipient and channel, with everything in it; digests for those above."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from schemas.directory import Contact, Directory
from schemas.policy import ABOVE, ROLES, Period, Policy, Step
from schemas.warnings import Notice, Silence, Transition, TransitionReason, WarningState
from services.alerts.core.muting import Muting, ancestors
from services.alerts.core.notices import EMAIL, AddressBook, Recipient, Thread, is_feed, notice_id
from services.alerts.core.office_hours import next_working_moment
from services.core.warnings.lifecycle import is_open, to_be_told
from services.core.warnings.matching import matches
from services.core.warnings.severity import RANK
from services.core.warnings.warning_records import Subject

#: What a channel that is not a mailbox is called as a recipient.
CHANNEL = "channel"


@dataclass(frozen=True, kw_only=True)
class Desk:
    """What planning goes by. *silences*: those in force. *threads*: the greatest number of each thread so far."""

    plan: str
    directory: Directory
    policy: Policy
    now: datetime
    holidays: frozenset[date] = frozenset()  # beside the directory's
    silences: Sequence[Silence] = ()
    threads: Mapping[Thread, int] = field(default_factory=dict)

    @property
    def zone(self) -> ZoneInfo:
        """The directory's zone, which days and hours are of."""
        return ZoneInfo(self.directory.zone)

    @property
    def at_work(self) -> bool:
        """Whether now is working time."""
        holidays = self.holidays | frozenset(self.directory.holidays)
        return next_working_moment(self.now, self.policy.working_time, holidays=holidays, zone=self.zone) == self.now

    def muting(self, states: Mapping[Subject, Transition]) -> Muting:
        """Return what mutes now; *states*: the last transition of every warning."""
        return Muting(self.directory, self.policy, self.silences, states, self.now)

    def spoken_of(self, states: Mapping[Subject, Transition]) -> dict[Subject, Transition]:
        """Return those of *states* that nothing mutes: what digests speak of."""
        muting = self.muting(states)
        return {subject: one for subject, one in states.items() if muting.why(one) is None}


@dataclass(frozen=True)
class _Group:
    kind: str
    agency: str
    recipient: str
    channel: str
    language: str


def plan_notices(untold: Iterable[Transition], states: Mapping[Subject, Transition], desk: Desk) -> tuple[Notice, ...]:
    """Return the notices, all ``pending``, about *untold*: transitions that no notice tells, in the order of the log.

    *states*: the last transition of every warning. A warning that came and went untold (muted) stays untold; what is muted
    waits, and so does what comes about outside of working time, unless the policy has it told at once: so the morning brings
    one mail with everything. The numbers of a thread go on from those of *desk*.
    """
    book = AddressBook(desk.directory)
    muting = desk.muting(states)
    groups: dict[_Group, list[Transition]] = defaultdict(list)
    for one in _worth_telling(untold, states):
        disputed = one.reason is TransitionReason.DISPUTED
        if not disputed and muting.why(states.get((one.agency, one.cause), one)) is not None:
            continue
        kind = "dispute" if disputed else "feed" if is_feed(one) else "lag"
        for recipient in book.told(one, desk.policy):
            agency = book.filed_under(one, recipient.role)
            groups[_Group(kind, agency, recipient.role, EMAIL, recipient.contact.language)].append(one)
        for channel in channels_of(one, desk.policy, book):
            agency = book.filed_under(one, CHANNEL)
            groups[_Group(kind, agency, CHANNEL, channel, desk.directory.operations.language)].append(one)
    numbers = dict(desk.threads)
    notices = []
    for group, members in sorted(groups.items(), key=lambda pair: tuple(vars(pair[0]).values())):
        if not (desk.at_work or _at_once(members, desk.policy)):
            continue
        thread = (group.agency, group.recipient, group.channel)
        numbers[thread] = numbers.get(thread, 0) + 1
        notices.append(_notice(group, numbers[thread], members, desk))
    return tuple(notices)


def channels_of(one: Transition, policy: Policy, book: AddressBook) -> list[str]:
    """Return the deployment's channels that are told of *one*, beside the mail, each once."""
    agency, about = book.agencies.get(one.agency), "feeds" if is_feed(one) else "lags"
    routes = (route for route in policy.routes if route.about in ("all", about) and matches(route.match, one, agency))
    return sorted({channel for route in routes for channel in route.channels})


def plan_digests(
    states: Mapping[Subject, Transition], digests: Iterable[str], desk: Desk, *, day: date
) -> tuple[Notice, ...]:
    """Return the digests that are due and not among *digests* (ids of those recorded): one per office above and period.

    A digest tells what stood at the end of the day before its period, so it waits until that *day* has been judged, and for
    the first working hour of the period. Who has nothing to read gets none; what is muted is nothing to read.
    """
    made, states = set(digests), desk.spoken_of(states)
    book = AddressBook(desk.directory)
    found: dict[str, Notice] = {}
    if not desk.at_work:
        return ()
    for step in desk.policy.levels:
        if step.to not in ABOVE or step.digest is None:
            continue
        first = period_of(step.digest, desk.now.astimezone(desk.zone).date())
        if day < first - timedelta(days=1):
            continue
        for agency in _readers(states, step, first, book):
            contact = book.own(agency, step.to)
            number = notice_id(desk.plan, (agency, step.to, EMAIL), first)
            if contact is not None and number not in made:
                found[number] = _digest(number, agency, Recipient(role=step.to, contact=contact), first, desk)
    return tuple(found[number] for number in sorted(found))


def period_of(period: Period, day: date) -> date:
    """Return the first day of the week (its Monday) or month that *day* lies in."""
    return day - timedelta(days=day.weekday()) if period == "week" else day.replace(day=1)


def worth_reading(one: Transition, role: str, first: date, length: timedelta) -> bool:
    """Return whether a digest to *role* for the period from *first* on speaks of the warning whose last transition is *one*.

    Open before the period and brought to that role or beyond; or resolved within the *length* of the period before it.
    """
    if one.level not in ROLES or ROLES.index(one.level) < ROLES.index(role):
        return False
    if is_open(one):
        return (one.level_day or one.day) < first
    return one.state is WarningState.RESOLVED and one.opened is not None and first - length <= one.day < first


def length_of(period: Period, first: date) -> timedelta:
    """Return how long the period before the one that begins on *first* was."""
    return first - period_of(period, first - timedelta(days=1))


def _readers(states: Mapping[Subject, Transition], step: Step, first: date, book: AddressBook) -> list[str]:
    """Return the agencies whose contact with the step's role has something to read."""
    assert step.digest is not None
    length = length_of(step.digest, first)
    warned = {one.agency for one in states.values() if worth_reading(one, step.to, first, length)}
    found = {book.above(agency, step.to) for agency in warned}
    return sorted(one for one in found if one is not None)


def area_of(directory: Directory, agency: str) -> frozenset[str]:
    """Return *agency* and everything below it."""
    agencies = {one.id: one for one in directory.agencies}
    return frozenset(one for one in agencies if one == agency or agency in ancestors(agencies, one))


def _worth_telling(untold: Iterable[Transition], states: Mapping[Subject, Transition]) -> list[Transition]:
    """Leave out whole warnings of which nobody has been told and that are over; each transition once."""
    every = {one.id: one for one in untold if to_be_told(one.reason)}
    opening = {
        (one.agency, one.cause, one.sequence) for one in every.values() if one.opened == one.sequence
    }  # openings of which nobody knows
    kept = []
    for one in every.values():
        last = states.get((one.agency, one.cause), one)
        over = last.opened != one.opened or not is_open(last)
        if (one.agency, one.cause, one.opened) not in opening or not over:
            kept.append(one)
    return kept


def _notice(group: _Group, number: int, members: Sequence[Transition], desk: Desk) -> Notice:
    spoken: Literal["vi", "en"] = "en" if group.language == "en" else "vi"
    return Notice(
        id=notice_id(desk.plan, (group.agency, group.recipient, group.channel), number),
        plan=desk.plan,
        agency=group.agency,
        recipient=group.recipient,
        channel=group.channel,
        about="feeds" if group.kind == "feed" else "agency",
        number=number,
        language=spoken,
        transitions=tuple(sorted({one.id for one in members})),
        state="pending",
        at=desk.now,
    )


def _digest(number: str, agency: str, to: Recipient, first: date, desk: Desk) -> Notice:
    return Notice(
        id=number,
        plan=desk.plan,
        agency=agency,
        recipient=to.role,
        about="digest",
        period=first,
        language=_language(to.contact),
        state="pending",
        at=desk.now,
    )


def _language(contact: Contact) -> Literal["vi", "en"]:
    return "en" if contact.language == "en" else "vi"


def _at_once(members: Sequence[Transition], policy: Policy) -> bool:
    from_ = policy.working_time.at_once if policy.working_time is not None else None
    gravest = max((RANK[one.severity] for one in members if one.severity is not None), default=0)
    return from_ is not None and gravest >= RANK[from_]
