"""Alertmanager is kept told of what is open, whatever is away."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from services.alerts.alert_posts import AlertPosts
from services.alerts.blocking import open_blocking
from services.alerts.core.alerts import Alert
from services.core.errors import Transient
from services.core.warnings.warning_records import DeliveryFault

ALERT = Alert(labels=(("alertname", "TiendoLag"),), annotations=(), started=datetime(2026, 1, 1, tzinfo=UTC))


class Manager:
    """Takes down what it is told, and answers as told."""

    def __init__(self, *faults: DeliveryFault | None) -> None:
        self.faults = list(faults)
        self.told: list[list[Alert]] = []

    async def post(self, open_now: Sequence[Alert]) -> DeliveryFault | None:
        self.told.append(list(open_now))
        return self.faults.pop(0) if self.faults else None


def posted(manager: Manager, *reads: Sequence[Alert] | Transient) -> None:
    """Let it post once for each of *reads*: what the database says, or that it is away."""
    waiting = list(reads)

    def read() -> Sequence[Alert]:
        one = waiting.pop(0)
        if isinstance(one, Transient):
            raise one
        return one

    async def run() -> None:
        with open_blocking() as blocking:
            posts = AlertPosts(read, manager, blocking)
            for _ in reads:
                await posts.post()

    asyncio.run(run())


def test_an_outage_of_the_database_does_not_look_like_a_recovery() -> None:
    """What was open last is posted again; what the database says once it is back, counts."""
    manager = Manager()
    posted(manager, [ALERT], Transient("away"), Transient("away"), [])

    assert manager.told == [[ALERT], [ALERT], [ALERT], []]


def test_before_anything_was_read_nothing_is_made_up() -> None:
    """A process that starts while the database is away posts nothing as open."""
    manager = Manager()
    posted(manager, Transient("away"), [ALERT])

    assert manager.told == [[], [ALERT]]


def test_a_fault_that_lasts_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    """And once more when it is another one, or back after a post that was taken."""
    away, later = DeliveryFault.HTTP_UNREACHABLE, DeliveryFault.HTTP_TRY_LATER
    posted(Manager(away, away, later, None, later), *[[ALERT]] * 5)

    assert [one.getMessage() for one in caplog.records] == [
        "Alertmanager: http-unreachable",
        "Alertmanager: http-try-later",
        "Alertmanager: http-try-later",
    ]
