"""Five faults over two months of the simulated year (`make soak ONLY=storm` is the long form)."""

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

pytestmark = [pytest.mark.integration, pytest.mark.kafka, pytest.mark.timeout(900)]
UNTIL = date(2008, 7, 28)
SEED = int(os.environ.get("TIENDO_STORM_SEED", "0")) or random.SystemRandom().randrange(10**6)


def test_whatever_dies_the_same_notices_go_out(
    kafka: Kafka, tansu: Tansu, chdb_server: ChdbServer, tmp_path: Path
) -> None:
    """Evaluators, broker, database and mail server are killed and stopped: no notice is lost, a repeat has its Message-ID."""
    compared(kafka, tansu, chdb_server, tmp_path, until=UNTIL, step=6, faults=5, seed=SEED)
