"""What was acknowledged lately: whatever is asked within the span is known; what is long past is forgotten."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.ingest.core import recent
from services.ingest.core.recent import Recent


@dataclass(frozen=True)
class One:
    source: str
    id: str


@given(st.lists(st.tuples(st.floats(0, 50), st.integers(0, 5)), max_size=30), st.floats(0, 200))
def test_within_the_span_nothing_is_forgotten(added: list[tuple[float, int]], later: float) -> None:
    """Any times, any ids: known for at least the span, and for less than three times as long after it was last added."""
    held, now, last = Recent(60), 0.0, dict[int, float]()
    for pause, number in added:
        now += pause
        event: Any = One("s", str(number))
        held.add([event], now)
        last[number] = now
    now += later
    for number, at in last.items():
        known = held.may_hold("s", str(number), now)
        assert known or now - at >= 60
        assert not known or now - at < 180
    assert not held.may_hold("other", "0", now)


def test_above_its_room_it_says_that_it_cannot_tell(monkeypatch: Any) -> None:
    """Everything may have been among so many; later it can tell again."""
    monkeypatch.setattr(recent, "_MOST", 3)
    held = Recent(60)
    many: Any = [One("s", str(n)) for n in range(5)]
    held.add(many, 0)
    held.add(many, 1)
    assert held.may_hold("s", "never", 2)
    assert not held.may_hold("s", "never", 121)
