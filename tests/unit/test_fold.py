"""The fold of events into tables: order, repetition and cuts leave no trace."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from schemas import usage
from services.aggregator.adapters.decoding import decode_records
from services.aggregator.core.batch import SHAPES, Batch, fold
from services.aggregator.core.facts import CivilDays, civil_day, rows_from
from services.aggregator.core.folding import fold_events
from services.aggregator.core.marks import Lookup, marks_of, touched_by
from tests.aggregator_world import ZONE
from tests.usage_events import event_lists, one_event

ZONE_INFO = ZoneInfo(ZONE)
KEYS = {shape.table: shape for shape in SHAPES.values()}
Tables = dict[str, dict[tuple[Any, ...], Any]]


def inserted(tables: Tables, events: list[Any]) -> None:
    """Insert a folded batch into *tables*, which merge rows of one key as AggregatingMergeTree does."""
    for part in fold(row for event in events for row in rows_from(event, ZONE_INFO)).tables():
        table = tables.setdefault(part.table, {})
        shape = KEYS[part.table]
        keep = max if part.table == "activity" else min
        for row in zip(*part.columns, strict=True):
            key, values, last = row[: shape.key], row[shape.key : -1], row[-1]
            if key in table:
                assert table[key][0] == values  # the tables keep any of them, so they must be equal
                last = keep(last, table[key][1])
            table[key] = (values, last)


@given(st.data(), event_lists)
def test_any_order_repetition_and_cut_gives_the_same_tables(data, events):
    """Shuffled, repeated and cut into batches, a list of events leaves the tables as one event after the other does."""
    expected: Tables = {}
    for event in events:
        inserted(expected, [event])
    repeats = data.draw(st.lists(st.sampled_from(events), max_size=20))
    shuffled = data.draw(st.permutations(events + repeats))
    size = data.draw(st.integers(1, len(shuffled)))

    found: Tables = {}
    for start in range(0, len(shuffled), size):
        inserted(found, shuffled[start : start + size])

    assert found == expected


@given(event_lists, st.sampled_from([ZONE, "America/Havana", "Africa/Monrovia", "Asia/Kathmandu"]), st.data())
def test_folding_events_is_folding_their_rows(events, zone, data):
    """The quick way from events to columns gives what the plain one gives, row by row and mark by mark, in any zone."""
    zone_info = ZoneInfo(zone)
    events = data.draw(st.permutations(events + data.draw(st.lists(st.sampled_from(events), max_size=9))))
    plain = fold(row for event in events for row in rows_from(event, zone_info))

    quick = fold_events(events, zone_info)

    assert contents(quick) == contents(plain)
    assert marks_of(touched_by(quick), Lookup()) == marks_of(touched_by(plain), Lookup())


def contents(batch: Batch) -> dict[str, list[tuple[Any, ...]]]:
    return {part.table: list(zip(*part.columns, strict=True)) for part in batch.tables()}


@given(
    st.lists(st.integers(0, 10**16), min_size=1),
    st.sampled_from([ZONE, "America/Havana", "Africa/Monrovia", "Asia/Kathmandu"]),
)
def test_days_of_many_moments(moments, zone):
    """The days of moments read together are those of each alone, where offsets are odd and clocks go back over midnight."""
    assert CivilDays(ZoneInfo(zone)).of(moments) == [civil_day(moment, ZoneInfo(zone)) for moment in moments]


@given(one_event, one_event)
def test_versions_tell_payloads_apart(first, second):
    """Two statements have one version only if they are the same statement."""
    versions = [rows_from(event, ZONE_INFO)[1].version for event in (first, second)]

    assert (versions[0] == versions[1]) == (usage.canonical(first) == usage.canonical(second))


@given(st.lists(one_event, max_size=10))
def test_records_of_one_and_of_many_hold_the_same(events):
    """A batch record gives the same rows as its events in records of their own."""
    many = decode_records([(usage.encode(events), usage.BATCH_CONTENT_TYPE)])
    single = decode_records([(usage.encode_one(event), usage.SINGLE_CONTENT_TYPE) for event in events])

    assert many == single
    assert not many.unusable


@given(st.lists(one_event, min_size=1, max_size=4), st.integers(0, 4))
def test_one_bad_event_of_a_batch_leaves_the_others(events, place):
    """What cannot be read of a batch is set aside whole, and everything else of it counts."""
    parts = [usage.encode_one(event) for event in events]
    parts.insert(min(place, len(parts)), b'{"type":"vn.tiendo.unheard.of.v1"}')
    value = b"[" + b",".join(parts) + b"]"

    found = decode_records([(value, usage.BATCH_CONTENT_TYPE)])

    assert [one.value for one in found.unusable] == [b'{"type":"vn.tiendo.unheard.of.v1"}']
    assert found.events == events


def test_nonsense_is_kept_whole():
    """A record that is no JSON, an empty one and a time that no version can be made of are set aside, never raised."""
    old = (
        b'{"specversion":"1.0","type":"vn.tiendo.feed.reported.v1","id":"1","source":"/s","agency":"a",'
        b'"time":"1969-12-31T00:00:00Z","received":"2008-01-01T00:00:00Z",'
        b'"data":{"type":"mail.used","day":"2008-01-01","count":0}}'
    )
    records = [(b"{", usage.SINGLE_CONTENT_TYPE), (None, usage.BATCH_CONTENT_TYPE), (old, usage.SINGLE_CONTENT_TYPE)]
    records.append((b"[" + old + b"]", usage.BATCH_CONTENT_TYPE))

    found = decode_records(records)

    assert not found.events
    assert [one.value for one in found.unusable] == [b"{", b"", old, old]
