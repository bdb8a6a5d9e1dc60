"""Who is told what, when, and what mutes: the planner of notices and digests."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.directory import Directory
from schemas.policy import Match, Policy, Severity
from schemas.warnings import Notice, Silence, Transition, TransitionReason, WarningState
from services.alerts.core.planning import Desk, area_of, plan_digests, plan_notices
from services.core.warnings.warning_records import fold, silences_in_force
from tests import alerts_world as world

NOW = datetime.fromisoformat("2008-10-01T08:00:00+07:00")  # a Wednesday
DAY = date(2008, 9, 30)


def contact(role: str, of: str, language: str = "vi") -> dict[str, str]:
    return {"role": role, "name": f"{role} {of}", "email": f"{role}@{of}.example.vn", "language": language}


def office(number: str, parent: str | None, *roles: str, groups: Sequence[str] = ()) -> dict[str, Any]:
    about: dict[str, Any] = {"id": number, "name": {"vi": number}, "groups": groups}
    about["contacts"] = [contact(role, number) for role in roles]
    return about | ({"parent": parent} if parent else {})


DIRECTORY = Directory.model_validate(
    {
        "directory": "tinh",
        "in_force_from": "2008-01-01",
        "holidays": ["2008-09-02"],
        "groups": {"districts": {"vi": "Huyện"}},
        "operations": world.OPERATIONS,
        "agencies": [
            office("tinh", None, "chair", "department-in-charge"),
            office("so-a", "tinh", "head", "contact"),
            office("huyen-b", "tinh", "head", "contact", "department-in-charge", groups=["districts"]),
            office("xa-c", "huyen-b", "contact", groups=["districts"]),
            office("xa-d", "huyen-b"),
        ],
        "feeds": [],
    }
)


def policy(**changes: Any) -> Policy:
    ladder = [
        {"to": "contact"},
        {"to": "head", "after": 7},
        {"to": "department-in-charge", "after": 20, "digest": "week"},
        {"to": "chair", "after": 60, "digest": "month"},
    ]
    given = {"policy": "p", "plan": "p", "in_force_from": "2008-01-01", "levels": ladder}
    return Policy.model_validate(given | changes)


def change(
    agency: str,
    reason: TransitionReason = TransitionReason.FELL_BEHIND,
    *,
    cause: str = "lag:email-use",
    sequence: int = 1,
    opened: int = 1,
    level: str = "contact",
    severity: Severity = Severity.WARNING,
    day: date = DAY,
) -> Transition:
    over = reason in (TransitionReason.CAUGHT_UP, TransitionReason.NO_LONGER_JUDGED)
    return Transition(
        id=f"{agency}-{cause}-{sequence}", plan="p", agency=agency, cause=cause, sequence=sequence,
        state=WarningState.RESOLVED if over else WarningState.OPEN, reason=reason, day=day, since=day, at=NOW,
        revision=1, opened=opened, opened_day=day, severity=severity, level=level,
        level_day=day, told_day=day,
    )  # fmt: skip


def desk(of: Policy | None = None, now: datetime = NOW, **given: Any) -> Desk:
    return Desk(plan="p", directory=DIRECTORY, policy=of or policy(), now=now, **given)


def told(notices: Sequence[Notice]) -> list[tuple[str, str, str]]:
    return [(one.agency, one.recipient, one.channel) for one in notices]


def silence(match: dict[str, Any], *, hours: int = 24, begins: datetime = NOW - timedelta(hours=1)) -> Silence:
    return Silence.model_validate(
        {
            "id": "s", "plan": "p", "action": "begun", "match": match, "from": begins,
            "until": begins + timedelta(hours=hours), "author": "trực ban", "reason": "nâng cấp máy chủ", "at": begins,
        }
    )  # fmt: skip


@pytest.mark.parametrize(
    ("agency", "level", "recipients"),
    [
        pytest.param("so-a", "contact", ["contact"], id="the first level"),
        pytest.param("so-a", "head", ["contact", "head"], id="the head, and the contact still"),
        pytest.param("so-a", "chair", ["contact", "head"], id="those above are told by digest"),
        pytest.param("xa-c", "head", ["contact"], id="nobody twice where one office fills both roles"),
        pytest.param("xa-d", "contact", ["operations"], id="nobody named: operations"),
        pytest.param("gone", "contact", ["operations"], id="an agency that the directory no longer has"),
    ],
)
def test_who_is_told_at_once(agency: str, level: str, recipients: list[str]) -> None:
    """Levels up to the one reached; whoever is missing is stood in for."""
    one = change(agency, level=level)

    assert [notice.recipient for notice in plan_notices([one], fold([one]), desk())] == recipients


def test_a_dispute_goes_to_operations_alone_even_while_silenced() -> None:
    """Who reads the evidence again is told at once, apart from mails to the agency."""
    opened = change("so-a")
    disputed = change("so-a", TransitionReason.DISPUTED, sequence=2)
    every = [opened, disputed]

    found = plan_notices([disputed], fold(every), desk(silences=[silence({"agencies": ["so-a"]})]))

    assert told(found) == [("so-a", "operations", "email")]


MUTED = [
    pytest.param({"agencies": ["so-a"]}, True, id="by agency"),
    pytest.param({"agencies": ["huyen-b"]}, False, id="another agency"),
    pytest.param({"indicators": ["email-use"]}, True, id="by indicator"),
    pytest.param({"agencies": ["so-a"], "indicators": ["mailboxes"]}, False, id="every list has to name it"),
    pytest.param({"groups": ["districts"]}, False, id="a group that it is not in"),
    pytest.param({"severities": ["warning"]}, True, id="by severity"),
    pytest.param({"severities": ["critical"]}, False, id="another severity"),
    pytest.param({"feeds": ["mail"]}, False, id="feeds mean warnings about feeds"),
    pytest.param({}, True, id="everything"),
]


@pytest.mark.parametrize(("match", "muted"), MUTED)
def test_a_silence_mutes_what_it_names_while_it_lasts(match: dict[str, Any], muted: bool) -> None:
    """During it nobody is told; afterwards, what still holds is told."""
    one = change("so-a")
    record = silence(match)
    during, after = silences_in_force([record], NOW), silences_in_force([record], NOW + timedelta(days=2))

    assert (plan_notices([one], fold([one]), desk(silences=during)) == ()) == muted
    assert told(plan_notices([one], fold([one]), desk(silences=after))) == [("so-a", "contact", "email")]


def test_what_came_and_went_while_muted_stays_untold() -> None:
    """Nobody reads that something is over of which nobody had been told; the next warning is told."""
    opened, over = change("so-a"), change("so-a", TransitionReason.CAUGHT_UP, sequence=2)
    again = change("so-a", TransitionReason.BEHIND_AGAIN, sequence=3, opened=3)

    assert plan_notices([opened, over], fold([opened, over]), desk()) == ()
    (notice,) = plan_notices([opened, over, again], fold([opened, over, again]), desk())
    assert notice.transitions == (again.id,)


def test_the_end_of_what_was_told_is_told() -> None:
    """The opening is told already, so only its end is untold."""
    opened, over = change("so-a"), change("so-a", TransitionReason.CAUGHT_UP, sequence=2)

    (notice,) = plan_notices([over], fold([opened, over]), desk())

    assert notice.transitions == (over.id,)


def test_a_late_parent_stands_for_its_children_until_it_has_caught_up() -> None:
    """Told of the child's once the parent's is over; the child's end, which was told of before, is told all the same."""
    of = policy(stand_for_children=True)
    parent, child = change("huyen-b"), change("xa-c")
    other = change("xa-c", cause="lag:mailboxes")
    parent_over = change("huyen-b", TransitionReason.CAUGHT_UP, sequence=2)
    child_over = change("xa-c", TransitionReason.CAUGHT_UP, sequence=2)

    assert told(plan_notices([parent, child], fold([parent, child]), desk(of))) == [("huyen-b", "contact", "email")]
    assert told(plan_notices([child], fold([parent, child, parent_over]), desk(of))) == [("xa-c", "contact", "email")]
    assert told(plan_notices([other], fold([parent, child, other]), desk(of))) == [("xa-c", "contact", "email")]
    assert told(plan_notices([child_over], fold([parent, child, child_over]), desk(of))) == [
        ("xa-c", "contact", "email")
    ]
    assert len(plan_notices([parent, child], fold([parent, child]), desk())) == 2


