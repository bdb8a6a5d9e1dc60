"""The alerting process with channels beside mail: real broker, real database, receivers of the test's own."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook as Verifier

from schemas.policy import Policy
from schemas.topics import Topic
from schemas.warnings import WARNING_RECORD, Notice
from schemas.webhook import WEBHOOK_MESSAGE, NoticeMessage
from services.infra.kafka import Message, open_producer
from tests import alerts_world as world
from tests.alerts_place import Place, wait_for
from tests.fixtures.chdb import ROOT, ChdbServer
from tests.fixtures.receiver import Receiver, receiving
from tests.fixtures.tansu import Tansu

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]
SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()
CHANNELS = """\
channels:
  mot-cua: {{kind: webhook, url: '{hook}/m0tcua', secrets: [{{file: secret}}]}}
  chat: {{kind: apprise, url: {{env: CHAT_URL}}}}
alertmanager: {{url: '{manager}', every: 1}}
"""


@pytest.fixture
def place(tmp_path: Path, shared_chdb: ChdbServer, tansu: Tansu) -> Iterator[Place]:
    made = Place(tmp_path, shared_chdb, tansu)
    try:
        yield made
    finally:
        made.stop()


def routed(at: Place, *routes: dict[str, Any]) -> None:
    """Fill the database with the small province and a policy that has *routes*."""
    policy = Policy.model_validate(
        {"policy": "tinh-2008", "plan": "tinh-2008", "in_force_from": "2008-01-01", "routes": list(routes)}
    )
    with at.database() as database:
        world.fill(database)
        row = ("policy", policy.policy, 1, policy.in_force_from, world.NOW, policy.model_dump_json(by_alias=True))
        database.insert(
            "plan_revisions",
            ["kind", "id", "revision", "in_force_from", "published", "document"],
            [[value] for value in row],
        )


def started(at: Place, hook: Receiver, chat: Receiver, manager: Receiver) -> subprocess.Popen[bytes]:
    (at.folder / "secret").write_text(SECRET)
    (at.folder / "channels.yaml").write_text(CHANNELS.format(hook=hook.url, manager=manager.url))
    return at.alerts(
        TIENDO_ALERTS_CHANNELS=str(at.folder / "channels.yaml"),
        CHAT_URL=f"json://127.0.0.1:{chat.url.rpartition(':')[2]}/t0ken",
    )


def states(at: Place) -> dict[str, set[str]]:
    """Return channel → the states recorded of its notices."""
    rows = at.rows("SELECT channel, groupUniqArray(state) FROM notices GROUP BY channel")
    return {channel: set(every) for channel, every in rows}


def test_without_a_relay_the_other_channels_are_told(place: Place) -> None:
    """Nobody takes mail: a signed webhook, a chat and Alertmanager hear at once, and the log names no address."""
    routed(
        place,
        {"channels": ["mot-cua"]},
        {"about": "lags", "match": {"agencies": ["so-y-te"]}, "channels": ["chat"]},
    )
    with receiving(Receiver()) as hook, receiving(Receiver()) as chat, receiving(Receiver([200])) as manager:
        alerts = started(place, hook, chat, manager)
        wait_for("two webhooks", lambda: len(hook.requests) >= 2)
        wait_for("a chat", lambda: chat.requests)
        rows = wait_for(
            "alerts", lambda: next((json.loads(b) for _, _, b in list(manager.requests) if len(b) > 2), None)
        )
        wait_for("records", lambda: states(place).get("email") == {"pending", "failed"})
        assert place.end(alerts) == 0

    told = {}
    for _, headers, body in hook.requests:
        Verifier(SECRET).verify(body, headers)
        message = WEBHOOK_MESSAGE.validate_json(body)
        assert isinstance(message, NoticeMessage)
        assert headers["webhook-id"] == message.data.id
        told[message.data.about] = {one.cause for one in message.data.warnings}
    assert told == {"agency": {"lag:email-use", "lag:mailboxes"}, "feeds": {"feed:so-xay-dung.documents"}}
    assert len(chat.requests) == 1
    assert json.loads(chat.requests[0][2])["title"] == "Tiến Độ – Sở Y tế"
    assert {row["labels"].get("indicator", row["labels"].get("feed")) for row in rows} == {
        "email-use", "mailboxes", "so-xay-dung.documents",
    }  # fmt: skip
    assert {row["annotations"].get("days_behind") for row in rows} == {"31", "27", None}
    assert all(row["startsAt"] > "2020" for row in rows)  # real time, though the clock shows 2008
    assert states(place)["mot-cua"] == {"pending", "sent"}
    for secret in ("t0ken", "m0tcua", SECRET, "127.0.0.1:" + hook.url.rpartition(":")[2]):
        assert secret not in place.log()


def test_a_dead_letter_is_sent_again_by_hand(place: Place) -> None:
    """A receiver that is gone for good (410) gets nothing more, until somebody has it sent again: the same id."""
    routed(place, {"about": "lags", "channels": ["mot-cua"]}, {"about": "feeds", "channels": ["khong-co"]})
    place.catcher()
    with receiving(Receiver([410, 204])) as hook, receiving(Receiver()) as chat, receiving(Receiver([200])) as manager:
        started(place, hook, chat, manager)
        wait_for("a dead letter", lambda: "dead" in states(place).get("mot-cua", set()))
        wait_for("another", lambda: "dead" in states(place).get("khong-co", set()))
        place.wait_for_mails(3)
        ((record,),) = place.rows("SELECT record FROM notices WHERE state = 'dead' AND channel = 'mot-cua'")
        dead = WARNING_RECORD.validate_json(record)
        assert isinstance(dead, Notice)
        assert dead.detail == "http-refused"
        again = dead.model_copy(update={"state": "pending", "detail": "", "attempt": 1})
        with open_producer(place.broker.address) as kafka:
            body = WARNING_RECORD.dump_json(again, by_alias=True)
            kafka.publish([Message(topic=Topic.WARNINGS, value=body, key=b"tinh-2008/so-y-te")])
        wait_for("what was sent", lambda: "sent" in states(place)["mot-cua"])

    first, second = hook.requests
    assert first[1]["webhook-id"] == second[1]["webhook-id"] == dead.id
    assert json.loads(second[2])["data"]["attempt"] == 1


def test_a_description_that_cannot_be_used_ends_the_start(tmp_path: Path) -> None:
    """With 2, every fault in a line of its own."""
    path = tmp_path / "channels.yaml"
    path.write_text("channels:\n  a: {kind: apprise, url: {env: UNSET_A}}\n  b: {kind: apprise, url: {env: UNSET_B}}\n")
    done = subprocess.run(
        [sys.executable, "-m", "services.alerts"], cwd=ROOT, env={"TIENDO_ALERTS_CHANNELS": str(path)},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip

    assert done.returncode == 2
    assert [line.rpartition(": ")[2] for line in done.stderr.splitlines()] == [
        "UNSET_A is not set",
        "UNSET_B is not set",
    ]
