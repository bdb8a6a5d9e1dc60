"""Warnings through the board: what is read, what holders of a token may say, and what everybody else is told."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pydantic import ValidationError

from schemas.warning_views import NoticePage, SilencePage, WarningHistory, WarningPage
from schemas.warnings import Answer
from services.board.app import build
from services.board.settings import BoardSettings
from services.board.tokens import read_tokens
from services.board.writing import Allowance
from services.infra.clickhouse.client import ClickHouse, ClickHouseAddress
from tests import warnings_world as warnings
from tests.fixtures.chdb import ChdbServer
from tests.fixtures.tansu import Tansu

pytestmark = pytest.mark.integration

TOKEN = "a-token-that-nobody-guesses"
LAG = "/v1/warnings/tinh-2008/so-y-te/lag:email-use"
ANSWER = {"plan": "tinh-2008", "agency": "so-y-te", "cause": "lag:email-use", "answer": "acknowledged"}
SILENCE = {
    "plan": "tinh-2008", "match": {"agencies": ["so-y-te"]}, "until": "2008-10-04T00:00:00+07:00", "reason": "đối chiếu",
}  # fmt: skip


@pytest.fixture(scope="module")
def untouched(shared_chdb: ChdbServer) -> Iterator[ClickHouseAddress]:
    """A database that no test writes into."""
    address = ClickHouseAddress(host=shared_chdb.host, port=shared_chdb.port, database="warnings_api")
    with warnings.warned(address):
        yield address
    with shared_chdb.client() as client:
        client.execute("DROP DATABASE warnings_api")


@pytest.fixture
def database(shared_chdb: ChdbServer, chdb_database: str) -> Iterator[ClickHouse]:
    """A database of the test's own."""
    address = ClickHouseAddress(host=shared_chdb.host, port=shared_chdb.port, database=chdb_database)
    with warnings.warned(address) as database:
        yield database