def test_maintenance_mutes_in_its_window() -> None:
    """A planned outage tells nobody; what still holds at its end is told."""
    window = {"title": {"vi": "Nâng cấp"}, "from": NOW - timedelta(hours=2), "until": NOW + timedelta(hours=2)}
    of = policy(maintenance=[window | {"match": {"indicators": ["email-use"]}}])
    one, other = change("so-a"), change("huyen-b", cause="lag:mailboxes")

    assert told(plan_notices([one, other], fold([one, other]), desk(of))) == [("huyen-b", "contact", "email")]
    later = desk(of, now=NOW + timedelta(hours=2))
    assert told(plan_notices([one], fold([one]), later)) == [("so-a", "contact", "email")]


def test_routes_bring_other_channels_in() -> None:
    """Channels of every route that means the warning, each once, beside the mail."""
    of = policy(
        routes=[
            {"match": {"groups": ["districts"]}, "channels": ["chat", "hook"]},
            {"match": {"severities": ["critical"]}, "channels": ["sms"]},
            {"about": "feeds", "channels": ["noc"]},
        ]
    )
    found = plan_notices([change("so-a"), change("huyen-b")], {}, desk(of))
    grave = plan_notices([change("so-a", severity=Severity.CRITICAL)], {}, desk(of))

    assert [one.channel for one in found if one.agency == "so-a"] == ["email"]
    assert [one.channel for one in found if one.agency == "huyen-b"] == ["chat", "hook", "email"]
    assert [one.channel for one in grave] == ["sms", "email"]


