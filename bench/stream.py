"""The topic of events that the contestants read: mail, mostly, as one provincial server reports it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

from schemas import usage

FIRST = date(2008, 9, 1)
DAYS = 20
PER_AGENCY = 60  # officials
_KEY = "k1"


def pseudonym(number: int) -> str:
    """Return a pseudonym as the gateway makes them: key id and 32 hexadecimal digits."""
    return f"{_KEY}:{number * 0x9E3779B97F4A7C15 & (1 << 64) - 1:032x}"


def people(agencies: int) -> Iterator[Any]:
    """Yield who works where, and whose mailbox is whose."""
    moment = datetime(2008, 8, 31, 3, tzinfo=UTC)
    for number in range(agencies * PER_AGENCY):
        agency = f"agency-{number % agencies}"
        about = {"source": "/office", "agency": agency, "time": moment, "received": moment}
        span = usage.MembershipSpan(
            person=pseudonym(number), agency=agency, roster="officials", stint=f"{number}", from_=FIRST
        )
        yield usage.OfficialJoined(id=f"j{number}", data=span, **about)
        box = usage.MailboxSpan(
            address=pseudonym(number + (1 << 40)), domain="example.gov.vn", stint=f"{number}",
            owner=pseudonym(number), from_=FIRST,
        )  # fmt: skip
        yield usage.MailboxOpened(id=f"m{number}", data=box, **about)


def mails(count: int, agencies: int, *, seed: int = 1) -> Iterator[Any]:
    """Yield *count* events of mail sent or read as a server's log tells them: day by day, about 330 bytes each in the topic."""
    draw = random.Random(seed)  # noqa: S311 - nothing secret
    addresses = [pseudonym(number + (1 << 40)) for number in range(agencies * PER_AGENCY)]
    days = [FIRST + timedelta(days=day) for day in range(DAYS)]
    begin = datetime(2008, 9, 1, 1, tzinfo=UTC)
    received = datetime(2008, 9, 21, 1, tzinfo=UTC)
    for number in range(count):
        day, into = divmod(number * DAYS * 36_000_000_000 // count, 36_000_000_000)
        actor = draw.randrange(len(addresses))
        data = usage.MailUse(
            actor=addresses[actor], kind="address", day=days[day], action="sent" if draw.random() < 0.7 else "read"
        )
        yield usage.MailUsed(
            id=f"{draw.getrandbits(128):032x}",
            source="/mail/province",
            agency=f"agency-{actor % agencies}",
            time=begin + timedelta(days=day, microseconds=into),
            received=received + timedelta(microseconds=number // 100 * 1000),
            data=data,
        )
