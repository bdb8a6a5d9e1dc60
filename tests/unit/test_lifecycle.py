"""The life of warnings: what each course leads to, and what holds of every life."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.policy import ROLES, FeedRules, Policy, Severity, Step
from schemas.warnings import Answer, AnswerKind, Transition, TransitionReason, WarningState
from services.core.warnings.course import Course, JudgedDay, speaks
from services.core.warnings.evaluation import Day, transitions_on
from services.core.warnings.feed_life import FeedStanding, decide_feed
from services.core.warnings.lifecycle import (
    TOLD,
    Quiet,
    decide_lag,
    feed_cause,
    is_open,
    lag_cause,
)
from services.core.warnings.severity import RANK
from services.core.warnings.warning_records import counted, fold, waiting_answers

START = date(2008, 5, 28)
AT = datetime.fromisoformat("2008-10-01T08:00:00+07:00")
SUBJECT = ("so-y-te", lag_cause("email-use"))

#: i, w, c: grave as info, warning, critical, m past the deadline; o on plan; s silent, p partial, n never connected,
#: v provisional, f too few.
KINDS = {
    "i": ("at-risk", 1, "reporting", False),
    "w": ("behind", 2, "reporting", False),
    "c": ("behind", 3, "reporting", False),
    "m": ("missed", 3, "reporting", False),
    "o": ("on-track", 0, "reporting", False),
    "s": ("behind", 2, "silent", False),
    "p": ("behind", 2, "partial", False),
    "n": ("no-data", 0, "never-connected", False),
    "v": ("behind", 2, "reporting", True),
    "f": ("too-few", 0, "reporting", False),
}


def history(letters: str) -> list[JudgedDay]:
    days = []
    for step, letter in enumerate(letters):
        verdict, severity, feed, provisional = KINDS[letter]
        at = START + timedelta(days=step)
        judged = at - timedelta(days=1) if feed == "silent" else at
        days.append(
            JudgedDay(day=at, verdict=verdict, severity=severity, feed_state=feed, judged_day=judged,
                      provisional=provisional)
        )  # fmt: skip
    return days


def policy(**changes: object) -> Policy:
    return Policy.model_validate({"policy": "p", "plan": "p", "in_force_from": START} | changes)


LADDER = [
    {"to": "contact"},
    {"to": "head", "after": 2},
    {"to": "department-in-charge", "after": 4, "severity": "critical", "digest": "week"},
    {"to": "chair", "after": 8, "digest": "month"},
]
PLAIN = policy()
TALL = policy(levels=LADDER)


def answer(kind: AnswerKind, opened: int, *, promised: int | None = None, number: int = 0) -> Answer:
    return Answer(
        id=f"answer-{kind}-{opened}-{promised}-{number}", plan="p", agency=SUBJECT[0], cause=SUBJECT[1], opened=opened,
        answer=kind, by="head", via="link", at=AT,
        promised=None if promised is None else START + timedelta(days=promised),
        reason="the register counts us twice" if kind is AnswerKind.DISPUTED else None,
    )  # fmt: skip


def course_of(days: Sequence[JudgedDay], of: Policy) -> Course:
    course = Course()
    for one in days:
        course.follow(one, of)
    return course


@dataclass(frozen=True)
class Lived:
    """A life that somebody looked at after each day; ``made[n]``: the transitions of day n."""

    days: list[JudgedDay]
    made: list[tuple[Transition, ...]]

    @property
    def all(self) -> list[Transition]:
        return [one for some in self.made for one in some]


def live(days: list[JudgedDay], of: Policy, answers: dict[int, AnswerKind] | None = None) -> Lived:
    """Look after each day; on the days of *answers* somebody has answered the warning that stands then."""
    past: dict[tuple[str, str], Transition] = {}
    made: list[tuple[Transition, ...]] = []
    log: list[Answer] = []
    for count in range(1, len(days) + 1):
        kind = (answers or {}).get(count - 1)
        last = past.get(SUBJECT)
        if kind is not None and last is not None and last.opened is not None:
            log.append(
                answer(kind, last.opened, promised=count + 2 if kind is AnswerKind.ACCEPTED else None, number=count)
            )
        so_far = days[:count]
        day = Day(
            day=so_far[-1].day,
            courses={SUBJECT: (course_of(so_far, of), so_far[-1])},
            judged={SUBJECT},
            answers=waiting_answers(log, [one for some in made for one in some]),
        )
        some = transitions_on(day, past, of, plan="p", revision=1, at=AT)
        past |= fold(some)
        made.append(some)
    return Lived(days, made)


histories = st.text(alphabet="iwcmospnvf", min_size=1, max_size=50).map(history)
ladders = st.sampled_from([[{"to": "head"}], LADDER, LADDER[:2], [LADDER[0], LADDER[2]]])
policies = st.builds(
    lambda hold, clear, repeat, reopen, levels: policy(
        hold=hold, clear=clear, repeat=repeat, reopen=reopen, levels=levels
    ),
    st.integers(0, 4), st.integers(1, 4), st.none() | st.integers(1, 6), st.integers(0, 9), ladders,
)  # fmt: skip
answered = st.dictionaries(st.integers(0, 49), st.sampled_from(list(AnswerKind)), max_size=4)
lives = st.builds(live, histories, policies, answered)


@pytest.mark.parametrize(
    ("letters", "reasons"),
    [
        pytest.param("oow", ["falling-behind"], id="one day behind is held"),
        pytest.param("oowo", ["falling-behind", "not-held"], id="held and gone: nobody is told"),
        pytest.param("oowww", ["falling-behind", "fell-behind"], id="three days open"),
        pytest.param("wwowww", ["falling-behind", "not-held", "falling-behind", "fell-behind"], id="a good day breaks it"),
        pytest.param("wwsw", ["falling-behind", "fell-behind"], id="silent days do not break a run"),
        pytest.param("wws", ["falling-behind"], id="silent days do not count"),
        pytest.param("wwv", ["falling-behind"], id="a provisional day does not count"),
        pytest.param("wwwoo", ["falling-behind", "fell-behind"], id="two good days are not enough"),
        pytest.param("wwwooo", ["falling-behind", "fell-behind", "caught-up"], id="three good days resolve"),
        pytest.param("wwwosoo", ["falling-behind", "fell-behind", "caught-up"], id="silence between them does not count"),
        pytest.param("wwwcc", ["falling-behind", "fell-behind"], id="graver for two days is held"),
        pytest.param("wwwccc", ["falling-behind", "fell-behind", "worsened"], id="graver for three days is told"),
        pytest.param("wwwm", ["falling-behind", "fell-behind", "worsened"], id="a deadline that passes is told at once"),
        pytest.param("wwmmmm", ["falling-behind", "missed"], id="past the deadline it opens as missed, and is grave"),
        pytest.param("iii", ["falling-behind", "at-risk"], id="by the forecast alone"),
        pytest.param("fff", [], id="too few cases say nothing"),
        pytest.param("wwwooowww", ["falling-behind", "fell-behind", "caught-up", "falling-behind", "behind-again"],
                     id="soon after the end it is the same matter"),
    ],
)  # fmt: skip
def test_what_a_course_leads_to(letters: str, reasons: list[str]) -> None:
    """Each course makes its named transitions, three days being held and cleared."""
    assert [one.reason.value for one in live(history(letters), PLAIN).all] == reasons


@pytest.mark.parametrize(
    ("letters", "answers", "levels"),
    [
        pytest.param("wwwwwwwwwww", {}, ["contact", "head", "department-in-charge", "chair"], id="by age, step by step"),
        pytest.param("wwwccc", {}, ["contact", "head", "department-in-charge"], id="the graver one at once"),
        pytest.param("ccc", {}, ["department-in-charge"], id="grave from the start"),
        pytest.param("wwwwwwwwwww", {3: AnswerKind.ACKNOWLEDGED}, ["contact"], id="acknowledged: age no longer counts"),
        pytest.param("wwwwcccccccccc", {3: AnswerKind.ACKNOWLEDGED}, ["contact", "department-in-charge"],
                     id="acknowledged, and graver all the same"),
        pytest.param("wwwwww", {3: AnswerKind.ACCEPTED}, ["contact"], id="a promise that holds: age does not count"),
        pytest.param("wwwwwwwwwwwww", {3: AnswerKind.ACCEPTED}, ["contact", "head", "department-in-charge", "chair"],
                     id="a promise that passed: the next level, and age counts again"),
        pytest.param("wwsssssssss", {}, [], id="silence does not age"),
    ],
)  # fmt: skip
def test_levels_are_reached_by_age_and_severity(
    letters: str, answers: dict[int, AnswerKind], levels: list[str]
) -> None:
    """A warning rises as the policy says, and an answer stops the clock."""
    reached = [one.level for one in live(history(letters), TALL, answers).all if is_open(one)]

    assert list(dict.fromkeys(reached)) == levels


def test_an_answer_is_taken_up_while_the_feed_is_silent() -> None:
    """What somebody answers does not depend on the feed."""
    lived = live(history("wwwss"), PLAIN, {4: AnswerKind.DISPUTED})

    assert [one.reason.value for one in lived.made[4]] == ["disputed"]
    assert lived.all[-1].state is WarningState.ANSWERED


def test_an_answer_to_an_earlier_warning_changes_nothing() -> None:
    """An old link does not acknowledge what came later."""
    days = history("wwwooowww")
    lived = live(days, PLAIN)
    late = answer(AnswerKind.ACKNOWLEDGED, opened=lived.all[1].sequence)
    course = course_of(days, PLAIN)

    assert decide_lag(lived.all[-1], course, days[-1], PLAIN, [late]).reason is Quiet.STILL_BEHIND


def test_reminders_come_every_so_many_days_of_standing_until_somebody_answers() -> None:
    """Two days of standing apart, silence not counted; none after the acknowledgement."""
    of = policy(hold=1, repeat=2)
    lived = live(history("wwwwsswwwwww"), of, {8: AnswerKind.ACKNOWLEDGED})

    assert [n for n, some in enumerate(lived.made) if any(one.reason == "still-behind" for one in some)] == [2, 6]


def test_reminders_of_one_agency_come_together() -> None:
    """Every mail names all that is open, so whatever it was told last puts the reminders of all its warnings off."""
    of, days = policy(hold=1, repeat=3), history("wwwwwwww")
    other = (SUBJECT[0], lag_cause("mailboxes"))
    past: dict[tuple[str, str], Transition] = {}
    found = []
    for count in range(1, len(days) + 1):
        course = course_of(days[:count], of), days[count - 1]
        late = course_of(days[2:count], of), days[count - 1]  # falls behind two days later
        courses = {SUBJECT: course} | ({other: late} if count > 2 else {})
        day = Day(day=days[count - 1].day, courses=courses, judged=courses.keys())
        made = transitions_on(day, past, of, plan="p", revision=1, at=AT)
        past |= fold(made)
        found.append([(one.cause.partition(":")[2], one.reason.value) for one in made])

    assert found == [
        [("email-use", "fell-behind")], [], [("mailboxes", "fell-behind")], [], [],
        [("email-use", "still-behind"), ("mailboxes", "still-behind")], [], [],
    ]  # fmt: skip


@settings(deadline=None)  # the machine may be busy
@given(lives)
def test_every_life_is_numbered_and_begins_and_ends_once(lived: Lived) -> None:
    """Sequences count up; opened where nothing was open, resolved where something was pending or open; no state stays alike."""
    before: Transition | None = None
    for number, one in enumerate(lived.all, start=1):
        assert one.sequence == number
        if one.reason in (TransitionReason.FELL_BEHIND, TransitionReason.MISSED, TransitionReason.AT_RISK,
                          TransitionReason.BEHIND_AGAIN):  # fmt: skip
            assert not is_open(before)
            assert (one.state, one.opened, one.opened_day) == (WarningState.OPEN, number, one.day)
        elif is_open(one):
            assert before is not None
            assert is_open(before)
            assert (one.opened, one.opened_day) == (before.opened, before.opened_day)
        if one.state is WarningState.RESOLVED:
            assert before is not None
            assert before.state is not WarningState.RESOLVED
        if one.state is WarningState.PENDING:
            assert before is None or before.state is WarningState.RESOLVED
        before = one


@settings(deadline=None)  # the machine may be busy
@given(histories, policies, answered)
def test_a_firing_fault_has_exactly_one_open_warning(
    days: list[JudgedDay], of: Policy, answers: dict[int, AnswerKind]
) -> None:
    """Grave on the last `hold` speaking days, feeds alive: the warning is open, whatever was answered."""
    lived = live(days, of, answers)
    run = [one for one in days if speaks(one)][-max(of.hold, 1) :]

    # Feeds that hold back on the last day may postpone the decision; the next living day makes it.
    if len(run) == max(of.hold, 1) and all(one.severity for one in run) and speaks(days[-1]):
        assert is_open(fold(lived.all)[SUBJECT])


@settings(deadline=None)  # the machine may be busy
@given(histories, policies, answered)
def test_resolved_only_after_the_clear_time(days: list[JudgedDay], of: Policy, answers: dict[int, AnswerKind]) -> None:
    """Whenever a warning is resolved, the last `clear` speaking days were calm; and then it is resolved."""
    lived = live(days, of, answers)
    for count, some in enumerate(lived.made, start=1):
        speaking = [one for one in days[:count] if speaks(one)][-of.clear :]
        calm = len(speaking) == of.clear and not any(one.severity for one in speaking)
        if any(one.reason is TransitionReason.CAUGHT_UP for one in some):
            assert calm
        if calm and speaks(days[count - 1]):
            assert not is_open(fold([one for each in lived.made[:count] for one in each]).get(SUBJECT))


@settings(deadline=None)  # the machine may be busy
@given(histories, policies, answered)
def test_silence_neither_opens_nor_resolves(days: list[JudgedDay], of: Policy, answers: dict[int, AnswerKind]) -> None:
    """On a day whose feed is silent, partial or never connected nothing but answers makes a transition."""
    lived = live(days, of, answers)
    for day, some in zip(days, lived.made, strict=True):
        if day.feed_state != "reporting":
            assert all(
                one.answer is not None and one.reason in ("acknowledged", "accepted", "disputed") for one in some
            )


@settings(deadline=None)  # the machine may be busy
@given(histories, policies, st.sampled_from("spnf"), st.data())
def test_days_that_do_not_speak_change_nothing_about_the_others(
    days: list[JudgedDay], of: Policy, letter: str, data: st.DataObject
) -> None:
    """Wherever such days fall, runs, ages and the last decision are the same with and without them."""
    kept = [one for one in days if speaks(one)]
    if not kept:
        return
    filler = history(letter)[0]
    mixed: list[JudgedDay] = []
    for one in kept:
        mixed += [filler] * data.draw(st.integers(0, 2))
        mixed.append(one)

    assert course_of(mixed, of) == course_of(kept, of)


@settings(deadline=None)  # the machine may be busy
@given(lives)
def test_replaying_the_transitions_gives_the_state(lived: Lived) -> None:
    """The state is a fold: repeats do not matter, nor does what an evaluator that lagged behind recorded later."""
    made = lived.all
    stale = [one.model_copy(update={"state": WarningState.RESOLVED, "at": AT - timedelta(days=9)}) for one in made]

    assert fold([*made, *made]) == fold(made)
    assert fold(made).get(SUBJECT) == (made[-1] if made else None)
    assert fold([*made, *stale]) == fold(made)
    assert counted([*made, *stale]) == tuple(made)


@settings(deadline=None)  # the machine may be busy
@given(histories, policies, answered)
def test_what_is_acknowledged_stays_so_until_it_is_resolved(
    days: list[JudgedDay], of: Policy, answers: dict[int, AnswerKind]
) -> None:
    """No transition of an open warning takes an acknowledgement back, and levels and severity never fall within one."""
    before: Transition | None = None
    for one in live(days, of, answers).all:
        if before is not None and is_open(before) and is_open(one):
            assert one.acknowledged or not before.acknowledged
            assert ROLES.index(one.level) >= ROLES.index(before.level)  # type: ignore[arg-type]
            assert RANK[one.severity or Severity.INFO] >= RANK[before.severity or Severity.INFO]
        if one.reason in (TransitionReason.STILL_BEHIND, TransitionReason.UNANSWERED):
            assert not one.acknowledged
            assert one.promised is None
        before = one


@settings(deadline=None)  # the machine may be busy
@given(histories, policies, st.sampled_from(["reporting", "partial", "silent", "never-connected"]))
def test_deciding_twice_makes_nothing_new(days: list[JudgedDay], of: Policy, state: str) -> None:
    """What was decided once is not decided again; two leaders deciding at once make the same ids."""
    feed = FeedStanding(feed="mail", state=state, last_covered=None, since=START)
    day = Day(
        day=days[-1].day, courses={SUBJECT: (course_of(days, of), days[-1])}, feeds=[feed],
        judged=frozenset({SUBJECT, ("mail", feed_cause("mail"))}),
    )  # fmt: skip

    def decide(past: dict[tuple[str, str], Transition], at: datetime) -> tuple[Transition, ...]:
        return transitions_on(day, past, of, plan="p", revision=1, at=at)

    first, other = decide({}, AT), decide({}, AT + timedelta(seconds=3))

    assert [one.id for one in first] == [one.id for one in other]
    assert decide(fold(first), AT) == ()
    assert fold([*first, *other]) == fold(first)


def test_what_is_no_longer_judged_is_resolved_by_name() -> None:
    """A new revision without the target ends the warning and says why; what was only held ends unsaid."""
    none = Day(day=START, courses={}, judged=frozenset())
    opened, held = live(history("www"), PLAIN).all[-1], live(history("w"), PLAIN).all[-1]

    (made,) = transitions_on(none, fold([opened]), PLAIN, plan="p", revision=2, at=AT)
    (unsaid,) = transitions_on(none, fold([held]), PLAIN, plan="p", revision=2, at=AT)

    assert (made.state, made.reason, made.sequence) == (WarningState.RESOLVED, TransitionReason.NO_LONGER_JUDGED, 3)
    assert (unsaid.state, unsaid.reason) == (WarningState.RESOLVED, TransitionReason.NOT_HELD)
    assert unsaid.reason not in TOLD
    assert transitions_on(none, fold([opened, made]), PLAIN, plan="p", revision=2, at=AT) == ()


@pytest.mark.parametrize(
    ("days", "reasons"),
    [
        pytest.param("n", ["feed-silent"], id="never connected"),
        pytest.param("rs", ["feed-silent"], id="silent"),
        pytest.param("rpp", [], id="incomplete for two days"),
        pytest.param("rppp", ["feed-partial"], id="incomplete for three"),
        pytest.param("rpppr", ["feed-partial", "feed-returned"], id="incomplete and back"),
        pytest.param("rpppss", ["feed-partial", "feed-silent"], id="incomplete, then silent"),
        pytest.param("rspr", ["feed-silent", "feed-returned"], id="silent, incomplete, back"),
        pytest.param("r" + "s" * 29 + "r", ["feed-silent", *["feed-still-out"] * 3, "feed-returned"],
                     id="reminders after one week, two and four"),
    ],
)  # fmt: skip
def test_a_feed_is_warned_about_until_it_is_back(days: str, reasons: list[str]) -> None:
    """Day by day: r reporting, p partial, s silent, n never connected."""
    names = {"r": "reporting", "p": "partial", "s": "silent", "n": "never-connected"}
    past: dict[tuple[str, str], Transition] = {}
    covered: date | None = None
    found = []
    for step, letter in enumerate(days):
        day = START + timedelta(days=step)
        covered = day if letter == "r" else covered
        feed = FeedStanding(
            feed="mail", state=names[letter], last_covered=covered,
            since=START if covered is None else covered + timedelta(days=1),
        )  # fmt: skip
        subject = ("mail", feed_cause("mail"))
        on = Day(day=day, courses={}, feeds=[feed], judged={subject})
        made = transitions_on(on, past, PLAIN, plan="p", revision=1, at=AT)
        past |= fold(made)
        found += [one.reason.value for one in made]

    assert found == reasons


def test_without_a_rule_partial_feeds_are_never_warned_about() -> None:
    """`partial: null` keeps to silent and never connected."""
    feed = FeedStanding(feed="mail", state="partial", last_covered=None, since=START)

    decision = decide_feed(None, feed, START + timedelta(days=30), FeedRules(partial=None))

    assert decision.reason is Quiet.FEED_ALIVE


def test_levels_that_do_not_rise_are_refused() -> None:
    """A ladder names each role once, from below, and says when each is reached."""
    for wrong in ([{"to": "chair"}], [LADDER[1]], [LADDER[0], {"to": "head"}], [LADDER[0], LADDER[3], LADDER[2]],
                  [LADDER[0], {"to": "chair", "after": 3}]):  # fmt: skip
        with pytest.raises(ValueError, match="level"):
            policy(levels=wrong)
    assert TALL.levels[0] == Step(to="contact")
