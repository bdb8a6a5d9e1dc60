"""The alerting process as it runs: real broker, real database, a real SMTP server that keeps every mail."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from aiosmtpd.controller import Controller

from schemas.topics import Topic
from schemas.warnings import WARNING_RECORD, Notice
from services.infra.kafka import read_all
from tests import alerts_world as world
from tests.alerts_place import Place, wait_for
from tests.fixtures.chdb import ChdbServer
from tests.fixtures.tansu import Tansu

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def place(tmp_path: Path, shared_chdb: ChdbServer, tansu: Tansu) -> Iterator[Place]:
    made = Place(tmp_path, shared_chdb, tansu)
    try:
        yield made
    finally:
        made.stop()


def test_a_first_run_on_a_history_sends_one_mail_per_agency_and_a_second_run_none(place: Place) -> None:
    """Behind in two indicators: one mail; a dead feed: its owner and operations; nothing more, however often it runs."""
    with place.database() as database:
        world.fill(database)
    place.catcher()
    alerts = place.alerts()

    mails = place.wait_for_mails(3)
    place.wait_until_all_sent()
    place.wait_until_judged()
    assert place.end(alerts) == 0
    again = place.alerts()
    wait_for("a second life", lambda: place.log().count("started") == 2)
    time.sleep(4)
    assert place.end(again) == 0

    assert sorted(str(mail["To"].addresses[0].addr_spec) for mail in mails) == [
        "quan-tri@example.vn",
        "so-y-te@example.vn",
        "van-hanh@example.vn",
    ]
    assert len(place.files()) == 3
    (warning,) = [mail for mail in mails if mail["X-Tiendo-Agency"] == "so-y-te"]
    assert str(warning["Subject"]) == "[Tiến Độ] Sở Y tế: 2 chỉ tiêu chậm tiến độ (chậm nhất 31 ngày)"
    assert warning["Date"].datetime.isoformat().startswith("2008-10-01T08:0")
    assert {part.get_content_type() for part in warning.walk()} >= {"text/plain", "text/html", "image/png"}
    causes = place.rows("SELECT agency, cause, state, since FROM warnings FINAL ORDER BY agency, cause")
    assert [(agency, cause, state, str(since)) for agency, cause, state, since in causes] == [
        ("so-xay-dung.documents", "feed:so-xay-dung.documents", "open", "2008-08-15"),
        ("so-y-te", "lag:email-use", "open", "2008-09-07"),
        ("so-y-te", "lag:mailboxes", "open", "2008-07-18"),
    ]
    records = [WARNING_RECORD.validate_json(one.value or b"") for one in read_all(place.broker.address, Topic.WARNINGS)]
    assert len(records) == 3 + 2 * 3
    assert "@" not in place.log().replace("tiendo@", "")


def test_the_command_lists_warnings_and_who_was_told(place: Place) -> None:
    """As a table, as JSON and as CSV: the same warnings, days behind, and the notices with state and time."""
    with place.database() as database:
        world.fill(database)
    place.catcher()
    place.alerts()
    place.wait_until_all_sent()
    place.wait_until_judged()
    place.wait_until_all_sent()

    def listed(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "services.cli", "warnings", "list", "--plan", *arguments],
            cwd=ROOT,
            env=os.environ
            | {
                "TIENDO_CLICKHOUSE_PORT": str(place.address.port),
                "TIENDO_CLICKHOUSE_DATABASE": place.address.database,
            },
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return done.stdout if done.returncode == 0 else done.stderr

    found = json.loads(listed("tinh-2008", "--format", "json"))
    rows = list(csv.DictReader(listed("tinh-2008", "--format", "csv").splitlines()))

    assert [(one["agency"], one["cause"], one["state"]) for one in found] == [
        ("so-y-te", "lag:email-use", "open"),
        ("so-y-te", "lag:mailboxes", "open"),
        ("so-xay-dung.documents", "feed:so-xay-dung.documents", "open"),
    ]
    assert [int(one["days_behind"] or 0) for one in found] == [30, 27, 0]
    assert {(told["recipient"], told["state"]) for told in found[0]["notices"]} == {("head", "sent")}
    assert [row["cause"] for row in rows] == [one["cause"] for one in found]
    assert rows[0]["notices"].startswith("head sent 2008-10-01 08:0")
    assert "head: sent" in listed("tinh-2008")
    assert "there is no plan 'khac'; published are: tinh-2008" in listed("khac")


def test_what_changes_is_told_in_the_same_thread(place: Place) -> None:
    """A month later the office has caught up in one indicator: one more mail, which answers the first."""
    with place.database() as database:
        world.fill(database)
    place.catcher()
    place.alerts()
    first = next(mail for mail in place.wait_for_mails(3) if mail["X-Tiendo-Agency"] == "so-y-te")
    place.wait_until_judged()

    caught_up = world.COURSES | {("email-use", "so-y-te"): world.Reached(0.005, 1.0, 120)}
    with place.database() as database:
        world.fill(database, courses=caught_up, age=world.timedelta(seconds=-1))

    second = next(mail for mail in place.wait_for_mails(4) if mail["X-Tiendo-Notice"] != first["X-Tiendo-Notice"]
                  and mail["X-Tiendo-Agency"] == "so-y-te")  # fmt: skip
    assert str(second["Subject"]) == "[Tiến Độ] Sở Y tế: 1 chỉ tiêu không còn chậm tiến độ, còn 1 chỉ tiêu"
    assert second["References"] == second["In-Reply-To"] == first["Message-ID"]
    text = second.get_body(("plain",))
    assert text is not None
    content = text.get_content().replace("\r\n", "\n")
    assert "Không còn bị cảnh báo:\n- Cán bộ sử dụng thư điện tử cho công việc: không còn chậm" in content


def test_smtp_away_is_retried_and_then_each_mail_comes_once(place: Place) -> None:
    """No server listens: the notices are recorded, fail with a named reason, and arrive once the server is there."""
    with place.database() as database:
        world.fill(database)
    place.alerts()
    wait_for("a failure", lambda: place.rows("SELECT count() FROM notices WHERE state = 'failed'")[0][0])
    assert place.rows("SELECT DISTINCT detail FROM notices WHERE state = 'failed'") == [("smtp-unreachable",)]

    place.catcher()
    mails = place.wait_for_mails(3)
    place.wait_until_all_sent()
    time.sleep(2)

    assert len(place.files()) == len({mail["Message-ID"] for mail in mails}) == 3


class _Hangs:
    """Keeps the mail and never answers: what a relay that dies after DATA looks like to us."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        import asyncio

        message = message_from_bytes(envelope.original_content, policy=policy.default)
        self.seen.append(str(message["Message-ID"]))
        await asyncio.sleep(60)
        return "250 too late"


