"""A real Alertmanager receives, groups and resolves what is open."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from services.alerts.adapters.channels.alertmanager import Alertmanager
from services.alerts.core.alerts import Alert, alerts_of
from services.core.warnings.warning_records import DeliveryFault, fold
from tests import alerts_world as world
from tests.alerts_place import wait_for
from tests.fixtures.alertmanager import Alertmanager as Server
from tests.fixtures.needs import free_port
from tests.fixtures.receiver import Receiver, receiving

pytestmark = pytest.mark.integration
BEGAN = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=3)


def opened() -> tuple[Alert, ...]:
    """Return the alerts of the small province: an office behind in two indicators, a feed that has died."""
    assessment = world.assessed()
    return alerts_of(
        fold(world.decided(assessment)),
        assessment.plan,
        assessment.directory,
        started=lambda _: BEGAN,
        late={("so-y-te", "lag:email-use"): 30.6},
        board_url="https://tien-do.example.vn",
    )


def channel(url: str, *, every: float = 60.0) -> Alertmanager:
    return Alertmanager(url=url, timeout=5.0, every=every, now=lambda: datetime.now(UTC))


def post(to: Alertmanager, *alerts: Sequence[Alert]) -> list[DeliveryFault | None]:
    async def run() -> list[DeliveryFault | None]:
        return [await to.post(one) for one in alerts]

    return asyncio.run(run())


def test_alerts_say_what_is_open() -> None:
    """Labels tell one from another, annotations are for people in both languages; what is resolved is no alert."""
    email, mailboxes, feed = sorted(opened(), key=lambda one: dict(one.labels).get("indicator", "~"))

    assert dict(email.labels) == {
        "alertname": "TiendoLag", "plan": "tinh-2008", "agency": "so-y-te", "indicator": "email-use",
        "severity": "warning", "level": "head", "state": "open",
    }  # fmt: skip
    assert dict(email.annotations) == {
        "summary": "Sở Y tế – Cán bộ sử dụng thư điện tử cho công việc: chậm tiến độ, chậm 31 ngày",
        "summary_vi": "Sở Y tế – Cán bộ sử dụng thư điện tử cho công việc: chậm tiến độ, chậm 31 ngày",
        "summary_en": "Department of Health – Officials using e-mail for work: fell behind schedule, 31 days behind",
        "days_behind": "31", "since": "2008-09-07", "reason": "fell-behind",
    }  # fmt: skip
    assert "days_behind" not in dict(mailboxes.annotations)
    assert dict(feed.labels)["alertname"] == "TiendoFeed"
    assert dict(feed.labels)["feed"] == "so-xay-dung.documents"
    assert "agency" not in dict(feed.labels)


@pytest.mark.alertmanager
def test_it_receives_groups_and_resolves_ours(alertmanager: Callable[[str], Server]) -> None:
    """Firing since the opening, grouped by office; what is no longer open is told as resolved at once."""
    alerts = opened()
    with receiving(Receiver([200])) as receiver:
        server = alertmanager(receiver.url)
        ours = channel(server.url)
        assert post(ours, alerts, alerts) == [None, None]

        active = server.active()
        assert {json.dumps(one["labels"], sort_keys=True) for one in active} == {
            json.dumps(dict(one.labels), sort_keys=True) for one in alerts
        }
        assert {datetime.fromisoformat(one["startsAt"].replace("Z", "+00:00")) for one in active} == {BEGAN}
        assert {one["generatorURL"] for one in active} == {"https://tien-do.example.vn"}
        groups = {one["labels"].get("agency", ""): len(one["alerts"]) for one in server.groups()}
        assert groups == {"so-y-te": 2, "": 1}

        left = [one for one in alerts if dict(one.labels).get("indicator") != "email-use"]
        assert post(ours, left) == [None]
        resolved = wait_for("the resolution", lambda: told(receiver, "resolved"), 30)

        assert {one["labels"]["indicator"] for one in resolved} == {"email-use"}
        assert len(server.active()) == 2
        firing = told(receiver, "firing")
        assert {one["labels"]["alertname"] for one in firing} == {"TiendoLag", "TiendoFeed"}


@pytest.mark.alertmanager
def test_what_nobody_posts_any_more_resolves_by_itself(alertmanager: Callable[[str], Server]) -> None:
    """After five intervals: a leader that died for good leaves no alert for ever."""
    with receiving(Receiver([200])) as receiver:
        server = alertmanager(receiver.url)
        assert post(channel(server.url, every=0.5), opened()) == [None]
        assert len(server.active()) == 3

        wait_for("the end of all alerts", lambda: server.active() == [], 30)


def told(receiver: Receiver, status: str) -> list[dict[str, dict[str, str]]]:
    """Return the alerts in that status of which *receiver* was notified."""
    bodies = [json.loads(body) for _, _, body in list(receiver.requests)]
    return [alert for body in bodies for alert in body["alerts"] if alert["status"] == status]


def test_what_could_not_be_told_as_over_is_told_with_the_next_post() -> None:
    """Alertmanager away for one post: the end is posted again, once it is back, and once only."""
    alerts = opened()
    with receiving(Receiver([200, 503, 200])) as receiver:
        ours = channel(receiver.url)
        assert post(ours, alerts, alerts[1:], alerts[1:], alerts[1:]) == [
            None, DeliveryFault.HTTP_TRY_LATER, None, None,
        ]  # fmt: skip

    bodies = [json.loads(body) for _, _, body in receiver.requests]
    now = datetime.now(UTC)
    over = [[row for row in rows if datetime.fromisoformat(row["endsAt"]) <= now] for rows in bodies]
    assert [len(rows) for rows in over] == [0, 1, 1, 0]
    assert over[2][0]["labels"] == dict(alerts[0].labels)


def test_many_go_in_pieces() -> None:
    """No request holds more than 500."""
    many = [
        Alert(labels=(("alertname", "TiendoLag"), ("agency", str(number))), annotations=(), started=BEGAN)
        for number in range(1201)
    ]
    with receiving(Receiver([200])) as receiver:
        assert post(channel(receiver.url), many) == [None]

    assert [len(json.loads(body)) for _, _, body in receiver.requests] == [500, 500, 201]


def test_nobody_there() -> None:
    """Said, and nothing raised."""
    assert post(channel(f"http://127.0.0.1:{free_port()}"), opened()) == [DeliveryFault.HTTP_UNREACHABLE]
