"""The whole stack, as a user runs it: the command, its output, its data folder."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from deploy.local.ports import HOST, free_ports
from deploy.local.stack import Stack, children
from deploy.local.supervisor import Supervisor
from services.infra.clickhouse.client import ClickHouse, open_clickhouse
from tests.fixtures.kafka import Kafka
from tests.fixtures.kafka import _running as running_kafka

EXAMPLE = Path(__file__).parents[2] / "examples" / "thai-nguyen-2008"
PLAN = "thai-nguyen-2008"
DAYS = ("2008-07-31", "2008-09-30")
SEED = 2008


@dataclass(frozen=True)
class Run:
    """A finished `tiendo example run`: what it printed, and where its data lies."""

    data: Path
    output: str

    @property
    def mails(self) -> list[Path]:
        """The mails sent, as files."""
        return sorted((self.data / "mails").glob("*.eml"))

    @contextmanager
    def database(self) -> Iterator[Stack]:
        """Start only the database on the run's data."""
        stack = Stack(data=self.data, ports=free_ports(), external=f"{HOST}:1")
        (child, *_) = children(stack, {}, print)
        supervisor = Supervisor(self.data / "logs", print)
        try:
            supervisor.start(type(child)(**{**child.__dict__, "mend": None}))
            yield stack
        finally:
            supervisor.stop()

    @contextmanager
    def tables(self) -> Iterator[ClickHouse]:
        """Open the run's database."""
        with self.database() as stack, open_clickhouse(stack.clickhouse) as client:
            yield client


def tiendo(
    *arguments: str, env: dict[str, str] | None = None, timeout: float = 600
) -> subprocess.CompletedProcess[str]:
    """Run a `tiendo` command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "services.cli", *arguments],
        env={**os.environ, "COLUMNS": "200", **(env or {})},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def example_run(data: Path, *more: str) -> Run:
    """Run the example on *data*; fails the test with what was printed where it does not end with 0."""
    done = tiendo("example", "run", "--data", str(data), *more)
    assert done.returncode == 0, done.stdout + done.stderr
    return Run(data, done.stdout + done.stderr)


def standing_of(stack: Stack, day: str) -> list[dict[str, Any]]:
    """Return the standing of *day* as `tiendo standing` prints it."""
    done = tiendo("standing", "--plan", PLAN, "--as-of", day, "--format", "json", env=stack.environment())
    assert done.returncode == 0, done.stderr
    rows: list[dict[str, Any]] = json.loads(done.stdout)
    return rows


def as_csv(text: str) -> list[dict[str, str]]:
    """Parse CSV output."""
    return list(csv.DictReader(io.StringIO(text)))


@pytest.fixture(scope="session")
def truth(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the simulator knows by itself: figures of both days, and every address and number that must not leak."""
    folder = tmp_path_factory.mktemp("truth")
    oracle, secrets = folder / "oracle.json", folder / "secrets.json"
    subprocess.run(
        [
            *(sys.executable, str(EXAMPLE / "simulator"), "--seed", str(SEED), "--until", DAYS[-1]),
            *("--out", str(folder / "systems"), "--oracle", str(oracle), "--secrets", str(secrets)),
            *(word for day in DAYS for word in ("--as-of", day)),
        ],
        check=True,
        timeout=300,
    )
    return {**json.loads(oracle.read_text()), "secrets": json.loads(secrets.read_text())}


@pytest.fixture(scope="session")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The example, run once on the embedded stack."""
    return example_run(tmp_path_factory.mktemp("embedded") / "data")


@pytest.fixture(scope="session")
def own_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kafka]:
    """An Apache Kafka that holds nothing but the example's run."""
    yield from running_kafka(tmp_path_factory.mktemp("own-kafka"))


@pytest.fixture(scope="session")
def on_kafka(tmp_path_factory: pytest.TempPathFactory, own_kafka: Kafka) -> Run:
    """The example, run once on a real Apache Kafka, which stays up so that its topics can be read."""
    return example_run(tmp_path_factory.mktemp("kafka-run") / "data", "--broker", own_kafka.bootstrap)
