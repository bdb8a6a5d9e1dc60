"""Warnings under faults: two evaluators, a broker, a database and a mail server that are killed and stopped through the year.

The clock goes on once the day has been judged. What is compared is the set of Message-IDs that the mail server has taken.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from email import message_from_bytes
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.request import urlopen

from aiosmtpd.controller import Controller

from deploy.local.mending import make_topics
from deploy.local.supervisor import Child, Supervisor
from schemas.topics import Topic
from schemas.warnings import WARNING_RECORD, Record, record_key
from services.core.errors import Transient
from services.infra.clickhouse.client import ClickHouseAddress, open_clickhouse
from services.infra.clickhouse.migrate import migrate
from services.infra.kafka import Message, open_producer
from tests.fixtures.chdb import ROOT, ChdbServer
from tests.fixtures.kafka import Kafka
from tests.fixtures.needs import free_port
from tests.fixtures.tansu import Tansu
from tests.year_figures import START, span
from tests.year_script import OUTAGES, SILENCES, ZONE, answers_on
from tests.year_tables import fill, write_reports

T = TypeVar("T")
PLAN: Final = "thai-nguyen-2008"
NAMES: Final = ("first", "second")
AT_WORK: Final = 8  # o'clock, when mails go out


class MailServer:
    """Keeps the Message-ID of every mail that it takes; can be away, and have the evaluators killed on taking one."""

    def __init__(self) -> None:
        self.port = free_port()
        self.taken: list[str] = []
        self.on_next: Callable[[], object] | None = None
        self._controller: Controller | None = None

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        """Keep the mail; whoever is to be killed on it gets no answer."""
        self.taken.append(str(message_from_bytes(envelope.content)["Message-ID"]))
        if self.on_next is not None:
            strike, self.on_next = self.on_next, None
            strike()
        return "250 OK"

    def start(self) -> None:
        """Take mails again."""
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port)
        self._controller.start()

    def stop(self) -> None:
        """Be away."""
        if self._controller is not None:
            self._controller.stop()
            self._controller = None


@dataclass
class Storm:
    """The site with its evaluators, and the year that goes on in it."""

    broker: Kafka | Tansu
    chdb: ChdbServer
    folder: Path
    database: str
    said: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.began = time.monotonic()
        self.mail = MailServer()
        self.address = ClickHouseAddress(port=self.chdb.port, database=self.database)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.clock = self.folder / "clock"
        self.ports = {name: free_port() for name in NAMES}
        self.supervisor = Supervisor(self.folder / "logs", self.say)
        self.faults: Counter[str] = Counter()

    def say(self, line: str) -> None:
        """Note *line* with the real time."""
        self.said.append(line)
        print(f"{time.monotonic() - self.began:7.1f} s  {line}", flush=True)

    def start(self, until: date) -> None:
        """Fill the database with the year up to *until*, and start mail server and evaluators on its first morning."""
        make_topics(self.broker.address)
        migrate(self.address)
        with open_clickhouse(self.address) as database:
            fill(database, until)
        self.mail.start()
        self.set_clock(START + timedelta(days=1))
        for name in NAMES:
            self.supervisor.start(self._child(name))

    def stop(self) -> None:
        """End everything that was started here."""
        self.supervisor.stop()
        self.mail.stop()

    def set_clock(self, morning: date) -> None:
        """Let it be eight o'clock on *morning*."""
        moment = datetime.combine(morning, datetime.min.time(), ZONE).replace(hour=AT_WORK)
        fresh = self.clock.with_suffix(".new")
        fresh.write_text(moment.isoformat(), encoding="ascii")
        fresh.replace(self.clock)

    def live(self, mornings: Sequence[date], fault: Callable[[date], object] = lambda morning: None) -> None:
        """Go from morning to morning; *fault* may begin one as soon as the clock shows the next."""
        for before, morning in zip([START, *mornings], mornings, strict=False):
            self._say_what_people_say(before, morning)
            self._feeds_come_back(before, morning)
            self.set_clock(morning)
            fault(morning)
            self.wait(f"{morning} judged", lambda day=morning - timedelta(days=1): self._judged(day))

    def settle(self, evening: date) -> None:
        """Wait until every notice has been sent that is due by *evening*."""
        self.set_clock(evening)
        self.wait("the last day judged", lambda: self._judged(evening - timedelta(days=1)))
        self.wait("all mails sent", lambda: self.rows(_UNSENT) == [(0,)])

    def wait(self, what: str, check: Callable[[], object], seconds: float = 180) -> None:
        """Return once *check* is true; a database that is away is waited for."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            with suppress(Transient):
                if check():
                    return
            time.sleep(0.05)
        raise AssertionError(f"{what}: not within {seconds:g} s; {self.last_words()}")

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Return rows of the database."""
        with open_clickhouse(self.address) as database:
            return database.rows(query)

    def insist(self, call: Callable[[], T], seconds: float = 120) -> T:
        """Return what *call* returns, once database and broker let it."""
        until = time.monotonic() + seconds
        while True:
            try:
                return call()
            except Transient:
                if time.monotonic() > until:
                    raise
                time.sleep(0.2)

    def notices(self) -> dict[str, str]:
        """Return the recorded notices by Message-ID's first part: to whom, which, when, and what they tell."""
        rows = self.rows(
            "SELECT id, agency, recipient, about, number, min(at), arraySort(groupUniqArrayArray(arrayMap(one -> "
            "substring(one, 1, 6), transitions))) FROM notices GROUP BY id, agency, recipient, about, number"
        )
        return {row[0]: f"{row[5]:%Y-%m-%d} {' '.join(map(str, row[1:5]))}: {' '.join(row[6])}" for row in rows}

    def leaders(self) -> list[str]:
        """Return who says that it leads."""
        return [name for name in NAMES if "tiendo_alerts_leader 1.0" in self._get(name, "/metrics")]

    def signal(self, name: str, number: signal.Signals) -> None:
        """Send a signal to an evaluator that may have ended."""
        with suppress(ProcessLookupError):
            os.kill(self.supervisor.pid(name), number)

    def last_words(self) -> str:
        """Return the ends of the evaluators' logs."""
        logs = [self.folder / "logs" / f"{name}.log" for name in NAMES]
        return "\n".join(log.read_text(errors="replace")[-1500:] for log in logs if log.exists())

    def _judged(self, day: date) -> bool:
        rows = self.rows(f"SELECT day FROM evaluations FINAL WHERE plan = '{PLAN}'")
        return bool(rows and rows[0][0] >= day)

    def _say_what_people_say(self, before: date, morning: date) -> None:
        """Publish what was answered or silenced between two mornings, one after the other, each taken up before the next."""
        silences = [one for one in SILENCES if before < one.at.astimezone(ZONE).date() <= morning]
        self._publish(silences)
        for one in silences:
            self.wait("a silence", lambda one=one: self.rows(f"SELECT 1 FROM silences WHERE id = '{one.id}'"))
        days = span(before + timedelta(days=1), morning)
        for answer in self.insist(lambda: [one for day in days for one in answers_on(day, self._opened)]):
            self._publish([answer])
            taken = f"SELECT 1 FROM warnings WHERE answer = '{answer.id}'"
            self.wait("an answer taken up", lambda taken=taken: self.rows(taken))

    def _feeds_come_back(self, before: date, morning: date) -> None:
        back = [one for one in OUTAGES if before < one.back <= morning]
        if not back:
            return
        since = self.insist(lambda: self._write_reports(max(one.back for one in back)))
        self.wait(
            "reports judged",
            lambda: self.rows(f"SELECT basis FROM evaluations FINAL WHERE plan = '{PLAN}'")[0][0] > since,
        )

    def _write_reports(self, day: date) -> datetime:
        with open_clickhouse(self.address) as database:
            ((since, last),) = database.rows("SELECT now64(6, 'UTC'), max(day) FROM adoption")
            write_reports(database, day, last)
        return since  # type: ignore[no-any-return]

    def _opened(self, agency: str, cause: str) -> int | None:
        found = self.rows(
            f"SELECT record FROM warnings FINAL WHERE agency = '{agency}' AND cause = '{cause}' ORDER BY sequence DESC LIMIT 1"
        )
        return WARNING_RECORD.validate_json(found[0][0]).opened if found else None  # type: ignore[union-attr]

    def _publish(self, records: Iterable[Record]) -> None:
        messages = [
            Message(Topic.WARNINGS.value, WARNING_RECORD.dump_json(one, by_alias=True), record_key(one).encode())
            for one in records
        ]

        def publish() -> None:
            with open_producer(self.broker.address) as producer:
                producer.publish(messages)

        self.insist(publish)

    def _get(self, name: str, path: str) -> str:
        with suppress(OSError), urlopen(f"http://127.0.0.1:{self.ports[name]}{path}", timeout=1) as answer:
            return str(answer.read().decode())
        return ""

    def _child(self, name: str) -> Child:
        env = {key: value for key, value in os.environ.items() if not key.startswith("TIENDO_")} | {
            "PYTHONPATH": str(ROOT),
            "TIENDO_CLOCK": f"@{self.clock}",
            "TIENDO_KAFKA_BOOTSTRAP": self.broker.bootstrap,
            "TIENDO_CLICKHOUSE_PORT": str(self.address.port),
            "TIENDO_CLICKHOUSE_DATABASE": self.address.database,
            "TIENDO_ALERTS_PORT": str(self.ports[name]),
            "TIENDO_ALERTS_INTERVAL": "0.1",
            "TIENDO_ALERTS_SETTLE": "0",
            "TIENDO_ALERTS_RETRY_FIRST": "0.3",
            "TIENDO_ALERTS_RETRY_LONGEST": "1",
            "TIENDO_ALERTS_SMTP_PORT": str(self.mail.port),
            "TIENDO_ALERTS_SMTP_TIMEOUT": "5",
            "TIENDO_ALERTS_TOO_OLD": "1000",  # the clock goes on by days in seconds
        }
        command = (sys.executable, "-m", "services.alerts")
        return Child(name=name, command=command, env=env, healthy=lambda: bool(self._get(name, "/healthz")))


_UNSENT = "SELECT count() FROM (SELECT id FROM notices GROUP BY id HAVING countIf(state = 'sent') = 0)"
