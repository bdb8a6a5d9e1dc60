"""A rebuild killed at random moments, and a worker that goes on under load while tables are swapped beneath it."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from services.aggregator.adapters.rebuild_store import held_state
from services.aggregator.rebuild import rebuild
from services.aggregator.rebuild_task import Task
from services.infra.clickhouse.client import ClickHouseAddress, open_clickhouse
from services.infra.clickhouse.migrate import migrate
from services.infra.kafka import KafkaAddress
from tests.fixtures.chdb import ROOT, ChdbServer
from tests.integration.rebuild_world import (
    CORRUPTIONS,
    RECEIVED,
    ZONE,
    compute,
    facts,
    figures,
    fresh_fold,
    publish,
    put,
)
from tests.integration.test_aggregator import EVENTS, NOW, Stack, stack, world_events

__all__ = ["stack"]  # the fixture: a broker, a database and workers
pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]  # kills and waits

# The command with smaller chunks, so that there are many moments to be killed at.
_SMALL = (
    "import services.aggregator.rebuild as r, sys; r.Task.__init__.__kwdefaults__['chunk'] = int(sys.argv.pop(1)); "
    "from services.cli.__main__ import main; sys.argv = ['tiendo', 'rebuild', *sys.argv[1:]]; main()"
)


def command(port: int, *options: str, chunk: int = 20, **environment: str) -> subprocess.Popen[bytes]:
    env = {name: value for name, value in os.environ.items() if not name.startswith("TIENDO_")} | {
        "TIENDO_CLICKHOUSE_PORT": str(port),
        "TIENDO_CLOCK": NOW,
        **environment,
    }
    return subprocess.Popen(
        [sys.executable, "-c", _SMALL, str(chunk), *options],
        cwd=ROOT,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


@pytest.mark.parametrize("rounds", [1, pytest.param(15, marks=[pytest.mark.soak, pytest.mark.timeout(3600)])])
def test_killed_at_any_moment_it_goes_on_and_ends_right(chdb_server: ChdbServer, rounds: int):
    """kill -9 at random moments, again and again, over every stage; what comes out is a fresh fold, damage mended."""
    address = ClickHouseAddress(port=chdb_server.port)
    migrate(address)
    with open_clickhouse(address) as database:
        publish(database)
        put(database, EVENTS)
        compute(database)
        wanted = fresh_fold(chdb_server, EVENTS), figures(database)
        for _, _, corrupt in CORRUPTIONS:
            corrupt(database)
        chance = random.Random(rounds)
        stages: set[str] = set()
        shortest = 0.0
        for _ in range(6 * rounds):
            for _, _, corrupt in CORRUPTIONS[:4]:
                corrupt(database)
            started = time.monotonic()
            process = command(chdb_server.port, "--accept-differences", "--format", "json")
            try:
                process.communicate(timeout=chance.uniform(0.2, 1.0) * shortest if shortest else 120)
                assert process.returncode == 0
                shortest = time.monotonic() - started
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                process.communicate()
                state = held_state(address)
                stages.add(state.stage.value if state else "none")
        process = command(chdb_server.port, "--accept-differences", "--format", "json")
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, err.decode()[-2000:]
        assert json.loads(out)["swapped"]
        assert (facts(database), figures(database)) == wanted
        assert stages - {"none"}, stages


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_every_step_of_the_swap_can_be_the_last(chdb_server: ChdbServer, monkeypatch: pytest.MonkeyPatch):
    """Cut off after any number of statements, a rebuild run again ends right: no table is exchanged twice."""
    from services.aggregator import rebuild as module
    from services.infra.clickhouse.client import ClickHouse

    address = ClickHouseAddress(port=chdb_server.port)
    migrate(address)
    task = Task(
        clickhouse=address,
        kafka=KafkaAddress("127.0.0.1:1"),
        zone=ZONE,
        accept_differences=True,
        pause=0.0,
        tables=("memberships", "items", "schedule"),
    )
    with open_clickhouse(address) as database:
        publish(database)
        put(database, EVENTS)
        compute(database)
        wanted = fresh_fold(chdb_server, EVENTS), figures(database)
        real = ClickHouse.run
        cut = 0

        class Cut(Exception):
            pass

        while True:
            database.run("ALTER TABLE memberships DELETE WHERE person = 'k1:p3' SETTINGS mutations_sync = 2")
            rebuild(replace(task, dry_run=True), lambda: RECEIVED + timedelta(days=1))
            left = cut

            def counted(self: Any, query: str, params: Any = None) -> None:
                nonlocal left
                if left == 0:
                    left -= 1
                    raise Cut
                left -= 1
                real(self, query, params)

            monkeypatch.setattr(ClickHouse, "run", counted)
            try:
                module.rebuild(task, lambda: RECEIVED + timedelta(days=1))
                ended = True
            except Cut:
                ended = False
            monkeypatch.setattr(ClickHouse, "run", real)
            if not ended:
                assert module.rebuild(task, lambda: RECEIVED + timedelta(days=1)).swapped
            assert facts(database) == wanted[0], f"cut after {cut} statements"
            if ended:
                break
            cut += 2
        assert cut >= 8
        assert figures(database) == wanted[1]


def test_a_worker_that_goes_on_loses_nothing(stack: Stack):
    """Records flow through a real worker while the tables are rebuilt and swapped, twice; every fact is there."""
    world = world_events()

    def fresh(n: int) -> list[Any]:
        return [msgspec.structs.replace(event, source=f"{event.source}{n}") for event in world]

    address = stack.address
    stack.start()
    stack.publish_plan()
    events = [event for n in range(5) for event in fresh(n)]
    stack.publish_events(events, size=20)
    stack.wait(lambda: stack.query("SELECT count() > 0 FROM activity") == [(1,)])
    for n in range(2):
        process = command(address.port, "--accept-differences", "--format", "json", chunk=2000)
        # Every event is sent once only: what a swap lost nothing would bring back.
        while process.poll() is None:
            events += (more := fresh(len(events)))
            stack.publish_events(more, size=[1, 20][n])
            time.sleep(0.3)
        out, err = process.communicate()
        assert process.returncode == 0, err.decode()[-2000:]
        report = json.loads(out)
        assert report["swapped"]
        # The running tables may lack what is under way; the new ones lack nothing of what was compared.
        assert [one for one in report["differences"] if one["surplus"]] == []
    stack.wait(lambda: stack.query("SELECT uniqExact(source, id) FROM events") == [(len(events),)], 120)
    stack.wait(lambda: not stack.query("SELECT 1 FROM outstanding LIMIT 1"), 120)
    with open_clickhouse(address) as database:
        assert facts(database) == fresh_fold(stack.database, events)


def test_from_kafka_the_topic_says_what_is_true(stack: Stack):
    """From the topic: facts damaged come back, and what the archive has lost is put into it again."""
    worker = stack.start()
    stack.publish_plan()
    stack.publish_events(EVENTS, size=20)
    stack.wait_for(EVENTS)
    with open_clickhouse(stack.address) as database:
        wanted = fresh_fold(stack.database, EVENTS), figures(database)
        database.run("TRUNCATE TABLE activity")
        database.run("ALTER TABLE events DELETE WHERE type = 'mail.used' SETTINGS mutations_sync = 2")
        options = ("--from", "kafka", "--format", "json")
        kafka = {"TIENDO_KAFKA_BOOTSTRAP": stack.broker.bootstrap}
        stopped = command(stack.address.port, *options, **kafka)
        out, err = stopped.communicate(timeout=120)
        assert stopped.returncode == 3, err.decode()[-2000:]
        assert {"activity", "events"} <= {one["table"] for one in json.loads(out)["differences"]}
        done = command(stack.address.port, *options, "--accept-differences", **kafka)
        _, err = done.communicate(timeout=120)
        assert done.returncode == 0, err.decode()[-2000:]
        assert facts(database) == wanted[0]
        assert database.rows("SELECT uniqExact(source, id) FROM events") == [(len(EVENTS),)]
        stack.wait(lambda: figures(database) == wanted[1])
    assert worker.poll() is None
