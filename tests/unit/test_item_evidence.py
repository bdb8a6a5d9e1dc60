"""Why an item counts, at the edges: periods, lives, ties, corrections, parties."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.core.item_evidence import (
    Code,
    Fate,
    Period,
    Said,
    Why,
    item_evidence,
    progress_evidence,
    resolve_exchanges,
)

START = date(2008, 5, 28)
LIFE = (date(1900, 1, 1), date(2299, 12, 31))
SINCE_START = Period(start=START)


def on(text: str) -> date:
    return date.fromisoformat(f"2008-{text}")


def said(step: str, day: str, version: int = 1, source: str = "/a", **more: object) -> Said:
    return Said(**{"source": source, "step": step, "version": version, "day": on(day), "retracted": False} | more)


def why(*statements: Said, day: str = "07-01", period: Period = SINCE_START, life: tuple[date, date] = LIFE) -> Why:
    return item_evidence("o", "1", statements, day=on(day), period=period, life=life).why


def test_entered_then_adopted_then_undone():
    """The last step up to the day decides; on equal days undone wins, whichever came first."""
    entered, adopted, undone = said("entered", "06-01"), said("adopted", "06-05", 2), said("undone", "06-09", 3)

    assert why(entered, adopted, undone, day="06-04") is Why.ONLY_ENTERED
    assert why(entered, adopted, undone, day="06-05") is Why.ADOPTED
    assert why(entered, adopted, undone, day="06-09") is Why.UNDONE
    assert why(entered, adopted, said("undone", "06-05", 1, "/b"), day="06-05") is Why.UNDONE


def test_the_period_begins_with_its_first_day():
    """An item of the first day counts, one of the day before does not; one of a day to come does not yet."""
    assert why(said("entered", "05-28")) is Why.ONLY_ENTERED
    assert why(said("entered", "05-27")) is Why.BEFORE_PERIOD
    assert why(said("entered", "07-02")) is Why.AFTER_DAY


def test_a_rolling_period_ends_after_its_days():
    """In a period of ten days an item is in on its tenth day, and out on the eleventh."""
    ten = Period(days=10)

    assert why(said("entered", "06-01"), day="06-10", period=ten) is Why.ONLY_ENTERED
    assert why(said("entered", "06-01"), day="06-11", period=ten) is Why.BEFORE_PERIOD


def test_the_office_must_be_there_on_the_day_of_entry():
    """Both days of an office's life count."""
    life = (on("06-01"), on("06-30"))

    assert why(said("entered", "06-01"), life=life) is Why.ONLY_ENTERED
    assert why(said("entered", "06-30"), life=life) is Why.ONLY_ENTERED
    assert why(said("entered", "05-31"), life=life) is Why.AGENCY_NOT_THERE
    assert why(said("entered", "07-01"), life=life) is Why.AGENCY_NOT_THERE


def test_what_a_source_takes_back_or_corrects():
    """The greatest version of a source's step stands; another source's statement is not touched by it."""
    first = said("entered", "06-01", 1)
    gone = said("entered", "06-01", 2, retracted=True)
    other = said("entered", "06-03", 1, "/b")

    assert why(first, gone) is Why.TAKEN_BACK
    found = item_evidence("o", "1", [first, gone, other], day=on("07-01"), period=SINCE_START, life=LIFE)
    assert (found.why, found.entered) == (Why.ONLY_ENTERED, on("06-03"))
    assert [fate for _, fate in found.statements] == [Fate.SUPERSEDED, Fate.TAKEN_BACK, Fate.COUNTS]


def test_a_document_enters_on_its_day_of_issue_where_nobody_says_when():
    """An exchange that was only adopted has entered when it was issued; an item without entry never did."""
    assert why(said("adopted", "06-05", issued=on("06-02")), day="06-05") is Why.ADOPTED
    assert why(said("adopted", "06-05")) is Why.NEVER_ENTERED


def test_amounts_count_from_the_plan_on_and_with_the_weight_last_stated():
    """A milestone before the plan says nothing; what is done counts without having been planned."""

    def told(*statements: Said, day: str = "07-01") -> tuple[Why, Decimal, Decimal]:
        one = progress_evidence("o", "1", statements, day=on(day), start=START, life=LIFE)
        return one.why, one.numerator, one.denominator

    planned = said("entered", "06-01", 1, weight=Decimal(3))
    done = said("adopted", "06-20", 2, weight=Decimal(4))
    assert told(planned, day="06-19") == (Why.ONLY_ENTERED, 0, 3)
    assert told(planned, done) == (Why.ADOPTED, 4, 4)
    assert told(done) == (Why.ADOPTED, 4, 0)
    assert told(said("entered", "05-01")) == (Why.BEFORE_PERIOD, 0, 0)


@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from(["entered", "adopted", "undone"]),
            st.integers(0, 40),
            st.integers(1, 9),
            st.sampled_from(["/a", "/b"]),
            st.booleans(),
        ),
        max_size=8,
    ),
    order=st.randoms(use_true_random=False),
)
def test_the_order_of_statements_changes_nothing(steps, order):
    """Any shuffle of statements gives the same evidence, and every statement has one fate."""
    statements = [
        Said(source=source, step=step, version=version * 100 + at, day=START + timedelta(days=day), retracted=gone)
        for at, (step, day, version, source, gone) in enumerate(steps)
    ]
    shuffled = list(statements)
    order.shuffle(shuffled)
    asked = {"day": on("06-20"), "period": Period(days=15), "life": LIFE}

    found = item_evidence("o", "1", statements, **asked)
    assert found == item_evidence("o", "1", shuffled, **asked)
    assert len(found.statements) == len(statements)
    assert 0 <= found.numerator <= found.denominator <= 1


LEADERSHIP = Code(agency="lead", leadership=True, first=LIFE[0], last=LIFE[1])
OFFICE = Code(agency="a", leadership=False, first=on("06-01"), last=on("06-30"))
NEIGHBOUR = Code(agency="b", leadership=False, first=LIFE[0], last=LIFE[1])
CODES = {"L": [LEADERSHIP], "A": [OFFICE], "B": [NEIGHBOUR]}


@pytest.mark.parametrize(
    ("issuer", "counterpart", "issued", "told"),
    [
        ("L", "A", "06-30", ("a", None)),
        ("A", "L", "06-01", ("a", None)),
        ("L", "A", "07-01", ("", Why.UNKNOWN_PARTY)),
        ("L", "X", "06-10", ("", Why.UNKNOWN_PARTY)),
        ("A", "B", "06-10", ("", Why.NOT_WITH_LEADERSHIP)),
        ("L", "B", "06-10", None),
    ],
)
def test_whom_a_document_counts_for(issuer, counterpart, issued, told):
    """It counts for the party that is not leadership on the day of issue; what is another office's is left out."""
    document = said("entered", "06-20", issued=on(issued))

    found = resolve_exchanges({(issuer, 2008, "7", counterpart): [document]}, CODES, {"a"})

    assert [(office, reason) for (office, _), (_, reason) in found.items()] == ([told] if told else [])
