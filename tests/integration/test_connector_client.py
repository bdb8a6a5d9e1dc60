"""The sending client and whole connector processes against a real HTTP server that fails as real ones do."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from threading import Event, Timer

import httpx
import pytest

from services.ingest.connectors import client as client_module
from services.ingest.connectors.client import Gateway
from services.ingest.connectors.errors import CannotGoOn, Stopped
from tests.fixtures.needs import free_port
from tests.fixtures.small_gateway import SmallGateway

pytestmark = pytest.mark.integration
ROOT = Path(__file__).parents[2]
MAPPING = ROOT / "examples" / "thai-nguyen-2008" / "mappings" / "handling.yaml"


@pytest.fixture
def gateway():
    server = SmallGateway()
    yield server
    server.close()


@pytest.fixture
def http(monkeypatch):
    monkeypatch.setattr(client_module, "_FIRST_WAIT", 0.02)
    with httpx.Client(timeout=5, trust_env=False) as pool:
        yield pool


def batch(count, start=0):
    return [json.dumps({"source": "/x", "id": f"e{start + n}", "type": "t"}).encode() for n in range(count)]


def test_all_accepted(gateway, http):
    """202: counted, in one request."""
    answer = Gateway(http, gateway.url, "t", Event()).send(batch(500))
    assert (answer.accepted, answer.rejected, gateway.batches) == (500, (), [500])


@pytest.mark.parametrize(("refused", "status"), [(3, 207), (10, 422)])
def test_refused_events_are_an_answer(gateway, http, refused, status):
    """207 and 422 are answers: each refusal with its place and reason, nothing sent again."""
    gateway.refuse = lambda event: "schema" if int(event["id"][1:]) < refused else None
    answer = Gateway(http, gateway.url, "t", Event()).send(batch(10))
    assert answer.accepted == 10 - refused
    assert [(one.index, one.reason) for one in answer.rejected] == [(n, "schema") for n in range(refused)]
    assert gateway.statuses == {status: 1}
    assert gateway.requests == 1


def test_what_passes_is_waited_out(gateway, http):
    """429, 500, 502, 503: sent again until it is taken."""
    gateway.plan = [(503, {}), (500, {}), (429, {}), (502, {})]
    answer = Gateway(http, gateway.url, "t", Event()).send(batch(2))
    assert (answer.accepted, answer.retries, gateway.requests) == (2, 4, 5)


def test_retry_after_is_honoured(gateway, http):
    """In seconds, or as a date that counts from the answer's own."""
    gateway.plan = [
        (503, {"Retry-After": "1"}),
        (429, {"Retry-After": "Wed, 01 Oct 2008 01:00:02 GMT", "Date": "Wed, 01 Oct 2008 01:00:01 GMT"}),
    ]
    begun = time.monotonic()
    Gateway(http, gateway.url, "t", Event()).send(batch(1))
    assert time.monotonic() - begun >= 2


def test_a_gateway_that_is_away_is_waited_for(http):
    """From the first event on, for as long as it takes."""
    port, servers = free_port(), []
    timer = Timer(0.6, lambda: servers.append(SmallGateway(port)))
    timer.start()
    try:
        answer = Gateway(http, f"http://127.0.0.1:{port}", "t", Event()).send(batch(5))
    finally:
        timer.join()
        for server in servers:
            server.close()
    assert answer.accepted == 5
    assert answer.retries > 0


def test_an_answer_that_does_not_add_up_is_none(gateway, http):
    """A proxy's friendly page is no acceptance."""
    gateway.plan = [(202, {}), (207, {})]
    answer = Gateway(http, gateway.url, "t", Event()).send(batch(5))
    assert (answer.accepted, answer.retries) == (5, 2)


def test_a_batch_that_is_too_large_is_halved(gateway, http):
    """Until it fits; the places of refused events stay those of the batch."""
    gateway.largest = 3
    gateway.refuse = lambda event: "schema" if event["id"] == "e8" else None
    answer = Gateway(http, gateway.url, "t", Event()).send(batch(10))
    assert answer.accepted == 9
    assert [(one.index, one.reason) for one in answer.rejected] == [(8, "schema")]
    gateway.largest = 0
    assert [one.reason for one in Gateway(http, gateway.url, "t", Event()).send(batch(2)).rejected] == ["too-large"] * 2


@pytest.mark.parametrize(
    ("status", "told"), [(401, "refused the token"), (403, "refused the token"), (404, "check the address")]
)
def test_what_only_a_person_can_mend_stops(gateway, http, status, told):
    """At once, with what to do; the token is not told."""
    gateway.plan = [(status, {})]
    with pytest.raises(CannotGoOn, match=told) as caught:
        Gateway(http, gateway.url, "very-secret", Event()).send(batch(1))
    assert "very-secret" not in str(caught.value)


def test_a_wait_can_be_ended(http):
    """Ctrl-C does not wait for a gateway."""
    stop = Event()
    Timer(0.2, stop.set).start()
    with pytest.raises(Stopped):
        Gateway(http, f"http://127.0.0.1:{free_port()}", "t", stop).send(batch(1))


