"""Documents from YAML: every fault at once, each with its line and column and what was probably meant."""

import json
from textwrap import dedent
from typing import Any

import pytest

from schemas.directory import Directory
from services.infra.documents import load_directory, load_plan, load_sources

DIRECTORY = """\
directory: d
in_force_from: 2008-05-28
groups:
  leadership: {vi: Lãnh đạo}
  departments: {vi: Sở, en: Departments}
  towns: {vi: Thị xã}
operations: {role: operations, name: Trung tâm, email: ops@example.vn}
agencies:
  - {id: ubnd, name: {vi: UBND tỉnh}, groups: [leadership], codes: [{scheme: edoc, value: '1'}]}
  - {id: so-a, name: {vi: Sở A}, parent: ubnd, groups: [departments], codes: [{scheme: edoc, value: '2'}]}
  - {id: so-b, name: {vi: Sở B}, parent: ubnd, groups: [departments, towns]}
feeds:
  - id: a.docs
    title: {vi: Sổ}
    source: /office/a
    types: [document.handled]
    covers: {agencies: [so-a]}
    owner: {role: feed-owner, name: Văn phòng, email: vp@example.vn}
"""

PLAN = """\
plan: p
title: {vi: Kế hoạch}
decision: {number: "1", day: 2008-05-28, signer: UBND}
in_force_from: 2008-05-28
start: 2008-05-28
deadline: 2008-12-31
directory: d
indicators:
  - id: handled
    title: {vi: Xử lý văn bản}
    unit: {vi: văn bản}
    measure: {kind: items, facts: document.handled}
    targets:
      - group: departments
        target: 40 %
"""

SOURCES = """\
sources: all
in_force_from: 2008-05-28
entries:
  - id: /office/a
    types: [document.handled]
    agencies: {agencies: [so-a]}
"""


def directory() -> Directory:
    found = load_directory(DIRECTORY).document
    assert found is not None
    return found


def of_plan(text: str) -> list[str]:
    return [fault.text("plan.yaml") for fault in load_plan(text, directory()).faults]


@pytest.mark.parametrize(
    ("load", "text", "told"),
    [
        pytest.param(load_plan, DIRECTORY, "this is a directory, not a plan — `tiendo agencies check`", id="plan"),
        pytest.param(
            load_plan, SOURCES, "this is a list of sources, not a plan — `tiendo sources check`", id="sources"
        ),
        pytest.param(load_directory, PLAN, "this is a plan, not a directory — `tiendo plan check`", id="directory"),
    ],
)
def test_a_document_of_another_kind_is_one_fault(load: Any, text: str, told: str) -> None:
    """The wrong file is named as such, instead of each of its fields as unknown."""
    loaded = load(text, None) if load is load_plan else load(text)

    assert [fault.text("f") for fault in loaded.faults] == [f"f:1:1: {told}"]
    assert loaded.document is None


def test_good_documents_have_no_faults() -> None:
    """A plan, a directory and a list of sources in order come out as documents; dates and shares are read exactly."""
    plan = load_plan(PLAN, directory())
    sources = load_sources(SOURCES, [directory()])

    assert load_directory(DIRECTORY).faults == plan.faults == sources.faults == ()
    assert plan.document is not None
    assert sources.document is not None
    assert str(plan.document.indicators[0].targets[0].target) == "2/5"


