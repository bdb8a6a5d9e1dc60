"""Which notices follow from transitions, and what becomes of them."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cache
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.directory import Directory
from schemas.warnings import Notice, Transition
from services.alerts.core.message import pace_of
from services.alerts.core.notices import (
    backoff,
    contact_of,
    message_id,
    plan_notices,
    references,
)
from services.alerts.core.samples import sample_letters
from services.alerts.core.warn import compose
from services.core.standing import Standing
from services.core.transitions import feeds_needed, transitions_of
from services.core.warning_records import DeliveryFault, fold, fold_notices
from tests import alerts_world as world

LATER = world.NOW + timedelta(days=1)


@cache
def decided() -> tuple[Directory, tuple[Transition, ...]]:
    assessment = world.assessed()
    return assessment.directory, transitions_of(assessment, {}, at=world.NOW)


def test_one_notice_per_agency_with_all_its_indicators() -> None:
    """Two indicators of one office share a notice to its head; a feed's goes to its owner and to operations."""
    directory, transitions = decided()

    planned = plan_notices(transitions, [], directory, at=world.NOW)

    assert [(one.agency, one.recipient, len(one.transitions)) for one in planned] == [
        ("so-xay-dung.documents", "feed-owner", 1),
        ("so-xay-dung.documents", "operations", 1),
        ("so-y-te", "head", 2),
    ]
    assert all(one.state == "pending" for one in planned)


def test_a_dead_feed_warns_nobodys_head() -> None:
    """What the dead feed supplies is behind, and its office gets no mail at all."""
    assessment = world.assessed()
    transitions = transitions_of(assessment, {}, at=world.NOW)

    assert assessment.histories[("documents", "so-xay-dung")][-1].verdict == "behind"
    assert {(one.agency, one.cause) for one in transitions if "xay-dung" in one.agency} == {
        ("so-xay-dung.documents", "feed:so-xay-dung.documents")
    }


def test_no_notice_without_a_transition_and_none_twice() -> None:
    """Everything told is told once, however often it is planned and whatever the directory says by then."""
    directory, transitions = decided()
    planned = plan_notices(transitions, [], directory, at=world.NOW)

    assert plan_notices([], [], directory, at=world.NOW) == ()
    assert plan_notices(transitions, planned, directory, at=LATER) == ()
    assert plan_notices([*transitions, *transitions], [], directory, at=LATER) == tuple(
        one.model_copy(update={"at": LATER}) for one in planned
    )
    renamed = directory.model_copy(
        update={"operations": directory.operations.model_copy(update={"email": "moi@example.vn"})}
    )
    assert plan_notices(transitions, planned, renamed, at=LATER) == ()


def test_an_agency_without_contacts_is_told_through_operations() -> None:
    """No warning goes missing because nobody was entered."""
    directory, transitions = decided()
    bare = directory.model_copy(
        update={"agencies": tuple(one.model_copy(update={"contacts": ()}) for one in directory.agencies)}
    )

    (notice,) = [one for one in plan_notices(transitions, [], bare, at=world.NOW) if one.agency == "so-y-te"]

    assert notice.recipient == "operations"
    assert contact_of(bare, notice) == bare.operations


def test_feeds_of_one_owner_share_a_mail() -> None:
    """When a server that supplies many feeds dies, its owner gets one mail."""
    assessment = world.assessed(died=world.START - timedelta(days=1))
    transitions = transitions_of(assessment, {}, at=world.NOW)
    other = transitions[0].model_copy(update={"id": "other", "agency": "mail", "cause": "feed:mail"})

    planned = plan_notices([*transitions, other], [], assessment.directory, at=world.NOW)

    assert [(one.recipient, len(one.transitions)) for one in planned if one.agency == "mail"] == [
        ("feed-owner", 2),
        ("operations", 2),
    ]


def test_feeds_needed_are_those_that_some_indicator_reads() -> None:
    """A feed whose types nobody reads warns nobody."""
    assessment = world.assessed()
    less = assessment.plan.model_copy(update={"indicators": assessment.plan.indicators[1:2]})

    assert feeds_needed(assessment.plan, assessment.directory) == {one.id for one in assessment.directory.feeds}
    assert feeds_needed(less, assessment.directory) == {"mailboxes", "roster"}


records = st.lists(
    st.tuples(st.sampled_from(["pending", "sent", "failed"]), st.sampled_from([*DeliveryFault]), st.integers(0, 5)),
    min_size=1,
    max_size=6,
)


