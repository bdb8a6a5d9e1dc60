"""``GET /v1/feeds`` and ``/v1/events``: what an integrator is told about his own source, on a whole system."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from services.core.definition import types_read
from tests.rejected_world import PLAN, SOURCE, System, office_b_events

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]
EVENTS = office_b_events()
BAD = EVENTS[0] | {"id": "bad/1", "data": EVENTS[0]["data"] | {"agency": "nowhere"}}
RETOLD = next(one for one in EVENTS if one["type"].endswith("record.filed.v1"))
SKEWED = RETOLD | {"id": "ahead/1", "time": "2008-07-01T08:03:00+07:00", "data": RETOLD["data"] | {"id": "r900"}}


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A system that has taken all of office b's events, one refused, one id told twice, and one whose clock was fast."""
    system = System(tmp_path_factory.mktemp("scorecard"))
    try:
        system.start()
        system.publish_documents(with_b=True)
        system.gateway.start()
        assert system.post(EVENTS).status_code == 202
        assert system.post([BAD]).status_code == 422
        changed = RETOLD | {"data": RETOLD["data"] | {"day": "2008-06-09"}}
        assert system.post([changed, SKEWED]).status_code == 202
        system.wait_until_counted(len(EVENTS) + 1)
        system.wait(lambda: system.query("SELECT count() FROM rejected") == [(1,)])
        system.wait(lambda: system.query(f"SELECT 1 FROM feed_days WHERE source = '{SOURCE}' LIMIT 1"))
        yield system
    finally:
        system.stop()


@pytest.fixture(scope="module")
def card(system: System) -> dict[str, Any]:
    """The scorecard of office b, and what others are told."""
    get = system.gateway.client.get
    answer = get("/v1/feeds")
    assert answer.status_code == 200, answer.text
    return answer.json() | {
        "other": get("/v1/feeds", headers={"Authorization": "Bearer token-of-office-a"}).json(),
        "nobody": get("/v1/feeds", headers={"Authorization": "Bearer nobody"}).status_code,
        "printed": json.loads(system.tiendo("scorecard", SOURCE, "--as-of", "2008-06-30", "--format", "json")),
    }


def test_the_feed_is_told_with_its_gaps(card: dict[str, Any]) -> None:
    """State, how far it is covered, and that everything reported was counted."""
    assert (card["source"], card["day"]) == (SOURCE, "2008-06-30")
    (feed,) = card["feeds"]
    assert feed["feed"] == "b.all"
    assert feed["completeness"] == 1.0
    assert feed["reported"] == feed["counted"] > 0
    assert feed["state"] in {"silent", "partial", "reporting"}


def test_arrivals_tell_clock_and_conflicts(card: dict[str, Any]) -> None:
    """Delays from `time` to receipt, events from the future, and ids with several payloads, per type."""
    of = {one["type"]: one for one in card["arrivals"]}
    assert of["record.filed"]["events"] == sum(one["type"].endswith("record.filed.v1") for one in EVENTS) + 1
    assert of["record.filed"]["conflicts"] == 1
    assert of["record.filed"]["ahead"] == 1
    assert of["mail.used"]["conflicts"] == of["mail.used"]["ahead"] == 0
    # The events were stated on 20 to 22 June, and received on 1 July.
    assert 8 * 86_400 < of["mail.used"]["delay_median"] <= of["mail.used"]["delay_p95"] < 12 * 86_400


def test_refusals_are_counted_by_reason(card: dict[str, Any]) -> None:
    """And how many still stand."""
    (one,) = card["refusals"]
    assert (one["reason"], one["refused"], one["open"]) == ("unknown-agency", 1, 1)


def test_each_source_sees_itself_alone(card: dict[str, Any]) -> None:
    """Another's token shows another's, which is empty; none shows none."""
    assert card["other"] == {"source": "/office/a", "day": "2008-06-30", "feeds": [], "arrivals": [], "refusals": []}
    assert card["nobody"] == 401


def test_operations_see_the_same(card: dict[str, Any]) -> None:
    """`tiendo scorecard` prints what the gateway answers."""
    printed = card["printed"]
    assert [one["conflicts"] for one in printed["arrivals"]] == [one["conflicts"] for one in card["arrivals"]]
    assert [one["refused"] for one in printed["refusals"]] == [1]
    assert [one["feed"] for one in printed["feeds"]] == ["b.all"]


def where(
    system: System, id: str, *, source: str = SOURCE, token: str = "token-of-office-b"
) -> tuple[int, dict[str, Any]]:
    answer = system.gateway.client.get(
        "/v1/events", params={"source": source, "id": id}, headers={"Authorization": f"Bearer {token}"}
    )
    return answer.status_code, answer.json()


def test_what_counts_says_in_which_figures(system: System) -> None:
    """An event of a register by its id, one about a person by the id as it was sent, each with the three times."""
    code, found = where(system, "record/1")
    assert (code, found["state"]) == (200, "counted")
    assert found["figures"] == [
        {"plan": PLAN.plan, "indicator": one.id}
        for one in PLAN.indicators
        if "record.filed" in types_read(one, {each.id: each for each in PLAN.indicators})
    ]
    assert found["figures"]
    (stored,) = found["stored"]
    assert stored["occurred"] < stored["received"] <= stored["stored"]

    code, found = where(system, "roster/1")
    assert (code, found["state"], found["stored"][0]["type"]) == (200, "counted", "official.joined")


