"""Gateway and broker killed at random while events are posted: what was answered 202 must be in the archive."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from services.infra.clickhouse.client import open_clickhouse
from services.infra.clickhouse.migrate import migrate
from tests.chaos_site import Site
from tests.fixtures.chdb import ChdbServer
from tests.fixtures.gateway import BATCH, Gateway, encoded, event, prepare
from tests.fixtures.kafka import Kafka

_SINGLE = "application/cloudevents+json"
_FAULTS = ("gateway", "broker", "both")


def _document(id: str) -> dict[str, object]:
    data = {
        "issuer": "tinh", "number": id, "issued_on": "2008-09-30", "counterpart": "so-y-te", "step": "entered",
        "day": "2008-09-30",
    }  # fmt: skip
    return event(id=id, type="vn.tiendo.document.exchanged.v1", data=data)


@dataclass
class Senders:
    """Post events until told to stop, each under an id of its own, and remember which were answered 202."""

    gateway: Gateway
    accepted: set[str] = field(default_factory=set)
    answers: Counter[str] = field(default_factory=Counter)
    stopped: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Have eight senders of single events and two of batches post until `stopped` is set."""
        asyncio.run(self._all())

    async def _all(self) -> None:
        await asyncio.gather(*(self._send(f"s{n}", 1) for n in range(8)), *(self._send(f"b{n}", 20) for n in range(2)))

    async def _send(self, name: str, size: int) -> None:
        async with httpx.AsyncClient(
            base_url=self.gateway.client.base_url, headers=self.gateway.client.headers, timeout=20
        ) as client:
            turn = 0
            while not self.stopped.is_set():
                turn += 1
                ids = [f"{name}/{turn}/{place}" for place in range(size)]
                whole = [_document(id) for id in ids]
                content, kind = (encoded(whole[0]), _SINGLE) if size == 1 else (encoded(whole), BATCH)
                try:
                    answer = await client.post("/v1/events", content=content, headers={"Content-Type": kind})
                except httpx.TransportError as error:
                    self.answers[type(error).__name__] += 1
                    await asyncio.sleep(0.05)
                    continue
                self.answers[str(answer.status_code)] += 1
                if answer.status_code == 202:
                    self.accepted.update(ids)
                else:
                    assert answer.status_code == 503, answer.text
                    await asyncio.sleep(0.05)


def killed(kafka: Kafka, chdb: ChdbServer, folder: Path, *, rounds: int, seed: int) -> None:
    """Kill *rounds* times, wait until events are accepted again each time, and look for all that was accepted."""
    dice = random.Random(seed)
    print(f"seed {seed}", flush=True)
    prepare(kafka.address)
    site = Site(kafka, chdb, folder)
    gateway = Gateway(kafka.address, folder)
    senders = Senders(gateway)
    posting = threading.Thread(target=senders.run)
    faults: Counter[str] = Counter()
    try:
        migrate(site.address)
        site.start_worker("worker")
        gateway.start()
        posting.start()
        for _ in range(rounds):
            _go_on(senders, dice.randrange(100, 400))
            what = dice.choice(_FAULTS)
            faults[what] += 1
            if what != "broker":
                gateway.kill9()
            if what != "gateway":
                kafka.kill9()
                time.sleep(dice.uniform(0, 1))
                kafka.start()
            if what != "broker":
                gateway.start(ready=False)
        _go_on(senders, 100)
        senders.stopped.set()
        posting.join(60)
        site.settle(120)
        with open_clickhouse(site.address) as database:
            archived = {id for (id,) in database.rows("SELECT DISTINCT id FROM events")}
        missing = senders.accepted - archived
        print(
            f"{dict(faults)}: {len(senders.accepted)} events answered 202, {len(missing)} of them missing in the archive"
        )
        print(f"answers {dict(senders.answers)}; {len(archived)} archived", flush=True)
        assert not missing, sorted(missing)[:10]
    finally:
        senders.stopped.set()
        if posting.is_alive():
            posting.join(60)
        gateway.kill9()
        site.stop()


def _go_on(senders: Senders, count: int, patience: float = 90) -> None:
    """Return once *count* more events have been accepted."""
    wanted, until = len(senders.accepted) + count, time.monotonic() + patience
    while len(senders.accepted) < wanted:
        assert time.monotonic() < until, f"nothing is accepted any more: {dict(senders.answers)}"
        time.sleep(0.02)
