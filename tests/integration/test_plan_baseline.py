"""`tiendo plan baseline`: what was measured on a day becomes the agencies' baselines, and nothing else of the text changes."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from services.cli.plan_calendar import baseline, holidays
from services.infra.clickhouse.client import ClickHouseAddress, open_clickhouse
from services.infra.clickhouse.migrate import migrate
from services.infra.documents import load_plan
from tests.fixtures.chdb import ChdbServer
from tests.fixtures.standing import DAY, START, Bench, course, directory, plan

pytestmark = pytest.mark.integration

TEXT = """\
# Kế hoạch
plan: p
title: {vi: Kế hoạch}
decision: {number: "1", day: 2008-05-28, signer: UBND}
in_force_from: 2008-05-28
start: 2008-05-28
deadline: 2008-12-31
directory: d
indicators:
  - id: handled
    title: {vi: handled}
    unit: {vi: văn bản}
    measure: {kind: items, facts: document.handled}
    targets:
      - {group: offices, target: 50 %, trajectory: {kind: s-curve}}  # of the decision
      - {agency: a1, target: 20 %}
  - id: directed
    title: {vi: directed}
    unit: {vi: văn bản}
    measure: {kind: items, facts: task.directed}
    shown_for: [offices]
"""


@pytest.fixture
def run(shared_chdb: ChdbServer, chdb_database: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Five offices: 12.5 %, 25 % (its target is 20 %), too few, nothing at all, and one whose feed fell silent."""
    address = ClickHouseAddress(port=shared_chdb.port, database=chdb_database)
    migrate(address)
    with open_clickhouse(address) as database:
        bench = Bench(database)
        bench.publish("plan", plan())
        bench.publish("directory", directory(5))
        for agency, per_day, cases in (("a0", 1.0, 1000), ("a1", 2.0, 1000), ("a2", 0.0, 3), ("a4", 3.0, 1000)):
            bench.figures(plan(), "handled", agency, course(per_day, cases))
        for agency in ("a0", "a1", "a2", "a3"):
            bench.reports(agency, START, DAY)
        bench.reports("a4", START, date(2008, 8, 15))
        bench.judged()
    monkeypatch.setenv("TIENDO_CLICKHOUSE_PORT", str(shared_chdb.port))
    monkeypatch.setenv("TIENDO_CLICKHOUSE_DATABASE", chdb_database)
    file = tmp_path / "plan.yaml"
    file.write_text(TEXT, encoding="utf-8")
    app = typer.Typer()
    app.command()(baseline)
    return lambda *more: CliRunner().invoke(app, [str(file), "--on", DAY.isoformat(), *more])


def test_measured_figures_become_baselines(run, tmp_path):
    """Each measured agency gets one, beside its group's target and trajectory; comments stay, the rest is told why not."""
    done = run("--output", str(tmp_path / "next.yaml"))
    text = (tmp_path / "next.yaml").read_text(encoding="utf-8")

    assert done.exit_code == 0, done.output
    assert (
        "2 baselines of 2008-09-30; 1 without: its feed was silent; 1 without: no figure; 1 without: too few cases"
        in (done.output)
    )
    assert "a1: 25.00 % reaches the target already; its trajectory starts at 0" in " ".join(done.output.split())
    assert "# Kế hoạch" in text
    assert "# of the decision" in text
    loaded = load_plan(text, directory(5)).document
    assert loaded is not None
    targets = {one.agency or one.group: one for one in loaded.indicators[0].targets}
    assert set(targets) == {"offices", "a0", "a1"}
    assert [str(targets[name].baseline) for name in ("offices", "a0", "a1")] == ["None", "1/8", "1/4"]
    assert (targets["a0"].target, targets["a0"].trajectory.kind) == (targets["offices"].target, "s-curve")
    assert targets["a1"].target * 5 == 1


def test_a_day_that_was_not_judged_is_refused(run):
    """There is nothing to write, and nothing is."""
    done = run("--on", "2007-01-01")

    assert "plan 'p' was not judged on 2007-01-01" in str(done.exception)


def test_the_holidays_of_a_plans_time(tmp_path):
    """Those of Vietnam on weekdays, as the plan's text states them; the plan with them has no warning."""
    app = typer.Typer()
    app.command()(holidays)
    file = tmp_path / "plan.yaml"
    file.write_text(TEXT.replace("start: 2008-05-28", "start: 2008-01-02"), encoding="utf-8")

    printed = CliRunner().invoke(app, [str(file)]).output

    assert "- 2008-02-07  # " in printed
    assert "- 2008-09-02  # Quốc khánh" in printed
    whole = file.read_text(encoding="utf-8") + printed
    assert [fault.message for fault in load_plan(whole, None).faults] == []
    assert (
        load_plan(whole.replace("    - 2008-02-07", "    # -"), None)
        .faults[0]
        .message.startswith("public holidays are missing: 2008-02-07")
    )
