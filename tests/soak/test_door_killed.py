"""Twenty rounds of killing gateway and broker under load: `make soak ONLY=door_killed`; TIENDO_KILLED_SEED chooses them."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from tests.door_killed import killed
from tests.fixtures.chdb import ChdbServer
from tests.fixtures.kafka import Kafka

pytestmark = [pytest.mark.soak, pytest.mark.kafka]

SEED = int(os.environ.get("TIENDO_KILLED_SEED", "0")) or random.SystemRandom().randrange(10**6)


def test_door_killed(kafka: Kafka, chdb_server: ChdbServer, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Gateway, broker or both killed 20 times; every event answered 202 is in the archive."""
    with capfd.disabled():
        killed(kafka, chdb_server, tmp_path, rounds=20, seed=SEED)
