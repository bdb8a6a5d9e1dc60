"""``GET /v1/feeds``: what an integrator is told about his own source, on broker, database, gateway and aggregator."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.rejected_world import SOURCE, System, office_b_events

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]
EVENTS = office_b_events()
BAD = EVENTS[0] | {"id": "bad/1", "data": EVENTS[0]["data"] | {"agency": "nowhere"}}
RETOLD = next(one for one in EVENTS if one["type"].endswith("record.filed.v1"))
SKEWED = RETOLD | {"id": "ahead/1", "time": "2008-07-01T08:03:00+07:00", "data": RETOLD["data"] | {"id": "r900"}}


@pytest.fixture(scope="module")
def card(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """The scorecard of office b after all of its events, one refused, one id told twice, and one whose clock was fast."""
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
        answer = system.gateway.client.get("/v1/feeds")
        assert answer.status_code == 200, answer.text
        other = system.gateway.client.get("/v1/feeds", headers={"Authorization": "Bearer token-of-office-a"})
        nobody = system.gateway.client.get("/v1/feeds", headers={"Authorization": "Bearer nobody"})
        printed = system.tiendo("scorecard", SOURCE, "--as-of", "2008-06-30", "--format", "json")
        yield answer.json() | {"other": other.json(), "nobody": nobody.status_code, "printed": json.loads(printed)}
    finally:
        system.stop()


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
