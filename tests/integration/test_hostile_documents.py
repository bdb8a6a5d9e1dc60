"""Records of the topics of refusals and of plans that nobody should have written: kept whole, and the next one counts."""

from __future__ import annotations

import base64
import copy
import json
import logging
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest

from schemas.revisions import REVISION, DirectoryRevision, PlanRevision
from schemas.topics import Topic
from services.aggregator.progress import Progress
from services.aggregator.work import Work
from services.infra.clickhouse.client import ClickHouse, ClickHouseAddress, open_clickhouse
from services.infra.clickhouse.migrate import migrate
from tests.aggregator_world import START, ZONE, world_documents
from tests.fixtures.chdb import ChdbServer

pytestmark = pytest.mark.integration

SECRET = "nguyenvana"
PLAN, DIRECTORY = world_documents()
ABOUT: dict[str, Any] = {"revision": 1, "in_force_from": START, "published": datetime(2008, 5, 20, tzinfo=UTC)}
REFUSAL = {
    "rejection": "r", "source": "/s", "reason": "schema", "detail": "d", "where": "http",
    "received": "2008-06-25T03:00:00Z", "key_id": "k", "body": "AAAA",
}  # fmt: skip


def plain(revision: PlanRevision | DirectoryRevision) -> dict[str, Any]:
    written: dict[str, Any] = json.loads(REVISION.dump_json(revision, by_alias=True))
    return written


A_PLAN = plain(PlanRevision(id="plan", document=PLAN, **ABOUT))
A_DIRECTORY = plain(DirectoryRevision(id="dir", document=DIRECTORY, **ABOUT))


def changed(revision: dict[str, Any], path: str, value: Any) -> bytes:
    """Return *revision* as a record, with *value* at *path*."""
    whole = copy.deepcopy(revision)
    *way, last = path.split(".")
    at: Any = whole
    for step in way:
        at = at[int(step)] if step.isdigit() else at[step]
    at[last] = value
    return json.dumps(whole).encode()


def refusal(**more: Any) -> bytes:
    return json.dumps(REFUSAL | more).encode()


def replay(at: str) -> bytes:
    return json.dumps({"kind": "replayed", "rejection": "r", "source": "/s", "replayed": at}).encode()


ANYWHERE = {
    "no value": None,
    "empty": b"",
    "blank": b" \n",
    "null": b"null",
    "a list": b"[]",
    "no number": b"NaN",
    "400 digits": b"9" * 400,
    "with a byte order mark": b"\xef\xbb\xbf" + refusal(),
    "utf-16": refusal().decode().encode("utf-16"),
    "half a character": refusal(detail="x").replace(b'"x"', b'"\xe1\xba"'),
    "half a surrogate": refusal(detail="x").replace(b'"x"', b'"\\ud800"'),
    "deep": b"[" * 1_000_000,
    "deep and closed": b"[" * 1_000_000 + b"]" * 1_000_000,
    "one long string": b'"' + SECRET.encode() * 100_000 + b'"',
    "a field that is not ours": refusal(**{SECRET: 1}),
}
REFUSALS = ANYWHERE | {
    "the year 0": refusal(received="0000-01-01T00:00:00Z"),
    "the first moment there is": refusal(received="0001-01-01T00:00:00+23:59"),
    "before 1970": refusal(received="1969-12-31T23:59:59Z"),
    "after 2298": refusal(received="2299-01-01T00:00:00Z"),
    "the last moment there is": refusal(received="9999-12-31T23:59:59-23:59"),
    "a moment beyond all": refusal(received=1e300),
    "without a zone": refusal(received="2008-06-25T03:00:00"),
    "a reason that is none": refusal(reason=SECRET),
    "taken before there was time": replay("0001-01-01T00:00:00+12:00"),
    "taken after all": replay("9999-12-31T23:59:59Z"),
}
REVISIONS = ANYWHERE | {
    "a kind of later": changed(A_PLAN, "kind", "budget"),
    "a field of later": changed(A_PLAN, "document.colour", "red"),
    "a measure of later": changed(A_PLAN, "document.indicators.0.measure", {"kind": "later"}),
    "revision 0": changed(A_PLAN, "revision", 0),
    "a revision beyond the table's": changed(A_PLAN, "revision", 1 << 32),
    "a revision of 400 digits": changed(A_PLAN, "revision", int("9" * 400)),
    "published before there was time": changed(A_PLAN, "published", "0001-01-01T00:00:00+12:00"),
    "published after all": changed(A_PLAN, "published", "9999-12-31T23:59:59-12:00"),
    "in force from the year 1": changed(A_PLAN, "in_force_from", "0001-01-01"),
    "in force from 9999": changed(A_PLAN, "in_force_from", "9999-12-31"),
    "begun in the year 1": changed(A_PLAN, "document.start", "0001-01-01"),
    "due in 9999": changed(A_PLAN, "document.deadline", "9999-12-31"),
    "counted from the year 1": changed(
        A_PLAN, "document.indicators.6.measure.period", {"kind": "cumulative", "start": "0001-01-01"}
    ),
    "a share without end": changed(A_PLAN, "document.discrepancy_margin", float("inf")),
    "a share that is none": changed(A_PLAN, "document.discrepancy_margin", float("nan")),
    "a weight of a million digits": changed(
        A_PLAN,
        "document.indicators.0.measure",
        {"kind": "mean", "of": [{"indicator": "trained", "weight": "1E+999999"}, {"indicator": "use"}]},
    ),
    "a directory of 1899": changed(A_DIRECTORY, "in_force_from", "1899-12-31"),
    "an agency until 9999": changed(A_DIRECTORY, "document.agencies.1.to", "9999-12-31"),
    "a code from the year 1": changed(A_DIRECTORY, "document.agencies.1.codes.0.from", "0001-01-01"),
}


