"""The short form of the chaos test (`make soak ONLY=chaos` is the long one)."""

from __future__ import annotations

import random

import pytest

from tests.chaos_round import chaos_round

pytestmark = [pytest.mark.integration, pytest.mark.kafka]


def test_figures_survive_every_fault(kafka, chdb_server, tmp_path):
    """Workers, broker and database are killed and stopped while events flow; facts and figures are the oracle's."""
    seed = random.SystemRandom().randrange(10**6)
    chaos_round(kafka, chdb_server, tmp_path, seed=seed, count=20_000, seconds=20, away=10, pause=(0.5, 2), patience=90)
