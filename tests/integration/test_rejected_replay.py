"""Refused events and their replay, on broker, database, gateway and aggregator as processes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from schemas import usage
from schemas.topics import Topic
from services.infra.kafka import Message, open_producer
from tests.rejected_world import OPERATIONS, SOURCE, TOKEN, System, office_b_events

pytestmark = pytest.mark.integration

EVENTS = office_b_events()
STATED = len(EVENTS)


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A system in which office b sent everything before the directory knew it."""
    system = System(tmp_path_factory.mktemp("refused"))
    try:
        system.start()
        system.publish_documents(with_b=False)
        system.gateway.start()
        answer = system.post(EVENTS)
        assert answer.status_code == 422
        system.wait(lambda: system.query("SELECT count() FROM rejected") == [(STATED,)])
        yield system
    finally:
        system.stop()


@pytest.fixture(scope="module")
def right_at_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """The tables of a system in which the directory knew office b from the beginning."""
    system = System(tmp_path_factory.mktemp("right"))
    try:
        system.start()
        system.publish_documents(with_b=True)
        system.gateway.start()
        assert system.post(EVENTS).status_code == 202
        system.wait_until_counted(STATED)
        yield system.tables()
    finally:
        system.stop()


def as_operations(system: System, token: str = OPERATIONS) -> httpx.Client:
    return httpx.Client(
        base_url=system.gateway.client.base_url, headers={"Authorization": f"Bearer {token}"}, timeout=30
    )


def listed(system: System, *arguments: str) -> dict[str, Any]:
    return json.loads(system.tiendo("rejected", "list", "--format", "json", *arguments))


def test_what_was_refused_is_listed(system):
    """Counts by source, reason and type are of all; filters narrow them; nothing of what was sent is printed."""
    found = listed(system, "--limit", "5")
    assert sum(one["refused"] for one in found["counts"]) == STATED
    assert {(one["source"], one["reason"]) for one in found["counts"]} == {(SOURCE, "unknown-agency")}
    assert len(found["rejected"]) == 5
    assert found["rejected"][0]["detail"] == "`agency` is not in the directory"

    mails = listed(system, "--type", "mail.used", "--reason", "unknown-agency", "--since", "2008-06-30")
    assert [one["refused"] for one in mails["counts"]] == [sum("mail.used" in one["type"] for one in EVENTS)]
    assert listed(system, "--since", "2008-07-02")["counts"] == []
    assert "x.gov.vn" not in system.tiendo("rejected", "list", "--format", "csv", "--limit", "1000")
    assert "unknown-agency" in system.tiendo("rejected", "list")


def test_a_source_sees_its_own_without_bodies(system):
    """The gateway lists a source's own refused events; another source has none, nobody has none without a token."""
    page = system.gateway.client.get("/v1/rejected", params={"type": "mail.used", "limit": 1000})
    assert page.status_code == 200
    mine = page.json()["rejected"]
    assert len(mine) == sum("mail.used" in one["type"] for one in EVENTS)
    one = system.gateway.client.get(f"/v1/rejected/{mine[0]['rejection']}")
    assert (one.status_code, one.json()["body"]) == (200, None)

    with as_operations(system, "token-of-office-a") as other:
        assert other.get("/v1/rejected").json() == {"rejected": []}
        assert other.get(f"/v1/rejected/{mine[0]['rejection']}").status_code == 404
    with as_operations(system, "nobody's") as nobody:
        assert nobody.get("/v1/rejected").status_code == 401
        assert nobody.get(f"/v1/rejected/{mine[0]['rejection']}").status_code == 401
    assert system.gateway.client.get("/v1/rejected", params={"limit": 0}).status_code == 400


