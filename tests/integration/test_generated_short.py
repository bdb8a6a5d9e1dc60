"""The short form of requests generated from the OpenAPI document (`make soak ONLY=generated` is the long one)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fixtures.chdb import ChdbServer
from tests.fixtures.tansu import Tansu
from tests.generated import against_the_document, whole_gateway

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]


def test_no_answer_lies_outside_the_document(shared_tansu: Tansu, shared_chdb: ChdbServer, tmp_path: Path) -> None:
    """Valid and invalid requests to every call: no 5xx, and every answer is one that the document names."""
    with whole_gateway(shared_tansu, shared_chdb, tmp_path) as gateway:
        seen = against_the_document(gateway, 300, same=True)

    assert seen.total() >= 300
    assert {"200", "401", "422"} <= {one.rpartition(" ")[2] for one in seen}
