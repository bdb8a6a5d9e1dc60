"""Publishing documents on the embedded broker, from Python and from the command line."""

import hashlib
import json
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from schemas.revisions import REVISION
from schemas.topics import Topic
from services.cli.plans import agencies_app, plan_app, sources_app
from services.cli.policies import policy_app
from services.core.errors import Rejected
from services.infra.documents import load_directory, load_plan
from services.infra.kafka import read_all
from services.infra.publishing import latest_sources, publish, read_revisions
from tests.fixtures.tansu import Tansu
from tests.unit.test_documents import DIRECTORY, PLAN, SOURCES

pytestmark = pytest.mark.integration

NOW = datetime(2008, 5, 28, 2, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path, tansu: Tansu, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the three documents, and the environment of a running broker."""
    monkeypatch.setenv("TIENDO_KAFKA_BOOTSTRAP", tansu.bootstrap)
    monkeypatch.setenv("TIENDO_CLOCK", "2008-05-28T09:00:00+07:00")
    for name, text in (("directory", DIRECTORY), ("plan", PLAN), ("sources", SOURCES)):
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
    return tmp_path


def test_publishing_numbers_revisions_and_never_repeats_one(tansu: Tansu) -> None:
    """Same content, no new revision; other content, the next number; the topic holds each once, under its key."""
    directory = load_directory(DIRECTORY).document
    assert directory is not None
    plan = load_plan(PLAN, directory).document
    changed = load_plan(PLAN.replace("40 %", "45 %"), directory).document
    assert plan is not None
    assert changed is not None

    with pytest.raises(Rejected, match="publish it first"):
        publish(tansu.address, plan, NOW)
    told = [publish(tansu.address, document, NOW) for document in (directory, plan, plan, changed, directory, plan)]

    assert [(one.revision.kind, one.revision.revision, one.new) for one in told] == [
        ("directory", 1, True),
        ("plan", 1, True),
        ("plan", 1, False),
        ("plan", 2, True),
        ("directory", 1, False),
        ("plan", 3, True),
    ]
    records = read_all(tansu.address, Topic.PLANS)
    assert [record.key for record in records] == [b"directory/d/1", b"plan/p/1", b"plan/p/2", b"plan/p/3"]
    assert [one.document for one in read_revisions(tansu.address)] == [directory, plan, changed, plan]
    assert REVISION.validate_json(records[1].value or b"").published == NOW


def test_nonsense_is_refused_even_from_python(tansu: Tansu) -> None:
    """A valid contract that makes no sense is not published, and all its faults are told."""
    directory = load_directory(DIRECTORY).document
    plan = load_plan(PLAN.replace("departments", "sectors"), None).document
    assert directory is not None
    assert plan is not None
    publish(tansu.address, directory, NOW)

    with pytest.raises(Rejected, match="unknown group 'sectors'"):
        publish(tansu.address, plan.model_copy(update={"deadline": plan.start.replace(year=2007)}), NOW)
    assert len(read_all(tansu.address, Topic.PLANS)) == 1


def test_plans_from_the_command_line(folder: Path) -> None:
    """Directory and plan are checked, published, shown and compared; faults end it with exit code 1 and their places."""
    run = CliRunner()
    plan, directory = str(folder / "plan.yaml"), str(folder / "directory.yaml")

    assert run.invoke(agencies_app, ["check", directory]).exit_code == 0
    assert "revision 1" in run.invoke(agencies_app, ["publish", directory]).output
    assert "revision 1" in run.invoke(plan_app, ["publish", plan]).output
    assert "unchanged" in run.invoke(plan_app, ["publish", plan]).output
    (folder / "plan.yaml").write_text(PLAN.replace("40 %", "45 %"), encoding="utf-8")
    compared = run.invoke(plan_app, ["diff", plan])
    assert "indicators.handled.targets.departments.target: 40 % → 45 %" in compared.output
    shown = run.invoke(plan_app, ["show", "p", "--format", "json"])
    assert json.loads(shown.output)["document"]["indicators"][0]["targets"][0]["target"] == "40 %"
    assert "departments" in run.invoke(plan_app, ["show", "p"]).output

    (folder / "plan.yaml").write_text(PLAN.replace("departments", "departmets"), encoding="utf-8")
    for command in ("check", "publish"):
        result = run.invoke(plan_app, [command, plan])
        assert result.exit_code == 1
        assert "plan.yaml:14:16: unknown group 'departmets' — did you mean 'departments'?" in result.output
    faults = json.loads(run.invoke(plan_app, ["check", plan, "--format", "json"]).output)
    assert (faults[0]["line"], faults[0]["column"], faults[0]["warning"]) == (14, 16, False)


def test_an_agency_taken_out_of_the_directory_is_remarked_on(folder: Path) -> None:
    """It is published all the same; whoever took the agency out learns that events about it will be refused."""
    run = CliRunner()
    file = folder / "directory.yaml"
    first = run.invoke(agencies_app, ["publish", str(file)])
    without = [line for line in DIRECTORY.splitlines() if "id: so-b" not in line]
    file.write_text("\n".join(without), encoding="utf-8")

    second = run.invoke(agencies_app, ["publish", str(file)])

    assert "warning" not in first.output
    assert "warning: agency 'so-b' is no longer there" in second.output
    assert "revision 2" in second.output


def test_sources_get_tokens_of_which_only_hashes_travel(folder: Path, tansu: Tansu) -> None:
    """A token is random, private to its owner, kept when asked again, and known to the topic as a hash alone."""
    run = CliRunner()
    run.invoke(agencies_app, ["publish", str(folder / "directory.yaml")])
    tokens, arguments = folder / "tokens", ["publish", str(folder / "sources.yaml"), "--issue-tokens"]

    first = run.invoke(sources_app, [*arguments, str(tokens)])
    assert first.exit_code == 0, first.output
    file = tokens / "_office_a.token"
    token = file.read_text(encoding="ascii").strip()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(tokens.stat().st_mode) == 0o700
    assert token not in first.output
    again = run.invoke(sources_app, [*arguments, str(tokens)])
    assert "unchanged" in again.output
    assert file.read_text(encoding="ascii").strip() == token
    published = latest_sources(read_revisions(tansu.address), "all")
    assert published is not None
    assert published.document.entries[0].tokens[0].sha256 == hashlib.sha256(token.encode()).hexdigest()
    assert not any(token.encode() in (record.value or b"") for record in read_all(tansu.address, Topic.PLANS))

    file.unlink()
    run.invoke(sources_app, [*arguments, str(tokens)])
    lost = latest_sources(read_revisions(tansu.address), "all")
    assert lost is not None
    assert len(lost.document.entries[0].tokens) == 2, "a lost file is replaced; the token already handed out stays good"
    assert "unchanged" in run.invoke(sources_app, ["publish", str(folder / "sources.yaml")]).output


POLICY = """\
policy: p
plan: p
in_force_from: 2008-05-28
hold: 2
levels:
  - {to: head}
  - {to: chair, after: 30, digest: month}
working_time: {at_once: critical}
"""


def test_a_policy_is_checked_published_shown_and_compared_like_a_plan(folder: Path) -> None:
    """Refused before its plan is there; published once; shown in sentences; a change told by its path."""
    run = CliRunner()
    file = folder / "policy.yaml"
    file.write_text(POLICY, encoding="utf-8")
    assert run.invoke(policy_app, ["check", str(file)]).exit_code == 0
    with pytest.raises(Rejected, match="plan 'p' is not published yet"):
        run.invoke(policy_app, ["publish", str(file)], catch_exceptions=False)
    for app, name in ((agencies_app, "directory"), (plan_app, "plan")):
        assert run.invoke(app, ["publish", str(folder / f"{name}.yaml")]).exit_code == 0

    told = [run.invoke(policy_app, ["publish", str(file)]).stdout.splitlines()[-1] for _ in range(2)]
    shown = run.invoke(policy_app, ["show", "p"]).stdout
    record = json.loads(run.invoke(policy_app, ["show", "p", "--format", "json"]).stdout)
    file.write_text(POLICY.replace("hold: 2", "hold: 5"), encoding="utf-8")
    changed = run.invoke(policy_app, ["diff", str(file)]).stdout
    file.write_text(POLICY.replace("in_force_from: 2008-05-28", "in_force_from: soon"), encoding="utf-8")
    refused = run.invoke(policy_app, ["publish", str(file)])

    assert told == [
        "policy p: published, revision 1, in force from 2008-05-28",
        "policy p: unchanged, revision 1, in force from 2008-05-28",
    ]
    assert "to the chair: after 30 days, told in a digest each month" in shown
    assert "mails go out mon, tue, wed, thu, fri, 07:30 to 17:00; critical at any time" in shown
    assert (record["kind"], record["document"]["hold"]) == ("policy", 2)
    assert changed == "against revision 1\nhold: 2 → 5\n"
    assert refused.exit_code == 1
    unknown = run.invoke(policy_app, ["show", "other"])
    assert unknown.exit_code == 1
