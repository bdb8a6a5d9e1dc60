"""Who mails on which day, and by which way: decided per day from the seed, so that a longer run repeats a shorter one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from random import Random
from typing import Final, Literal

from simulator.days import is_working
from simulator.truth import World

Way = Literal["submission", "webmail", "outside", "root", "rejected", "abandoned", "filtered-out"]
Fate = Literal["sent", "deferred", "bounced", "expired", "forwarded"]

SECOND: Final = 1_000_000
HOUR: Final = 3600 * SECOND
DAY: Final = 24 * HOUR
OUTSIDE_DOMAINS: Final = ("mic.gov.vn", "vnptthainguyen.vn", "fpt.vn", "gmail.com", "tnu.edu.vn")


@dataclass(frozen=True, kw_only=True)
class Mail:
    """One message. ``at`` is when the client spoke, in microseconds of the day; it is queued a moment later."""

    sender: str
    at: int
    recipients: tuple[str, ...]
    way: Way
    fate: Fate = "sent"
    filtered: bool = False  # the content filter takes it and gives it back under a second queue id
    slow: int = 0  # microseconds between the client's line and the queue manager's
    nameless: bool = False  # it carries no Message-ID


def office_time(random: Random) -> int:
    """Return a moment of the day at which people write: mostly office hours, sometimes at night."""
    if random.random() < 0.94:
        return int((7 + 10 * random.betavariate(2, 2)) * HOUR) + random.randrange(HOUR // 2)
    return random.randrange(2 * SECOND, DAY - 200 * SECOND)


class Post:
    """Decides the mails of a day."""

    def __init__(self, world: World, seed: int) -> None:
        self._world = world
        self._seed = seed
        self._addresses = sorted({writer.address for writer in world.writers})

    def of_day(self, day: date) -> list[Mail]:
        """Return the day's mails in order of time."""
        random = Random(f"{self._seed}/mail/{day}")
        working = is_working(day)
        mails: list[Mail] = []
        for writer in self._world.writers:
            if not writer.first <= day <= writer.last or writer.pause[0] <= day <= writer.pause[1]:
                continue
            if random.random() < (writer.daily if working else 0.04):
                for _ in range(1 + (random.random() < 0.1)):
                    mails.append(self._written(random, writer.address))
        mails += self._midnight(random)
        mails += [self._from_outside(random) for _ in range(12 if working else 4)]
        mails += [self._not_a_use(random) for _ in range(14 if working else 6)]
        return sorted(mails, key=lambda mail: (mail.at, mail.sender))

    def _recipients(self, random: Random) -> tuple[str, ...]:
        count = random.choice((1, 1, 1, 1, 1, 2, 3))
        inside = random.random() < 0.8
        if inside:
            return tuple(random.sample(self._addresses, count))
        return tuple(f"nguoinhan{random.randrange(4000)}@{random.choice(OUTSIDE_DOMAINS)}" for _ in range(count))

    def _written(self, random: Random, sender: str) -> Mail:
        if random.random() < 0.03:  # some programs write the domain as they please
            local, _, domain = sender.partition("@")
            sender = f"{local}@{domain.replace('thainguyen', 'ThaiNguyen')}"
        fate: Fate = random.choice(("sent",) * 90 + ("deferred", "bounced", "forwarded"))
        if random.random() < 0.002:
            fate = "expired"
        return Mail(
            sender=sender,
            at=office_time(random),
            recipients=self._recipients(random),
            way="webmail" if random.random() < 0.12 else "submission",
            fate=fate,
            filtered=fate == "sent" and random.random() < 0.1,
            nameless=random.random() < 0.005,
        )

    def _midnight(self, random: Random) -> list[Mail]:
        """Now and then a mail meets midnight: before the queue manager sees it, or between it and the filter."""
        if random.random() > 0.15:
            return []
        sender = random.choice(self._addresses)
        recipients = self._recipients(random)
        if random.random() < 0.5:  # queued on the next day
            return [Mail(sender=sender, at=DAY - 3 * SECOND, recipients=recipients, way="submission", slow=6 * SECOND)]
        return [Mail(sender=sender, at=DAY - 4 * SECOND, recipients=recipients, way="submission", filtered=True)]

    def _from_outside(self, random: Random) -> Mail:
        sender = "" if random.random() < 0.15 else f"khach{random.randrange(3000)}@{random.choice(OUTSIDE_DOMAINS)}"
        return Mail(
            sender=sender,
            at=office_time(random),
            recipients=tuple(random.sample(self._addresses, random.choice((1, 1, 2)))),
            way="outside",
        )

    def _not_a_use(self, random: Random) -> Mail:
        """Something that names a sender and is no mail that an official sent: cron's reports, refused or broken attempts."""
        way: Way = random.choice(("root", "rejected", "rejected", "abandoned", "filtered-out"))
        sender = random.choice(self._addresses)
        if way == "root":
            sender = random.choice(("root", "postmaster", "double-bounce", "MAILER-DAEMON")) + "@mail.thainguyen.gov.vn"
        return Mail(sender=sender, at=office_time(random), recipients=(random.choice(self._addresses),), way=way)
