"""The long form of the chaos test: `make soak ONLY=chaos`; TIENDO_CHAOS_ROUNDS and TIENDO_CHAOS_SEED choose the rounds."""

from __future__ import annotations

import os
import random

import pytest

from tests.chaos_round import chaos_round

pytestmark = [pytest.mark.soak, pytest.mark.kafka]

ROUNDS = int(os.environ.get("TIENDO_CHAOS_ROUNDS", "20"))
SEED = int(os.environ.get("TIENDO_CHAOS_SEED", "0")) or random.SystemRandom().randrange(10**6)


@pytest.mark.parametrize("number", range(ROUNDS))
def test_chaos(kafka, chdb_server, tmp_path, capfd, number):
    """200,000 events, a third of them repeats, while everything dies at random: facts and figures are the oracle's."""
    with capfd.disabled():
        print(f"\nround {number + 1} of {ROUNDS}", flush=True)
        chaos_round(
            kafka, chdb_server, tmp_path, seed=SEED + number, count=200_000, seconds=100, away=60, pause=(1, 8),
            patience=400,
        )  # fmt: skip