@settings(deadline=None)  # the machine may be busy
@given(records, st.randoms())
def test_what_records_of_a_notice_amount_to(rows: list[tuple[str, str, int]], shuffle: Random) -> None:
    """Sent wins over everything, whatever the order; only final faults settle without it."""
    directory, transitions = decided()
    notice = plan_notices(transitions, [], directory, at=world.NOW)[0]
    made = [
        notice.model_copy(
            update={
                "state": state,
                "detail": fault if state == "failed" else "",
                "at": world.NOW + timedelta(hours=hour),
            }
        )
        for state, fault, hour in rows
    ]
    state = fold_notices(made)[notice.id]

    sent = any(one.state == "sent" for one in made)
    mixed = [*made, *made]
    shuffle.shuffle(mixed)
    assert state.sent == sent == fold_notices(mixed)[notice.id].sent
    if not sent:
        assert state.settled == (bool(state.fault) and DeliveryFault(state.fault).final)


def test_ids_depend_on_content_alone() -> None:
    """The same transitions, agency, recipient and channel give the same Message-ID on every machine."""
    directory, transitions = decided()
    first = plan_notices(transitions, [], directory, at=world.NOW)
    second = plan_notices(reversed(transitions), [], directory, at=LATER)

    assert [one.id for one in first] == [one.id for one in second]
    assert len({one.id for one in first}) == len(first)
    assert message_id(first[0].id, "tinh.gov.vn") == f"<{first[0].id}@tinh.gov.vn>"


def test_threads_follow_the_recipient() -> None:
    """A later notice answers the earlier ones to the same recipient about the same agency, oldest first."""
    directory, transitions = decided()
    first = plan_notices(transitions, [], directory, at=world.NOW)[2]

    def later(number: str, hours: int, **other: str) -> Notice:
        return first.model_copy(update={"id": number, "at": world.NOW + timedelta(hours=hours), **other})

    notices = [later("c", 3), first, later("b", 2), later("x", 1, agency="so-khac"), later("y", 1, recipient="chair")]

    assert references(later("d", 4), notices) == (first.id, "b", "c")
    assert references(first, notices) == ()


@pytest.mark.parametrize(("failures", "seconds"), [(1, 5), (2, 10), (3, 20), (7, 300), (5000, 300)])
def test_waits_double_up_to_the_longest(failures: int, seconds: int) -> None:
    """5, 10, 20 seconds, and never more than five minutes."""
    assert backoff(failures, first=timedelta(seconds=5), longest=timedelta(minutes=5)) == timedelta(seconds=seconds)


def standing(numerator: int, denominator: int, day: date) -> Standing:
    sample = sample_letters()[0]
    assert hasattr(sample, "lags")
    base: Standing = sample.lags[0].standing
    values = {name: getattr(base, name) for name in Standing.__dataclass_fields__}
    return Standing(
        **values
        | {
            "numerator": Decimal(numerator),
            "denominator": Decimal(denominator),
            "ratio": Fraction(numerator, denominator),
            "judged_day": day,
        }
    )


@settings(deadline=None)  # the machine may be busy
@given(st.integers(0, 500), st.integers(1, 500), st.integers(1, 300))
def test_the_pace_named_catches_up_and_one_less_does_not(numerator: int, denominator: int, left: int) -> None:
    """So many people more each week reach the target by the deadline; one fewer a week would not."""
    numerator = min(numerator, denominator)
    deadline = world.DAY + timedelta(days=left)
    pace = pace_of(standing(numerator, denominator, world.DAY), Fraction(1, 2), deadline)
    assert pace.per_week is not None
    weeks = Fraction(left, 7)

    assert Fraction(numerator) + pace.per_week * weeks >= Fraction(denominator, 2)
    if pace.per_week > 0:
        assert Fraction(numerator) + (pace.per_week - 1) * weeks < Fraction(denominator, 2)
    assert pace.missing == max(0, -((2 * numerator - denominator) // 2))


def test_a_letter_holds_what_is_open_and_what_has_ended() -> None:
    """New first, then the longest behind; what was resolved is named; what is fine is listed."""
    assessment = world.assessed()
    transitions = transitions_of(assessment, {}, at=world.NOW)
    notice = plan_notices(transitions, [], assessment.directory, at=world.NOW)[2]

    letter = compose(assessment, notice, transitions, written=world.NOW.date())

    assert letter is not None
    assert hasattr(letter, "lags")
    assert [one.indicator for one in letter.lags] == ["email-use", "mailboxes"]
    assert [one.title for one in letter.others] == ["Văn bản xử lý trên mạng"]
    assert letter.worst == 31
    assert [line.last_covered for line in letter.lags[0].sources] == [world.DAY] * 3
    assert letter.lags[0].since == fold(transitions)[("so-y-te", "lag:email-use")].since
