"""Five thousand slow connections: `make soak ONLY=slow_connections`."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.fixtures.gateway import Gateway, prepare
from tests.fixtures.tansu import Tansu
from tests.slow_connections import allowed, held

pytestmark = pytest.mark.soak


def test_slow_connections(shared_tansu: Tansu, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Others are served while they are open, and each is ended by a limit."""
    prepare(shared_tansu.address)
    gateway = Gateway(shared_tansu.address, tmp_path, TIENDO_INGEST_BODY_TIMEOUT="20")
    gateway.start()
    count = allowed(5000)
    try:
        took = asyncio.run(held(gateway, count, 20))
    finally:
        gateway.stop()
    with capfd.disabled():
        print(
            f"{count} slow connections; 200 posts meanwhile: median {took[100] * 1000:.1f} ms, p99 {took[197] * 1000:.1f} ms"
        )
    assert took[-1] < 10