def test_killed_between_pending_and_sent_repeats_the_same_message_id(place: Place) -> None:
    """The relay had the mail, we were killed before we knew: the mail comes again under the same Message-ID."""
    with place.database() as database:
        world.fill(database)
    relay = _Hangs()
    controller = Controller(relay, hostname="127.0.0.1", port=place.mail_port)
    controller.start()
    alerts = place.alerts()
    wait_for("a mail at the relay", lambda: relay.seen)
    place.end(alerts, signal.SIGKILL)
    controller.stop()
    pending = {row[0] for row in place.rows("SELECT id FROM notices WHERE state = 'pending'")}
    assert not place.rows("SELECT id FROM notices WHERE state = 'sent'")

    place.catcher()
    place.alerts()
    mails = place.wait_for_mails(3)
    place.wait_until_all_sent()

    assert relay.seen[0] in {str(mail["Message-ID"]) for mail in mails}
    assert {str(mail["X-Tiendo-Notice"]) for mail in mails} == pending
    notices = [
        one
        for one in (
            WARNING_RECORD.validate_json(r.value or b"") for r in read_all(place.broker.address, Topic.WARNINGS)
        )
        if isinstance(one, Notice)
    ]
    assert {one.id for one in notices} == pending


def test_it_waits_for_figures_to_settle(place: Place) -> None:
    """While figures are coming in nobody is warned; afterwards each office gets one mail with everything."""
    with place.database() as database:
        world.fill(database, age=world.timedelta(seconds=0))
    place.catcher()
    place.alerts(TIENDO_ALERTS_SETTLE="8")

    wait_for("readiness", lambda: "started" in place.log())
    time.sleep(3)
    assert place.rows("SELECT count() FROM warnings")[0][0] == 0

    place.wait_for_mails(3)


def test_a_broker_that_forgot_everything_is_begun_anew(place: Place) -> None:
    """The embedded broker restarts empty: the process ends with 3 for its supervisor, and a new one sends nothing twice."""
    with place.database() as database:
        world.fill(database)
    place.catcher()
    alerts = place.alerts()
    place.wait_for_mails(3)
    place.wait_until_all_sent()
    place.wait_until_judged()

    place.broker.restart()
    code = alerts.wait(60)
    place.alerts()
    wait_for("a second life", lambda: place.log().count("started") == 2)

    def ready() -> bool:
        with contextlib.suppress(OSError), urlopen(f"http://127.0.0.1:{place.health_port}/readyz", timeout=2) as answer:
            return bool(answer.status == 200)
        return False

    wait_for("readiness", ready)
    time.sleep(3)
    assert code == 3
    assert len(place.files()) == 3
