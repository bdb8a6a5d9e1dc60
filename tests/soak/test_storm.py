"""The long form of the storm: `make soak ONLY=storm`; TIENDO_STORM_SEED chooses the faults, TIENDO_STORM_FAULTS how many."""

from __future__ import annotations

import os
import random
from datetime import date
from pathlib import Path

import pytest

from tests.fixtures.chdb import ChdbServer
from tests.fixtures.kafka import Kafka
from tests.fixtures.tansu import Tansu
from tests.storm_compared import compared

pytestmark = [pytest.mark.soak, pytest.mark.kafka]

FAULTS = int(os.environ.get("TIENDO_STORM_FAULTS", "30"))
SEED = int(os.environ.get("TIENDO_STORM_SEED", "0")) or random.SystemRandom().randrange(10**6)
UNTIL = date(2009, 5, 31)


def test_storm(
    kafka: Kafka, tansu: Tansu, chdb_server: ChdbServer, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """The example's year with 30 crashes and pauses: the same notices as undisturbed, none lost."""
    with capfd.disabled():
        compared(kafka, tansu, chdb_server, tmp_path, until=UNTIL, step=4, faults=FAULTS, seed=SEED)
