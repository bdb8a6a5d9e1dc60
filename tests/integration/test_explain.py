"""A figure explained, by the board's read API and by the command: grounds, events, people by reason, faults."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import typer
from starlette.testclient import TestClient
from typer.testing import CliRunner

from schemas import usage
from schemas.directory import Directory
from schemas.explanation import Explanation
from schemas.revisions import DirectoryRevision
from services.aggregator.adapters.documents import store
from services.aggregator.adapters.recompute import recompute
from services.alerts.adapters.figures import FigureReader
from services.alerts.adapters.standing_store import StandingStore
from services.alerts.evaluate import Round, evaluate_round
from services.board.app import build
from services.board.settings import BoardSettings
from services.cli.explain import explain_figure
from services.infra.clickhouse.client import ClickHouse
from tests.aggregator_world import ZONE
from tests.directories import FIRST_REVISION
from tests.figures_world import (
    DIRECTORY,
    LAST,
    LATER,
    RECEIVED,
    ZONE_INFO,
    declared,
    exchanged,
    item,
    joined,
    opened,
    sent,
    stated,
    world_database,
    written,
)
from tests.fixtures.chdb import ChdbServer

pytestmark = pytest.mark.integration
NAME = "explained"
NOW = datetime(2008, 7, 13, 1, tzinfo=UTC)  # the morning after LAST
PEOPLE = [f"p{n:02}" for n in range(40)]


TYPES = ["official.joined", "official.left", "mailbox.opened", "mailbox.closed", "mail.used", "document.exchanged"]
FEED = {
    "id": "all",
    "title": {"vi": "Tất cả"},
    "source": "/one",
    "types": [*TYPES, "record.filed"],
    "covers": {"all": True},
    "owner": {"role": "feed-owner", "name": "Trung tâm", "email": "tt@example.vn"},
}
WITH_FEED = DirectoryRevision(
    id="dir",
    revision=2,
    in_force_from=FIRST_REVISION.in_force_from,
    published=FIRST_REVISION.published,
    document=Directory.model_validate(DIRECTORY.model_dump(by_alias=True) | {"feeds": [FEED]}),
)


def reports() -> list[Any]:
    """That the feed has passed the last days; it promises nothing more than was sent."""
    return [
        stated(usage.FeedReported, type=kind, day=LAST - timedelta(days=back), count=0, time=RECEIVED)
        for kind in FEED["types"]
        for back in range(5)
    ]


def events() -> list[Any]:
    """Forty people of office a, of whom 25 own mailboxes and 12 of these sent mail; documents and records of all kinds."""
    found = [joined(person, "a", "05-01") for person in PEOPLE]
    found += [opened(f"{person}@a", person, "05-01") for person in PEOPLE[:25]]
    found += [sent(f"{person}@a", "07-10") for person in PEOPLE[:12]]
    found += [joined(f"q{n}", "b", "05-01") for n in range(9)]
    found += [exchanged("1", "entered", "06-02"), exchanged("1", "adopted", "06-03", source="/two")]
    found += [exchanged("2", "entered", "06-04"), exchanged("3", "entered", "06-04", counterpart="edoc:X")]
    found += [
        item(usage.RecordFiled, "a", "r1", "entered", "06-01"),
        item(usage.RecordFiled, "a", "r1", "adopted", "06-05"),
    ]
    found += [item(usage.RecordFiled, "a1", "r2", "entered", "06-01")]
    found += [item(usage.RecordFiled, "a", "r3", "entered", "05-02")]
    late = {"time": LATER, "received": LATER}
    found += [item(usage.RecordFiled, "a1", "r2", "adopted", "06-20", **late)]
    found += [declared("c", "records", "06-01", "07-31", 30, 40)]
    return found


@pytest.fixture(scope="module")
def database(shared_chdb: ChdbServer) -> Iterator[ClickHouse]:
    """The small world with these events, recomputed and judged up to its last day."""
    with world_database(shared_chdb, NAME) as database:
        store(database, WITH_FEED)
        written(database, events() + reports())
        recompute(database, complete=LAST, zone=ZONE_INFO)
        judged = evaluate_round(FigureReader(database), StandingStore(database), NOW, plan="plan", zone=ZONE)
        assert isinstance(judged, Round)
        yield database


@pytest.fixture
def board(database: ClickHouse, shared_chdb: ChdbServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    monkeypatch.setenv("TIENDO_CLICKHOUSE_PORT", str(shared_chdb.port))
    monkeypatch.setenv("TIENDO_CLICKHOUSE_DATABASE", NAME)
    with TestClient(build(BoardSettings())) as client:
        yield client


def explained(board: TestClient, indicator: str, agency: str, **more: Any) -> Explanation:
    answer = board.get("/v1/explain", params={"plan": "plan", "indicator": indicator, "agency": agency} | more)
    assert answer.status_code == 200, answer.text
    return Explanation.model_validate_json(answer.text)


def told(found: Explanation) -> dict[str, Any]:
    return {
        one.item: (one.agency, one.why, [(event.step, event.source, event.fate) for event in one.events])
        for one in found.parts[0].evidence.items  # type: ignore[union-attr]
    }


def test_a_document_down_to_its_events(board):
    """Both registers' statements about one document are named; one whose party nobody is counts for nobody, and says so."""
    found = explained(board, "exchanged", "a")

    assert (found.standing.numerator, found.standing.denominator) == (1, 2)
    assert found.parts[0].recount.agrees
    assert found.plan.decision is not None
    assert found.plan.decision.signer == "UBND tỉnh"
    assert (found.directory.id, found.directory.revision) == ("dir", 2)
    assert told(found) == {
        "1 (lead → a, 2008)": ("a", "adopted", [("entered", "/one", "counts"), ("adopted", "/two", "counts")]),
        "2 (lead → a, 2008)": ("a", "only-entered", [("entered", "/one", "counts")]),
    }
    ids = {event.id for one in found.parts[0].evidence.items for event in one.events}
    assert None not in ids
    assert len(ids) == 3


