"""`tiendo plan preview` as a command: its output word for word, its refusals, its exit codes."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from schemas.plan import Plan
from services.cli.preview import FIELDS, preview
from services.infra.clickhouse.client import ClickHouse
from tests.figures_world import PLAN, day
from tests.fixtures.chdb import ChdbServer
from tests.preview_world import records_known, with_records

pytestmark = pytest.mark.integration

GOLDEN = Path(__file__).parents[1] / "golden" / "preview"


@pytest.fixture(scope="module")
def records(shared_chdb: ChdbServer) -> Iterator[ClickHouse]:
    """The database of the records, through a connection that cannot write."""
    with records_known(shared_chdb, "preview_command") as database:
        yield database


@pytest.fixture
def run(shared_chdb: ChdbServer, records: ClickHouse, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """The command on a draft: less asked of records, more of what is never filed, everybody called behind sooner."""
    monkeypatch.setenv("TIENDO_CLICKHOUSE_PORT", str(shared_chdb.port))
    monkeypatch.setenv("TIENDO_CLICKHOUSE_DATABASE", "preview_command")
    monkeypatch.setenv("TIENDO_CLOCK", "2008-07-13T08:00:00+07:00")
    app = typer.Typer()
    app.command()(preview)

    def command(document: Plan | str, *more: str) -> Any:
        text = document if isinstance(document, str) else document.model_dump_json(by_alias=True, exclude_none=True)
        file = tmp_path / "draft.yaml"  # JSON is YAML
        file.write_text(text, encoding="utf-8")
        return CliRunner().invoke(app, [str(file), *more])

    return command


def draft() -> Plan:
    changed = with_records(targets=[{"group": "judged", "target": "45 %"}])
    return changed.model_copy(update={"behind_after": 4, "in_force_from": day("07-14")})


@pytest.mark.parametrize(
    ("name", "options"),
    [
        pytest.param("draft.en.txt", ("--lang", "en"), id="English"),
        pytest.param("draft.vi.txt", ("--lang", "vi"), id="Vietnamese"),
        pytest.param("draft.json", ("--format", "json"), id="JSON"),
        pytest.param("draft.csv", ("--format", "csv"), id="CSV"),
    ],
)
def test_the_output_is_word_for_word_the_golden_one(run, name, options):
    """Table in both languages, JSON and CSV are those of the files (UPDATE_GOLDEN=1 writes them)."""
    text = "\n".join(line.rstrip() for line in run(draft(), *options).stdout.splitlines()) + "\n"
    path = GOLDEN / name
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(text, encoding="utf-8")

    assert text == path.read_text(encoding="utf-8")


def test_where_nothing_differs_the_command_says_so(run):
    """Exit code 0, one sentence, in the language asked for; the agencies warned are listed, with --changed they are not."""
    same = run(PLAN)

    assert same.exit_code == 0
    assert "Nothing differs" in same.stdout
    assert "Sở A" in same.stdout
    assert "Sở A" not in run(PLAN, "--changed").stdout
    assert "Không có gì khác" in run(PLAN, "--lang", "vi").stdout
    assert json.loads(run(PLAN, "--format", "json").stdout)["differs"] is False


def test_faults_are_named_as_the_check_names_them(run):
    """With line and column and what was meant, in JSON as a list; exit code 1, and no preview."""
    text = PLAN.model_dump_json(by_alias=True, exclude_none=True, indent=1).replace('"judged"', '"juged"', 1)

    refused, as_json = run(text), run(text, "--format", "json")

    assert refused.exit_code == as_json.exit_code == 1
    assert "unknown group 'juged' — did you mean 'judged'?" in refused.stdout
    assert refused.stdout.startswith("draft.yaml:")
    assert [(one["message"], one["hint"]) for one in json.loads(as_json.stdout) if not one["warning"]] == [
        ("unknown group 'juged'", "did you mean 'judged'?")
    ]


def test_days_that_are_not_over_are_refused(run):
    """The last complete day is named; without --as-of it is the day previewed, and --known-at may be an earlier one."""
    assert "2008-07-13 is not over yet; the last day that is: 2008-07-12" in str(
        run(PLAN, "--as-of", "2008-07-13").exception
    )
    told = [
        json.loads(run(PLAN, "--format", "json", *more).stdout)["day"] for more in ((), ("--known-at", "2008-07-11"))
    ]
    assert told == ["2008-07-12", "2008-07-11"]


def test_what_was_known_then_is_not_said_to_be_known_now(run):
    """The sentence on what is assumed names the day asked for, in both languages."""
    then = " ".join(run(PLAN, "--known-at", "2008-07-11").stdout.split())

    assert "from all that was known by the end of 2008-07-11, not read" in then
    assert "known now" not in then
    vietnamese = " ".join(run(PLAN, "--known-at", "2008-07-11", "--lang", "vi").stdout.split())
    assert "theo những gì biết được đến hết ngày 11/07/2008, không" in vietnamese


def test_a_line_of_csv_has_the_fields_of_a_line_of_json(run):
    """One record per agency and indicator with a target, the same in both."""
    lines = json.loads(run(draft(), "--format", "json").stdout)["lines"]

    assert all(tuple(one) == FIELDS for one in lines)
    assert len(run(draft(), "--format", "csv").stdout.splitlines()) == len(lines) + 1
    assert date.fromisoformat(next(one for one in lines if one["agency"] == "a" and one["first_after"])["first_after"])


def test_a_policy_is_previewed_beside_the_one_in_force(run, tmp_path):
    """The published plan with a draft of a policy that waits longer: the same verdicts, and warnings that come later."""
    file = tmp_path / "policy.yaml"
    file.write_text(f"policy: p\nplan: {PLAN.plan}\nin_force_from: 2008-06-01\nhold: 9\n", encoding="utf-8")
    same, other = (json.loads(run(PLAN, *more, "--format", "json").stdout) for more in ((), ("--policy", str(file))))
    later = [one for one in other["lines"] if one["difference"] not in ("same", "never")]

    assert other["before"] == same["before"]
    assert {one["difference"] for one in later} == {"later"}
    assert [one for one in other["lines"] if one["verdict_before"] != one["verdict_after"]] == []
    file.write_text(f"policy: p\nplan: {PLAN.plan}\nin_force_from: 2008-06-01\nhold: soon\n", encoding="utf-8")
    refused = run(PLAN, "--policy", str(file))
    assert (refused.exit_code, "policy.yaml:4:7" in refused.output) == (1, True)
