"""`tiendo up`: healthy, mended after a fault, nothing left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.local.keys import secret
from deploy.local.ports import Ports
from deploy.local.stack import Stack
from services.core.warnings.answer_link import AnswerLink
from services.infra.answer_links import Signer
from services.infra.clickhouse.client import open_clickhouse
from tests.e2e.conftest import EXAMPLE, tiendo

pytestmark = [pytest.mark.e2e, pytest.mark.integration, pytest.mark.timeout(600)]
SOURCE = "/mail/thai-nguyen"


@dataclass
class Living:
    """A running stack."""

    stack: Stack
    process: subprocess.Popen[str]

    @property
    def environment(self) -> dict[str, str]:
        return self.stack.environment()

    def token(self, source: str) -> str:
        return (self.stack.data / "tokens" / f"{source.replace('/', '_')}.token").read_text().strip()

    def post(self, body: Any, *, source: str = SOURCE, batch: bool = False) -> httpx.Response:
        kind = "application/cloudevents-batch+json" if batch else "application/cloudevents+json"
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Content-Type": kind, "Authorization": f"Bearer {self.token(source)}"}
        return httpx.post(f"{self.stack.gateway}/v1/events", content=content, headers=headers, timeout=60)

    def silence(self, body: dict[str, Any], token: str) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}"}
        return httpx.post(f"{self.stack.board}/v1/silences", json=body, headers=headers, timeout=60)

    def count(self, query: str) -> int:
        with open_clickhouse(self.stack.clickhouse) as database:
            return int(database.rows(query)[0][0])


def wait_for(what: Callable[[], bool], patience: float = 60) -> None:
    """Wait until *what* holds; an exception counts as not yet."""
    until = time.monotonic() + patience
    while True:
        try:
            if what():
                return
        except Exception:
            if time.monotonic() > until:
                raise
        assert time.monotonic() < until, "it did not come true in time"
        time.sleep(0.2)


def children_of(parent: int) -> dict[int, str]:
    """Return the processes that *parent* started, with their command lines."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                above = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            if above == parent:
                found[int(entry.name)] = line
    return found


@pytest.fixture(scope="module")
def living(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Living]:
    """A stack with the example's documents published, its clock at 1 October 2008."""
    data = tmp_path_factory.mktemp("up") / "data"
    env = {**os.environ, "TIENDO_CLOCK": "2008-10-01T08:00:00+07:00"}
    process = subprocess.Popen(
        [sys.executable, "-m", "services.cli", "up", "--data", str(data), "--ports", "auto"],
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    note = data / "stack.json"
    try:
        wait_for(note.exists, 120)
        stack = Stack(data=data, ports=Ports(**json.loads(note.read_text())["ports"]))
        clock = json.loads(note.read_text())["clock"]
        env = stack.environment() | clock
        for words in (
            ("agencies", "publish", str(EXAMPLE / "directory.yaml")),
            ("sources", "publish", str(EXAMPLE / "sources.yaml"), "--issue-tokens", str(data / "tokens")),
            ("plan", "publish", str(EXAMPLE / "plan.yaml")),
        ):
            done = tiendo(*words, env=env)
            assert done.returncode == 0, done.stderr
        yield Living(stack, process)
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()


def event(number: int, **changes: Any) -> dict[str, Any]:
    """Return a valid event of the mail feed."""
    return {
        "specversion": "1.0",
        "id": f"e2e-{number}",
        "source": SOURCE,
        "type": "vn.tiendo.mail.used.v1",
        "time": "2008-09-29T09:00:00+07:00",
        "agency": "tinh-thai-nguyen",
        "data": {"address": f"cb{number}@thainguyen.gov.vn", "day": "2008-09-29", "action": "sent"},
        **changes,
    }


def test_an_accepted_event_becomes_a_fact(living: Living) -> None:
    """202 means that it arrives in the archive and in its table."""
    wait_for(lambda: living.post(event(1)).status_code == 202)

    wait_for(lambda: living.count("SELECT count() FROM events WHERE type LIKE '%mail.used%'") >= 1)
    wait_for(lambda: living.count("SELECT count() FROM activity") >= 1)
    assert living.count("SELECT toYear(max(received)) FROM events") == 2008, "the shifted clock stamps what arrives"


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        pytest.param(b"{not json", 400, "malformed", id="unreadable body"),
        pytest.param(event(2, type="vn.tiendo.mail.invented.v1"), 422, "unknown-type", id="unknown type"),
        pytest.param(event(3, agency="atlantis"), 422, "unknown-agency", id="unknown agency"),
        pytest.param(event(4, time="2009-01-01T00:00:00+07:00"), 422, "future-dated", id="future time"),
    ],
)
def test_bad_input_is_answered_and_kept(living: Living, body: Any, status: int, reason: str) -> None:
    """Each fault has its status and its typed reason, and is kept whole in `rejected`."""
    query = f"SELECT count() FROM rejected WHERE reason = '{reason}'"
    before = living.count(query)

    answer = living.post(body)

    assert answer.status_code == status, answer.text
    assert reason in answer.text
    wait_for(lambda: living.count(query) > before)


