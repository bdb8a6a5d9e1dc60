"""Day codes that the database reckons, and the transitions made of them, are those of the exact standings."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from schemas.plan import Plan
from schemas.policy import Policy
from schemas.warnings import Transition
from services.alerts.adapters.day_codes import DayCodes, Span
from services.alerts.evaluate import Round
from services.alerts.standing_codes import StandingCodes
from services.core.warnings.day_codes import code_of
from services.core.warnings.severity import default_policy
from services.core.warnings.transitions import judged_day, transitions_of
from services.core.warnings.warning_records import Subject, fold
from services.infra.clickhouse.client import ClickHouseAddress, open_clickhouse
from services.infra.clickhouse.migrate import migrate
from tests.fixtures.chdb import ChdbServer
from tests.fixtures.standing import DAY, NOW, START, Bench, course, directory, plan

pytestmark = pytest.mark.integration
AT = datetime(2008, 10, 1, tzinfo=UTC)


@pytest.fixture
def bench(shared_chdb: ChdbServer, chdb_database: str) -> Iterator[Bench]:
    """Four agencies: one ahead, one behind, one on the line, one whose feed fell silent."""
    address = ClickHouseAddress(port=shared_chdb.port, database=chdb_database)
    migrate(address)
    with open_clickhouse(address) as database:
        found = Bench(database)
        found.publish("plan", plan())
        found.publish("directory", directory(4))
        for agency, pace in (("a0", 3.1), ("a1", 0.3), ("a2", 500 / 217), ("a3", 1.0)):
            for name in ("handled", "directed"):
                found.figures(plan(), name, agency, course(pace))
            found.reports(agency, START, date(2008, 8, 15) if agency == "a3" else DAY)
        yield found


def policy(*thresholds: dict[str, Any], **rules: Any) -> Policy:
    given: dict[str, Any] = {"policy": "p", "plan": "p", "in_force_from": START} | rules
    return Policy.model_validate(given | ({"thresholds": thresholds} if thresholds else {}))


POLICIES = [
    pytest.param(default_policy(plan()), id="default"),
    pytest.param(policy({"severity": "info", "verdict": "at-risk"}, {"severity": "critical", "verdict": "missed"}), id="words"),
    pytest.param(
        policy(
            {"severity": "info", "days_behind": 1},
            {"severity": "warning", "days_behind": 30, "verdict": "behind"},
            {"severity": "critical", "points": "25 %"},
        ),
        id="days-and-points",
    ),
    pytest.param(policy({"severity": "warning", "forecast_late": 20}, {"severity": "info", "points": "0.1 %"}), id="forecast"),
]  # fmt: skip


def exact(judged: Round, rules: Policy, indicator: str, agency: str) -> list[int]:
    history = judged.assessment.histories[indicator, agency]
    return [code_of(judged_day(one, rules, plan().deadline)) for one in history]


@pytest.mark.parametrize("rules", POLICIES)
def test_codes_are_those_of_exact_standings(bench: Bench, rules: Policy) -> None:
    """Of every day, agency and indicator, under every kind of threshold; ties of shares included."""
    judged = bench.judged()
    places = {f"a{n}": n for n in range(4)}
    for indicator in ("handled", "online", "directed"):
        span = Span(plan="p", indicator=indicator, first=START, last=DAY, under=rules, deadline=plan().deadline)
        rows, codes = DayCodes(bench.database).read(span, places)

        found = dict(zip(rows.tolist(), codes.tolist(), strict=True))
        assert found == {n: exact(judged, rules, indicator, f"a{n}") for n in range(4)}


def test_transitions_are_those_of_whole_histories(bench: Bench) -> None:
    """Through days, corrected figures, another policy and another plan, by one evaluator and by one that starts anew."""
    first, past = StandingCodes(DayCodes(bench.database)), dict[Subject, Transition]()
    rules, now = default_policy(plan()), NOW
    seen = set()
    for step in range(8):
        if step == 2:
            bench.figures(plan(), "handled", "a1", course(2.9))  # what was late is done
        if step == 4:
            rules = policy({"severity": "warning", "days_behind": 5}, hold=2, clear=1)
        if step == 6:
            lowered: Plan = plan(target="90 %", since=date(2008, 9, 20))
            bench.publish("plan", lowered, revision=2)
        judged = bench.judged(now, margin=timedelta(0))
        wanted = transitions_of(judged.assessment, past, rules, at=AT)
        for codes in (first, StandingCodes(DayCodes(bench.database))):
            found = codes.transitions(judged.assessment, past, rules, inputs=judged.inputs, at=AT, answers={})
            assert found == wanted
        past |= fold(wanted)
        seen |= {one.reason for one in wanted}
        now += timedelta(days=1)
        for agency in ("a0", "a1", "a2"):
            day = DAY + timedelta(days=step + 1)
            bench.reports(agency, day, day)
            for name in ("handled", "directed"):
                bench.figures(plan(), name, agency, {day: (430, 1000)})
    assert len(seen) >= 4