@pytest.fixture(scope="module")
def database(shared_chdb: ChdbServer) -> Iterator[ClickHouse]:
    address = ClickHouseAddress(port=shared_chdb.port, database="hostile_documents")
    migrate(address)
    with open_clickhouse(address) as database:
        yield database
        database.run("DROP DATABASE hostile_documents")


@pytest.fixture
def work(database: ClickHouse) -> Iterator[Work]:
    """The duties of a worker whose database is empty."""
    for table in ("rejected", "replays", "plan_revisions"):
        database.run(f"TRUNCATE TABLE {table}")
    work = Work(
        database, database, clock=lambda: datetime(2008, 7, 1, tzinfo=UTC), zone=ZONE, longest_wait=1,
        progress=Progress(), prepare=None,
    )  # fmt: skip
    yield work
    work.close()


def kept(database: ClickHouse, topic: Topic) -> set[bytes]:
    """Return the bytes that the worker has set aside, all of which it says were in *topic*."""
    rows = database.rows("SELECT body, reason, detail FROM rejected WHERE place = 'aggregator'")
    assert all(reason == "malformed" and topic.value in detail and SECRET not in detail for _, reason, detail in rows)
    return {base64.b64decode(body) for body, _, _ in rows}


def names(bodies: set[bytes], of: dict[str, bytes | None]) -> list[str]:
    return sorted(name for name, value in of.items() if (value or b"") in bodies)


def test_refusals_that_cannot_be_read_are_kept_and_their_neighbours_count(database, work, caplog):
    """Whatever the records hold, the worker goes on, keeps each whole and tells no value."""
    caplog.set_level(logging.DEBUG)
    work._keep([refusal(rejection="before"), *REFUSALS.values(), refusal(rejection="after")])

    assert names(kept(database, Topic.REJECTED), REFUSALS) == sorted(REFUSALS)
    assert SECRET not in caplog.text
    found = database.rows("SELECT rejection FROM rejected WHERE place = 'http' ORDER BY rejection")
    assert found == [("after",), ("before",)]


def test_revisions_that_cannot_be_read_are_kept_and_their_neighbours_count(database, work, caplog):
    """Whatever the records hold, the revisions before and after them are stored, and rounds go on."""
    caplog.set_level(logging.DEBUG)
    work._store([json.dumps(A_DIRECTORY).encode(), *REVISIONS.values(), json.dumps(A_PLAN).encode()])
    work._recompute()

    assert names(kept(database, Topic.PLANS), REVISIONS) == sorted(REVISIONS)
    assert SECRET not in caplog.text
    rows = database.rows("SELECT kind, revision, in_force_from FROM plan_revisions FINAL ORDER BY kind")
    assert rows == [("directory", 1, START), ("plan", 1, START)]


def test_the_first_and_the_last_days_of_a_revision_that_count(database, work):
    """An agency from 1900 to the end of 2299 is held as it is written."""
    revision = changed(A_DIRECTORY, "document.agencies.1.from", "1900-01-01")
    whole = changed(json.loads(revision), "document.agencies.1.to", "2299-12-31")
    work._store([whole])

    assert kept(database, Topic.PLANS) == set()
    rows = database.rows("SELECT from_day, to_day FROM agencies FINAL WHERE agency = 'lead'")
    assert rows == [(date(1900, 1, 1), date(2299, 12, 31))]
