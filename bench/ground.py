"""What a bench of the aggregator stands on: a broker, a database, workers and contestants, each a process of its own."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.request import urlopen
from uuid import uuid4

from deploy.local.broker import start_broker, wait_for_broker
from schemas.topics import SHAPES, Topic
from services.infra.clickhouse.client import ClickHouseAddress
from services.infra.kafka import KafkaAddress, TopicSpec, ensure_topics

ROOT = Path(__file__).parents[1]
PYTHON = ROOT / ".venv-bench" / "bin" / "python"  # the contestants' own environment
NOW = "2008-09-22T08:00:00+07:00"
_PATIENCE = 900.0


@dataclass(frozen=True)
class Ground:
    """Addresses of a running broker and database."""

    broker: str
    database: int

    def fill(self, count: int, agencies: int, *, per_record: int = 1, rate: float = 0, people: bool = False) -> int:
        """Produce *count* events of mail, or the people of *agencies*; return how many records the broker then has."""
        offsets = self.contestant(
            "produce", Topic.EVENTS.value, count, agencies, per_record, rate, *(["people"] if people else [])
        )
        return sum(offsets.values())

    @contextmanager
    def filling(self, count: int, agencies: int, *, per_record: int = 1) -> Iterator[None]:
        """Produce *count* events of mail while the block runs."""
        command = [str(PYTHON), "-m", "bench.contestants.produce", self.broker, Topic.EVENTS.value]
        arguments = map(str, (count, agencies, per_record, 0))
        process = subprocess.Popen([*command, *arguments], cwd=ROOT, stdout=subprocess.DEVNULL)
        try:
            yield
        finally:
            process.kill()
            process.wait()

    def contestant(self, name: str, *arguments: object) -> Any:
        """Run a contestant to its end; return the JSON that it prints last."""
        command = [str(PYTHON), "-m", f"bench.contestants.{name}", self.broker, *map(str, arguments)]
        ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=_PATIENCE, check=False)
        if not ended.stdout.strip():
            raise RuntimeError(f"{name} ended with {ended.returncode}: {ended.stderr[-2000:]}")
        return json.loads(ended.stdout.strip().splitlines()[-1])

    @contextmanager
    def worker(self, **settings: str) -> Iterator[Worker]:
        """Run one aggregator, in a group and a database of its own, until the block ends."""
        name = f"bench_{uuid4().hex[:8]}"
        port = _free_port()
        env = {
            **os.environ,
            "TIENDO_KAFKA_BOOTSTRAP": self.broker,
            "TIENDO_CLICKHOUSE_PORT": str(self.database),
            "TIENDO_CLICKHOUSE_DATABASE": name,
            "TIENDO_AGGREGATOR_GROUP": name,
            "TIENDO_AGGREGATOR_PORT": str(port),
            "TIENDO_CLOCK": NOW,
            "TIENDO_LOG_LEVEL": "ERROR",
            **settings,
        }
        process = subprocess.Popen([sys.executable, "-m", "services.aggregator"], cwd=ROOT, env=env)
        try:
            yield Worker(process, port, ClickHouseAddress(port=self.database, database=name))
        finally:
            process.terminate()
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@dataclass(frozen=True)
class Worker:
    """A running aggregator."""

    process: subprocess.Popen[bytes]
    port: int
    address: ClickHouseAddress

    def rate(self, count: int) -> dict[str, float]:
        """Return events per second from the assignment of partitions to the acknowledgement of all *count* events."""
        until = time.monotonic() + _PATIENCE
        while '"ready"' not in self._get("/readyz"):
            self._check(until)
            time.sleep(0.01)
        began, used = time.perf_counter(), self._used()
        self.wait_for(count)
        seconds = time.perf_counter() - began
        return {
            "rate": count / seconds,
            "cpu_us": (self._used() - used) / count * 1e6,
            "peak_mb": self.peak_mb(),
            "rows": self.metric("tiendo_aggregator_rows_total") / count,
        }

    def wait_for(self, count: int) -> None:
        """Return once *count* events are written and acknowledged. RuntimeError when that takes far too long."""
        until = time.monotonic() + max(_PATIENCE, count / 5_000)
        while self.metric("tiendo_aggregator_events_total") < count or not self._acknowledged(count):
            self._check(until)
            time.sleep(0.1)

    def metric(self, name: str) -> float:
        """Return a metric's value, over all its labels; 0 while there is none."""
        return sum(float(v) for v in re.findall(rf"^{name}(?:{{[^}}]*}})? (\S+)$", self._get("/metrics"), re.MULTILINE))

    def peak_mb(self) -> float:
        """Return the most memory that the worker's processes have held, each at its own time."""
        return sum(
            int(re.findall(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[0]) / 1024
            for pid in self._pids()
        )

    def _acknowledged(self, count: int) -> bool:
        # All that was written is acknowledged in the same breath; records hold one event or a hundred.
        return self.metric("tiendo_aggregator_records_total") >= count / 100

    def _used(self) -> float:
        ticks = 0
        for pid in self._pids():
            fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def _pids(self) -> list[int]:
        """The worker's process and that in which it folds."""
        own = self.process.pid
        children = [path.read_text().split() for path in Path(f"/proc/{own}/task").glob("*/children")]
        return [own, *(int(pid) for of_thread in children for pid in of_thread)]

    def _get(self, path: str) -> str:
        with suppress(OSError), urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
            text: str = answer.read().decode()
            return text
        return ""

    def _check(self, until: float) -> None:
        if self.process.poll() is not None or time.monotonic() > until:
            raise RuntimeError("the worker ended or came to no end")


@contextmanager
def standing() -> Iterator[Ground]:
    """Run an empty broker with the topics, and an empty database."""
    with TemporaryDirectory(prefix="tiendo-bench-") as folder:
        port, database = _free_port(), _free_port()
        broker = start_broker(Path(folder) / "broker", port)
        server = [sys.executable, "-m", "deploy.local.chdb_server", "--path", f"{folder}/db", "--port", str(database)]
        chdb = subprocess.Popen(server, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        try:
            assert chdb.stdout is not None
            chdb.stdout.readline()
            wait_for_broker(port, process=broker)
            specs = [TopicSpec(topic.value, SHAPES[topic].partitions, SHAPES[topic].config) for topic in Topic]
            ensure_topics(KafkaAddress(f"127.0.0.1:{port}"), specs)
            yield Ground(f"127.0.0.1:{port}", database)
        finally:
            for process in (broker, chdb):
                process.terminate()
                process.wait(60)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
