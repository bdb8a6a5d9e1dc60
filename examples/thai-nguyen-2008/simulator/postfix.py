"""Turns mails into the lines that Postfix and its neighbours write, and notes in the truth what was accepted for sending."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from datetime import date, timedelta
from random import Random
from typing import Final

from simulator.days import YEAR_START, is_working
from simulator.mails import DAY, HOUR, SECOND, Fate, Mail, Post
from simulator.truth import World

HOST: Final = "mail"
SERVER: Final = "mail.thainguyen.gov.vn"
LONG_IDS_FROM: Final = date(2008, 7, 1)  # enable_long_queue_ids = yes
_BASE52: Final = "0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz"
_FILTER: Final = "relay=127.0.0.1[127.0.0.1]:10024"


def stamp(day: date, micros: int) -> str:
    """Return an RFC 3339 time in the province's zone."""
    seconds, rest = divmod(micros, SECOND)
    return f"{day}T{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{rest:06d}+07:00"


class Postfix:
    """One mail server through the year. Call :meth:`day` for every day in order; lines that belong later are kept."""

    def __init__(self, world: World, seed: int) -> None:
        self._world = world
        self._seed = seed
        self._post = Post(world, seed)
        self._later: list[tuple[int, int, str]] = []  # (microseconds since the year began, order, text)
        self._order = 0
        self._day = YEAR_START
        self._random = Random()
        self._pids: dict[str, int] = {}

    def day(self, day: date) -> Iterator[str]:
        """Yield the day's lines in order of time, without their newline.

        The first line is what the log's nightly rotation leaves; it shows that the day before is over.
        """
        self._day, self._random = day, Random(f"{self._seed}/postfix/{day}")
        self._pids = {}
        yield f'{stamp(day, 412_000 - day.day)} {HOST} rsyslogd: [origin software="rsyslogd"] rsyslogd was HUPed'
        if day == LONG_IDS_FROM:
            self._line(2 * SECOND, "postfix/master", "reload -- version 2.11.0, configuration /etc/postfix")
        for mail in self._post.of_day(day):
            self._mail(mail)
        self._noise()
        end = self._since_start(DAY)
        while self._later and self._later[0][0] < end:
            micros, _, text = heapq.heappop(self._later)
            yield f"{stamp(day, micros - self._since_start(0))} {HOST} {text}"

    def _since_start(self, micros: int) -> int:
        return (self._day - YEAR_START).days * DAY + micros

    def _line(self, at: int, daemon: str, text: str) -> None:
        """Keep a line for *at*, in microseconds of the current day (the next days' too); never in a day's first second."""
        absolute = self._since_start(at)
        if absolute % DAY < SECOND:
            absolute += SECOND
        self._order += 1
        pid = self._pids.setdefault(daemon, 1000 + self._random.randrange(31000))
        heapq.heappush(self._later, (absolute, self._order, f"{daemon}[{pid}]: {text}"))

    def _queue_id(self, at: int) -> str:
        random = self._random
        if self._day < LONG_IDS_FROM:  # microseconds and inode: a small space, ids come back within days
            return f"{at % SECOND:05X}{0x1A0 + random.randrange(8):03X}"
        digits = [_BASE52[random.randrange(52)] for _ in range(9)]
        return "3" + "".join(digits) + "z" + "".join(_BASE52[random.randrange(52)] for _ in range(4))

    def _accepted(self, sender: str, at: int) -> None:
        """Note that a message from *sender* was queued for sending at *at*."""
        if sender and not sender.endswith(f"@{SERVER}"):
            day = self._day + timedelta(days=(at + (SECOND if at % DAY < SECOND else 0)) // DAY)
            if sender.lower().endswith(".gov.vn") and "thainguyen" in sender.lower():
                self._world.uses.add((sender.lower(), day))
            else:
                self._world.outside.add(sender)

    def _mail(self, mail: Mail) -> None:
        random = self._random
        at = mail.at
        client = f"unknown[10.19.{random.randrange(1, 30)}.{random.randrange(2, 250)}]"
        daemon = "postfix/submission/smtpd"
        if mail.way in ("outside", "rejected"):
            client = f"mx{random.randrange(9)}.example.net[203.0.113.{random.randrange(1, 250)}]"
            daemon = "postfix/smtpd"
        if mail.way == "rejected":
            self._rejected(mail, client)
            return
        queue_id = self._queue_id(at)
        message_id = (
            f"<{random.getrandbits(48):012x}.{random.getrandbits(32):08x}@{random.choice(('pc', 'mua', 'web'))}.local>"
        )
        if mail.way == "root" or mail.way == "webmail":
            uid = 0 if mail.way == "root" else 33
            self._line(at, "postfix/pickup", f"{queue_id}: uid={uid} from=<{mail.sender}>")
        else:
            self._line(at - 40_000, daemon, f"connect from {client}")
            login = f", sasl_method=PLAIN, sasl_username={mail.sender.lower()}" if mail.way != "outside" else ""
            self._line(at, daemon, f"{queue_id}: client={client}{login}")
            self._line(at + mail.slow + 900_000, daemon, f"disconnect from {client}")
        if mail.way == "abandoned":
            self._line(at + 500_000, daemon, f"lost connection after DATA (12288 bytes) from {client}")
            return
        shown = "" if mail.nameless else message_id
        self._line(at + 30_000, "postfix/cleanup", f"{queue_id}: message-id={shown or '<>'}")
        if mail.way == "filtered-out":
            self._line(
                at + 60_000,
                "postfix/cleanup",
                f"{queue_id}: milter-reject: END-OF-MESSAGE from {client}: 5.7.1 Command rejected; "
                f"from=<{mail.sender}> to=<{mail.recipients[0]}> proto=ESMTP helo=<pc>",
            )
            return
        queued = at + mail.slow + 90_000
        self._accepted(mail.sender, queued)
        size = random.randrange(900, 900_000)
        if mail.filtered:
            again = self._queue_id(at + 17)
            self._queued(queue_id, mail, queued, size)
            back = queued + 5 * SECOND
            for to in mail.recipients:
                self._line(
                    back + 40_000,
                    "postfix/smtp",
                    f"{queue_id}: to=<{to}>, {_FILTER}, delay=5.2, delays=0.1/0/0/5.1, dsn=2.0.0, status=sent "
                    f"(250 2.0.0 from MTA(smtp:[127.0.0.1]:10025): 250 2.0.0 Ok: queued as {again})",
                )
            self._line(
                back + 20_000,
                "amavis",
                f"({random.randrange(10**5):05d}-01) Passed CLEAN {{RelayedInternal}}, [10.19.1.1] <{mail.sender}> -> "
                f"<{mail.recipients[0]}>, Queue-ID: {queue_id}, Message-ID: {shown}, queued_as: {again}",
            )
            self._line(back + 50_000, "postfix/qmgr", f"{queue_id}: removed")
            self._line(back, "postfix/smtpd", f"{again}: client=localhost[127.0.0.1]")
            self._line(back + 5_000, "postfix/cleanup", f"{again}: message-id={shown or '<>'}")
            self._delivered(again, mail, back + 10_000, size + 480, shown)
        else:
            self._delivered(queue_id, mail, queued, size, shown)

    def _queued(self, queue_id: str, mail: Mail, at: int, size: int) -> None:
        self._line(
            at,
            "postfix/qmgr",
            f"{queue_id}: from=<{mail.sender}>, size={size}, nrcpt={len(mail.recipients)} (queue active)",
        )

    def _delivered(self, queue_id: str, mail: Mail, at: int, size: int, message_id: str) -> None:
        """The deliveries of a queued message, through all its retries, to its removal."""
        self._queued(queue_id, mail, at, size)
        done = at + 300_000
        for number, to in enumerate(mail.recipients):
            fate: Fate = mail.fate if number == 0 else "sent"
            done = max(done, self._delivery(queue_id, mail, to, at + 250_000, size, fate, message_id))
        self._line(done + 2_000, "postfix/qmgr", f"{queue_id}: removed")

    def _delivery(self, queue_id: str, mail: Mail, to: str, at: int, size: int, fate: Fate, message_id: str) -> int:
        """One recipient. Returns when it was over. Each retry of a deferred message is announced by the queue manager anew."""
        inside = to.endswith("thainguyen.gov.vn")
        relay = f"{SERVER}[private/dovecot-lmtp]" if inside else f"mx.{to.partition('@')[2]}[198.51.100.7]:25"
        agent = "postfix/lmtp" if inside else "postfix/smtp"
        head = f"{queue_id}: to=<{to}>, relay={relay}, delay=0.4, delays=0.1/0/0.1/0.2"
        if fate in ("deferred", "expired"):
            host = f"mx.{to.partition('@')[2]}[198.51.100.7]:25"
            wait = f"dsn=4.4.1, status=deferred (connect to {host}: Connection timed out)"
            for hours in (1, 9, 20)[: self._random.randint(1, 3)] if fate == "deferred" else (1, 24, 40, 55):
                self._line(at, "postfix/smtp", f"{queue_id}: to=<{to}>, relay=none, delay=30, {wait}")
                at += hours * HOUR
                if fate == "expired" and hours == 55:
                    self._line(
                        at, "postfix/qmgr", f"{queue_id}: from=<{mail.sender}>, status=expired, returned to sender"
                    )
                    self._bounce(queue_id, mail.sender, at + 50_000)
                    return at + 100_000
                self._queued(queue_id, mail, at, size)
                at += 250_000
        if fate == "bounced":
            self._line(
                at,
                agent,
                f"{head}, dsn=5.1.1, status=bounced (host said: 550 5.1.1 <{to}>: Recipient address rejected)",
            )
            self._bounce(queue_id, mail.sender, at + 40_000)
            return at + 90_000
        if fate == "forwarded":  # an alias sends it on: a new queue id, the same message
            onward = self._queue_id(at + 31)
            self._line(at, "postfix/cleanup", f"{onward}: message-id={message_id or '<>'}")
            self._line(
                at + 10_000,
                "postfix/local",
                f"{queue_id}: to=<{to}>, orig_to=<bantin@{SERVER}>, relay=local, delay=0.1, dsn=2.0.0, status=sent "
                f"(forwarded as {onward})",
            )
            self._queued(onward, mail, at + 20_000, size + 200)
            self._line(
                at + 90_000, agent, f"{onward}: {head.partition(': ')[2]}, dsn=2.0.0, status=sent (250 2.0.0 Ok)"
            )
            self._line(at + 95_000, "postfix/qmgr", f"{onward}: removed")
            return at + 12_000
        self._line(at, agent, f"{head}, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued)")
        return at + 1_000

    def _bounce(self, queue_id: str, sender: str, at: int) -> None:
        """The non-delivery report goes out from nobody, under its own queue id and message id."""
        report = self._queue_id(at + 53)
        self._line(at, "postfix/cleanup", f"{report}: message-id=<{self._day:%Y%m%d}.{report}@{SERVER}>")
        self._line(at + 3_000, "postfix/bounce", f"{queue_id}: sender non-delivery notification: {report}")
        self._line(at + 6_000, "postfix/qmgr", f"{report}: from=<>, size=3127, nrcpt=1 (queue active)")
        head = f"{report}: to=<{sender}>, relay={SERVER}[private/dovecot-lmtp], delay=0.1, delays=0/0/0/0.1"
        self._line(at + 30_000, "postfix/lmtp", f"{head}, dsn=2.0.0, status=sent (250 2.0.0 Ok)")
        self._line(at + 32_000, "postfix/qmgr", f"{report}: removed")

    def _rejected(self, mail: Mail, client: str) -> None:
        at = mail.at
        self._line(at, "postfix/smtpd", f"connect from {client}")
        self._line(
            at + 200_000,
            "postfix/smtpd",
            f"NOQUEUE: reject: RCPT from {client}: 553 5.7.1 <{mail.sender}>: Sender address rejected: not logged in; "
            f"from=<{mail.sender}> to=<{mail.recipients[0]}> proto=ESMTP helo=<localhost>",
        )
        self._line(at + 400_000, "postfix/smtpd", f"disconnect from {client}")

    def _noise(self) -> None:
        """What else stands in the log of a mail host."""
        random = self._random
        for _ in range(30 if is_working(self._day) else 12):
            at = random.randrange(2 * SECOND, DAY - 5 * SECOND)
            peer = f"10.19.{random.randrange(1, 30)}.{random.randrange(2, 250)}"
            kind = random.randrange(4)
            if kind == 0:
                number = random.randrange(1, 9)
                self._line(at, "postfix/anvil", f"statistics: max connection rate {number}/60s for (smtp:{peer})")
            elif kind == 1:
                self._line(
                    at,
                    "sshd",
                    f"Failed password for invalid user admin from {peer} port {random.randrange(1024, 65000)} ssh2",
                )
            else:
                user = random.choice(self._world.writers).address
                self._line(at, "dovecot", f"imap-login: Login: user=<{user}>, method=PLAIN, rip={peer}, TLS")
