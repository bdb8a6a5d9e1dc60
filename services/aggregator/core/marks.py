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


def touched_addresses(batch: Batch) -> frozenset[str]:
    """Return the addresses whose owners must be known."""
    boxes = {row.address for row in batch.rows.get(Mailbox, ()) if isinstance(row, Mailbox)}
    deeds = {row.actor for row in batch.rows.get(Activity, ()) if isinstance(row, Activity) and row.kind == "address"}
    return frozenset(boxes | deeds)


def touched_persons(batch: Batch, owners: Iterable[str]) -> frozenset[str]:
    """Return the people whose agencies must be known: those named and the *owners* of the addresses named."""
    members = {row.person for row in batch.rows.get(Membership, ()) if isinstance(row, Membership)}
    deeds = {row.actor for row in batch.rows.get(Activity, ()) if isinstance(row, Activity) and row.kind == "person"}
    return frozenset(members | deeds | {owner for owner in owners if owner})


def marks_of(batch: Batch, lookup: Lookup) -> tuple[Mark, ...]:
    """Return the marks that *batch* calls for, each once, in a fixed order."""
    agencies: dict[str, set[str]] = {}
    for person, _, agency, _, _ in lookup.memberships:
        agencies.setdefault(person, set()).add(agency)
    owners: dict[str, set[str]] = {}
    for (address, _, _), (_, found) in lookup.mailboxes.items():
        owners.setdefault(address, set()).update(found)
    marks: set[Mark] = set()
    for rows in batch.rows.values():
        for row in rows:
            match row:
                case Archived():
                    if row.type != FEED_REPORTED:
                        marks.add(Mark(f"feed:{row.source}", "", row.occurred_day, row.occurred_day))
                case Membership():
                    first, last = lookup.memberships.get(row[:5], (row.from_day, row.to_day))
                    # Every agency of the person: being on one roster counts in the figures of those on another.
                    for agency in agencies.get(row.person, set()) | {row.agency}:
                        marks.add(Mark(f"memberships:{row.roster}", agency, first, last))
                case Mailbox():
                    (first, last), found = lookup.mailboxes.get(
                        row[:3], ((row.from_day, row.to_day), frozenset({row.owner}))
                    )
                    for owner in found:
                        for agency in agencies.get(owner, ()):
                            marks.add(Mark("mailboxes", agency, first, last))
                case Activity():
                    people = {row.actor} if row.kind == "person" else owners.get(row.actor, set())
                    for person in people:
                        for agency in agencies.get(person, ()):
                            marks.add(Mark(f"activity:{row.action}", agency, row.day, row.day))
                case Exchange():
                    least = lookup.documents.get(row[:4], min(row.day, row.issued_on))
                    for party in (row.issuer, row.counterpart):
                        marks.add(Mark("exchanges", party, least, LAST_DAY))
                case Item():
                    least = lookup.items.get(row[:5], row.day)
                    marks.add(Mark(f"items:{row.type}", row.agency, least, LAST_DAY))
                case Declaration():
                    # A headcount has no numerator, and holds until the next one.
                    last = row.to_day if row.numerator is not None else LAST_DAY
                    marks.add(Mark(f"declarations:{row.indicator}", row.agency, row.from_day, last))
                case FeedReport():
                    marks.add(Mark(f"feed:{row.source}", "", row.day, row.day))
    return tuple(sorted(marks))