def test_a_half_valid_batch_is_accepted_by_halves(living: Living) -> None:
    """207 names the refused ones by index; the others are accepted."""
    answer = living.post([event(10), event(11, agency="atlantis"), event(12)], batch=True)

    assert answer.status_code == 207
    assert answer.json()["accepted"] == 2
    assert [(one["index"], one["reason"]) for one in answer.json()["rejected"]] == [(1, "unknown-agency")]


def test_what_operations_say_through_the_board_is_kept(living: Living) -> None:
    """Their token is that of the stack; the silence goes through the log into the table, from which it is read again."""
    body = {
        "plan": "thai-nguyen-2008",
        "match": {"agencies": ["so-y-te"]},
        "until": "2009-01-01T00:00:00+07:00",
        "reason": "r",
    }
    assert living.silence(body, "guessed").status_code == 401

    answer = living.silence(body, living.stack.operations_token)

    assert answer.status_code == 202, answer.text
    read = f"{living.stack.board}/v1/silences"
    wait_for(lambda: [one["author"] for one in httpx.get(read).json()["silences"]] == ["operations"])


def test_a_link_that_alerts_signs_is_taken_by_the_board(living: Living) -> None:
    """The stack has made one key for both; once the plan is judged such a link opens, and another's never does."""
    link = AnswerLink(
        plan="thai-nguyen-2008", agency="so-y-te", role="head", notice="n" * 32, language="vi",
        expires=datetime(2008, 10, 20, tzinfo=UTC),
    )  # fmt: skip
    token = Signer([secret(living.stack.data / "secrets", "answers")]).link(link)
    page = f"{living.stack.board}/answer/"

    wait_for(lambda: httpx.get(page + token, timeout=20).status_code == 200, 120)
    assert "Sở Y tế" in httpx.get(page + token, timeout=20).text
    assert httpx.get(page + Signer(["x" * 32]).link(link), timeout=20).status_code == 404


def test_the_stack_mends_itself_when_its_broker_dies(living: Living) -> None:
    """kill -9 of the broker: 503 while it is away, then accepted again, with plans and tokens as before."""
    (broker,) = [pid for pid, line in children_of(living.process.pid).items() if "tansu" in line]
    os.kill(broker, signal.SIGKILL)

    seen = set()
    until = time.monotonic() + 90
    while time.monotonic() < until:
        status = living.post(event(20)).status_code
        seen.add(status)
        if status == 202:
            break
        time.sleep(0.2)
    assert 202 in seen, seen
    assert seen <= {202, 503}, seen
    wait_for(lambda: living.post(event(21)).status_code == 202)
    wait_for(lambda: living.count("SELECT uniqExact(id) FROM events WHERE type LIKE '%mail.used%'") >= 3, 120)


def test_each_service_comes_back(living: Living) -> None:
    """kill -9 of every child in turn: each is started again, and what is sent afterwards arrives."""
    for name in (
        "chdb_server",
        "services.ingest",
        "services.aggregator",
        "services.alerts",
        "services.board",
        "mail_catcher",
    ):
        (pid,) = [pid for pid, line in children_of(living.process.pid).items() if name in line]
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda name=name, pid=pid: _another(living, name, pid), 60)  # type: ignore[misc]

    wait_for(lambda: living.post(event(30)).status_code == 202, 90)
    wait_for(lambda: living.count("SELECT count() FROM events WHERE occurred_day = '2008-09-29'") >= 4, 120)


def _another(living: Living, name: str, before: int) -> bool:
    return [pid for pid, line in children_of(living.process.pid).items() if name in line] not in ([], [before])


def test_a_second_stack_on_the_same_data_is_refused(living: Living) -> None:
    """Two stacks never share a folder; the message says what to do."""
    done = tiendo("up", "--data", str(living.stack.data), "--ports", "auto")

    assert done.returncode == 1
    assert "another stack runs" in done.stderr


def test_ctrl_c_leaves_nothing_behind(living: Living) -> None:
    """After SIGINT the command ends with 0 and none of its processes lives on."""
    children = children_of(living.process.pid)
    assert len(children) == 7

    living.process.send_signal(signal.SIGINT)

    assert living.process.wait(60) == 0
    wait_for(lambda: not [pid for pid, line in children.items() if _is(pid, line)], 10)


def _is(pid: int, line: str) -> bool:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace") == line
    except OSError:
        return False
