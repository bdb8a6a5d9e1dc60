"""Properties of the life of warnings."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.plan import WarningPolicy
from schemas.warnings import Transition, TransitionReason, WarningState
from services.core.lifecycle import (
    BEHIND,
    FeedStanding,
    JudgedDay,
    Quiet,
    decide_all,
    decide_feed,
    decide_lag,
    feed_cause,
    is_open,
    lag_cause,
    speaks,
    transition,
)
from services.core.warning_records import fold

START = date(2008, 5, 28)
AT = datetime.fromisoformat("2008-10-01T08:00:00+07:00")
SUBJECT = ("so-y-te", lag_cause("email-use"))


def day(step: int, verdict: str, feed: str = "reporting", provisional: bool = False) -> JudgedDay:
    at = START + timedelta(days=step)
    judged = at - timedelta(days=1) if feed == "silent" else at
    return JudgedDay(day=at, verdict=verdict, feed_state=feed, judged_day=judged, provisional=provisional)


def history(letters: str) -> list[JudgedDay]:
    """b behind, m missed, o on track, s silent, p partial, n never connected, v provisional and behind, f too few."""
    kinds = {
        "b": ("behind", "reporting", False),
        "m": ("missed", "reporting", False),
        "o": ("on-track", "reporting", False),
        "s": ("behind", "silent", False),
        "p": ("behind", "partial", False),
        "n": ("no-data", "never-connected", False),
        "v": ("behind", "reporting", True),
        "f": ("too-few", "reporting", False),
    }
    return [day(step, *kinds[letter]) for step, letter in enumerate(letters)]


def opened(since: int = 0) -> Transition:
    moment = START + timedelta(days=since)
    return Transition(
        id="x", plan="p", agency=SUBJECT[0], cause=SUBJECT[1], sequence=1, state=WarningState.OPEN,
        reason=TransitionReason.FELL_BEHIND, day=moment, since=moment, at=AT, revision=1,
    )  # fmt: skip


POLICY = WarningPolicy(hold=3, clear=3)
histories = st.text(alphabet="bmospnvf", min_size=1, max_size=60).map(history)
policies = st.builds(WarningPolicy, hold=st.integers(0, 5), clear=st.integers(1, 5))


@pytest.mark.parametrize(
    ("letters", "past", "reason", "since"),
    [
        pytest.param("oob", None, Quiet.HELD, 2, id="one day behind is held"),
        pytest.param("oobbb", None, TransitionReason.FELL_BEHIND, 2, id="three days open, since the first"),
        pytest.param("obbbbbbbb", None, TransitionReason.FELL_BEHIND, 1, id="a backlog opens once, with its first day"),
        pytest.param("bbbmmm", None, TransitionReason.MISSED, 0, id="past the deadline the reason is missed"),
        pytest.param("bbobb", None, Quiet.HELD, 3, id="a good day ends a run that had not fired"),
        pytest.param("bbbob", None, TransitionReason.FELL_BEHIND, 0, id="a good day does not end a run that had fired"),
        pytest.param("bbbo", None, Quiet.ON_PLAN, 3, id="nothing opens on a good day"),
        pytest.param("bbboo", opened(), Quiet.CLEARING, 3, id="two good days are not enough"),
        pytest.param("bbbooo", opened(), TransitionReason.CAUGHT_UP, 3, id="three good days resolve"),
        pytest.param("bbbb", opened(), Quiet.STILL_BEHIND, 0, id="an open warning stays"),
        pytest.param("bbbs", None, Quiet.FEED_HOLDS_BACK, 2, id="a silent feed holds back"),
        pytest.param("ooop", opened(), Quiet.FEED_HOLDS_BACK, 3, id="a partial feed resolves nothing"),
        pytest.param("bsb", None, Quiet.HELD, 0, id="silent days do not count"),
        pytest.param("bsbsb", None, TransitionReason.FELL_BEHIND, 0, id="silent days do not break a run"),
        pytest.param("bbv", None, Quiet.HELD, 0, id="a provisional day does not count"),
        pytest.param("bbbv", None, TransitionReason.FELL_BEHIND, 0, id="a provisional day does not hold back"),
        pytest.param("fff", None, Quiet.NOTHING_SAID, 2, id="too few cases say nothing"),
    ],
)
def test_what_is_decided(letters: str, past: Transition | None, reason: TransitionReason | Quiet, since: int) -> None:
    """Each course leads to its named reason, counted from its first day."""
    decision = decide_lag(past, history(letters), POLICY)

    assert (decision.reason, decision.since) == (reason, START + timedelta(days=since))


def follow(days: list[JudgedDay], policy: WarningPolicy) -> list[tuple[JudgedDay, Transition | None]]:
    """Live day by day, as a service that looks every day does."""
    past: Transition | None = None
    lived = []
    for count in range(1, len(days) + 1):
        made = transition(decide_lag(past, days[:count], policy), past, SUBJECT, plan="p", revision=1, at=AT)
        past = made or past
        lived.append((days[count - 1], made))
    return lived


@settings(deadline=None)  # the machine may be busy
@given(histories, policies)
def test_a_firing_fault_has_exactly_one_open_warning(days: list[JudgedDay], policy: WarningPolicy) -> None:
    """Behind on the last `hold` speaking days, feeds alive: the warning is open; transitions alternate."""
    lived = follow(days, policy)
    made = [one for _, one in lived if one is not None]
    speaking = [one for one in days if speaks(one)]
    run = speaking[-max(policy.hold, 1) :]

    firing = len(run) == max(policy.hold, 1) and all(one.verdict in BEHIND for one in run)
    # Feeds that hold back on the last day may postpone the decision; the next living day makes it.
    if firing and speaks(days[-1]):
        assert is_open(fold(made)[SUBJECT])
    assert [one.state for one in made] == [
        WarningState.OPEN if number % 2 == 0 else WarningState.RESOLVED for number in range(len(made))
    ]
    assert [one.sequence for one in made] == list(range(1, len(made) + 1))


@settings(deadline=None)  # the machine may be busy
@given(histories, policies)
def test_resolved_only_after_the_clear_time(days: list[JudgedDay], policy: WarningPolicy) -> None:
    """Whenever a warning is resolved, the last `clear` speaking days were not behind."""
    for count, (_, made) in enumerate(follow(days, policy), start=1):
        if made is not None and made.state is WarningState.RESOLVED:
            speaking = [one for one in days[:count] if speaks(one)]
            assert len(speaking) >= policy.clear
            assert all(one.verdict not in BEHIND for one in speaking[-policy.clear :])


@settings(deadline=None)  # the machine may be busy
@given(histories, policies)
def test_silence_neither_opens_nor_resolves(days: list[JudgedDay], policy: WarningPolicy) -> None:
    """No transition on a day whose feed is silent, partial or never connected."""
    for at, made in follow(days, policy):
        if at.feed_state != "reporting":
            assert made is None


@settings(deadline=None)  # the machine may be busy
@given(histories, policies, st.sampled_from("spnf"), st.data())
def test_silent_days_change_nothing_about_the_others(
    days: list[JudgedDay], policy: WarningPolicy, letter: str, data: st.DataObject
) -> None:
    """Days that do not speak, wherever they fall, change no run: the last day decides the same with and without them."""
    kept = [one for one in days if speaks(one)]
    if not kept:
        return
    filler = history(letter)[0]
    mixed: list[JudgedDay] = []
    for one in kept:
        mixed += [filler] * data.draw(st.integers(0, 2))
        mixed.append(one)

    assert decide_lag(None, mixed, policy) == decide_lag(None, kept, policy)


@settings(deadline=None)  # the machine may be busy
@given(histories, policies)
def test_replaying_the_transitions_in_any_order_gives_the_state(days: list[JudgedDay], policy: WarningPolicy) -> None:
    """The state is a fold: order and repeats of transitions do not matter."""
    made = [one for _, one in follow(days, policy) if one is not None]

    assert fold([*reversed(made), *made]) == fold(made)
    assert fold(made).get(SUBJECT) == (made[-1] if made else None)


@settings(deadline=None)  # the machine may be busy
@given(histories, policies, st.sampled_from(["reporting", "partial", "silent", "never-connected"]))
def test_deciding_twice_makes_nothing_new(days: list[JudgedDay], policy: WarningPolicy, state: str) -> None:
    """What was decided once is not decided again; two leaders deciding at once make the same ids."""
    feed = FeedStanding(feed="mail", state=state, last_covered=None, since=START)
    subjects = frozenset({SUBJECT, ("mail", feed_cause("mail"))})

    def decide(past: dict[tuple[str, str], Transition], at: datetime) -> tuple[Transition, ...]:
        return decide_all(
            past, {SUBJECT: days}, [feed], judged=subjects, policy=policy, plan="p", revision=1, day=days[-1].day, at=at
        )

    first = decide({}, AT)
    other = decide({}, AT + timedelta(seconds=3))

    assert [one.id for one in first] == [one.id for one in other]
    assert decide(fold(first), AT) == ()
    assert decide(fold([*first, *other]), AT) == ()
    assert fold([*first, *other]) == fold(first)


def test_what_is_no_longer_judged_is_resolved_by_name() -> None:
    """A new revision without the target ends the warning, and says why."""

    def decide(*past: Transition) -> tuple[Transition, ...]:
        return decide_all(fold(past), {}, [], judged=frozenset(), policy=POLICY, plan="p", revision=2, day=START, at=AT)

    (made,) = decide(opened())

    assert (made.state, made.reason, made.sequence) == (WarningState.RESOLVED, TransitionReason.NO_LONGER_JUDGED, 2)
    assert decide(opened(), made) == ()


@pytest.mark.parametrize(
    ("state", "is_dead"),
    [("never-connected", True), ("silent", True), ("partial", False), ("reporting", False)],
)
def test_a_feed_is_warned_about_while_it_is_dead(state: str, is_dead: bool) -> None:
    """Silent and never connected open; partial and reporting resolve what was open and open nothing."""
    feed = FeedStanding(feed="mail", state=state, last_covered=START, since=START)

    fresh = decide_feed(None, feed, START).reason
    after = decide_feed(opened(), feed, START).reason

    assert (fresh is TransitionReason.FEED_SILENT) == is_dead
    assert (after is TransitionReason.FEED_RETURNED) == (not is_dead)