def test_every_fault_is_named_at_once() -> None:
    """An unknown group, a target of 140 % and a deadline before the start are told together, each at its place."""
    text = (
        PLAN.replace("deadline: 2008-12-31", "deadline: 2008-01-31")
        .replace("group: departments", "group: departmets")
        .replace("40 %", "140 %")
    )

    assert of_plan(text) == [
        "plan.yaml:4:16: warning: in force only after the deadline, 2008-01-31",
        "plan.yaml:6:11: the deadline, 2008-01-31, lies before the start, 2008-05-28",
        "plan.yaml:14:16: unknown group 'departmets' — did you mean 'departments'?",
        "plan.yaml:15:17: '140 %': a share cannot exceed 100 %",
    ]
    assert load_plan(text, directory()).document is None


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        pytest.param("deadline:", "dealine:", "6:1: unknown field `dealine` — did you mean 'deadline'?", id="field"),
        pytest.param("deadline: 2008-12-31\n", "", "1:1: `deadline` is missing", id="missing"),
        pytest.param("2008-12-31", "31/12/2008", "6:11: input should be a valid date", id="date"),
        pytest.param("40 %", "40", "15:17: 40: write a share with its sign: `40 %`", id="share without its sign"),
        pytest.param("kind: items", "kind: item", "12:21: 'item' is none of 'members'", id="kind of measure"),
        pytest.param("document.handled", "document.handeld", "did you mean 'document.handled'?", id="facts"),
        pytest.param("id: handled", "id: Xử lý", "9:9: 'Xử lý' is no identifier", id="identifier"),
        pytest.param('"1"', "1", "3:20: 1 must be a text — put it in quotes", id="number for a text"),
        pytest.param(
            "directory: d", "directory: dd", "7:12: unknown directory 'dd' — did you mean 'd'?", id="directory"
        ),
        pytest.param("in_force_from: 2008-05-28", "in_force_from: 2008-05-01", "4:16: warning: in force", id="force"),
        pytest.param("plan: p\n", "plan: p\nplan: q\n", "2:1: `plan` is given twice", id="key twice"),
        pytest.param("deadline: ", "deadline: [", "this is not YAML", id="syntax"),
        pytest.param(
            "group: departments", "agency: so-aa", "14:17: unknown agency 'so-aa' — did you mean", id="agency"
        ),
        pytest.param("40 %", "40 %\n        baseline: 60 %", "16:19: warning: the baseline", id="baseline"),
        pytest.param(
            "{kind: items, facts: document.handled}",
            "{kind: progress, facts: budget.recorded}",
            "11:11: warning: paces will be told in single đồng — name a larger unit",
            id="single đồng",
        ),
        pytest.param(
            "{kind: items, facts: document.handled}",
            "{kind: progress, facts: milestone.reached, start: 2009-01-01}",
            "what counts begins after the deadline, 2008-12-31",
            id="start of progress",
        ),
        pytest.param(
            "{kind: items, facts: document.handled}",
            "{kind: progress, facts: budget.recorded, done: proposed}",
            "'proposed' does not come after 'budgeted'",
            id="stages",
        ),
        pytest.param(
            "40 %", "40 %\n      - {group: departments, target: 30 %}", "a second target for group", id="twice"
        ),
        pytest.param(
            "40 %",
            "40 %\n      - {group: towns, target: 30 %}",
            "16:17: 'so-b' would have the targets of",
            id="overlap",
        ),
    ],
)
def test_a_plan_says_what_is_wrong_where(old: str, new: str, told: str) -> None:
    """Each fault of a plan is told with line and column, and with what was probably meant."""
    assert any(told in line for line in of_plan(PLAN.replace(old, new))), of_plan(PLAN.replace(old, new))


@pytest.mark.parametrize(
    ("points", "told"),
    [
        pytest.param("{day: 2009-01-01, value: 30 %}", "lies outside the plan", id="outside"),
        pytest.param("{day: 2008-08-01, value: 50 %}", "50 % exceeds the target, 40 %", id="above the target"),
        pytest.param(
            "{day: 2008-08-01, value: 30 %}, {day: 2008-09-01, value: 20 %}", "cannot fall: 20 % after 30 %", id="falls"
        ),
        pytest.param(
            "{day: 2008-08-01, value: 20 %}, {day: 2008-07-01, value: 30 %}", "does not come after", id="disorder"
        ),
    ],
)
def test_checkpoints_must_rise_within_the_plan(points: str, told: str) -> None:
    """Checkpoints outside the plan, out of order, falling or above the target are faults."""
    text = PLAN.replace("40 %", f"40 %\n        trajectory: {{kind: steps, checkpoints: [{points}]}}")

    assert any(told in line and line.startswith("plan.yaml:16:") for line in of_plan(text)), of_plan(text)


