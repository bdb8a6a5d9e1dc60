"""Counts of people by reason: what is told, what is withheld, and what two answers together give away."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from services.core.suppression import SMALLEST, SPREAD, Cell, perturbed, told

keys = st.integers(0, 2**64 - 1)
cells = st.dictionaries(
    st.sampled_from(["no-mailbox", "mailbox-elsewhere", "mailbox-not-open"]),
    st.builds(Cell, st.integers(0, 300), keys),
    min_size=2,
)


@given(cells=cells, counting=st.integers(0, 300))
def test_small_groups_are_never_told(cells, counting):
    """Of a group under ten, and of fewer than ten who do not count, nothing; else no answer below ten or above the whole."""
    others = sum(cell.people for cell in cells.values())
    answer = told(cells, people=counting + others, others=others)

    assert set(answer) == set(cells)
    if counting + others < SMALLEST or others < SMALLEST:
        assert set(answer.values()) == {None}
    for why, about in answer.items():
        if about is not None:
            assert SMALLEST <= about <= others
            assert abs(about - cells[why].people) <= SPREAD


@given(cells=cells)
def test_asking_again_tells_nothing_new(cells):
    """The same people give the same answer."""
    others = sum(cell.people for cell in cells.values())

    assert told(cells, people=others, others=others) == told(
        dict(reversed(cells.items())), people=others, others=others
    )


@given(people=st.integers(20, 200), key=keys)
def test_a_difference_of_one_person_is_not_told_by_the_difference_of_answers(people, key):
    """With one person more, the answer rises, stays or falls, as the new key decides: each key is as likely."""
    before = perturbed(Cell(people, key))
    afterwards = Counter(perturbed(Cell(people + 1, other)) for other in range(2 * SPREAD + 1))
    unchanged = Counter(perturbed(Cell(people, other)) for other in range(2 * SPREAD + 1))

    assert set(afterwards.values()) == {1}
    assert set(unchanged.values()) == {1}
    shared = set(afterwards) & set(unchanged)
    assert len(shared) == 2 * SPREAD  # of seven answers six may come with the person as well as without
    assert min(afterwards) <= before + 1


def test_one_reason_alone_is_public_anyway():
    """Where there is one reason, its count is denominator minus numerator, which the figure tells."""
    assert told({"not-on-roster": Cell(14, 5)}, people=40, others=14) == {"not-on-roster": 14}