@pytest.fixture
def settings(untouched: ClickHouseAddress, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """The board's settings, with a broker that is not there."""
    tokens = tmp_path / "tokens"
    tokens.write_text(f"# who may write\nTổ vận hành {hashlib.sha256(TOKEN.encode()).hexdigest()}\n", encoding="utf-8")
    monkeypatch.delenv("TIENDO_CLOCK_OFFSET", raising=False)
    for name, value in {
        "TIENDO_CLICKHOUSE_PORT": str(untouched.port),
        "TIENDO_CLICKHOUSE_DATABASE": untouched.database,
        "TIENDO_CLOCK": "2008-10-01T09:00:00+07:00",
        "TIENDO_KAFKA_BOOTSTRAP": "127.0.0.1:1",
        "TIENDO_BOARD_TOKENS_FILE": str(tokens),
        "TIENDO_BOARD_PUBLISH_TIMEOUT": "0.5",
    }.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


@pytest.fixture
def alone(settings: pytest.MonkeyPatch) -> Iterator[TestClient]:
    """A board whose broker is away."""
    with TestClient(build(BoardSettings())) as client:
        yield client


@pytest.fixture
def board(
    settings: pytest.MonkeyPatch, shared_tansu: Tansu, database: ClickHouse, chdb_database: str
) -> Iterator[TestClient]:
    """A board with a broker and a database of its own, for a holder of a token."""
    settings.setenv("TIENDO_CLICKHOUSE_DATABASE", chdb_database)
    settings.setenv("TIENDO_KAFKA_BOOTSTRAP", shared_tansu.bootstrap)
    settings.setenv("TIENDO_BOARD_PUBLISH_TIMEOUT", "10")
    with TestClient(build(BoardSettings()), headers={"Authorization": f"Bearer {TOKEN}"}) as client:
        yield client


def so_far(broker: Tansu) -> int:
    try:
        return len(warnings.published(broker.address))
    except Exception:  # the topic is made by the first record
        return 0


def folded(broker: Tansu, database: ClickHouse, before: int) -> list[Any]:
    """Return what the topic has beyond the first *before* records, and put it where the fold of the log does."""
    found = warnings.published(broker.address)[before:]
    warnings.write(database, *found)
    return found


def test_warnings_are_read_page_by_page(alone: TestClient) -> None:
    """The gravest first; the pages together are the whole, and each says how many there are."""
    pages = [
        WarningPage.model_validate(alone.get("/v1/warnings", params={"limit": 2, "offset": at}).json()) for at in (0, 2)
    ]

    assert [page.total for page in pages] == [3, 3]
    assert pages[0].states == {"open": 3}
    assert [(one.cause, one.days_behind) for page in pages for one in page.warnings] == [
        ("lag:mailboxes", 61.0), ("lag:email-use", 30.4), ("feed:so-xay-dung.documents", None),
    ]  # fmt: skip
    only = alone.get("/v1/warnings", params={"indicator": "email-use", "lang": "en"}).json()["warnings"]
    assert [(one["agency_name"], one["title"]) for one in only] == [
        ("Department of Health", "Officials using e-mail for work")
    ]
    assert alone.get("/v1/warnings", params={"state": "resolved"}).json()["total"] == 0


def test_the_life_of_a_warning_is_read(alone: TestClient) -> None:
    """With reasons in Vietnamese words and what became of the notices."""
    life = WarningHistory.model_validate(alone.get(LAG).json())

    assert [(one.reason, one.words) for one in life.transitions] == [("fell-behind", "chậm tiến độ")]
    assert [(one.recipient, one.state) for one in life.notices] == [("head", "sent")]


@pytest.mark.parametrize(
    ("path", "code", "told"),
    [
        pytest.param("/v1/warnings?plan=tinh-2009", 404, "did you mean 'tinh-2008'", id="plan"),
        pytest.param("/v1/warnings?agency=so-yte", 404, "did you mean 'so-y-te'", id="agency"),
        pytest.param("/v1/warnings?agencie=so-y-te", 422, "there is no such parameter", id="a misspelt parameter"),
        pytest.param("/v1/warnings?limit=100000", 422, "limit", id="too many"),
        pytest.param("/v1/warnings/tinh-2008/so-tai-chinh/lag:email-use", 404, "never been a warning", id="none"),
        pytest.param("/v1/warnings/tinh-2008/so-y-te/lag:'%20OR%201=1%20--", 404, "has no indicator", id="injection"),
        pytest.param("/v1/warnings/tinh-2008/so-y-te/%1b%5b31m", 404, "has no", id="control characters"),
        pytest.param("/v1/warnings?plan=%00", 404, "there is no plan", id="NUL"),
        pytest.param("/v1/warnings?plan=x'%20OR%20'1'='1", 404, "there is no plan", id="injection into the plan"),
        pytest.param("/v1/warnings?plan=\u1ea3%5c", 404, "there is no plan", id="letters that no id has"),
        pytest.param("/v1/notices?state=lost", 422, "should be 'pending'", id="a state that is none"),
    ],
)  # fmt: skip
def test_what_is_not_there_is_said(alone: TestClient, path: str, code: int, told: str) -> None:
    """Typed, with what was probably meant."""
    answer = alone.get(path)
    assert answer.status_code == code, answer.text
    assert told in answer.json()["detail"]


def test_dead_letters_are_read_with_what_to_do(alone: TestClient) -> None:
    """Filtered by state; the count is of all in that state."""
    page = NoticePage.model_validate(alone.get("/v1/notices", params={"state": "dead", "limit": 1}).json())

    assert page.total == 2
    assert [(one.detail, one.causes) for one in page.notices] == [
        ("smtp-recipient-refused", ("feed:so-xay-dung.documents",))
    ]
    assert "danh mục cơ quan" in page.notices[0].remedy


def test_an_answer_is_recorded_under_the_name_of_the_token(
    board: TestClient, shared_tansu: Tansu, database: ClickHouse
) -> None:
    """Whoever sends it twice records one answer; what it means is in the answer."""
    before = so_far(shared_tansu)
    dry = board.post("/v1/warnings/answers", json=ANSWER | {"dry_run": True})
    assert (dry.status_code, dry.json()["recorded"]) == (202, False)
    assert so_far(shared_tansu) == before

    answers = [board.post("/v1/warnings/answers", json=ANSWER) for _ in range(2)]

    assert [one.status_code for one in answers] == [202, 202]
    found = folded(shared_tansu, database, before)
    assert {(one.by, one.via, one.answer) for one in found} == {("Tổ vận hành", "api", "acknowledged")}
    assert {one.id for one in found} == {answers[0].json()["id"]}
    life = WarningHistory.model_validate(board.get(LAG).json())
    assert [(one.by, one.taken_up) for one in life.answers] == [("Tổ vận hành", None)]


def test_two_answers_at_once_are_both_recorded(board: TestClient, shared_tansu: Tansu, database: ClickHouse) -> None:
    """From two threads at the same time: two records, whichever was first."""
    before = so_far(shared_tansu)
    both = [
        ANSWER | {"answer": "accepted", "promised": "2008-11-30"},
        ANSWER | {"answer": "disputed", "reason": "hai phòng đã sáp nhập"},
    ]

    with ThreadPoolExecutor(2) as threads:
        answers = list(threads.map(lambda body: board.post("/v1/warnings/answers", json=body), both))

    assert [one.status_code for one in answers] == [202, 202]
    found = folded(shared_tansu, database, before)
    assert sorted(one.answer for one in found if isinstance(one, Answer)) == ["accepted", "disputed"]


def test_a_silence_is_begun_and_ended(board: TestClient, shared_tansu: Tansu, database: ClickHouse) -> None:
    """It says how many open warnings it means. Announced and withdrawn it never begins; ended twice is refused."""
    before = so_far(shared_tansu)
    begun = board.post("/v1/silences", json=SILENCE | {"from": "2008-10-02T00:00:00+07:00"}).json()
    folded(shared_tansu, database, before)

    assert (begun["open_now"], begun["silence"]["state"], begun["silence"]["author"]) == (2, "waiting", "Tổ vận hành")
    assert [one.id for one in SilencePage.model_validate(board.get("/v1/silences").json()).silences] == [begun["id"]]

    ended = board.delete(f"/v1/silences/{begun['id']}", params={"reason": "hoãn"})
    folded(shared_tansu, database, before)

    assert (ended.status_code, ended.json()["silence"]["state"]) == (202, "withdrawn")
    assert board.get("/v1/silences").json() == {"silences": []}
    assert [one["state"] for one in board.get("/v1/silences?all=true").json()["silences"]] == ["withdrawn"]
    again = board.delete(f"/v1/silences/{begun['id']}", params={"reason": "hoãn"})
    assert (again.status_code, again.json()["error"]) == (409, "refused")
    assert board.delete("/v1/silences/none", params={"reason": "hoãn"}).status_code == 404


def test_a_dead_letter_is_sent_again(board: TestClient, shared_tansu: Tansu, database: ClickHouse) -> None:
    """It is pending then; at once, what was sent is refused unless it is wanted all the same."""
    before = so_far(shared_tansu)
    dead = board.get("/v1/notices?state=dead").json()["notices"][0]["id"]
    assert board.post(f"/v1/notices/{dead}/resend").status_code == 202
    folded(shared_tansu, database, before)

    assert board.get("/v1/notices?state=dead").json()["total"] == 1
    assert board.get("/v1/notices?state=pending").json()["notices"][0]["attempt"] == 1
    sent = board.get("/v1/notices?state=sent").json()["notices"][0]["id"]
    assert board.post(f"/v1/notices/{sent}/resend").status_code == 409
    assert board.post(f"/v1/notices/{sent}/resend", json={"though_sent": True, "dry_run": True}).status_code == 202
    assert board.post("/v1/notices/none/resend").status_code == 404


@pytest.mark.parametrize(
    ("path", "body", "code", "told"),
    [
        pytest.param(
            "/v1/warnings/answers", ANSWER | {"agency": "so-tai-chinh"}, 409, "nothing is open", id="not open"
        ),
        pytest.param("/v1/warnings/answers", ANSWER | {"answer": "accepted"}, 409, "promised", id="no day"),
        pytest.param("/v1/warnings/answers", ANSWER | {"by": "chair"}, 422, "by", id="in another's name"),
        pytest.param("/v1/warnings/answers", ANSWER | {"agency": "Sở\u0000"}, 422, "agency", id="no id"),
        pytest.param("/v1/warnings/answers", ANSWER | {"reason": "x" * 2001}, 422, "reason", id="a long reason"),
        pytest.param("/v1/silences", SILENCE | {"match": {}}, 409, "every warning of the plan", id="everything"),
        pytest.param("/v1/silences", SILENCE | {"until": "2008-10-01T00:00:00+07:00"}, 409, "in the past", id="past"),
        pytest.param("/v1/silences", SILENCE | {"until": "2008-10-04T00:00:00"}, 422, "until", id="no zone"),
        pytest.param("/v1/silences", SILENCE | {"match": {"groups": ["x"]}}, 404, "has no group", id="no such group"),
    ],
)
def test_what_makes_no_sense_is_refused(
    alone: TestClient, path: str, body: dict[str, Any], code: int, told: str
) -> None:
    """Before anything goes to the broker, and without repeating what was sent."""
    answer = alone.post(path, json=body, headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == code, answer.text
    assert told in answer.json()["detail"]
    assert "xxxx" not in answer.text


@pytest.mark.parametrize("number", ["x'%20OR%201=1", "%5c'%20--%20", "%00", "%E1%BA%A3", "%25", "%(ids)s"])
def test_ids_with_odd_characters_are_unknown(alone: TestClient, number: str) -> None:
    """They are values of the query and never a part of it."""
    headers = {"Authorization": f"Bearer {TOKEN}"}
    for answer in (
        alone.post(f"/v1/notices/{number}/resend", headers=headers),
        alone.delete(f"/v1/silences/{number}", params={"reason": "r"}, headers=headers),
    ):
        assert (answer.status_code, answer.json()["error"]) == (404, "not-found"), answer.text


def test_a_body_is_bounded_and_must_be_json(alone: TestClient) -> None:
    """Too large is not read to its end; what cannot be read is said to be so."""
    headers = {"Authorization": f"Bearer {TOKEN}"}
    assert alone.post("/v1/silences", content=b" " * 20_000, headers=headers).status_code == 413
    assert alone.post("/v1/silences", content=b"{", headers=headers).status_code == 422
    deep = b"[" * 10_000
    assert alone.post("/v1/silences", content=deep, headers=headers).status_code == 422


@pytest.mark.parametrize(
    "header",
    [
        pytest.param(None, id="none"),
        pytest.param("Bearer wrong", id="wrong"),
        pytest.param(f"Basic {TOKEN}", id="another scheme"),
        pytest.param(f"Bearer {TOKEN}x", id="one sign more"),
        pytest.param("Bearer " + "x" * 5000, id="long"),
        pytest.param("Bearer", id="empty"),
    ],
)
def test_without_a_token_nothing_is_told(alone: TestClient, header: str | None) -> None:
    """The same answer whatever is wrong with the token, and whether or not what is asked about exists."""
    headers = {"Authorization": header} if header else {}
    answers = [
        alone.post("/v1/warnings/answers", json=ANSWER, headers=headers),
        alone.post("/v1/warnings/answers", content=b"{", headers=headers),
        alone.delete("/v1/silences/none", params={"reason": "r"}, headers=headers),
        alone.post("/v1/notices/none/resend", headers=headers),
    ]
    assert {(one.status_code, one.text) for one in answers} == {(401, answers[0].text)}
    assert answers[0].json() == {"error": "unauthorized", "detail": "a valid bearer token is required"}
    assert answers[0].headers["WWW-Authenticate"] == "Bearer"


def test_without_tokens_nothing_is_taken(settings: Any) -> None:
    """It says what to set; reading goes on."""
    settings.delenv("TIENDO_BOARD_TOKENS_FILE")
    with TestClient(build(BoardSettings())) as client:
        answer = client.post("/v1/warnings/answers", json=ANSWER, headers={"Authorization": f"Bearer {TOKEN}"})
        assert (answer.status_code, answer.json()["error"]) == (403, "forbidden")
        assert "TIENDO_BOARD_TOKENS_FILE" in answer.json()["detail"]
        assert client.get("/v1/warnings").status_code == 200


def test_while_the_broker_is_away_nothing_is_recorded_and_it_says_so(alone: TestClient) -> None:
    """503, to be sent again; the board goes on reading."""
    answer = alone.post("/v1/warnings/answers", json=ANSWER, headers={"Authorization": f"Bearer {TOKEN}"})
    assert (answer.status_code, answer.json()["error"]) == (503, "unavailable")
    assert "send it again" in answer.json()["detail"]
    assert "Retry-After" in answer.headers
    assert alone.get(LAG).status_code == 200


def test_too_many_writes_in_a_minute_wait(settings: Any) -> None:
    """Of one token; dry runs count, because they ask the database all the same."""
    settings.setenv("TIENDO_BOARD_WRITES_PER_MINUTE", "2")
    with TestClient(build(BoardSettings()), headers={"Authorization": f"Bearer {TOKEN}"}) as client:
        codes = [client.post("/v1/silences", json=SILENCE | {"dry_run": True}).status_code for _ in range(4)]
    assert codes == [202, 202, 429, 429]


def test_an_allowance_fills_up_again_and_no_further() -> None:
    """Two a minute: after half a minute one more, after an hour two and no more; another name has its own."""
    allowance = Allowance(2)
    assert [allowance.take("a", 0.0) for _ in range(3)] == [True, True, False]
    assert allowance.take("b", 0.0)
    assert [allowance.take("a", 30.0) for _ in range(2)] == [True, False]
    assert [allowance.take("a", 3630.0) for _ in range(3)] == [True, True, False]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param("name", "line 1", id="no hash"),
        pytest.param("# all\n\nname " + "A" * 63, "line 3", id="a short hash"),
        pytest.param("a " + "0" * 64 + "\nb " + "0" * 64, "line 2: the token of another line", id="twice"),
        pytest.param("# nobody", "names nobody", id="empty"),
    ],
)
def test_a_file_of_tokens_that_cannot_be_is_refused(settings: Any, tmp_path: Path, text: str, told: str) -> None:
    """Its lines are named and not repeated; the board does not start with it."""
    path = tmp_path / "bad"
    path.write_text(text)
    with pytest.raises(ValueError, match=told) as refused:
        read_tokens(path)
    assert "000" not in str(refused.value)
    settings.setenv("TIENDO_BOARD_TOKENS_FILE", str(path))
    with pytest.raises(ValidationError, match=told):
        BoardSettings()


def test_the_document_tells_what_writes_take(alone: TestClient) -> None:
    """Each write needs the token and shows a body that the board takes; no reference leads nowhere."""
    document = alone.get("/openapi.json").json()
    writes = [call for methods in document["paths"].values() for verb, call in methods.items() if verb != "get"]

    assert len(writes) == 4
    assert all(call["security"] == [{"HTTPBearer": []}] for call in writes)
    assert "$defs" not in json.dumps(document)
    example = document["paths"]["/v1/silences"]["post"]["requestBody"]["content"]["application/json"]["example"]
    assert set(example) == {"plan", "match", "until", "reason"}
    page = alone.get("/docs").text
    assert "POST /v1/warnings/answers" in page
    assert "a token of the board" in page
