"""What the connector reads from a real Postfix's own log equals what we know that we sent."""

import json
import os
import subprocess
import sys
from collections import Counter
from datetime import datetime
from pathlib import Path

import pytest

from tests.fixtures.small_gateway import SmallGateway

pytestmark = [pytest.mark.postfix, pytest.mark.integration]
ROOT = Path(__file__).parents[2]
ZONE = "Asia/Ho_Chi_Minh"
AN, BINH = "an@so-tttt.thainguyen.gov.vn", "binh@so-tttt.thainguyen.gov.vn"
CHI, DUNG = "chi@so-yt.thainguyen.gov.vn", "dung@tpthainguyen.thainguyen.gov.vn"
OUTSIDE = "khach@outside.example"


@pytest.fixture
def gateway():
    server = SmallGateway()
    yield server
    server.close()


def run(gateway, state, log, *more):
    """Let the connector read *log* once and return its summary. The log carries local times of the machine's zone."""
    environment = {**os.environ, "TIENDO_TOKEN": "t", "TIENDO_GATEWAY": gateway.url, "TIENDO_ZONE": ZONE}
    environment.pop("TIENDO_CLOCK", None)
    log_zone = os.environ.get("TZ") or datetime.now().astimezone().tzname() or "UTC"
    result = subprocess.run(
        [sys.executable, "-m", "services.ingest.connectors", "connect", "postfix", "--log", str(log), "--source", "/mail/x",
         "--agency", "tinh-x", "--domain", "thainguyen.gov.vn", "--state", str(state), "--format", "json",
         "--log-zone", log_zone, "--list-unparsed", *more],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    summary = json.loads(result.stdout)["connectors"][0]
    unknown = {name: count for name, count in summary["read"].items() if name.startswith("not understood")}
    assert not unknown, f"{unknown}: {result.stderr}"
    return summary


def senders(gateway):
    return Counter(event["data"]["address"] for event in gateway.of_type("mail.used"))


def send_all(server):
    """Send mails of which we know the truth; return who sent."""
    server.send(AN, [BINH, CHI, OUTSIDE])  # several recipients, one of them far away
    server.send(AN, ["tatca@so-tttt.thainguyen.gov.vn"])  # an alias for two; a second mail of the day
    server.send("Binh@So-TTTT.ThaiNguyen.gov.vn", ["giamdoc@so-yt.thainguyen.gov.vn"])  # an alias for one
    server.send(CHI, ["nobody@nowhere.example"])  # bounces, and the bounce is not a mail of anybody's
    server.send("", [DUNG])  # null sender
    server.send(OUTSIDE, [AN, DUNG], client="203.0.113.9")  # from outside
    server.send("root@thainguyen.gov.vn", [AN])  # a system
    server.settle()
    return {AN, BINH, CHI}


@pytest.mark.parametrize("kind", ["postfix", "plain_postfix"], ids=["with a filter that re-injects", "without"])
def test_the_senders_are_those_who_sent(kind, request, gateway, tmp_path):
    """Each once; not the bounce, the null sender, the outsider or the system; every line of the log is understood."""
    server = request.getfixturevalue(kind)
    expected = send_all(server)
    assert server.delivered(BINH) == 2
    assert server.delivered(CHI) >= 2
    summary = run(gateway, tmp_path / "state", server.log)
    days = {event["data"]["day"] for event in gateway.of_type("mail.used")}
    assert set(senders(gateway)) == expected
    assert len(days) <= 2  # two if midnight fell into the test
    assert summary["read"]["ignored: no sender (bounce)"] >= 2
    if kind == "postfix":
        assert summary["read"]["ignored: the same mail again"] >= 4
    now = datetime.now().astimezone()
    for event in gateway.of_type("mail.used"):
        assert abs((now - datetime.fromisoformat(event["time"])).total_seconds()) < 300


def test_a_deferred_mail_counts_once_and_rotation_loses_nothing(plain_postfix, gateway, tmp_path):
    """Postfix rotates and compresses its own log; what was read is not read again, what was not is."""
    server = plain_postfix
    server.send(DUNG, ["cham@later.example"])
    server.settle(deferred=1)
    run(gateway, tmp_path / "state", server.log)
    assert set(senders(gateway)) == {DUNG}
    server.send(AN, [BINH])
    server.settle(deferred=1)
    server.rotate_log()
    server.send(CHI, [BINH])
    server.settle(deferred=1)
    run(gateway, tmp_path / "state", server.log)
    assert set(senders(gateway)) == {DUNG, AN, CHI}
    summary = run(gateway, tmp_path / "state", server.log)
    assert summary["sent"] == 0
    assert gateway.conflicts == []