@pytest.mark.parametrize(
    ("parts", "told"),
    [
        pytest.param("[{indicator: handeld}, {indicator: handled}]", "did you mean 'handled'?", id="unknown"),
        pytest.param("[{indicator: online}, {indicator: handled}]", "cannot be part of itself", id="itself"),
        pytest.param("[{indicator: other}, {indicator: handled}]", "'other' is a mean itself", id="mean of means"),
        pytest.param("[{indicator: handled}, {indicator: handled}]", "a second part 'handled'", id="twice"),
        pytest.param("[{indicator: handled}]", "`of` needs at least 2 entries, has 1", id="one part"),
        pytest.param("[{indicator: town}, {indicator: handled}]", "does not concern 'so-a'", id="part elsewhere"),
    ],
)
def test_means_are_made_of_plain_indicators(parts: str, told: str) -> None:
    """A mean of nothing known, of itself, of means, or of what is not measured for its agencies is a fault."""
    text = PLAN + dedent(
        f"""\
          - id: online
            title: {{vi: x}}
            unit: {{vi: y}}
            measure: {{kind: mean, of: {parts}}}
            shown_for: [departments]
          - id: other
            title: {{vi: x}}
            unit: {{vi: y}}
            measure: {{kind: mean, of: [{{indicator: handled}}, {{indicator: town}}]}}
            shown_for: []
            targets: [{{agency: so-b, target: 20 %}}]
          - id: town
            title: {{vi: x}}
            unit: {{vi: y}}
            measure: {{kind: items, facts: task.directed}}
            shown_for: [towns]
        """
    ).replace("\n", "\n  ").replace("  - id: online", "- id: online", 1).replace("- id: online", "  - id: online", 1)

    assert any(told in line and ":19:" in line for line in of_plan(text)), of_plan(text)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        pytest.param("id: so-b", "id: so-a", "11:10: a second agency 'so-a'", id="agency twice"),
        pytest.param(
            "parent: ubnd, groups: [departments],", "parent: ubdn, groups: [departments],", "mean 'ubnd'?", id="parent"
        ),
        pytest.param("name: {vi: UBND tỉnh},", "name: {vi: U}, parent: so-a,", "ubnd → so-a → ubnd", id="circle"),
        pytest.param("[departments, towns]", "[departments, town]", "11:70: unknown group 'town'", id="group"),
        pytest.param("leadership: {", "leaders: {", "4:3: the group 'leadership' is missing", id="no leadership"),
        pytest.param("value: '2'", "value: '1'", "code '1' of 'edoc' is 'ubnd'", id="code twice"),
        pytest.param("[so-a]", "[so-aa]", "17:25: unknown agency 'so-aa' — did you mean 'so-a'?", id="feed's agency"),
        pytest.param("[document.handled]", "[document.handeld]", "unknown event type document.handeld", id="type"),
        pytest.param(
            "in_force_from: 2008-05-28", "in_force_from: 2008-05-28\nzone: Asia/Hanoi", "time zone", id="zone"
        ),
        pytest.param("id: so-b,", "id: so-b, from: 2008-06-01, to: 2008-05-01,", "before it begins", id="life"),
    ],
)
def test_a_directory_says_what_is_wrong_where(old: str, new: str, told: str) -> None:
    """Each fault of a directory is told with line and column."""
    lines = [fault.text("agencies.yaml") for fault in load_directory(DIRECTORY.replace(old, new)).faults]

    assert any(told in line for line in lines), lines