def test_mails_wait_for_office_hours_unless_they_are_grave() -> None:
    """What came about over a weekend is one mail on Monday morning; what is grave enough goes out at once, with the rest."""
    of = policy(working_time={"at_once": "critical"})
    night = desk(of, now=datetime.fromisoformat("2008-10-03T22:00:00+07:00"))  # a Friday
    monday = desk(of, now=datetime.fromisoformat("2008-10-06T07:30:00+07:00"))
    friday, sunday = change("so-a"), change("so-a", cause="lag:mailboxes", day=date(2008, 10, 4))
    grave = change("so-a", cause="lag:mailboxes", severity=Severity.CRITICAL)

    assert plan_notices([friday], {}, night) == ()
    assert [len(one.transitions) for one in plan_notices([friday, sunday], {}, monday)] == [2]
    assert [len(one.transitions) for one in plan_notices([friday, grave], {}, night)] == [2]


def test_digests_wait_for_office_hours_too() -> None:
    """A week that begins with a holiday brings them on the next working day."""
    of = policy(working_time={})
    states = fold([change("so-a", level="department-in-charge", day=date(2008, 8, 20))])
    holiday = desk(of, now=datetime.fromisoformat("2008-09-02T09:00:00+07:00"))

    assert plan_digests(states, (), holiday, day=date(2008, 9, 1)) == ()
    assert len(plan_digests(states, (), desk(of), day=DAY)) == 1


STATES = [
    change("so-a", level="department-in-charge", day=date(2008, 9, 20)),
    change("xa-c", level="department-in-charge", day=date(2008, 9, 20)),
    change("xa-d", level="chair", day=date(2008, 8, 20)),
]


def test_those_above_get_a_digest_once_a_period() -> None:
    """The nearest office above with the role reads it; on the first look of a period, and never twice."""
    states = fold(STATES)
    first = plan_digests(states, (), desk(), day=DAY)

    assert [(one.agency, one.recipient, str(one.period)) for one in first if one.recipient == "chair"] == [
        ("tinh", "chair", "2008-10-01")
    ]
    assert {(one.agency, str(one.period)) for one in first if one.recipient == "department-in-charge"} == {
        ("tinh", "2008-09-29"),
        ("huyen-b", "2008-09-29"),
    }
    ids = {one.id for one in first}
    assert plan_digests(states, ids, desk(), day=DAY) == ()
    next_week = desk(now=NOW + timedelta(days=5))  # Monday
    assert plan_digests(states, ids, next_week, day=date(2008, 10, 4)) == ()  # Sunday has not been judged yet
    later = plan_digests(states, ids, next_week, day=date(2008, 10, 5))
    assert {str(one.period) for one in later} == {"2008-10-06"}


