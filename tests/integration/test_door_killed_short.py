"""The short form of killing gateway and broker under load (`make soak ONLY=door_killed` is the long one)."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.door_killed import killed
from tests.fixtures.chdb import ChdbServer
from tests.fixtures.kafka import Kafka

pytestmark = [pytest.mark.integration, pytest.mark.kafka, pytest.mark.timeout(240)]


def test_what_was_accepted_outlives_gateway_and_broker(kafka: Kafka, chdb_server: ChdbServer, tmp_path: Path) -> None:
    """Killed three times under load; every event answered 202 is in the archive."""
    killed(kafka, chdb_server, tmp_path, rounds=3, seed=random.SystemRandom().randrange(10**6))
