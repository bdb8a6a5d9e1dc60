"""The worker and the process that folds for it: whichever is killed or stopped, nothing is lost and nobody is left behind."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.aggregator.progress import STALLED
from tests.chaos import Flow, records_of
from tests.chaos_round import compare
from tests.chaos_site import Site
from tests.chaos_world import chaos_events
from tests.fixtures.chdb import ChdbServer
from tests.fixtures.tansu import Tansu

pytestmark = pytest.mark.integration

EVENTS = chaos_events(random.Random(11), 3000, window=300)
WRITTEN = "tiendo_aggregator_events_total"
WORKER = "services.aggregator"


@pytest.fixture
def site(tansu: Tansu, chdb_server: ChdbServer, tmp_path: Path) -> Iterator[Site]:
    """A broker of the test's own with topics and plan, an empty database, no worker yet."""
    site = Site(tansu, chdb_server, tmp_path)
    site.topics()
    site.publish_plan()
    yield site
    site.stop()


def flow(site: Site, seconds: float) -> Flow:
    """Start publishing the events over about *seconds*."""
    started = Flow(site, records_of(random.Random(8), EVENTS), seconds, chunk=50)
    started.start()
    return started


def beside(worker: int) -> int:
    """Return the process that folds for *worker*."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            _, rest = stat.read_text().rsplit(")", 1)
            if int(rest.split()[1]) == worker and b"services.aggregator.fold" in (stat.parent / "cmdline").read_bytes():
                return int(stat.parent.name)
        except (OSError, ValueError):
            continue
    raise AssertionError(f"nobody folds for {worker}")


def gone(pid: int, seconds: float = 10) -> bool:
    """Whether the process has ended, or does so soon; one that nobody has asked how it ended counts as ended."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z":
                return True
        except OSError:
            return True
        time.sleep(0.05)
    return False


def ready(site: Site, name: str, **settings: str) -> subprocess.Popen[bytes]:
    worker = site.spawn(name, WORKER, **settings)
    site.wait(lambda: site.ready(name), 60)
    return worker


def test_killing_the_process_that_folds_loses_nothing(site):
    """kill -9 of it, twice while events flow: the worker ends, its supervisor starts it again, the figures are the oracle's."""
    site.start_worker("worker")
    flowing = flow(site, 12)
    for restarts in (1, 2):
        site.wait(lambda: site.metric("worker", WRITTEN) > 0, 60)
        os.kill(beside(site.supervisor.pid("worker")), signal.SIGKILL)
        site.wait(lambda wanted=restarts: site.supervisor.restarts("worker") == wanted, 60)

    flowing.join(60)
    site.settle(90)
    compare(site, EVENTS)
    assert any("worker ended (exit code 1)" in line for line in site.said), site.said


def test_an_idle_worker_does_not_outlive_the_process_that_folds(site):
    """Killed while nothing is to be folded, it takes the worker with it at once, not at the next batch."""
    worker = ready(site, "worker")

    os.kill(beside(worker.pid), signal.SIGKILL)

    assert worker.wait(20) == 1


def test_the_watchdog_sees_a_stopped_process_although_the_leader_goes_on(site):
    """SIGSTOP of it: the only worker leads and computes, but acknowledges nothing, and is ended; the next one does the rest."""
    worker = ready(site, "worker", TIENDO_AGGREGATOR_WATCHDOG="12")  # longer than the leader rests
    stopped = beside(worker.pid)
    flowing = flow(site, 6)
    site.wait(lambda: site.metric("worker", WRITTEN) > 0, 60)
    os.kill(stopped, signal.SIGSTOP)

    assert worker.wait(60) == STALLED
    assert gone(stopped)

    site.spawn("next", WORKER)
    flowing.join(60)
    site.settle(90)
    compare(site, EVENTS)


def test_a_worker_killed_while_it_is_folded_for_leaves_nobody(site):
    """kill -9 of the worker in the middle of a fold, which SIGSTOP holds up: the process beside goes too."""
    worker = ready(site, "worker")
    folding = beside(worker.pid)
    os.kill(folding, signal.SIGSTOP)
    flow(site, 0.5).join(30)

    worker.kill()

    assert gone(folding)


def test_sigterm_to_everyone_ends_in_order(site):
    """Under load, SIGTERM to worker and process beside, as a service manager sends it: exit code 0, and nothing is lost."""
    worker = ready(site, "worker")
    flowing = flow(site, 8)
    site.wait(lambda: site.metric("worker", WRITTEN) > 0, 60)
    os.kill(beside(worker.pid), signal.SIGTERM)
    time.sleep(0.2)
    worker.send_signal(signal.SIGTERM)

    assert worker.wait(30) == 0
    assert "fault" not in (site.folder / "logs" / "worker.log").read_text()

    site.spawn("next", WORKER)
    flowing.join(60)
    site.settle(90)
    compare(site, EVENTS)
