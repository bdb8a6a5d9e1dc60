"""The limit on dead letters, against a plain look at every event."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.aggregator.core.dead_letters import DeadLetterLimit, Recent, Rule, TooManyUnusable

outcomes = st.lists(st.booleans(), max_size=60)


@st.composite
def limits(draw: st.DrawFn) -> DeadLetterLimit:
    window = draw(st.integers(1, 12))
    return DeadLetterLimit(
        window=window,
        percent=draw(st.sampled_from([0, 1, 33, 50, 51, 99, 100])),
        in_a_row=draw(st.integers(0, window)),
        least=draw(st.integers(1, 14)),
    )


def breach(limit: DeadLetterLimit, events: list[bool]) -> tuple[int, Rule] | None:
    """Return place and rule of the first event that reaches the limit, looking at each event anew."""
    for end in range(1, len(events) + 1):
        seen = events[:end]
        row = 0
        for usable in reversed(seen):
            if usable:
                break
            row += 1
        if limit.in_a_row and row >= limit.in_a_row:
            return end, Rule.IN_A_ROW
        last = seen[-limit.window :]
        enough = limit.percent and len(last) >= min(limit.least, limit.window)
        if enough and Fraction(last.count(False), len(last)) >= Fraction(limit.percent, 100):
            return end, Rule.SHARE
    return None


def as_batch(events: list[bool]) -> tuple[int, list[int]]:
    """Return how many are usable, and after how many of these each unusable one comes."""
    after, usable = [], 0
    for one in events:
        if one:
            usable += 1
        else:
            after.append(usable)
    return usable, after


def followed(limit: DeadLetterLimit, events: list[bool], cuts: list[int]) -> tuple[int, Rule] | None:
    """Return the batch (its last event's place) that reaches the limit, and the rule."""
    recent = Recent()
    edges = sorted({0, len(events), *(cut % (len(events) + 1) for cut in cuts)})
    for start, end in pairwise(edges):
        try:
            recent = limit.after(recent, *as_batch(events[start:end]))
        except TooManyUnusable as reached:
            return end, reached.rule
        assert recent.count == min(end, limit.window)
        assert recent.unusable == events[:end][-limit.window :].count(False)
    return None


@given(limits(), outcomes, st.lists(st.integers(0, 60), max_size=6))
@example(DeadLetterLimit(window=3, percent=100, in_a_row=0, least=3), [False, False, True, False, False, False], [])
@example(DeadLetterLimit(window=4, percent=50, in_a_row=0, least=4), [False, False, True, True], [])
def test_the_limit_is_reached_in_the_batch_of_the_event_that_reaches_it(limit, events, cuts):
    """However events are cut into batches, the batch that holds the first event at the limit is refused, and none before."""
    wanted = breach(limit, events)
    found = followed(limit, events, cuts)
    if wanted is None:
        assert found is None
    else:
        edges = sorted({0, len(events), *(cut % (len(events) + 1) for cut in cuts)})
        assert found == (min(edge for edge in edges if edge >= wanted[0]), wanted[1])


@given(st.integers(1, 300))
def test_one_less_in_a_row_passes(count):
    """The limit is the number itself: one fewer passes, with a usable event in between they count anew."""
    limit = DeadLetterLimit(window=1000, percent=0, in_a_row=count)
    recent = limit.after(Recent(), 0, [0] * (count - 1))
    assert recent.in_a_row == count - 1
    limit.after(recent, 1, [1] * (count - 1))
    with pytest.raises(TooManyUnusable) as reached:
        limit.after(recent, 0, [0])
    assert reached.value.rule is Rule.IN_A_ROW


def test_half_of_the_window_is_too_much_and_one_less_is_not():
    """With 50 % of 1,000: 499 pass among 1,000, the 500th does not."""
    limit = DeadLetterLimit(in_a_row=0)
    recent = limit.after(Recent(), 501, [501] * 499)
    assert (recent.unusable, recent.count) == (499, 1000)
    with pytest.raises(TooManyUnusable, match="500 of the last 1000"):
        limit.after(recent, 0, [0])


def test_a_batch_done_again_counts_once():
    """What was remembered before a batch does not change with it."""
    limit = DeadLetterLimit(in_a_row=3)
    past = limit.after(Recent(), 10, [10])
    assert limit.after(past, 0, [0]) == limit.after(past, 0, [0])
    assert past.in_a_row == 1


def test_switched_off_nothing_is_too_much():
    """With 0 and 0 every event may be unusable."""
    recent = DeadLetterLimit(percent=0, in_a_row=0).after(Recent(), 0, [0] * 5000)
    assert recent.unusable == 1000


@pytest.mark.parametrize(
    "wrong",
    [{"window": 0}, {"percent": 101}, {"percent": -1}, {"in_a_row": -1}, {"in_a_row": 1001}, {"least": 0}],
    ids=lambda wrong: "-".join(wrong),
)
def test_senseless_limits_are_refused(wrong):
    """A limit that could never hold as it reads is a fault of the settings."""
    with pytest.raises(ValueError):
        DeadLetterLimit(**wrong)
