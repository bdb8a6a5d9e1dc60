"""``tiendo report`` on the real database: a file, its seal, and what --verify says of it later."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from schemas import usage
from services.cli.report import report
from services.core.errors import Rejected
from services.infra.clickhouse.client import ClickHouse
from tests.figures_world import PLAN_REVISION, emptied, item, published, world_database, written
from tests.figures_world import day as day_of
from tests.fixtures.chdb import ChdbServer
from tests.integration.test_standing_afresh import WITH_FEED, records, second_plan

pytestmark = pytest.mark.integration

ASKED = ["--plan", "plan", "--as-of", "2008-06-20", "--known-at", "2008-07-10", "--language", "vi"]


@pytest.fixture(scope="module")
def database(shared_chdb: ChdbServer) -> Iterator[ClickHouse]:
    with world_database(shared_chdb, "reported") as database:
        yield database


@pytest.fixture
def tiendo(database: ClickHouse, shared_chdb: ChdbServer, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("TIENDO_CLICKHOUSE_PORT", str(shared_chdb.port))
    monkeypatch.setenv("TIENDO_CLICKHOUSE_DATABASE", "reported")
    emptied(database)
    published(database, PLAN_REVISION, WITH_FEED)
    written(database, records(6))
    app = typer.Typer()
    app.command()(report)
    return lambda *arguments: CliRunner().invoke(app, [str(one) for one in arguments])


@pytest.mark.parametrize("form", ["html", "xlsx", "csv"])
def test_verify_tells_whether_the_facts_are_still_the_same(database, tiendo, tmp_path, form):
    """Right after the report: same. Once a fact of its days is corrected: different, by name, with exit code 3."""
    file = tmp_path / f"r.{form}"
    made = tiendo(*ASKED, "--format", form, "--output", file)
    assert made.exit_code == 0, made.output
    assert tiendo("--verify", file).exit_code == 0

    written(database, [item(usage.RecordFiled, "a", "r7", "adopted", "06-20")])
    later = tiendo("--verify", file)
    assert later.exit_code == 3
    assert "items: 26 rows then, 27 now" in later.stdout


def test_lowered_targets_are_named_in_the_report(database, tiendo, tmp_path):
    """A revision that asks less stands on the first page."""
    published(database, PLAN_REVISION, second_plan("10 %", day_of("06-10"), PLAN_REVISION.published), WITH_FEED)
    file = tmp_path / "r.html"
    assert tiendo(*ASKED, "--output", file).exit_code == 0
    assert "Mốc đã dời" in file.read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "say which plan"),
        (["--plan", "none", "--as-of", "2008-06-20"], "published are: plan"),
        (["--plan", "plan", "--as-of", "2008-05-01", "--known-at", "2008-05-01"], "plan 'plan' was not known yet"),
        (["--plan", "plan"], "has not been judged yet"),
        (["--plan", "plan", "--as-of", "2008-06-20"], "was not judged on 2008-06-20"),
        (["--verify", "/nowhere/r.pdf"], "cannot be read"),
    ],
    ids=["no plan", "unknown", "not published then", "no day", "not judged", "no file"],
)
def test_what_cannot_be_reported_is_said(tiendo, arguments, message):
    """The fault says what is missing."""
    fault = tiendo(*arguments).exception
    assert isinstance(fault, Rejected)
    assert message in str(fault)
