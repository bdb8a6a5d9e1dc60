"""Policies checked: every fault with its place, and what a plan's owner would not notice until too late."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent, indent

import pytest

from schemas.directory import Directory
from schemas.plan import Plan
from services.infra.documents import load_directory, load_plan, load_policy

EXAMPLE = Path(__file__).parents[2] / "examples" / "thai-nguyen-2008"
HEAD = "policy: p\nplan: thai-nguyen-2008\nin_force_from: 2008-05-28\n"


@pytest.fixture(scope="module")
def against() -> tuple[Plan, Directory]:
    directory = load_directory((EXAMPLE / "directory.yaml").read_text()).document
    plan = load_plan((EXAMPLE / "plan.yaml").read_text(), directory).document
    assert plan is not None
    assert directory is not None
    return plan, directory


def faults(text: str, against: tuple[Plan, Directory]) -> list[str]:
    return [one.text("policy.yaml") for one in load_policy(HEAD + dedent(text), *against).faults]


def test_the_example_has_no_fault(against: tuple[Plan, Directory]) -> None:
    """The policy that ships can be published without a warning."""
    loaded = load_policy((EXAMPLE / "policy.yaml").read_text(), *against)

    assert loaded.faults == ()
    assert loaded.document is not None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("hold: -1", "policy.yaml:4:7: input should be greater than or equal to 0", id="no such time"),
        pytest.param("holds: 3", "policy.yaml:4:1: unknown field `holds` — did you mean 'hold'?", id="a misspelt field"),
        pytest.param("thresholds: [{severity: notice, verdict: behind}]",
                     "policy.yaml:4:25: 'notice' is none of 'info', 'warning' or 'critical'", id="no such severity"),
        pytest.param("thresholds: [{severity: warning}]",
                     "policy.yaml:4:14: give a condition: `verdict`, `days_behind`, `points` or `forecast_late`",
                     id="a threshold that says nothing"),
        pytest.param("levels: [{to: head}, {to: chair, after: 60}]",
                     "policy.yaml:1:1: level 'chair' needs a `digest`: week or month", id="no mail per agency to the chair"),
        pytest.param('working_time: {from: "17:00", until: "07:30"}',
                     "policy.yaml:4:15: `from` lies before `until`, on the same day", id="hours that end before they begin"),
        pytest.param("routes: [{match: {groups: [departmens]}, channels: [chat]}]",
                     "policy.yaml:4:28: unknown group 'departmens' — did you mean 'departments'?", id="unknown group"),
        pytest.param("routes: [{match: {indicators: [email-used]}, channels: [chat]}]",
                     "policy.yaml:4:32: unknown indicator 'email-used' — did you mean 'email-use'?", id="unknown indicator"),
        pytest.param("routes: [{match: {agencies: [so-y-t]}, channels: [chat]}]",
                     "policy.yaml:4:30: unknown agency 'so-y-t' — did you mean 'so-y-te'?", id="unknown agency"),
        pytest.param("routes: [{match: {feeds: [mal]}, channels: [chat]}]",
                     "policy.yaml:4:27: unknown feed 'mal' — did you mean 'mail'?", id="unknown feed"),
        pytest.param("routes: [{match: {feeds: [mail], severities: [critical]}, channels: [chat]}]",
                     "policy.yaml:4:46: with `feeds` warnings about feeds alone are meant, so `severities` leaves nothing"
                     " — write two of them", id="a match that means nothing"),
    ],
)  # fmt: skip
def test_a_fault_is_named_with_its_place(text: str, said: str, against: tuple[Plan, Directory]) -> None:
    """Line, column, what is wrong, and what was probably meant."""
    assert faults(text, against) == [said]


WINDOW = "{title: {vi: Bảo trì}, match: {feeds: [mail]}, from: 2008-08-01T00:00:00+07:00, until: %s}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("- {severity: warning, days_behind: 20}\n- {severity: critical, days_behind: 15}",
                     "never seen: whatever meets it is critical already", id="a threshold that a graver one hides"),
        pytest.param("- {severity: warning, verdict: missed}\n- {severity: critical, verdict: behind}",
                     "never seen: whatever meets it is critical already", id="missed is behind too"),
        pytest.param("- {severity: critical, days_behind: 15}",
                     "an agency can be behind, by 7 days or more, and never be warned", id="behind and never warned"),
        pytest.param("- {severity: warning, verdict: missed}",
                     "an agency can be behind, by 7 days or more, and never be warned", id="warned after the deadline alone"),
    ],
)  # fmt: skip
def test_thresholds_that_do_not_do_what_they_seem_to_are_remarked(
    text: str, said: str, against: tuple[Plan, Directory]
) -> None:
    """A warning, which does not keep the policy from being published."""
    loaded = load_policy(f"{HEAD}thresholds:\n{indent(text, '  ')}", *against)

    assert said in [one.message for one in loaded.faults]
    assert loaded.document is not None


def test_thresholds_that_complete_each_other_are_fine(against: tuple[Plan, Directory]) -> None:
    """A graver one with more conditions hides nothing."""
    text = """\
        thresholds:
          - {severity: info, forecast_late: 30}
          - {severity: warning, verdict: behind}
          - {severity: critical, days_behind: 30, points: 20 %}
          - {severity: critical, verdict: missed}
        """

    assert faults(text, against) == []


def test_long_and_doubled_maintenance_is_remarked(against: tuple[Plan, Directory]) -> None:
    """Weeks in which nobody is told want an author and a reason; the same window twice is a slip."""
    long, short = WINDOW % "2008-08-20T00:00:00+07:00", WINDOW % "2008-08-02T00:00:00+07:00"

    said = faults(f"maintenance:\n  - {short}\n  - {long}\n", against)

    assert [one.split("warning: ")[1] for one in said] == [
        "overlaps an earlier one with the same `match`",
        "nobody is told for 19 days — a silence has an author and a reason",
    ]


def test_levels_that_nobody_holds_are_remarked(against: tuple[Plan, Directory]) -> None:
    """Without a contact with the role no digest would ever be sent."""
    plan, directory = against
    bare = directory.model_copy(
        update={"agencies": tuple(one.model_copy(update={"contacts": ()}) for one in directory.agencies)}
    )
    text = "levels: [{to: head}, {to: chair, after: 60, digest: month}]"

    said = faults(text, (plan, bare))

    assert ["operations are told instead" in said[0], "no digest tells of them" in said[1]] == [True, True]
    assert faults(text, against) == []


def test_a_plan_given_as_a_policy_is_one_fault(against: tuple[Plan, Directory]) -> None:
    """What it is, and the command for it."""
    loaded = load_policy((EXAMPLE / "plan.yaml").read_text(), *against)

    assert [one.text("plan.yaml") for one in loaded.faults] == [
        "plan.yaml:1:1: this is a plan, not a policy — `tiendo plan check`"
    ]


def test_a_policy_of_another_plan_is_refused(against: tuple[Plan, Directory]) -> None:
    """It would never be in force."""
    loaded = load_policy("policy: p\nplan: thai-nguyen-2009\nin_force_from: 2008-05-28\n", *against)

    assert [one.text("p") for one in loaded.faults] == [
        "p:2:7: unknown plan 'thai-nguyen-2009' — did you mean 'thai-nguyen-2008'?"
    ]