def test_codes_may_pass_from_one_agency_to_another() -> None:
    """The same code at two agencies is no fault when their days do not overlap."""
    text = DIRECTORY.replace("value: '1'", "value: '1', to: 2008-06-30").replace(
        "value: '2'", "value: '1', from: 2008-07-01"
    )

    assert load_directory(text).faults == ()


def test_sources_are_checked_against_catalogue_and_directory() -> None:
    """A source with an unknown type or for an unknown agency is a fault."""
    text = SOURCES.replace("document.handled", "document.handeld").replace("so-a", "so-aa")

    lines = [fault.text("sources.yaml") for fault in load_sources(text, [directory()]).faults]

    assert lines == [
        "sources.yaml:5:13: unknown event type 'document.handeld' — did you mean 'document.handled'?",
        "sources.yaml:6:27: unknown agency 'so-aa' — did you mean 'so-a'?",
    ]


@pytest.mark.parametrize(
    "text", ["", "- 1", "3", "a: &x [*x]", "&a {b: *a}", "plan: !!python/object:os.system x", "\t", "a: 2008-13-45"]
)
def test_any_text_has_faults_and_no_crash(text: str) -> None:
    """Whatever the file holds, the answer is a list of faults."""
    for load in (load_directory, load_sources, lambda one: load_plan(one, None)):
        loaded = load(text)
        assert loaded.document is None
        assert loaded.refused


def test_anchors_and_merges_are_read() -> None:
    """YAML's anchors and merge keys save repetition, and faults within them still have a place."""
    text = DIRECTORY.replace("owner: {role: feed-owner,", "owner: &owner {role: feed-owner,") + dedent(
        """\
          - id: b.docs
            title: {vi: Sổ}
            source: /office/b
            types: [document.handled]
            covers: {agencies: [so-b]}
            owner: {<<: *owner, name: Khác}
        """
    ).replace("\n", "\n  ").replace("- id", "  - id", 1)

    loaded = load_directory(text.rstrip() + "\n")

    assert loaded.faults == ()
    assert loaded.document is not None
    assert (loaded.document.feeds[1].owner.name, loaded.document.feeds[1].owner.email) == ("Khác", "vp@example.vn")
    assert json.loads(loaded.document.model_dump_json(by_alias=True))["feeds"][1]["owner"]["name"] == "Khác"


QUARTERS = """\
      - group: departments
        target: 40 %
        trajectory:
          kind: quarters
          quarters:
            - {quarter: 2008-Q3, value: 30 %}
            - {quarter: 2008-Q2, value: 20 %}
            - {quarter: 2009-Q2, value: 50 %}
            - {quarter: 2008-Q5, value: 35 %}
calendar: {accrual: working-days, holidays: [2008-09-02], working_on: [2008-09-02]}
"""


def test_quarters_and_calendars_are_checked():
    """Order, span and values of quarters, days that are both off and worked: each with its place, all at once."""
    text = PLAN.replace("      - group: departments\n        target: 40 %\n", QUARTERS)

    faults = [(one.line, one.message) for one in load_plan(text, directory()).faults]

    assert faults == [
        (20, "2008-Q2 does not come after 2008-Q3, the quarter before"),
        (20, "a plan cannot fall: 20 % after 30 %"),
        (21, "2009-Q2 lies outside the plan, 2008-05-28 to 2008-12-31"),
        (21, "50 % exceeds the target, 40 %"),
        (22, "'2008-Q5' is not written as it must be: ^[12]\\d{3}-Q[1-4]$"),
        (22, "a plan cannot fall: 35 % after 50 %"),
        (23, "2008-09-02 is among the holidays, too"),
    ]


def test_a_field_is_never_said_to_mean_itself() -> None:
    """A field that belongs elsewhere is not offered as its own correction, nor one of another part of the document."""
    told = [line for line in of_plan(PLAN.replace("plan: p\n", "plan: p\nunit: 1\n")) if "`unit`" in line]

    assert told == ["plan.yaml:2:1: unknown field `unit`"]
