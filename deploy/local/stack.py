"""The embedded stack: broker, database, mail catcher and the services, on the loopback interface.

Services are started as production runs them, configured by ``TIENDO_…`` variables alone; only addresses differ.
"""

from __future__ import annotations

import fcntl
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from smtplib import SMTP
from urllib.error import URLError
from urllib.request import urlopen

from deploy.local.broker import broker_command
from deploy.local.keys import secret
from deploy.local.mending import LOST, mend
from deploy.local.ports import HOST, Ports
from deploy.local.supervisor import Child, Say, Supervisor
from services.core.errors import Transient
from services.infra.clickhouse.client import ClickHouseAddress, open_clickhouse
from services.infra.clock import CLOCK_VARIABLE, OFFSET_VARIABLE, offset_for, parse_instant
from services.infra.kafka import KafkaAddress, brokers_answer

_READER = "reader"  # the gateway may only read


@dataclass(frozen=True, kw_only=True)
class Stack:
    """A stack's data folder, ports and addresses; *external* is a broker of one's own to use instead of the embedded one."""

    data: Path
    ports: Ports
    external: str | None = None

    @property
    def kafka(self) -> KafkaAddress:
        """The broker."""
        return KafkaAddress(bootstrap=self.external or f"{HOST}:{self.ports.broker}")

    @property
    def clickhouse(self) -> ClickHouseAddress:
        """The database, as the services that write see it."""
        return ClickHouseAddress(
            host=HOST, port=self.ports.database, password=secret(self.data / "secrets", "clickhouse")
        )

    @property
    def gateway(self) -> str:
        """The gateway's URL."""
        return f"http://{HOST}:{self.ports.gateway}"

    @property
    def board(self) -> str:
        """The board's URL."""
        return f"http://{HOST}:{self.ports.board}"

    @property
    def mails(self) -> Path:
        """Where mails land."""
        return self.data / "mails"

    @property
    def operations_token(self) -> str:
        """The token with which operations show and replay refused events, and write through the board."""
        return secret(self.data / "secrets", "operations")

    def board_tokens(self) -> Path:
        """Write the file of those who may write through the board, operations alone, and return where it is."""
        path = self.data / "secrets" / "board-tokens"
        path.write_text(f"operations {sha256(self.operations_token.encode()).hexdigest()}\n", encoding="ascii")
        path.chmod(0o600)
        return path

    def environment(self) -> dict[str, str]:
        """Return the ``TIENDO_…`` variables with which commands reach this stack."""
        return self.addresses() | {"TIENDO_OPERATIONS_TOKEN": self.operations_token}

    def addresses(self) -> dict[str, str]:
        """Return the ``TIENDO_…`` variables with which services reach each other."""
        return {
            "TIENDO_KAFKA_BOOTSTRAP": self.kafka.bootstrap,
            "TIENDO_CLICKHOUSE_HOST": HOST,
            "TIENDO_CLICKHOUSE_PORT": str(self.ports.database),
            "TIENDO_CLICKHOUSE_PASSWORD": self.clickhouse.password,
            "TIENDO_GATEWAY": self.gateway,
            "TIENDO_BOARD": self.board,
        }


def shared_clock(environment: dict[str, str]) -> dict[str, str]:
    """Return the clock's variables for all children: one shift, fixed now, so that they agree.

    Raises ValueError where ``TIENDO_CLOCK`` cannot be read.
    """
    setting = environment.get(CLOCK_VARIABLE, "")
    if not setting:
        return {}
    if setting.startswith("@"):
        return {CLOCK_VARIABLE: setting}
    shift = offset_for(parse_instant(setting))
    return {CLOCK_VARIABLE: setting, OFFSET_VARIABLE: str(shift.total_seconds())}


def _ready(url: str) -> bool:
    try:
        with urlopen(f"{url}/readyz", timeout=2) as answer:  # noqa: S310 -- our own http address
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False


def _database_answers(address: ClickHouseAddress) -> bool:
    server = ClickHouseAddress(
        host=address.host, port=address.port, database="default", password=address.password, timeout_s=3
    )
    try:
        with open_clickhouse(server) as client:
            return bool(client.rows("SELECT 1"))
    except Transient:
        return False


def _mail_answers(port: int) -> bool:
    try:
        with SMTP(HOST, port, timeout=2) as server:
            return server.noop()[0] == 250
    except OSError:
        return False