def test_what_came_up_within_the_period_waits_for_the_next_digest() -> None:
    """A digest tells what stood before its period, however late in it somebody looks."""
    states = fold([change("so-a", level="department-in-charge", day=date(2008, 9, 29))])

    assert plan_digests(states, (), desk(), day=DAY) == ()


def test_nobody_gets_an_empty_digest() -> None:
    """Below the role's level, or over for longer than a period: nothing to read."""
    low = change("so-a", level="head", day=date(2008, 9, 1))
    old = change("so-a", TransitionReason.CAUGHT_UP, level="chair", sequence=2, day=date(2008, 8, 2))

    assert plan_digests(fold([low]), (), desk(), day=DAY) == ()
    assert plan_digests(fold([old]), (), desk(), day=DAY) == ()


def test_a_digest_is_silent_about_what_is_silenced() -> None:
    """The only office above with something to read has nothing left."""
    states = fold([change("so-a", level="department-in-charge", day=date(2008, 9, 20))])

    assert len(plan_digests(states, (), desk(), day=DAY)) == 1
    assert plan_digests(states, (), desk(silences=[silence({"agencies": ["so-a"]})]), day=DAY) == ()


def test_an_area_is_an_agency_and_all_below_it() -> None:
    """The province's area is everything, the district's its communes."""
    assert area_of(DIRECTORY, "huyen-b") == {"huyen-b", "xa-c", "xa-d"}
    assert area_of(DIRECTORY, "tinh") == {one.id for one in DIRECTORY.agencies}


lives = st.lists(
    st.tuples(
        st.sampled_from([one.id for one in DIRECTORY.agencies]),
        st.sampled_from(["lag:email-use", "lag:mailboxes", "feed:mail"]),
        st.lists(st.booleans(), min_size=1, max_size=5),  # told already?
    ),
    max_size=8,
    unique_by=lambda one: one[:2],
)
matches = st.sampled_from(
    [None, Match(), Match(agencies=("so-a",)), Match(groups=("districts",)), Match(feeds=("mail",))]
)


@settings(deadline=None)  # the machine may be busy
@given(lives, matches, st.booleans())
def test_never_a_notice_without_a_transition_and_none_lost(
    lived: list[tuple[str, str, list[bool]]], match: Match | None, stand: bool
) -> None:
    """Every notice tells untold transitions alone; once nothing mutes, every open warning has been told of."""
    every, untold = [], []
    for agency, cause, steps in lived:
        for number, known in enumerate(steps, start=1):
            opens = number % 2 == 1
            reason = TransitionReason.FELL_BEHIND if opens else TransitionReason.CAUGHT_UP
            one = change(agency, reason, cause=cause, sequence=number, opened=number if opens else number - 1)
            every.append(one)
            # Nobody hears of an end before the beginning.
            if not known or (untold and untold[-1].id == f"{agency}-{cause}-{number - 1}"):
                untold.append(one)
    states = fold(every)
    given_silences = () if match is None else (silence(match.model_dump(exclude_defaults=True)),)
    muted = plan_notices(untold, states, desk(policy(stand_for_children=stand), silences=given_silences))
    ids = {one.id for one in untold}

    assert all(set(one.transitions) <= ids and one.transitions for one in muted)
    said = {one for notice in muted for one in notice.transitions}
    rest = plan_notices([one for one in untold if one.id not in said], states, desk())
    said |= {one for notice in rest for one in notice.transitions}
    still_open = {one.id for one in states.values() if one.state is WarningState.OPEN}
    assert still_open & ids <= said
    assert len({one.id for one in (*muted, *plan_notices([], states, desk()))}) == len(muted)