def mail_log(path, days, per_day=40, first=0):
    """Write a log: each sender's Message-IDs are its own; every third mail comes back from a filter."""
    texts, number = [], first
    for day in range(1, days + 1):
        for n in range(per_day):
            number += 1
            head = f"2008-06-{day:02d}T{8 + n // 6:02d}:{n % 6 * 10:02d}:00+07:00 mail postfix/"
            for queue in (f"A{number:X}", f"B{number:X}")[: 1 + (n % 3 == 0)]:
                texts += [
                    f"{head}smtpd[1]: {queue}: client=pc[10.0.0.9]",
                    f"{head}cleanup[1]: {queue}: message-id=<{number}@x>",
                    f"{head}qmgr[1]: {queue}: from=<a{n % 23}@thainguyen.gov.vn>, size=4, nrcpt=1 (queue active)",
                    f"{head}qmgr[1]: {queue}: removed",
                ]
    path.write_text("\n".join(texts) + "\n")


def connect(gateway, state, *args):
    environment = {**os.environ, "TIENDO_TOKEN": "t", "TIENDO_GATEWAY": gateway.url, "PYTHONUNBUFFERED": "1"}
    return subprocess.Popen(
        [sys.executable, "-m", "services.ingest.connectors", "connect", *args, "--state", str(state), "--format", "json"],
        cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def postfix(gateway, state, log, *more):
    return connect(
        gateway, state, "postfix", "--log", str(log), "--source", "/mail/x", "--agency", "tinh-x",
        "--domain", "thainguyen.gov.vn", *more,
    )  # fmt: skip


def done(process, code=0):
    out, errors = process.communicate(timeout=60)
    assert process.returncode == code, errors
    return json.loads(out)


def test_kill_9_at_any_moment_loses_and_doubles_nothing(tmp_path):
    """Killed again and again while a slow gateway answers: in the end the same events and counts as in one go."""
    log = tmp_path / "mail.log"
    mail_log(log, days=28)
    whole, broken = SmallGateway(), SmallGateway()
    try:
        summary = done(postfix(whole, tmp_path / "whole", log))
        assert summary["totals"]["accepted"] == len(whole.events) == 27 + 28 * 23
        broken.before_answer = lambda _events: time.sleep(0.15)
        chance = random.Random(2008)
        for _ in range(6):
            process = postfix(broken, tmp_path / "broken", log)
            requests = broken.requests
            until = time.monotonic() + 30
            while broken.requests == requests and process.poll() is None and time.monotonic() < until:
                time.sleep(0.01)
            time.sleep(chance.uniform(0, 0.6))
            process.send_signal(signal.SIGKILL)
            process.communicate(timeout=30)
        done(postfix(broken, tmp_path / "broken", log))
        assert broken.events == whole.events
        assert broken.conflicts == []
        assert broken.reported() == whole.reported()
        again = done(postfix(broken, tmp_path / "broken", log))
        assert again["totals"]["sent"] == 0
    finally:
        whole.close()
        broken.close()


def test_follow_goes_on_with_what_is_written_and_ends_on_sigterm(tmp_path, gateway):
    """Over a rotation; SIGTERM is its ordinary end, with the position saved."""
    log = tmp_path / "mail.log"
    mail_log(log, days=1)
    process = postfix(gateway, tmp_path / "state", log, "--follow")
    try:
        wait_for(lambda: len(gateway.events) == 23)
        log.rename(tmp_path / "mail.log.1")
        mail_log(log, days=3, per_day=5, first=5000)
        wait_for(lambda: len(gateway.of_type("feed.reported")) == 2)
    finally:
        process.send_signal(signal.SIGTERM)
        _out, errors = process.communicate(timeout=30)
    assert process.returncode == 0, errors
    assert gateway.conflicts == []
    assert done(postfix(gateway, tmp_path / "state", log))["totals"]["sent"] == 0


def wait_for(met, timeout=30.0):
    until = time.monotonic() + timeout
    while not met():
        assert time.monotonic() < until, "did not come to pass"
        time.sleep(0.05)


def test_the_gateway_goes_away_in_the_middle(tmp_path):
    """The connector waits and goes on by itself."""
    log, port = tmp_path / "mail.log", free_port()
    mail_log(log, days=28)
    first = SmallGateway(port)
    first.before_answer = lambda _events: time.sleep(0.4)
    process = postfix(first, tmp_path / "state", log)
    wait_for(lambda: first.requests > 0)
    first.close()
    time.sleep(1)
    taken = dict(first.events)
    second = SmallGateway(port)
    try:
        assert done(process)["totals"]["retries"] > 0
        assert len(taken | second.events) == 27 + 28 * 23
        assert len(second.events) > 0
    finally:
        second.close()


def test_refused_events_are_kept_beside_the_state(tmp_path, gateway):
    """With their reasons, for their owner's eyes only; exit code 1; never sent again."""
    log = tmp_path / "mail.log"
    mail_log(log, days=2)
    gateway.refuse = lambda event: "schema" if event["data"].get("address", "").startswith("a7@") else None
    summary = done(postfix(gateway, tmp_path / "state", log), code=1)
    assert summary["totals"]["rejected"] == {"schema": 2}
    kept = tmp_path / "state" / "postfix.rejected.jsonl"
    assert [json.loads(line)["reason"] for line in kept.read_text().splitlines()] == ["schema"] * 2
    assert kept.stat().st_mode & 0o077 == 0
    requests = gateway.requests
    done(postfix(gateway, tmp_path / "state", log))
    assert gateway.requests == requests


def test_a_wrong_token_ends_with_what_to_do(tmp_path, gateway):
    """Exit code 3; nothing is remembered, so that the right token loses nothing."""
    log = tmp_path / "mail.log"
    mail_log(log, days=2)
    gateway.tokens = {"another"}
    summary = done(postfix(gateway, tmp_path / "state", log), code=3)
    assert "check that it is this source's token" in summary["connectors"][0]["stopped"]
    gateway.tokens = {"t"}
    assert done(postfix(gateway, tmp_path / "state", log))["totals"]["accepted"] == 1 + 2 * 23


def test_a_register_is_killed_and_read_again(tmp_path, gateway):
    """The same for CSV: every statement once, and the day's report right."""
    rows = [f"{n}/VB;{1 + n % 28:02d}/06/2008;;;{1 + n % 28:02d}/06/2008 08:00:00" for n in range(4000)]
    head = "Số;Ngày vào;Ngày xử lý trên mạng;Ngày huỷ;Cập nhật lúc"
    (tmp_path / "handling-20080701T000500+0700.csv").write_text("\n".join([head, *rows]), encoding="utf-8-sig")
    arguments = ("csv", "--mapping", str(MAPPING), "--file", str(tmp_path / "handling-*.csv"), "--source", "/office/x",
                 "--agency", "so-x", "--since", "2008-06-01")  # fmt: skip
    gateway.before_answer = lambda _events: time.sleep(0.2)
    process = connect(gateway, tmp_path / "state", *arguments)
    wait_for(lambda: gateway.requests >= 3)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=30)
    gateway.before_answer = lambda _events: None
    done(connect(gateway, tmp_path / "state", *arguments))
    assert len(gateway.of_type("document.handled")) == 4000
    assert gateway.conflicts == []
    reported = gateway.reported()
    assert len(reported) == 30
    assert sum(reported.values()) == 4000


