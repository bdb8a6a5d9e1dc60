"""A source that is trying out: judged like every other, kept like every other, and a fact about nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from schemas.events import CATALOGUE
from schemas.usage import Sandboxed, canonical, decode_one, encode_one, from_canonical
from services.aggregator.core.facts import Archived, rows_from
from services.aggregator.core.folding import fold_events
from services.ingest.core.rejection import Refusal
from tests.unit.ingest.examples import admission, example, raw

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")


@pytest.mark.parametrize("short", CATALOGUE)
def test_every_type_is_kept_and_states_nothing(short: str) -> None:
    """One row of the archive and no fact, whatever the type; the statement inside is the one that would have counted."""
    event = example(short)
    door = admission(event["source"])
    trying = replace(door, permit=replace(door.permit, sandbox=True))
    counted, tried = door.admit(raw(event)), trying.admit(raw(event))
    assert not isinstance(counted, Refusal)
    assert isinstance(tried, Sandboxed)

    (row,) = rows_from(tried, ZONE)
    assert isinstance(row, Archived)
    assert set(fold_events([tried], ZONE).columns) == {Archived}
    assert (tried.id, tried.source, tried.agency, tried.time) == (
        counted.id,
        counted.source,
        counted.agency,
        counted.time,
    )
    assert tried.data.type == short
    assert json.loads(tried.data.statement) == json.loads(encode_one(counted))["data"]


@pytest.mark.parametrize("short", CATALOGUE)
def test_it_comes_out_of_log_and_archive_as_it_went_in(short: str) -> None:
    """Or a rebuild would make something else of it."""
    event = example(short)
    door = admission(event["source"])
    tried = replace(door, permit=replace(door.permit, sandbox=True)).admit(raw(event))
    assert isinstance(tried, Sandboxed)
    assert decode_one(encode_one(tried)) == tried
    assert from_canonical(canonical(tried), tried.received) == tried


@pytest.mark.parametrize(
    "change", [{"agency": "nowhere"}, {"type": "vn.tiendo.gossip.v1"}, {"time": "2009-01-01T00:00:00Z"}]
)
def test_it_is_refused_like_every_other(change: dict[str, str]) -> None:
    """The same reasons at the same places."""
    event = example("mail.used") | change
    door = admission(event["source"])
    trying = replace(door, permit=replace(door.permit, sandbox=True))
    assert trying.admit(raw(event)) == door.admit(raw(event))
    assert isinstance(trying.admit(raw(event)), Refusal)
