"""Records into packed rows: in this process or in the one beside it, the same; and the one beside it does not linger."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import usage
from services.aggregator.adapters.decoding import Run
from services.aggregator.adapters.fold_process import FoldProcess
from services.aggregator.adapters.preparing import prepare
from services.aggregator.core.batch import SHAPES
from services.aggregator.core.folding import fold_events
from services.aggregator.core.marks import touched_by
from services.infra.clickhouse.packing import pack
from tests.aggregator_world import ZONE
from tests.usage_events import event_lists

ZONE_INFO = ZoneInfo(ZONE)
MOMENT = "DateTime64(6, 'UTC')"
# As the migrations make them; a test below holds them to a real database.
TYPES = {
    "received": MOMENT, "occurred": MOMENT, "payload_hash": "UInt64", "version": "UInt128", "year": "UInt16",
    "retracted": "UInt8", "count": "UInt64", "weight": "Decimal(38, 4)", "numerator": "Nullable(Decimal(38, 4))",
    "denominator": "Decimal(38, 4)",
}  # fmt: skip
KINDS = {
    shape.table: {
        name: TYPES.get(name, "Date32" if "day" in name or name == "issued_on" else "String") for name in shape.names
    }
    for shape in SHAPES.values()
}
MOMENT_OF_IT = datetime(2008, 9, 1, 3, tzinfo=UTC)
BAD = b'{"type":"vn.tiendo.unheard.of.v1"}'


def runs_of(events: list[Any], cuts: list[int], bad: set[int]) -> tuple[list[Run], int]:
    """Cut *events* into records of one and of many in turns; where *bad* says so, something unusable stands before."""
    runs: list[Run] = []
    spoilt = start = 0
    for number, size in enumerate([*cuts, len(events)]):
        part, start = events[start : start + size], start + size
        values: list[bytes | None]
        if number % 2:
            encoded = b",".join([*([BAD] if number in bad else []), *map(usage.encode_one, part)])
            values, kind = [b"[" + encoded + b"]"], usage.BATCH_CONTENT_TYPE
        else:
            values, kind = [*([BAD] if number in bad else []), *map(usage.encode_one, part)], usage.SINGLE_CONTENT_TYPE
        if values:
            spoilt += number in bad
            runs.append((kind, values))
    return runs, spoilt


@given(event_lists, st.lists(st.integers(0, 5), max_size=5), st.sets(st.integers(0, 5)))
def test_records_of_any_shape_give_what_their_events_give(events, cuts, bad):
    """Records of one event and of many, with unusable ones between them, are packed as a plain fold of the usable is."""
    runs, spoilt = runs_of(events, cuts, bad)

    found = prepare(runs, ZONE_INFO, KINDS)

    batch = fold_events(events, ZONE_INFO)
    assert found.size == len(events)
    assert len(found.unusable) == spoilt
    assert all(one.value == BAD and 0 <= one.after <= len(events) for one in found.unusable)
    assert found.touched == touched_by(batch)
    assert [(rows.table, rows.columns) for rows in found.rows] == [
        (
            part.table,
            tuple(pack(KINDS[part.table][n], column) for n, column in zip(part.names, part.columns, strict=True)),
        )
        for part in batch.tables()
    ]


@pytest.fixture
def process():
    beside = FoldProcess(ZONE, KINDS)
    yield beside
    beside.close()


def test_the_process_beside_gives_the_same(process):
    """What comes back over the pipe is what this process would have made, unusable records told in order."""
    event = usage.FeedReported(
        id="1", source="/s", agency="a", time=MOMENT_OF_IT, received=MOMENT_OF_IT,
        data=usage.FeedReport(type="mail.used", day=MOMENT_OF_IT.date(), count=1),
    )  # fmt: skip
    runs: list[Run] = [
        (usage.SINGLE_CONTENT_TYPE, [BAD, b"", None, usage.encode_one(event)]),
        (usage.BATCH_CONTENT_TYPE, [usage.encode([event]), b"[" + BAD + b"]"]),
    ]
    for _ in range(3):
        assert process.prepare(runs) == prepare(runs, ZONE_INFO, KINDS)
    assert [one.value for one in process.prepare(runs).unusable] == [BAD, b"", b"", BAD]


def test_a_killed_process_is_a_fault(process):
    """Once the process beside is killed, every request says so instead of waiting."""
    os.kill(process.pid, signal.SIGKILL)
    for _ in range(2):
        with pytest.raises(RuntimeError, match="has ended"):
            process.prepare([(usage.SINGLE_CONTENT_TYPE, [b"{}"])])


_WORKER = f"""
import sys, time
from services.aggregator.adapters.fold_process import FoldProcess
beside = FoldProcess({ZONE!r}, {KINDS!r})
beside.prepare([])
print(beside.pid, flush=True)
time.sleep(60)
"""


def test_the_process_ends_with_a_worker_that_is_killed():
    """kill -9 of the worker leaves nobody behind."""
    worker = subprocess.Popen([sys.executable, "-c", _WORKER], stdout=subprocess.PIPE, cwd=Path(__file__).parents[2])
    assert worker.stdout is not None
    child = int(worker.stdout.readline())
    worker.kill()
    worker.wait()
    worker.stdout.close()
    until = time.monotonic() + 10
    while _alive(child) and time.monotonic() < until:
        time.sleep(0.05)
    assert not _alive(child)


def _alive(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rsplit(")", 1)[1].split()[0] != "Z"
