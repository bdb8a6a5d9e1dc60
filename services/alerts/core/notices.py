"""Whom a notice goes to, its id, and the thread that it belongs to."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from schemas.directory import Agency, Contact, Directory, Feed
from schemas.policy import ABOVE, Policy
from schemas.warnings import Notice, Transition, TransitionReason
from services.alerts.core.muting import ancestors

FEED_PREFIX: Final = "feed:"
OPERATIONS: Final = "operations"
EMAIL: Final = "email"
_REFERENCES: Final = 10  # of one thread; longer headers help nobody

#: (agency, recipient, channel): one thread of notices, numbered.
Thread = tuple[str, str, str]


@dataclass(frozen=True, kw_only=True)
class Recipient:
    """Whom a notice goes to; only ``role`` leaves the process."""

    role: str
    contact: Contact


class AddressBook:
    """The directory's contacts, found by role. Addresses stay in here."""

    def __init__(self, directory: Directory) -> None:
        self.directory = directory
        self.agencies: Mapping[str, Agency] = {one.id: one for one in directory.agencies}
        self.feeds: Mapping[str, Feed] = {one.id: one for one in directory.feeds}

    @property
    def operations(self) -> Recipient:
        """Who is told where nobody else is named."""
        return Recipient(role=OPERATIONS, contact=self.directory.operations)

    def own(self, agency: str, role: str) -> Contact | None:
        """Return the contact of *agency* with that role."""
        known = self.agencies.get(agency)
        return next((one for one in known.contacts if one.role == role), None) if known else None

    def told(self, one: Transition, policy: Policy) -> tuple[Recipient, ...]:
        """Return who is told of *one* at once, each address once.

        A lag: the levels up to the one reached that are not told by digest; where the agency names nobody of that role, its
        head or contact, else operations, so that no warning goes missing. A dispute: operations. A feed: its owner and
        operations; never an agency's head.
        """
        if one.reason is TransitionReason.DISPUTED:
            return (self.operations,)
        found: dict[str, Recipient] = {}
        if is_feed(one):
            feed = self.feeds.get(one.agency)
            owner = [] if feed is None else [Recipient(role="feed-owner", contact=feed.owner)]
            for recipient in (*owner, self.operations):
                same = recipient.contact.email.casefold() == self.directory.operations.email.casefold()
                found[recipient.contact.email.casefold()] = self.operations if same else recipient
            return tuple(found.values())
        for step in policy.levels:
            if step.to not in ABOVE:
                recipient = self._in_office(one.agency, step.to)
                found.setdefault(recipient.contact.email.casefold(), recipient)
            if step.to == one.level:
                break
        return tuple(found.values())

    def _in_office(self, agency: str, role: str) -> Recipient:
        for named in dict.fromkeys((role, "head", "contact")):
            contact = self.own(agency, named)
            if contact is not None:
                return Recipient(role=named, contact=contact)
        return self.operations

    def above(self, agency: str, role: str) -> str | None:
        """Return the agency, *agency* itself or the nearest above it, that names a contact with *role*; None: nobody does."""
        return next((one for one in (agency, *ancestors(self.agencies, agency)) if self.own(one, role)), None)

    def filed_under(self, one: Transition, recipient: str) -> str:
        """Return the agency that a notice about *one* is filed under; of feeds, the first of :meth:`feeds_of`."""
        return self.feeds_of(one.agency, recipient)[0] if is_feed(one) else one.agency

    def feeds_of(self, feed: str, recipient: str) -> tuple[str, ...]:
        """Return the feeds that share mails to *recipient* with *feed*, in the directory's order.

        To its owner, all of the same owner's; to everybody else all feeds. *feed* alone where the directory has it no more.
        """
        known = self.feeds.get(feed)
        if known is None:
            return (feed,)
        if recipient != "feed-owner":
            return tuple(self.feeds)
        owner = known.owner.email.casefold()
        return tuple(one.id for one in self.directory.feeds if one.owner.email.casefold() == owner)


def is_feed(one: Transition) -> bool:
    """Return whether *one* belongs to a feed's warning."""
    return one.cause.startswith(FEED_PREFIX)


def find_agency(directory: Directory, agency: str) -> Agency | None:
    """Return the agency of that id, None where the directory no longer has it."""
    return next((one for one in directory.agencies if one.id == agency), None)


def find_feed(directory: Directory, feed: str) -> Feed | None:
    """Return the feed of that id, None where the directory no longer has it."""
    return next((one for one in directory.feeds if one.id == feed), None)


def contact_of(directory: Directory, notice: Notice) -> Contact | None:
    """Return the address book's entry that *notice* goes to; None where the directory no longer has one."""
    if notice.recipient == OPERATIONS:
        return directory.operations
    if notice.recipient == "feed-owner":
        feed = find_feed(directory, notice.agency)
        return feed.owner if feed else None
    agency = find_agency(directory, notice.agency)
    return next((one for one in agency.contacts if one.role == notice.recipient), None) if agency else None


def notice_id(plan: str, thread: Thread, place: int | date) -> str:
    """Return the id of a notice, 32 hex digits: only its place in its thread decides, a number or a digest's first day.

    So whoever else plans it at the same time, knowing more or less, sends the same Message-ID.
    """
    content = "\n".join(["notice", plan, *thread, str(place)])
    return hashlib.sha256(content.encode()).hexdigest()[:32]


def message_id(notice: str, domain: str) -> str:
    """Return the Message-ID of the notice with that id, angle brackets included."""
    return f"<{notice}@{domain}>"


def references(notice: Notice) -> tuple[str, ...]:
    """Return the ids of the earlier notices of the same thread, oldest first, at most ten; none of a digest."""
    if notice.about == "digest":
        return ()
    thread = (notice.agency, notice.recipient, notice.channel)
    numbers = range(max(1, notice.number - _REFERENCES), notice.number)
    return tuple(notice_id(notice.plan, thread, number) for number in numbers)


def backoff(failures: int, *, first: timedelta, longest: timedelta) -> timedelta:
    """Return how long to wait after that many failures in a row (1 or more): doubling from *first* up to *longest*."""
    wait: timedelta = first * (1 << min(failures - 1, 20))
    return min(longest, wait)
