"""The short form of slow connections (`make soak ONLY=slow_connections` opens 5,000)."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.fixtures.gateway import Gateway, prepare
from tests.fixtures.tansu import Tansu
from tests.slow_connections import allowed, held

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]


def test_slow_connections_hold_up_nobody(shared_tansu: Tansu, tmp_path: Path) -> None:
    """500 connections that drip: posts are answered meanwhile, and each of the 500 is ended by a limit."""
    prepare(shared_tansu.address)
    gateway = Gateway(shared_tansu.address, tmp_path, TIENDO_INGEST_BODY_TIMEOUT="4")
    gateway.start()
    try:
        took = asyncio.run(held(gateway, allowed(500), 4))
    finally:
        gateway.stop()
    assert took[-1] < 10