def test_offices_below_count_and_are_named(board):
    """Records of the sub-department count for its department; what entered before the period is told apart."""
    found = explained(board, "records", "a")

    assert [office.agency for office in found.parts[0].offices] == ["a", "a1"]
    reasons = {one.why: (one.items, one.numerator, one.denominator) for one in found.parts[0].evidence.reasons}
    assert reasons == {"adopted": (2, 2, 2), "before-period": (1, 0, 0)}


def test_what_was_known_then(board):
    """By the end of the day before, the late statement had not come: the record was not done, and nothing speaks of it."""
    known = {"day": "2008-07-10", "known_at": "2008-07-10"}
    then, now = explained(board, "records", "a", **known), explained(board, "records", "a", day="2008-07-10")

    assert (then.standing.numerator, then.standing.denominator) == (1, 2)
    assert (now.standing.numerator, now.standing.denominator) == (2, 2)
    assert told(then)["r2"] == ("a1", "only-entered", [("entered", "/one", "counts")])
    assert then.known_at == date(2008, 7, 10)
    assert then.parts[0].recount.agrees


def test_people_are_counted_and_never_listed(board):
    """Reasons are told about, within three; no pseudonym, address or id of an event is in the answer."""
    answer = board.get("/v1/explain", params={"plan": "plan", "indicator": "use", "agency": "a"})
    found = Explanation.model_validate_json(answer.text)

    assert (found.standing.numerator, found.standing.denominator) == (12, 40)
    reasons = {one.why: one.people for one in found.parts[0].evidence.reasons}
    assert set(reasons) == {"no-address", "no-deed"}
    assert abs((reasons["no-address"] or 15) - 15) <= 3
    assert abs((reasons["no-deed"] or 13) - 13) <= 3
    assert not [name for name in [*PEOPLE, "@a"] if name in answer.text]


def test_small_groups_are_not_divided(board):
    """Of nine people only the figure is told."""
    evidence = explained(board, "mailboxes", "b").parts[0].evidence

    assert evidence.suppressed == "small-group"
    assert {one.people for one in evidence.reasons} == {None}


def test_declared_figures_are_told_apart(board):
    """What was declared is named with its source, and is not called measured."""
    part = explained(board, "records", "c").parts[0]

    assert (part.recount.measured.denominator, part.recount.declared.numerator) == (0, 30)
    assert part.recount.declared.denominator == 40
    assert [(one.source, one.numerator, one.denominator) for one in part.declared] == [("/one", 30, 40)]
    assert part.recount.agrees


def test_newer_facts_are_said(board, database):
    """Between a new fact and its judging the recount differs from the standing, and the answer says so."""
    written(database, [item(usage.RecordFiled, "b", "new", "entered", "07-01")])

    found = explained(board, "records", "b")

    assert found.standing.denominator is None
    assert not found.parts[0].recount.agrees
    assert found.parts[0].recount.measured.denominator == 1


