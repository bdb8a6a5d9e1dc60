"""The client for integrators against the running gateway: what it takes it delivers, and what is refused it keeps apart."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.client_killed import killed
from tests.fixtures.chdb import ROOT
from tests.fixtures.gateway import TOKEN, Gateway
from tests.fixtures.kafka import Kafka
from tests.fixtures.needs import free_port
from tiendo_client import Client, SpoolFull, SpoolInUse

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]
SOURCE = "/mail/thai-nguyen"
TIME = datetime(2008, 9, 30, 8, tzinfo=UTC)


def document(number: str, **changes: str) -> dict[str, str]:
    whole = {"issuer": "tinh", "number": number, "issued_on": "2008-09-30", "counterpart": "so-y-te", "step": "entered"}
    return whole | {"day": "2008-09-30"} | changes


def client_of(gateway: Gateway, folder: Path, **settings: object) -> Client:
    settings = {"spool": folder / "spool.db", "longest_wait": 0.2} | settings
    return Client(str(gateway.client.base_url), TOKEN, SOURCE, **settings)  # type: ignore[arg-type]


def test_what_is_handed_over_arrives(gateway: Gateway, tmp_path: Path) -> None:
    """Under the ids that follow from the source's own keys; a refused one stands apart with its reason, the others go on."""
    with client_of(gateway, tmp_path, batch=3) as client:
        ids = [
            client.send("document.exchanged", document(f"c/{n}"), agency="tinh", time=TIME, key=f"c/{n}")
            for n in range(8)
        ]
        bad = client.send(
            "document.exchanged", document("c/x", step="posted"), agency="tinh", time=TIME, key="c/x", version=7
        )
        assert client.flush(20), client.trouble
        (refused,) = client.refused()
        assert (refused.reason, refused.pointer) == ("schema", "/data/step")
        assert json.loads(refused.event)["id"] == bad == "c/x/7"
        client.forget([refused])
        assert client.refused() == []
    assert set(ids) <= {one.id for one in gateway.events()}


def test_events_wait_on_disk_while_the_gateway_is_away(gateway: Gateway, tmp_path: Path) -> None:
    """They outlive the client, too; the next one on the same file sends them."""
    away = Client(f"http://127.0.0.1:{free_port()}", TOKEN, SOURCE, spool=tmp_path / "spool.db", longest_wait=0.1)
    away.send("document.exchanged", document("w/1"), agency="tinh", time=TIME, key="w/1")
    assert not away.flush(0.5)
    assert "no connection" in away.trouble
    away.close(timeout=0)
    with client_of(gateway, tmp_path) as client:
        assert client.flush(20), client.trouble
    assert "w/1/1" in {one.id for one in gateway.events()}


def test_a_wrong_token_loses_nothing(gateway: Gateway, tmp_path: Path) -> None:
    """The client says what is the matter, and keeps everything until it has the right one."""
    wrong = Client(str(gateway.client.base_url), "nobody's", SOURCE, spool=tmp_path / "spool.db", longest_wait=0.1)
    wrong.send("document.exchanged", document("t/1"), agency="tinh", time=TIME, key="t/1")
    assert not wrong.flush(1)
    assert "ask operations for a new one" in wrong.trouble
    assert "nobody's" not in wrong.trouble
    wrong.close(timeout=0)
    with client_of(gateway, tmp_path) as client:
        assert client.flush(20), client.trouble


def test_a_spool_has_one_owner_and_an_end(gateway: Gateway, tmp_path: Path) -> None:
    """A second process is told so; above the limit nothing of a call is kept."""
    away = Client(f"http://127.0.0.1:{free_port()}", TOKEN, SOURCE, spool=tmp_path / "spool.db", most=3)
    script = f"from tiendo_client import Client; Client('http://127.0.0.1:1', 't', 's', spool={str(tmp_path / 'spool.db')!r})"
    second = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert SpoolInUse.__name__ in second.stderr
    away.put(*[{"id": str(n)} for n in range(2)])
    with pytest.raises(SpoolFull, match="2 events wait"):
        away.put({"id": "2"}, {"id": "3"})
    assert away.waiting == 2
    away.close(timeout=0)


def test_a_batch_that_is_too_large_is_sent_in_parts(gateway: Gateway, tmp_path: Path) -> None:
    """What the gateway calls too large is halved until it fits."""
    with client_of(gateway, tmp_path, batch=5000) as client:
        client.put(*[
            {"specversion": "1.0", "id": f"l/{n}", "source": SOURCE, "agency": "tinh", "time": "2008-09-30T08:00:00+07:00",
             "type": "vn.tiendo.document.exchanged.v1", "data": document(f"l/{n}")} for n in range(2500)
        ])  # fmt: skip
        assert client.flush(60), client.trouble
        assert client.refused() == []
    assert {f"l/{n}" for n in range(2500)} <= {one.id for one in gateway.events()}


@pytest.mark.kafka
def test_nothing_is_lost_when_everything_is_killed(kafka: Kafka, tmp_path: Path) -> None:
    """The short form (`make soak ONLY=client_killed` is the long one)."""
    killed(kafka, tmp_path, rounds=2, seed=random.SystemRandom().randrange(10**6))
