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

from schemas.warnings import Notice, Transition
from services.alerts.core.message import pace_of
from services.alerts.core.notices import (
    backoff,
    contact_of,
    message_id,
    references,
)
from services.alerts.core.samples import sample_letters
from services.alerts.core.warn import compose
from services.core.schedule.assess import Assessment
from services.core.schedule.standing import Standing
from services.core.warnings.transitions import feeds_needed
from services.core.warnings.warning_records import DeliveryFault, fold, fold_notices
from tests import alerts_world as world

LATER = world.NOW + timedelta(days=1)


@cache
def decided() -> tuple[Assessment, tuple[Transition, ...]]:
    assessment = world.assessed()
    return assessment, world.decided(assessment)


def without(planned: tuple[Notice, ...]) -> list[tuple[str, str, int]]:
    return [(one.agency, one.recipient, len(one.transitions)) for one in planned]


def test_one_notice_per_agency_with_all_its_indicators() -> None:
    """Two indicators of one office share a notice to its head; a feed's goes to its owner and to operations."""
    planned = world.planned(*decided())

    assert without(planned) == [
        ("mail", "feed-owner", 1),  # filed under the first feed of the same owner
        ("mail", "operations", 1),
        ("so-y-te", "head", 2),
    ]
    assert all((one.state, one.number, one.due) == ("pending", 1, None) for one in planned)


def test_a_dead_feed_warns_nobodys_head() -> None:
    """What the dead feed supplies is behind, and its office gets no mail at all."""
    assessment, transitions = decided()

    assert assessment.histories[("documents", "so-xay-dung")][-1].verdict == "behind"
    assert {(one.agency, one.cause) for one in transitions if "xay-dung" in one.agency} == {
        ("so-xay-dung.documents", "feed:so-xay-dung.documents")
    }


def test_no_notice_without_a_transition_and_each_told_once() -> None:
    """Nothing untold, no notice; a transition that stands twice in the log is told once."""
    assessment, transitions = decided()

    assert world.planned(assessment, ()) == ()
    assert world.planned(assessment, [*transitions, *transitions]) == world.planned(assessment, transitions)


def test_an_agency_without_contacts_is_told_through_operations() -> None:
    """No warning goes missing because nobody was entered."""
    assessment, transitions = decided()
    agencies = tuple(one.model_copy(update={"contacts": ()}) for one in assessment.directory.agencies)
    bare = assessment.directory.model_copy(update={"agencies": agencies})

    (notice,) = [one for one in world.planned(assessment, transitions, directory=bare) if one.agency == "so-y-te"]

    assert notice.recipient == "operations"
    assert contact_of(bare, notice) == bare.operations


def test_feeds_of_one_owner_share_a_mail_and_a_thread() -> None:
    """When a server that supplies many feeds dies, its owner gets one mail, filed under the first of its feeds."""
    assessment = world.assessed(died=world.START - timedelta(days=1))
    (dead,) = [one for one in world.decided(assessment) if one.cause.startswith("feed:")]
    other = dead.model_copy(update={"id": "other", "agency": "roster", "cause": "feed:roster"})

    planned = world.planned(assessment, [dead, other])

    assert without(planned) == [("mail", "feed-owner", 2), ("mail", "operations", 2)]
    assert world.planned(assessment, [other])[0].id == planned[0].id


def test_feeds_needed_are_those_that_some_indicator_reads() -> None:
    """A feed whose types nobody reads warns nobody."""
    assessment = world.assessed()
    less = assessment.plan.model_copy(update={"indicators": assessment.plan.indicators[1:2]})

    assert feeds_needed(assessment.plan, assessment.directory) == {one.id for one in assessment.directory.feeds}
    assert feeds_needed(less, assessment.directory) == {"mailboxes", "roster"}


def test_ids_depend_on_the_place_in_the_thread_alone() -> None:
    """Whoever plans the next notice at the same time, knowing more or less, gives it the same Message-ID; the one after not."""
    assessment, transitions = decided()
    first = world.planned(assessment, transitions)
    less = world.planned(assessment, transitions[:2], at=LATER)
    threads = {(one.agency, one.recipient, one.channel): 1 for one in first}
    after = world.planned(assessment, transitions, threads=threads)

    assert [one.id for one in less] == [one.id for one in first]
    assert [len(one.transitions) for one in less] == [1, 1, 1]
    assert len({one.id for one in (*first, *after)}) == len(first) * 2
    assert message_id(first[0].id, "tinh.gov.vn") == f"<{first[0].id}@tinh.gov.vn>"


def test_a_notice_refers_to_the_ones_before_it() -> None:
    """The first to nobody; the thirteenth to the ten before it, the oldest first, by ids that need no memory."""
    assessment, transitions = decided()

    def numbered(number: int) -> Notice:
        thread = ("so-y-te", "head", "email")
        found = world.planned(assessment, transitions, threads={thread: number - 1})
        return next(one for one in found if one.agency == "so-y-te")

    assert references(numbered(1)) == ()
    assert references(numbered(13)) == tuple(numbered(one).id for one in range(3, 13))


records = st.lists(
    st.tuples(
        st.sampled_from(["pending", "sent", "failed", "dead"]),
        st.sampled_from([*DeliveryFault]),
        st.integers(0, 5),
        st.integers(0, 2),
    ),
    min_size=1,
    max_size=6,
)


@settings(deadline=None)  # the machine may be busy
@given(records, st.randoms())
def test_what_records_of_a_notice_amount_to(rows: list[tuple[str, str, int, int]], shuffle: Random) -> None:
    """The last attempt decides: sent wins, whatever the order; given up or a final fault settle without it."""
    notice = world.planned(*decided())[0]
    made = [
        notice.model_copy(
            update={
                "state": state,
                "detail": fault if state in ("failed", "dead") else "",
                "at": world.NOW + timedelta(hours=hour),
                "attempt": attempt,
            }
        )
        for state, fault, hour, attempt in rows
    ]
    mixed = [*made, *made]
    shuffle.shuffle(mixed)
    state, other = fold_notices(made)[notice.id], fold_notices(mixed)[notice.id]

    last = [one for one in made if one.attempt == max(one.attempt for one in made)]
    sent = any(one.state == "sent" for one in last)
    assert state.sent == sent == other.sent
    assert (state.attempt, state.state == "sent") == (last[0].attempt, sent)
    if not sent:
        dead = any(one.state == "dead" for one in last)
        assert state.settled == (dead or (bool(state.fault) and DeliveryFault(state.fault).final))


def test_every_record_of_a_notice_counts_as_told() -> None:
    """Of two evaluators one knew more: what either told is told."""
    assessment, transitions = decided()
    first, second = (
        one.model_copy(update={"transitions": (told,)})
        for one, told in zip([world.planned(assessment, transitions)[2]] * 2, ("a", "b"), strict=True)
    )

    assert fold_notices([first, second])[first.id].notice.transitions == ("a", "b")


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
    assessment, transitions = decided()
    notice = world.planned(assessment, transitions)[2]

    letter = compose(assessment, notice, transitions, written=world.NOW.date())

    assert letter is not None
    assert hasattr(letter, "lags")
    assert [one.indicator for one in letter.lags] == ["email-use", "mailboxes"]
    assert [one.title for one in letter.others] == ["Văn bản xử lý trên mạng"]
    assert letter.worst == 31
    assert [line.last_covered for line in letter.lags[0].sources] == [world.DAY] * 3
    assert letter.lags[0].since == fold(transitions)[("so-y-te", "lag:email-use")].since