def test_only_operations_replay_and_read_bodies(system):
    """The source's token neither replays nor shows what was sent; operations' token shows it, and no log holds it."""
    wanted = listed(system, "--type", "mail.used", "--limit", "1")["rejected"][0]["rejection"]
    refused = system.gateway.client.post("/v1/rejected:replay", json={"ids": [wanted]})
    assert refused.status_code == 401
    with as_operations(system) as operations:
        assert operations.post("/v1/rejected:replay", json={"ids": []}).status_code == 400
        assert operations.post("/v1/events", json={}).status_code == 401

    shown = json.loads(system.tiendo("rejected", "show", wanted))
    assert json.loads(shown["body"]) in EVENTS
    assert "x.gov.vn" not in system.gateway.log.read_text()
    assert TOKEN not in system.gateway.log.read_text()


def test_a_replay_too_early_changes_nothing(system):
    """While the cause stands, a replay says why, publishes nothing and marks nothing."""
    told = json.loads(system.tiendo("rejected", "replay", "--source", SOURCE, "--format", "json", code=1))
    assert {one["outcome"] for one in told["replayed"]} == {"refused"}
    assert {each["reason"] for one in told["replayed"] for each in one["refused"]} == {"unknown-agency"}
    assert system.gateway.events() == []
    assert system.gateway.replays() == []
    assert len(system.gateway.rejections()) == STATED


def test_a_replay_is_as_if_it_had_been_right_at_once(system, right_at_once):
    """The directory is published with the office; replayed, facts and figures are those of a run that was right at once."""
    system.publish_office_b()
    dry = ("rejected", "replay", "--source", SOURCE, "--reason", "unknown-agency", "--dry-run")
    wanted = listed(system, "--limit", "1")["rejected"][0]["rejection"]
    with as_operations(system) as operations:

        def known() -> bool:
            asked = operations.post("/v1/rejected:replay", json={"ids": [wanted, "k1:none"], "dry_run": True}).json()
            return [one["outcome"] for one in asked["replayed"]] == ["accepted", "unknown"]

        system.wait(known)
    assert f"{STATED} events would be taken" in system.tiendo(*dry)
    assert system.gateway.events() == []

    assert f"{STATED} events were taken" in system.tiendo(*dry[:-1])
    system.wait_until_counted(STATED)

    assert system.tables() == right_at_once
    system.wait(lambda: all(one["replayed"] for one in listed(system, "--limit", "1000")["rejected"]))
    assert listed(system, "--open")["counts"] == []
    assert len(system.gateway.replays()) == STATED

    # Once more by name: the same events come again, and nothing changes.
    system.tiendo("rejected", "replay", "--id", wanted)
    system.wait(lambda: len(system.gateway.events()) == STATED + 1)
    assert system.query("SELECT uniqExact(source, id, payload_hash) FROM events") == [(STATED,)]


def test_refused_once_more_it_stands_open_again(system):
    """An input that was taken and is refused again later is open again, under its present reason."""
    page = system.gateway.client.get("/v1/rejected", params={"open": True}).json()
    assert page == {"rejected": []}
    wrong = EVENTS[0] | {"type": "vn.tiendo.unheard.of.v1"}
    assert system.post([wrong]).status_code == 422
    system.wait(lambda: [one["reason"] for one in listed(system, "--open")["rejected"]] == ["unknown-type"])


