"""Twenty rounds of killing client, gateway and broker: `make soak ONLY=client_killed`; TIENDO_KILLED_SEED chooses them."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from tests.client_killed import killed
from tests.fixtures.kafka import Kafka

pytestmark = [pytest.mark.soak, pytest.mark.kafka]

SEED = int(os.environ.get("TIENDO_KILLED_SEED", "0")) or random.SystemRandom().randrange(10**6)


def test_client_killed(kafka: Kafka, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Every event that the client had taken from its caller is in the log, in order."""
    with capfd.disabled():
        killed(kafka, tmp_path, rounds=20, seed=SEED)
