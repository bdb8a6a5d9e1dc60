"""Which notices follow from transitions: one per agency, recipient and language, with everything in it."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from schemas.directory import Agency, Contact, Directory, Feed
from schemas.warnings import Notice, Transition

FEED_PREFIX: Final = "feed:"
_REFERENCES: Final = 10  # of one thread; longer headers help nobody


@dataclass(frozen=True, kw_only=True)
class Recipient:
    """Whom a notice goes to; only ``role`` leaves the process."""

    role: str
    contact: Contact


def is_feed(one: Transition) -> bool:
    """Return whether *one* belongs to a feed's warning."""
    return one.cause.startswith(FEED_PREFIX)


def find_agency(directory: Directory, agency: str) -> Agency | None:
    """Return the agency of that id, None where the directory no longer has it."""
    return next((one for one in directory.agencies if one.id == agency), None)


def find_feed(directory: Directory, feed: str) -> Feed | None:
    """Return the feed of that id, None where the directory no longer has it."""
    return next((one for one in directory.feeds if one.id == feed), None)


def recipients_of(directory: Directory, one: Transition) -> tuple[Recipient, ...]:
    """Return who is told about *one*.

    A lag: the agency's head, else its contact, else operations (so that no warning goes missing). A feed: its owner and
    operations, once where both are the same address; never an agency's head.
    """
    operations = Recipient(role="operations", contact=directory.operations)
    if is_feed(one):
        feed = find_feed(directory, one.agency)
        if feed is None or feed.owner.email.casefold() == directory.operations.email.casefold():
            return (operations,)
        return Recipient(role="feed-owner", contact=feed.owner), operations
    agency = find_agency(directory, one.agency)
    for role in ("head", "contact"):
        for contact in agency.contacts if agency is not None else ():
            if contact.role == role:
                return (Recipient(role=role, contact=contact),)
    return (operations,)


def contact_of(directory: Directory, notice: Notice) -> Contact | None:
    """Return the address book's entry that *notice* goes to; None where the directory no longer has one."""
    if notice.recipient == "operations":
        return directory.operations
    if notice.recipient == "feed-owner":
        feed = find_feed(directory, notice.agency)
        return feed.owner if feed else None
    agency = find_agency(directory, notice.agency)
    return next((one for one in agency.contacts if one.role == notice.recipient), None) if agency else None


def notice_id(transitions: Sequence[str], agency: str, recipient: str, channel: str) -> str:
    """Return the id of a notice, 32 hex digits; the order of *transitions* does not matter."""
    content = "\n".join(["notice", *sorted(transitions), agency, recipient, channel])
    return hashlib.sha256(content.encode()).hexdigest()[:32]


def message_id(notice: str, domain: str) -> str:
    """Return the Message-ID of the notice with that id, angle brackets included."""
    return f"<{notice}@{domain}>"


def plan_notices(
    transitions: Iterable[Transition], sent: Iterable[Notice], directory: Directory, *, at: datetime
) -> tuple[Notice, ...]:
    """Return the notices, all ``pending``, for the transitions that no notice speaks of yet.

    Record the result as a whole: a transition that any notice speaks of counts as told to everybody concerned, so that a
    contact added later is not sent old news. All feeds of one owner share a mail, whose ``agency`` is the first feed.
    """
    told = {one for notice in sent for one in notice.transitions}
    groups: dict[tuple[str, str, str, str], list[Transition]] = defaultdict(list)
    for one in transitions:
        if one.id in told:
            continue
        for recipient in recipients_of(directory, one):
            address = recipient.contact.email.casefold()
            about = address if is_feed(one) else one.agency
            kind = "feed" if is_feed(one) else "lag"
            groups[(kind, about, recipient.role, recipient.contact.language)].append(one)
    notices = []
    for (_, _, role, language), members in sorted(groups.items()):
        ids = sorted({one.id for one in members})
        agency = min(one.agency for one in members)
        spoken: Literal["vi", "en"] = "en" if language == "en" else "vi"
        notices.append(
            Notice(
                id=notice_id(ids, agency, role, "email"),
                plan=members[0].plan,
                agency=agency,
                recipient=role,
                language=spoken,
                transitions=tuple(ids),
                state="pending",
                at=at,
            )
        )
    return tuple(notices)


def references(notice: Notice, others: Iterable[Notice]) -> tuple[str, ...]:
    """Return the ids of the earlier notices of the same thread (plan, agency, recipient), oldest first, at most ten."""
    thread = {
        one.id: one.at
        for one in others
        if (one.plan, one.agency, one.recipient) == (notice.plan, notice.agency, notice.recipient)
        and one.id != notice.id
        and one.at < notice.at
    }
    return tuple(sorted(thread, key=lambda one: (thread[one], one))[-_REFERENCES:])


def backoff(failures: int, *, first: timedelta, longest: timedelta) -> timedelta:
    """Return how long to wait after that many failures in a row (1 or more): doubling from *first* up to *longest*."""
    wait: timedelta = first * (1 << min(failures - 1, 20))
    return min(longest, wait)
