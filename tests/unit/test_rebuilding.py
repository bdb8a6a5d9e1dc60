"""The pure parts of a rebuild: the fact is a function of the archive's row and the zone."""

from __future__ import annotations

from typing import get_args
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given

from schemas import usage
from schemas.common import short_type
from services.aggregator.core.batch import SHAPES
from services.aggregator.core.facts import rows_from
from services.aggregator.core.rebuilding import FACTS, State, chosen, facts_of, same_task, with_damage
from services.core.errors import Rejected
from tests.aggregator_world import ZONE
from tests.usage_events import one_event

ZONE_INFO = ZoneInfo(ZONE)


@given(event=one_event)
def test_the_archive_row_gives_the_same_fact(event):
    """Payload, hash, moment of receipt and zone give the fact that the event gave, version and day of receipt included."""
    row, fact = rows_from(event, ZONE_INFO)
    held = (row.source, row.id, row.payload_hash, row.payload.decode(), event.received)
    facts, damaged = facts_of([held], ZONE_INFO)
    assert facts == [fact]
    assert damaged == []
    assert SHAPES[type(fact)].table == next(table for table, types in FACTS.items() if row.type in types)


@given(event=one_event)
def test_a_payload_says_everything_but_the_receipt(event):
    """An event read from its canonical payload is the event, and has the same payload again."""
    payload = usage.canonical(event)
    again = usage.from_canonical(payload, event.received)
    assert again == event
    assert usage.canonical(again) == payload


@given(event=one_event)
def test_a_payload_under_another_key_is_damage(event):
    """A changed payload, hash or id is told and gives no fact."""
    row, _ = rows_from(event, ZONE_INFO)
    payload = row.payload.decode()
    wrong = [
        (row.source, row.id, row.payload_hash ^ 1, payload, event.received),
        (row.source, row.id, row.payload_hash, payload[:-2], event.received),
        (row.source, f"{row.id}x", row.payload_hash, payload, event.received),
        (row.source, row.id, usage.payload_hash(b'["no"]'), '["no"]', event.received),
    ]
    facts, damaged = facts_of(wrong, ZONE_INFO)
    assert facts == []
    assert len(damaged) == len(wrong)


def test_every_type_has_its_table():
    """No event type is left out of a rebuild, and none is in two tables."""
    types = sorted(short for of_table in FACTS.values() for short in of_table)
    of_the_log = {short_type(kind.__struct_config__.tag) for kind in get_args(usage.NormalisedEvent)}
    assert types == sorted(of_the_log - {"sandboxed"})  # what is only tried out states no fact


def test_unknown_tables_are_refused():
    """Only derived tables can be named; their order is fixed."""
    assert chosen(["items", "activity"]) == ("activity", "items")
    with pytest.raises(Rejected, match="adoption"):
        chosen(["adoption"])


def test_damage_is_told_once():
    """A row that is read again, as catching up does, is not counted again."""
    state = State(source="archive", tables=("items",), zone=ZONE)
    twice = with_damage(with_damage(state, ["/s 1", "/s 2"]), ["/s 2", "/s 3"])
    assert twice.damaged == ("/s 1", "/s 2", "/s 3")
    assert same_task(twice, source="archive", tables=("items",), zone=ZONE)
    assert not same_task(twice, source="archive", tables=("items",), zone="UTC")