def emit(gateway, *args, token="t"):
    environment = {**os.environ, "TIENDO_TOKEN": token, "TIENDO_GATEWAY": gateway.url}
    return subprocess.run(
        [sys.executable, "-m", "services.ingest.connectors", "emit", *args],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60,
    )  # fmt: skip


EVENT = {"specversion": "1.0", "source": "/x", "type": "t", "data": {"secret": "Nguyễn"}}


@pytest.mark.parametrize(
    "form",
    [
        pytest.param(lambda events: json.dumps(events), id="array"),
        pytest.param(lambda events: "\n".join(map(json.dumps, events)) + "\n", id="lines"),
        pytest.param(lambda events: "\ufeff" + json.dumps(events, indent=1), id="array with a mark, indented"),
    ],
)
def test_emit_sends_each_event_of_a_file(tmp_path, gateway, form):
    """Batches of 500; repeating the file is harmless."""
    file = tmp_path / "events.json"
    file.write_text(form([{**EVENT, "id": str(n)} for n in range(1200)]))
    for _ in range(2):
        result = emit(gateway, str(file))
        assert result.returncode == 0, result.stderr
        assert "1,200 accepted" in result.stderr
    assert len(gateway.events) == 1200
    assert gateway.batches == [500, 500, 200] * 2


def test_emit_says_what_was_refused(tmp_path, gateway):
    """By place and reason, exit code 1, without repeating what the event holds."""
    file = tmp_path / "events.json"
    file.write_text(json.dumps({**EVENT, "id": "1"}, indent=2))
    gateway.refuse = lambda _event: "unknown-type"
    result = emit(gateway, str(file), "--rejected", str(tmp_path / "refused.jsonl"))
    assert result.returncode == 1
    assert "event 1: unknown-type" in result.stderr
    assert "Nguyễn" not in result.stderr
    assert json.loads((tmp_path / "refused.jsonl").read_text())["event"]["id"] == "1"


def test_emit_refuses_a_file_that_is_no_json(tmp_path, gateway):
    """Naming the line, before anything is sent; exit code 2. A wrong token: 3."""
    file = tmp_path / "events.json"
    file.write_text(json.dumps(EVENT) + "\n{half\n")
    result = emit(gateway, str(file))
    assert (result.returncode, gateway.requests) == (2, 0)
    assert "line 2" in result.stderr
    gateway.tokens = {"another"}
    file.write_text(json.dumps(EVENT))
    assert emit(gateway, str(file)).returncode == 3
