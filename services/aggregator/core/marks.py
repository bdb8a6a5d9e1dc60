"""Which figures a batch may have changed: what was read, the agency, the days.

Marks err on the side of too much: a recomputation that finds nothing changed writes nothing. Days are those of the facts;
how far a rolling window carries them is known where the definition is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final, NamedTuple

from services.aggregator.core.batch import Batch
from services.aggregator.core.facts import (
    Activity,
    Archived,
    Declaration,
    Exchange,
    FeedReport,
    Item,
    Mailbox,
    Membership,
)
from services.core.scope import LAST_DAY

FEED_REPORTED: Final = "feed.reported"
# Beyond, a batch's deeds mark every agency: whose they are costs more to find out than to recompute, and few agencies
# would be left out.
MOST_ACTORS: Final = 1000


class Mark(NamedTuple):
    """What needs recomputing; an empty agency means any, both days are included."""

    reads: str
    agency: str
    from_day: date
    to_day: date


Span = tuple[date, date]
MembershipKey = tuple[str, str, str, str, str]  # person, roster, agency, stint, source
MailboxKey = tuple[str, str, str]  # address, stint, source
DocumentKey = tuple[str, int, str, str]  # issuer, year, number, counterpart
ItemKey = tuple[str, str, str, str, str]  # type, agency, id, step, source


@dataclass(frozen=True)
class Lookup:
    """What the database holds about the keys of a batch, over all their versions, this batch included."""

    memberships: Mapping[MembershipKey, Span] = field(default_factory=dict)
    mailboxes: Mapping[MailboxKey, tuple[Span, frozenset[str]]] = field(default_factory=dict)  # with all owners
    documents: Mapping[DocumentKey, date] = field(default_factory=dict)  # least day or day of issue
    items: Mapping[ItemKey, date] = field(default_factory=dict)  # least day


@dataclass(frozen=True)
class Touched:
    """What of a batch its marks are made from.

    *feeds* are (source, day) of the archive; *deeds* are (actor, kind, action, day), where actor and kind are empty if
    there are more than :data:`MOST_ACTORS`.
    """

    feeds: frozenset[tuple[str, date]]
    deeds: frozenset[tuple[str, str, str, date]]
    memberships: tuple[Membership, ...]
    mailboxes: tuple[Mailbox, ...]
    exchanges: tuple[Exchange, ...]
    items: tuple[Item, ...]
    declarations: tuple[Declaration, ...]
    reports: tuple[FeedReport, ...]

    def addresses(self) -> frozenset[str]:
        """Return the addresses whose owners must be known."""
        return frozenset(box.address for box in self.mailboxes) | self._actors("address")

    def persons(self, owners: Iterable[str]) -> frozenset[str]:
        """Return the people whose agencies must be known: those named and the *owners* of the addresses named."""
        members = frozenset(row.person for row in self.memberships)
        return members | self._actors("person") | {owner for owner in owners if owner}

    def _actors(self, kind: str) -> frozenset[str]:
        return frozenset(actor for actor, of, _, _ in self.deeds if of == kind)


def touched_by(batch: Batch) -> Touched:
    """Return what *batch* touches."""
    stated = set(zip(*(batch.column(Archived, name) for name in ("type", "source", "occurred_day")), strict=True))
    names = ("actor", "kind", "action", "day")
    if len(set(batch.column(Activity, "actor"))) > MOST_ACTORS:
        pairs = set(zip(batch.column(Activity, "action"), batch.column(Activity, "day"), strict=True))
        deeds = frozenset(("", "", action, day) for action, day in pairs)
    else:
        deeds = frozenset(zip(*(batch.column(Activity, name) for name in names), strict=True))
    return Touched(
        feeds=frozenset((source, day) for kind, source, day in stated if kind != FEED_REPORTED),
        deeds=deeds,
        memberships=tuple(batch.rows(Membership)),
        mailboxes=tuple(batch.rows(Mailbox)),
        exchanges=tuple(batch.rows(Exchange)),
        items=tuple(batch.rows(Item)),
        declarations=tuple(batch.rows(Declaration)),
        reports=tuple(batch.rows(FeedReport)),
    )


def marks_of(touched: Touched, lookup: Lookup) -> tuple[Mark, ...]:
    """Return the marks that a batch calls for, each once, in a fixed order."""
    agencies: dict[str, set[str]] = {}
    for person, _, agency, _, _ in lookup.memberships:
        agencies.setdefault(person, set()).add(agency)
    owners: dict[str, set[str]] = {}
    for (address, _, _), (_, found) in lookup.mailboxes.items():
        owners.setdefault(address, set()).update(found)
    marks = _deeds(touched, agencies, owners)
    marks |= {Mark(f"feed:{source}", "", day, day) for source, day in touched.feeds}
    for row in touched.memberships:
        first, last = lookup.memberships.get(row[:5], (row.from_day, row.to_day))
        # Every agency of the person: being on one roster counts in the figures of those on another.
        for agency in agencies.get(row.person, set()) | {row.agency}:
            marks.add(Mark(f"memberships:{row.roster}", agency, first, last))
    for box in touched.mailboxes:
        (first, last), found = lookup.mailboxes.get(box[:3], ((box.from_day, box.to_day), frozenset({box.owner})))
        for owner in found:
            for agency in agencies.get(owner, ()):
                marks.add(Mark("mailboxes", agency, first, last))
    for step in touched.exchanges:
        least = lookup.documents.get(step[:4], min(step.day, step.issued_on))
        for party in (step.issuer, step.counterpart):
            marks.add(Mark("exchanges", party, least, LAST_DAY))
    for item in touched.items:
        marks.add(Mark(f"items:{item.type}", item.agency, lookup.items.get(item[:5], item.day), LAST_DAY))
    for said in touched.declarations:
        # A headcount has no numerator, and holds until the next one.
        last = said.to_day if said.numerator is not None else LAST_DAY
        marks.add(Mark(f"declarations:{said.indicator}", said.agency, said.from_day, last))
    for report in touched.reports:
        marks.add(Mark(f"feed:{report.source}", "", report.day, report.day))
    return tuple(sorted(marks))


def _deeds(touched: Touched, agencies: Mapping[str, set[str]], owners: Mapping[str, set[str]]) -> set[Mark]:
    places: dict[tuple[str, str], set[str]] = {}
    for actor, kind, _, _ in touched.deeds:
        if not actor:
            places[actor, kind] = {""}
            continue
        people = {actor} if kind == "person" else owners.get(actor, set())
        places[actor, kind] = {agency for person in people for agency in agencies.get(person, ())}
    return {
        Mark(f"activity:{action}", agency, day, day)
        for actor, kind, action, day in touched.deeds
        for agency in places[actor, kind]
    }
