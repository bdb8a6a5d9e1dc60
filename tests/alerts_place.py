"""A database, a broker and the alerting processes on them that tests start, stop and kill."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from services.infra.clickhouse.client import ClickHouse, ClickHouseAddress, open_clickhouse
from services.infra.clickhouse.migrate import migrate
from tests import alerts_world as world
from tests.fixtures.chdb import ROOT, ChdbServer
from tests.fixtures.kafka import Kafka
from tests.fixtures.needs import free_port
from tests.fixtures.tansu import Tansu


def wait_for(what: str, check: Callable[[], Any], seconds: float = 60) -> Any:
    """Return the first true answer of *check*."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if found := check():
            return found
        time.sleep(0.1)
    raise AssertionError(f"{what}: not within {seconds:g} s")


class Place:
    """A database, a broker, a port for mail, and the processes that a test starts on them."""

    def __init__(self, folder: Path, chdb: ChdbServer, broker: Tansu | Kafka) -> None:
        self.folder = folder
        self.mails = folder / "mails"
        self.broker = broker
        self.mail_port = free_port()
        self.health_port = free_port()
        name = f"alerts_{uuid.uuid4().hex[:10]}"
        self.address = ClickHouseAddress(host=chdb.host, port=chdb.port, database=name)
        migrate(self.address)
        self._started: list[subprocess.Popen[bytes]] = []

    def database(self) -> contextlib.AbstractContextManager[ClickHouse]:
        return open_clickhouse(self.address)

    def start(self, *module: str, **settings: str) -> subprocess.Popen[bytes]:
        env = {name: value for name, value in os.environ.items() if not name.startswith("TIENDO_")}
        with (self.folder / f"{module[0]}.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", *module], cwd=ROOT, env=env | settings, stdout=log, stderr=log
            )
        self._started.append(process)
        return process

    def catcher(self) -> subprocess.Popen[bytes]:
        return self.start("deploy.local.mail_catcher", "--port", str(self.mail_port), "--dir", str(self.mails))

    def alerts(self, **settings: str) -> subprocess.Popen[bytes]:
        return self.start(
            "services.alerts",
            **{
                "TIENDO_CLOCK": world.NOW.isoformat(),
                "TIENDO_KAFKA_BOOTSTRAP": self.broker.bootstrap,
                "TIENDO_CLICKHOUSE_HOST": self.address.host,
                "TIENDO_CLICKHOUSE_PORT": str(self.address.port),
                "TIENDO_CLICKHOUSE_DATABASE": self.address.database,
                "TIENDO_ALERTS_PORT": str(self.health_port),
                "TIENDO_ALERTS_INTERVAL": "0.3",
                "TIENDO_ALERTS_SETTLE": "1",
                "TIENDO_ALERTS_RETRY_FIRST": "0.5",
                "TIENDO_ALERTS_RETRY_LONGEST": "1",
                "TIENDO_ALERTS_SMTP_PORT": str(self.mail_port),
                **settings,
            },
        )

    def log(self) -> str:
        return (self.folder / "services.alerts.log").read_text()

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with self.database() as database:
            return database.rows(query)

    def files(self) -> list[Path]:
        return sorted(self.mails.glob("*.eml"))

    def parsed(self) -> list[EmailMessage]:
        return [message_from_bytes(one.read_bytes(), policy=policy.default) for one in self.files()]  # type: ignore[misc]

    def wait_for_mails(self, count: int) -> list[EmailMessage]:
        wait_for(f"{count} mails", lambda: len(self.files()) >= count)
        return self.parsed()

    def wait_until_all_sent(self) -> None:
        states = "(SELECT id, if(countIf(state = 'sent') > 0, 'sent', 'not') AS state FROM notices GROUP BY id)"
        query = f"SELECT count() > 0 AND countIf(state != 'sent') = 0 FROM {states}"
        wait_for("all notices sent", lambda: self.rows(query)[0][0])

    def wait_until_judged(self, rounds: int = 1) -> None:
        wait_for("a finished round", lambda: self.rows("SELECT count() FROM evaluations")[0][0] >= rounds)

    def end(self, process: subprocess.Popen[bytes], number: signal.Signals = signal.SIGTERM) -> int:
        process.send_signal(number)
        return process.wait(40)

    def stop(self) -> None:
        for process in self._started:
            if process.poll() is None:
                process.kill()
                process.wait(10)
        with open_clickhouse(
            ClickHouseAddress(host=self.address.host, port=self.address.port, database="default")
        ) as one:
            one.run(f"DROP DATABASE {self.address.database}")