def test_two_payloads_under_one_id_show_which_counts(system: System) -> None:
    """Both are there, with the same moment; one wins."""
    code, found = where(system, RETOLD["id"])
    assert (code, found["state"]) == (200, "counted")
    assert [one["wins"] for one in found["stored"]] == [True, False]


def test_what_was_refused_says_why_and_where(system: System) -> None:
    """Sent again once it is mended it is counted, and the refusal stays in its history."""
    code, found = where(system, "bad/1")
    assert (code, found["state"]) == (200, "rejected")
    (refusal,) = found["refusals"]
    assert (refusal["reason"], refusal["pointer"], refusal["replayed"]) == ("unknown-agency", "/data/agency", None)
    assert refusal["detail"]


def test_what_was_just_taken_is_pending_and_then_stored(system: System) -> None:
    """A statement taken back is kept and counts nowhere."""
    back = RETOLD | {"id": "back/1", "time": "2008-06-30T08:00:00+07:00", "data": RETOLD["data"] | {"retracted": True}}
    assert system.post([back]).status_code == 202
    code, found = where(system, "back/1")
    assert code == 200
    assert found["state"] in {"pending", "kept"}
    system.wait(lambda: where(system, "back/1")[1]["state"] == "kept")
    assert where(system, "back/1")[1]["reason"] == "taken-back"


def test_nobody_sees_anothers_events(system: System) -> None:
    """Another source is 403, an id that nobody sent 404, no token 401, half a question 400."""
    assert where(system, "record/1", token="token-of-office-a")[0] == 403
    assert where(system, "record/1", source="/office/a", token="token-of-office-a") == (
        404, {"id": "record/1", "state": "unknown", "reason": None, "figures": [], "stored": [], "refusals": []}
    )  # fmt: skip
    assert where(system, "record/1", token="nobody")[0] == 401
    assert system.gateway.client.get("/v1/events", params={"id": "x"}).status_code == 400


def test_the_command_says_the_same(system: System) -> None:
    """For operations, of any source; rejected and unknown end with 1."""
    assert "read by" in system.tiendo("where", SOURCE, "record/1")
    assert json.loads(system.tiendo("where", SOURCE, "roster/1", "--format", "json"))["state"] == "counted"
    said = system.tiendo("where", SOURCE, "bad/1", code=1)
    assert "unknown-agency at /data/agency" in said
    assert "unknown: no event" in system.tiendo("where", "/office/a", "nothing", code=1)


def test_certification_finds_what_is_wrong(system: System, tmp_path: Path) -> None:
    """Office b has an agency refused, an id with two payloads, and days after their statements; the rest is as it should be."""
    report = tmp_path / "report.md"
    said = system.tiendo(
        "certify", "--source", SOURCE, "--as-of", "2008-06-30", "--format", "json", "--report", str(report), code=1
    )
    found = json.loads(said)
    verdicts = {one["name"]: one["verdict"] for one in found["checks"]}
    assert not found["fit"]
    assert verdicts["envelope"] == verdicts["identity"] == verdicts["corrections"] == "passed"
    assert verdicts["permission"] == verdicts["time"] == verdicts["replays"] == "failed"
    written = report.read_text(encoding="utf-8")
    assert written.startswith(f"# Certification of {SOURCE}\n")
    assert "Not fit yet" in written
    assert all(f"| {one['name']} | {one['verdict']} | " in written for one in found["checks"])


def test_what_is_tried_out_counts_nowhere(system: System) -> None:
    """A sandbox source's events are taken, stored and shown, with what would read them; no table of facts has them."""
    tables = ("items", "memberships", "mailboxes", "activity", "exchanges", "feed_reports", "feed_days", "adoption")
    of = {table: system.query(f"SELECT count() FROM {table} FINAL") for table in tables}
    source = "/office/b/trying"
    kinds = ("official.joined.v1", "record.filed.v1", "feed.reported.v1")
    tried = [one | {"source": source} for one in EVENTS if one["type"].endswith(kinds)]
    sent = system.gateway.client.post(
        "/v1/events", content=json.dumps(tried),
        headers={"Authorization": "Bearer token-of-trying", "Content-Type": "application/cloudevents-batch+json"},
    )  # fmt: skip
    assert (sent.status_code, sent.json()["accepted"]) == (202, len(tried))
    wanted = f"SELECT uniqExact(id) FROM events WHERE source = '{source}' AND type = 'sandboxed'"
    system.wait(lambda: system.query(wanted) == [(len(tried),)])

    code, found = where(system, "record/1", source=source, token="token-of-trying")
    assert (code, found["state"], found["reason"]) == (200, "kept", "sandbox")
    assert found["figures"]
    assert (found["stored"][0]["type"], found["stored"][0]["sandbox"]) == ("record.filed", True)
    shown = system.gateway.client.get("/v1/feeds", headers={"Authorization": "Bearer token-of-trying"}).json()
    assert {one["type"] for one in shown["arrivals"]} == {"record.filed", "official.joined", "feed.reported"}
    assert {table: system.query(f"SELECT count() FROM {table} FINAL") for table in tables} == of