def test_a_conflict_is_listed_and_counted(system):
    """The same id with another payload: both are kept, the later time wins, and the feed's row counts it."""
    record = next(one for one in EVENTS if one["id"] == "record/0")
    changed = record | {"time": "2008-06-29T09:00:00+07:00", "data": record["data"] | {"day": "2008-06-03"}}
    assert json.loads(system.tiendo("conflicts", "--format", "json")) == []
    assert system.post([changed]).status_code == 202
    system.wait(lambda: system.query("SELECT uniqExact(payload_hash) FROM events WHERE id = 'record/0'") == [(2,)])

    found = json.loads(system.tiendo("conflicts", "--source", SOURCE, "--format", "json"))
    assert [(one["id"], one["type"], one["wins"]) for one in found] == [
        ("record/0", "record.filed", True),
        ("record/0", "record.filed", False),
    ]
    assert found[0]["time"].startswith("2008-06-29T02:00:00")
    assert found[0]["payload_hash"] != found[1]["payload_hash"]
    assert json.loads(system.tiendo("conflicts", "--source", "/office/a", "--format", "json")) == []
    assert system.tiendo("conflicts", "--format", "csv").count("record/0") == 2
    assert "1 id with several payloads" in system.tiendo("conflicts")

    system.wait(lambda: not system.query("SELECT 1 FROM outstanding LIMIT 1"))
    (feed,) = json.loads(system.tiendo("feeds", "--as-of", "2008-06-22", "--format", "json"))
    assert (feed["conflicts"], feed["feed"], feed["owner_role"]) == (1, "b.all", "feed-owner")


def test_feeds_say_how_complete_they_are(system):
    """All that office b says it sent was counted; a day it says more about than came is named."""
    (before,) = json.loads(system.tiendo("feeds", "--plan", "plan", "--as-of", "2008-06-22", "--format", "json"))
    assert (before["completeness"], before["incomplete"]) == (1.0, [])
    assert before["last_received"].startswith("2008-07-01T08:")

    more = next(one for one in EVENTS if one["id"] == "feed/record.filed/2008-06-20")
    said = more["data"]["count"]
    assert system.post(
        [more | {"id": "again", "time": "2008-06-25T00:00:00Z", "data": more["data"] | {"count": said + 9}}]
    )
    incomplete = [["record.filed", "2008-06-20", said + 9, said]]

    def named() -> Any:
        (feed,) = json.loads(system.tiendo("feeds", "--as-of", "2008-06-22", "--format", "json"))
        return feed["incomplete"] == incomplete and feed["completeness"] < 1

    system.wait(named)
    text = system.tiendo("feeds", "--as-of", "2008-06-22")
    assert f"{said} of {said + 9}" in text
    assert "silent since" in text
    silent = json.loads(system.tiendo("feeds", "--as-of", "2008-06-30", "--format", "json"))[0]
    assert silent["state"] == "silent"
    assert silent["silent_since"] <= "2008-06-30"
    assert system.tiendo("feeds", "--as-of", "2008-06-30", "--format", "csv").startswith("directory,feed,source")


def test_what_the_aggregator_could_not_read_is_replayed_too(system):
    """A producer lost the content type of a batch: kept whole as the aggregator's own refusal, then sent again by operations."""
    data = usage.Item(agency="a", id="lost", step="entered", day=usage.date(2008, 6, 9))
    moment = usage.datetime.fromisoformat("2008-06-25T03:00:00+00:00")
    event = usage.RecordFiled(id="lost", source="/office/a", agency="a", time=moment, received=moment, data=data)
    with open_producer(system.broker.address) as producer:
        producer.publish([Message(Topic.EVENTS.value, usage.encode([event]), b"a")])
    place = "SELECT rejection FROM rejected WHERE place = 'aggregator'"
    ((name,),) = system.wait(lambda: system.query(place))

    assert "1 event was taken" in system.tiendo("rejected", "replay", "--id", name)
    system.wait(lambda: system.query("SELECT count() FROM events WHERE id = 'lost'") == [(1,)])
    system.wait(lambda: name not in [one["rejection"] for one in listed(system, "--open")["rejected"]])


def test_without_the_database_nothing_is_promised(system, tmp_path: Path):
    """While the table does not answer, listing and replaying say 503 and events are taken as before. Runs last."""
    system.database.stop()
    assert system.gateway.client.get("/v1/rejected").status_code == 503
    with as_operations(system) as operations:
        assert operations.post("/v1/rejected:replay", json={"ids": ["k1:1"]}).status_code == 503
    assert system.post([EVENTS[0]]).status_code == 202
    system.database.start()