@pytest.mark.parametrize(
    ("params", "code", "says"),
    [
        ({"plan": "nope", "indicator": "records", "agency": "a"}, 404, "published are: plan"),
        ({"plan": "plan", "indicator": "gossip", "agency": "a"}, 404, "it has: mailboxes"),
        ({"plan": "plan", "indicator": "records", "agency": "zz"}, 404, "there is no agency 'zz'"),
        ({"plan": "plan", "indicator": "records", "agency": "a1"}, 404, "records does not concern 'a1'"),
        ({"plan": "plan", "indicator": "records", "agency": "a", "day": "2009-01-01"}, 404, "was not judged"),
        ({"plan": "plan", "indicator": "records", "agency": "a", "day": "tomorrow"}, 422, "day: "),
        ({"plan": "plan", "indicator": "records", "agency": "a", "limit": "-1"}, 422, "limit: "),
        ({"plan": "plan", "indicator": "records"}, 422, "agency: "),
        (
            {"plan": "plan", "indicator": "records", "agency": "a", "as_of": "2008-07-01"},
            422,
            "as_of: there is no such",
        ),
    ],
)
def test_what_is_not_there_is_said(board, params, code, says):
    """Faults are typed, and say what there is."""
    answer = board.get("/v1/explain", params=params)

    assert answer.status_code == code
    assert says in answer.json()["detail"]


def test_standing_by_the_api(board):
    """The same fields as elsewhere; one agency and indicator where asked for."""
    answer = board.get("/v1/standing", params={"plan": "plan", "indicator": "records", "agency": "a"}).json()

    assert (answer["day"], len(answer["standing"])) == ("2008-07-12", 1)
    assert answer["standing"][0]["numerator"] == 2
    assert board.get("/v1/standing", params={"plan": "plan", "day": "2001-01-01"}).status_code == 404


def test_a_misspelt_parameter_is_no_question_about_the_last_day(board):
    """Whoever asks for a day by another name gets no other day's figures, but the names that there are."""
    answer = board.get("/v1/standing", params={"plan": "plan", "as-of": "2008-07-10", "agency": "a"})

    assert (answer.status_code, answer.json()["error"]) == (422, "invalid")
    assert answer.json()["detail"] == "as-of: there is no such parameter; there are plan, day, indicator, agency"


def test_a_board_without_database_says_so(monkeypatch):
    """503 with Retry-After, and not ready; the process itself is alive."""
    monkeypatch.setenv("TIENDO_CLICKHOUSE_PORT", "1")
    with TestClient(build(BoardSettings())) as client:
        answer = client.get("/v1/standing", params={"plan": "plan"})
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
        assert client.get("/readyz").status_code == 503
        assert client.get("/healthz").status_code == 200
        assert client.get("/nowhere").json()["error"] == "not-found"
        assert "tiendo_board_database_failures_total 1.0" in client.get("/metrics").text


def test_the_command(board):
    """The table names reasons in the language asked for; CSV has a line per event."""
    app = typer.Typer()
    app.command()(explain_figure)

    def run(*more: str) -> str:
        done = CliRunner().invoke(app, ["--plan", "plan", "--agency", "a", *more])
        assert done.exit_code == 0, done.output
        return done.output

    table = run("--indicator", "exchanged", "--lang", "vi")
    assert "chưa thực hiện trên mạng" in table
    assert "trùng khớp" in table
    assert "tất cả văn bản trao đổi phát sinh từ khi kế hoạch bắt đầu" in " ".join(table.split())
    assert "người trong danh sách cán bộ" in run("--indicator", "use", "--lang", "vi")
    lines = run("--indicator", "exchanged", "--format", "csv").splitlines()
    assert len(lines) == 1 + 3
    assert json.loads(run("--indicator", "use", "--format", "json"))["parts"][0]["evidence"]["kind"] == "people"
    assert "People are counted, never listed." in run("--indicator", "use")


def test_a_day_in_the_past_is_the_directory_of_that_day(board):
    """The roster's day is the day judged."""
    found = explained(board, "mailboxes", "a", day=(LAST - timedelta(days=3)).isoformat())

    assert found.parts[0].evidence.roster.day == LAST - timedelta(days=3)
    assert (found.standing.numerator, found.standing.denominator) == (25, 40)
