"""Ten thousand requests generated from the OpenAPI document: `make soak ONLY=generated`; TIENDO_GENERATED says how many."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.fixtures.chdb import ChdbServer
from tests.fixtures.tansu import Tansu
from tests.generated import against_the_document, whole_gateway

pytestmark = pytest.mark.soak

CASES = int(os.environ.get("TIENDO_GENERATED", "10000"))


def test_generated(
    shared_tansu: Tansu, shared_chdb: ChdbServer, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """No 5xx, and every answer is one that the document names."""
    with whole_gateway(shared_tansu, shared_chdb, tmp_path) as gateway, capfd.disabled():
        seen = against_the_document(gateway, CASES)
        print(f"{seen.total()} requests: {dict(sorted(seen.items()))}")

    assert seen.total() >= CASES
