"""Clients, gateway and broker killed at random: whatever a client had taken from its caller reaches the log."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from tests.fixtures.chdb import ROOT
from tests.fixtures.gateway import TOKEN, Gateway, prepare
from tests.fixtures.kafka import Kafka
from tiendo_client import Client

#: A system of an integrator: hands over events for ever, and says of each on its standard output that it did.
_SYSTEM = """
import datetime, itertools, sys, time
from tiendo_client import Client
client = Client(sys.argv[1], sys.argv[2], "/mail/thai-nguyen", spool=sys.argv[3], longest_wait=0.5)
for number in itertools.count():
    data = {"issuer": "tinh", "number": f"{sys.argv[4]}/{number}", "issued_on": "2008-09-30", "counterpart": "so-y-te",
            "step": "entered", "day": "2008-09-30"}
    id = client.send("document.exchanged", data, agency="tinh", key=data["number"],
                     time=datetime.datetime(2008, 9, 30, tzinfo=datetime.UTC))
    print(id, flush=True)
    time.sleep(0.002)
"""


def killed(kafka: Kafka, folder: Path, *, rounds: int, seed: int) -> None:
    """Kill client, gateway, broker or several, *rounds* times; then let the client's spool drain and look for every event."""
    dice = random.Random(seed)
    print(f"seed {seed}", flush=True)
    prepare(kafka.address)
    gateway = Gateway(kafka.address, folder)
    said, faults = folder / "handed-over", Counter[str]()
    url, spool = str(gateway.client.base_url), folder / "spool.db"
    gateway.start()
    system = None
    try:
        for turn in range(rounds):
            with said.open("ab") as out:
                system = subprocess.Popen(
                    [sys.executable, "-c", _SYSTEM, url, TOKEN, str(spool), str(turn)],
                    stdout=out,
                    cwd=ROOT,
                    env=_environment(),
                )
            _go_on(said, dice.randrange(50, 300))
            victims = dice.sample(("client", "gateway", "broker"), dice.randrange(1, 4))
            for victim in victims:
                faults[victim] += 1
                if victim == "client":
                    system.kill()
                elif victim == "gateway":
                    gateway.kill9()
                else:
                    kafka.kill9()
            _go_on(said, 0 if "client" in victims else 30)  # the client goes on taking events while the rest is away
            system.kill()
            system.wait(10)
            if "broker" in victims:
                kafka.start()
            gateway.kill9()
            gateway.start()
        with Client(url, TOKEN, "/mail/thai-nguyen", spool=spool, longest_wait=0.5) as client:
            drained = client.flush(120)
            trouble, refused = client.trouble, client.refused()
        assert drained, trouble
        assert not refused, refused[:3]
        handed = set(said.read_text().split())
        arrived = [one.id for one in gateway.events()]
        print(f"{dict(faults)}: {len(handed)} events handed over, {len(handed - set(arrived))} of them missing")
        print(f"{len(arrived)} arrived, {len(arrived) - len(set(arrived))} more than once", flush=True)
        assert not handed - set(arrived)
        _in_order(arrived)
    finally:
        if system is not None:
            system.kill()
            system.wait(10)
        gateway.kill9()


def _in_order(arrived: list[str]) -> None:
    """Events of one agency lie in one partition: what arrived first of each is in the order in which it was handed over."""
    first = list(dict.fromkeys(arrived))
    numbers = [tuple(map(int, one.split("/")[:2])) for one in first]
    assert numbers == sorted(numbers)


def _go_on(said: Path, count: int, patience: float = 60) -> None:
    wanted, until = said.stat().st_size + count * 4, time.monotonic() + patience
    while count and said.stat().st_size < wanted:
        assert time.monotonic() < until, "the client takes no events any more"
        time.sleep(0.01)


def _environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(ROOT)}
