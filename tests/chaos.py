"""Faults on purpose: workers, broker and database are killed and stopped while events flow; the end must be the oracle's."""

from __future__ import annotations

import json
import os
import random
import signal
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from schemas import usage
from schemas.topics import Topic
from services.core.errors import Transient
from services.infra.kafka import Message, open_producer
from tests.chaos_site import Site


def records_of(rng: random.Random, events: list[Any]) -> list[Message]:
    """Return *events* in order as records: some hold one event, some a batch of up to 50."""
    messages = []
    at = 0
    while at < len(events):
        size = rng.choice([1, 1, 1, 1, 1, 1, 2, 7, 50]) if rng.random() < 0.3 else 1
        part = events[at : at + size]
        at += size
        single = len(part) == 1 and rng.random() < 0.9
        value = usage.encode_one(part[0]) if single else usage.encode(part)
        kind = usage.SINGLE_CONTENT_TYPE if single else usage.BATCH_CONTENT_TYPE
        key = f"{part[0].agency}{rng.randrange(5)}".encode()
        messages.append(Message(Topic.EVENTS.value, value, key, (("content-type", kind.encode()),)))
    return messages


class Flow(threading.Thread):
    """Publishes records over about *seconds*, a chunk again and again until the broker has it."""

    def __init__(self, site: Site, messages: list[Message], seconds: float, *, chunk: int = 500) -> None:
        super().__init__(name="flow", daemon=True)
        self.site, self.messages, self.seconds, self.chunk = site, messages, seconds, chunk
        self.done = 0
        self.fault: BaseException | None = None
        self.stopping = threading.Event()

    def run(self) -> None:
        try:
            self._publish()
        except BaseException as fault:
            self.fault = fault

    def _publish(self) -> None:
        chunk = self.chunk
        pause = self.seconds * chunk / max(1, len(self.messages))
        with open_producer(self.site.broker.address, patience=5) as producer:
            for start in range(0, len(self.messages), chunk):
                began = time.monotonic()
                while not self.stopping.is_set():
                    try:
                        producer.publish(self.messages[start : start + chunk])
                        break
                    except Transient:
                        time.sleep(0.2)
                self.done = start + chunk
                self.stopping.wait(max(0.0, pause - (time.monotonic() - began)))


@dataclass
class Chaos:
    """Faults at random on a site while *flow* runs; every draw comes from *rng*, so that a seed names a run."""

    site: Site
    rng: random.Random
    workers: list[str]
    away: float
    stalls: tuple[float, float] = (7.0, 12.0)
    counts: dict[str, int] = field(default_factory=dict)
    _stopped: dict[int, float] = field(default_factory=dict)

    def run(self, flow: Flow, pause: tuple[float, float]) -> None:
        """Do every fault at least once, in random order, and go on until the flow has ended."""
        faults = ["kill worker", "stall leader", "stall worker", "kill broker", "kill database", "database away"]
        due: list[str] = []
        while flow.is_alive() or len(self.counts) < len(faults):
            again = len(self.counts) == len(faults)
            due = due or self.rng.sample([f for f in faults if not (again and f == "database away")], k=5 + (not again))
            self._sleep(self.rng.uniform(*pause))
            fault = due.pop()
            self.counts[fault] = self.counts.get(fault, 0) + 1
            self._do(fault)
        self._sleep(max([0.0, *(until - time.monotonic() for until in self._stopped.values())]))
        self.wake(everyone=True)

    def _do(self, fault: str) -> None:
        site = self.site
        match fault:
            case "kill worker":
                name = self.rng.choice(self.workers)
                site.say(f"kill -9 {name}")
                site.signal(name, signal.SIGKILL)
            case "stall leader" | "stall worker":
                leaders = [name for name in self.workers if site.metric(name, "tiendo_aggregator_leader")]
                wanted = leaders if fault == "stall leader" and leaders else self.workers
                name, seconds = self.rng.choice(wanted), self.rng.uniform(*self.stalls)
                site.say(f"SIGSTOP {name}{' (leader)' if name in leaders else ''} for {seconds:.1f} s")
                self._stopped[site.signal(name, signal.SIGSTOP)] = time.monotonic() + seconds
            case "kill broker":
                seconds = self.rng.uniform(0, 3)
                site.say(f"kill -9 broker, away for {seconds:.1f} s")
                site.broker.kill9()
                self._sleep(seconds)
                site.broker.start()
            case "kill database" | "database away":
                seconds = self.away if fault == "database away" else self.rng.uniform(0, 2)
                site.say(f"kill -9 database, away for {seconds:.1f} s")
                site.database.stop(kill=True)
                self._sleep(seconds)
                site.database.start()

    def _sleep(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self.wake()
            time.sleep(min(0.1, left))
        self.wake()

    def wake(self, *, everyone: bool = False) -> None:
        for pid, until in list(self._stopped.items()):
            if everyone or time.monotonic() >= until:
                del self._stopped[pid]
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)


def summary(chaos: Chaos, **more: Any) -> str:
    """Return one line of JSON that says what a round was."""
    restarts = {name: chaos.site.supervisor.restarts(name) for name in chaos.workers}
    return json.dumps({"faults": chaos.counts, "restarts": restarts, **more}, sort_keys=True)
