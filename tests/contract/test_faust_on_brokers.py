"""Faust with our settings on the embedded broker and on Apache Kafka: nothing lost, and work goes on after every death."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from services.core.errors import Transient
from services.infra.kafka import Message, Publisher, TopicSpec, ensure_topics, open_producer
from tests.fixtures.kafka import Kafka
from tests.fixtures.tansu import Tansu

ROOT = Path(__file__).parents[2]
# Faust elects its leader by a topic of one partition, which somebody has to make where it may not.
TOPICS = [TopicSpec("probe", 4), TopicSpec("probe-app-__assignor-__leader", 1)]


@pytest.fixture(
    params=[
        pytest.param("tansu", marks=pytest.mark.integration),
        pytest.param("kafka", marks=pytest.mark.kafka),
    ]
)
def broker(request: pytest.FixtureRequest) -> Tansu | Kafka:
    return request.getfixturevalue(request.param)


class Probe:
    """Workers of one Faust app, and what they have written down."""

    def __init__(self, broker: Tansu | Kafka, folder: Path) -> None:
        self._broker = broker
        self._out = folder / "out"
        self._log = folder / "worker.log"
        self.workers: list[subprocess.Popen[bytes]] = []
        self.published = 0

    def start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "tests.fixtures.faust_probe", self._broker.bootstrap, "probe-app", "probe"]
        with self._log.open("ab") as log:
            worker = subprocess.Popen([*command, str(self._out)], cwd=ROOT, stdout=log, stderr=log)
        self.workers.append(worker)
        return worker

    def publish(self, publisher: Publisher, count: int) -> None:
        numbers = range(self.published, self.published + count)
        messages = [Message("probe", b"%d" % number, b"k%d" % (number % 97)) for number in numbers]
        for _ in range(20):
            try:
                publisher.publish(messages)
                break
            except Transient:
                time.sleep(0.5)
        self.published += count

    def lines(self, kind: str) -> list[str]:
        text = self._out.read_text() if self._out.exists() else ""
        return [line for line in text.splitlines() if line.startswith(kind)]

    def wait(self, condition: Callable[[], bool], seconds: float = 60) -> None:
        until = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < until, self._log.read_text()[-3000:]
            time.sleep(0.05)

    def wait_for_all(self) -> None:
        """Return once every number published so far has been written down, however often."""
        self.wait(lambda: {int(line.split()[3]) for line in self.lines("got")} == set(range(self.published)))

    def wait_for_a_leader(self) -> None:
        before = len(self.lines("leader"))
        self.wait(lambda: len(self.lines("leader")) >= before + 3)


@pytest.fixture
def probe(broker: Tansu | Kafka, tmp_path: Path) -> Iterator[Probe]:
    ensure_topics(broker.address, TOPICS)
    probe = Probe(broker, tmp_path)
    yield probe
    for worker in probe.workers:
        worker.kill()
        worker.wait(10)


def test_a_worker_goes_on_where_the_last_one_stopped(broker, probe):
    """After SIGTERM and after kill -9 the next worker reads what is left; a clean end leads to no repetition."""
    with open_producer(broker.address) as publisher:
        probe.publish(publisher, 1000)
        worker = probe.start()
        probe.wait_for_all()
        probe.wait_for_a_leader()

        worker.terminate()
        assert worker.wait(30) == 0
        probe.publish(publisher, 500)
        worker = probe.start()
        probe.wait_for_all()
        assert len(probe.lines("got")) == 1500

        worker.kill()
        worker.wait(10)
        probe.publish(publisher, 500)
        probe.start()
        probe.wait_for_all()
        probe.wait_for_a_leader()


def test_two_workers_share_and_the_leader_is_replaced(broker, probe):
    """Two workers split the partitions; when one leaves, the other takes all of them and leads."""
    with open_producer(broker.address) as publisher:
        first = probe.start()
        probe.wait(lambda: "ready 5" in probe.lines("ready"))
        probe.start()
        # four partitions and the leader's, however they are split
        probe.wait(lambda: sorted(line.split()[1] for line in probe.lines("ready")[-2:]) == ["2", "3"])
        probe.publish(publisher, 1000)
        probe.wait_for_all()

        first.terminate()
        assert first.wait(30) == 0
        probe.wait_for_a_leader()
        probe.publish(publisher, 100)
        probe.wait_for_all()


def test_a_worker_outlives_its_broker(broker, probe):
    """When the broker is killed and comes back, empty or not, the same worker reads on without being restarted."""
    with open_producer(broker.address, patience=4) as publisher:
        probe.publish(publisher, 1000)
        worker = probe.start()
        probe.wait_for_all()

        broker.restart(kill=True)
        ensure_topics(broker.address, TOPICS, timeout=20)
        probe.publish(publisher, 300)
        probe.wait_for_all()
        probe.wait_for_a_leader()
        assert worker.poll() is None