def children(stack: Stack, clock: dict[str, str], say: Say) -> list[Child]:
    """Return the processes in the order in which they start."""
    ports, keys = stack.ports, stack.data / "secrets"
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TIENDO_")}
    base = kept | stack.addresses() | clock | {"PYTHONUNBUFFERED": "1"}
    starts = {"count": 0}

    def mend_broker() -> None:
        restored = mend(stack.kafka, stack.clickhouse)
        if starts["count"] and not stack.external:
            say(f"the broker's memory is mended ({restored} records made anew); {LOST}")
        starts["count"] += 1

    def python(name: str, *module: str, health: int, **env: str) -> Child:
        return Child(
            name=name,
            command=(sys.executable, "-m", *module),
            env=base | env,
            healthy=lambda: _ready(f"http://{HOST}:{health}"),
        )

    database = Child(
        name="database",
        command=(
            *(sys.executable, "-m", "deploy.local.chdb_server", "--host", HOST, "--port", str(ports.database)),
            *("--path", str(stack.data / "clickhouse"), "--readonly-user", _READER),
        ),
        env=kept
        | {
            "TIENDO_CHDB_PASSWORD": stack.clickhouse.password,
            "TIENDO_CHDB_READONLY_PASSWORD": secret(keys, "clickhouse-reader"),
        },
        healthy=lambda: _database_answers(stack.clickhouse),
        mend=mend_broker if stack.external else None,
    )
    broker = Child(
        name="broker",
        command=tuple(broker_command(stack.data / "broker", ports.broker)),
        env=kept,
        healthy=lambda: brokers_answer(stack.kafka, timeout=2),
        mend=mend_broker,
        grace=2,
    )
    mail = Child(
        name="mail",
        command=(
            *(sys.executable, "-m", "deploy.local.mail_catcher"),
            *("--port", str(ports.mail), "--dir", str(stack.mails)),
        ),
        env=kept,
        healthy=lambda: _mail_answers(ports.mail),
    )
    services = [
        python(
            "ingest",
            "services.ingest",
            health=ports.gateway,
            TIENDO_INGEST_PORT=str(ports.gateway),
            TIENDO_INGEST_KEY=secret(keys, "ingest"),
            TIENDO_INGEST_KEY_ID="k1",
            TIENDO_INGEST_OPERATIONS_TOKEN_SHA256=sha256(stack.operations_token.encode()).hexdigest(),
            TIENDO_CLICKHOUSE_USER=_READER,
            TIENDO_CLICKHOUSE_PASSWORD=secret(keys, "clickhouse-reader"),
        ),
        python(
            "aggregator",
            "services.aggregator",
            health=ports.aggregator,
            TIENDO_AGGREGATOR_PORT=str(ports.aggregator),
        ),
        python(
            "alerts",
            "services.alerts",
            health=ports.alerts,
            TIENDO_ALERTS_PORT=str(ports.alerts),
            TIENDO_ALERTS_SMTP_HOST=HOST,
            TIENDO_ALERTS_SMTP_PORT=str(ports.mail),
            TIENDO_BOARD_URL=stack.board,
            TIENDO_ANSWER_KEY=secret(keys, "answers"),
        ),
        python(
            "board",
            "services.board",
            health=ports.board,
            TIENDO_BOARD_PORT=str(ports.board),
            TIENDO_BOARD_TOKENS_FILE=str(stack.board_tokens()),
            TIENDO_ANSWER_KEY=secret(keys, "answers"),
            TIENDO_CLICKHOUSE_USER=_READER,
            TIENDO_CLICKHOUSE_PASSWORD=secret(keys, "clickhouse-reader"),
        ),
    ]
    return [database, *([] if stack.external else [broker]), mail, *services]


@contextmanager
def own(data: Path) -> Iterator[None]:
    """Hold the data folder for this process. Raises Transient while another stack runs on it."""
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (data / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as fault:
            raise Transient(f"another stack runs on {data}; stop it, or choose another folder with --data") from fault
        yield


@contextmanager
def running(stack: Stack, clock: dict[str, str], say: Say) -> Iterator[Supervisor]:
    """Start everything, yield once all is healthy, stop everything. ``<data>/stack.json`` says what runs where meanwhile.

    Raises Transient, with nothing left running, when a part does not become healthy.
    """
    with own(stack.data):
        supervisor = Supervisor(stack.data / "logs", say)
        note = stack.data / "stack.json"
        try:
            for child in children(stack, clock, say):
                supervisor.start(child)
            note.write_text(json.dumps({"ports": asdict(stack.ports), "clock": clock}, indent=2) + "\n")
            yield supervisor
        finally:
            with suppress(FileNotFoundError):
                note.unlink()
            supervisor.stop()
