"""Requests generated from the gateway's own OpenAPI document, valid and invalid ones, against the running gateway."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from services.infra.clickhouse.client import ClickHouseAddress
from services.infra.clickhouse.migrate import migrate
from tests.fixtures.chdb import ChdbServer
from tests.fixtures.gateway import OTHER_TOKEN, TOKEN, Gateway, prepare
from tests.fixtures.tansu import Tansu

OPERATIONS = "token-of-operations"
#: What every answer must be: no fault of ours, and within the document in status, content type, body and headers.
WITHIN = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]
_AUTHORIZATIONS = st.sampled_from(
    [*[{"Authorization": f"Bearer {token}"} for token in (TOKEN, TOKEN, OTHER_TOKEN, OPERATIONS, "nobody's")], {}]
)


@schemathesis.serializer("application/cloudevents+json", "application/cloudevents-batch+json")
class _Json:
    def as_requests(self, _context: Any, value: Any) -> Any:
        return {"data": json.dumps(value).encode()}


@contextmanager
def whole_gateway(broker: Tansu, chdb: ChdbServer, folder: Path) -> Iterator[Gateway]:
    """A gateway that lacks nothing: broker, documents, database, and a token for operations."""
    prepare(broker.address)
    database = "generated"
    migrate(ClickHouseAddress(host=chdb.host, port=chdb.port, database=database))
    gateway = Gateway(
        broker.address,
        folder,
        TIENDO_CLICKHOUSE_PORT=str(chdb.port),
        TIENDO_CLICKHOUSE_DATABASE=database,
        TIENDO_INGEST_OPERATIONS_TOKEN_SHA256=hashlib.sha256(OPERATIONS.encode()).hexdigest(),
    )
    try:
        gateway.start()
        yield gateway
    finally:
        gateway.stop()


def against_the_document(gateway: Gateway, cases: int, *, same: bool = False) -> Counter[str]:
    """Send at least *cases* generated requests over all operations; return how often each call gave which status.

    *same*: the same requests each time.

    Raises where an answer is a fault of ours or lies outside the document.
    """
    document = schemathesis.openapi.from_url(f"{gateway.client.base_url}/openapi.json")
    operations = [found.ok() for found in document.get_all_operations()]
    seen: Counter[str] = Counter()
    each = -(-cases // (2 * len(operations)))
    short = 0  # an operation without parameters has few different requests; the others make up for them
    for operation in sorted(operations, key=lambda one: len(one.body) + len(one.query) + len(one.path_parameters)):
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            sent = _send(operation, mode, each + short, seen, same=same)
            short = max(0, short + each - sent)
    return seen


def _send(operation: Any, mode: GenerationMode, cases: int, seen: Counter[str], *, same: bool) -> int:
    before = seen.total()

    @settings(
        max_examples=cases,
        derandomize=same,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode), authorization=_AUTHORIZATIONS)
    def check(case: Any, authorization: dict[str, str]) -> None:
        answer = case.call(headers=authorization, timeout=30)
        seen[f"{operation.method.upper()} {operation.path} {answer.status_code}"] += 1
        case.validate_response(answer, checks=WITHIN)

    with suppress(Unsatisfiable):  # nothing of such a request can be invalid
        check()
    return seen.total() - before
