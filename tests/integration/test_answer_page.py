"""The answer page against a database and a broker: what it shows, what it takes, and what it never does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date
from typing import Any

import pytest
from starlette.testclient import TestClient

from schemas.warnings import AnswerKind, WarningState
from services.alerts.evaluate import Round
from services.board.app import build
from services.board.settings import BoardSettings
from services.core.warnings.warning_records import fold
from services.infra.clickhouse.client import ClickHouse, ClickHouseAddress, open_clickhouse
from services.infra.clickhouse.migrate import migrate
from services.infra.kafka import KafkaAddress
from tests import alerts_world as world
from tests.answer_world import (
    KEY,
    PLAN,
    SIGNER,
    answered,
    fields,
    form_in,
    judged,
    link,
    look,
    published,
    record,
    token,
)
from tests.fixtures.chdb import ChdbServer
from tests.fixtures.kafka import Kafka
from tests.fixtures.needs import free_port
from tests.fixtures.tansu import Tansu

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]
NAME = "answer_page"


@contextmanager
def filled(chdb: ChdbServer, name: str) -> Iterator[tuple[ClickHouse, Round]]:
    address = ClickHouseAddress(host=chdb.host, port=chdb.port, database=name)
    migrate(address)
    with open_clickhouse(address) as database:
        try:
            yield database, judged(database)
        finally:
            database.run(f"DROP DATABASE {name}")


@contextmanager
def board(chdb: ChdbServer, name: str, broker: str, **settings: str) -> Iterator[TestClient]:
    with pytest.MonkeyPatch.context() as patch:
        values = {
            "CLOCK": world.NOW.isoformat(), "CLICKHOUSE_PORT": str(chdb.port), "CLICKHOUSE_DATABASE": name,
            "KAFKA_BOOTSTRAP": broker, "ANSWER_KEY": KEY,
        } | settings  # fmt: skip
        for setting, value in values.items():
            patch.setenv(f"TIENDO_{setting}", value)
        with TestClient(build(BoardSettings()), raise_server_exceptions=False) as client:
            yield client


@pytest.fixture(scope="module")
def database(shared_chdb: ChdbServer) -> Iterator[ClickHouse]:
    with filled(shared_chdb, NAME) as (found, _):
        yield found


@pytest.fixture
def page(database: ClickHouse, shared_chdb: ChdbServer, shared_tansu: Tansu) -> Iterator[TestClient]:
    with board(shared_chdb, NAME, shared_tansu.bootstrap) as client:
        yield client


def given(broker: KafkaAddress, notice: str) -> list[Any]:
    return [one for one in published(broker) if one.notice == notice]


def text_of(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html.split("<body>")[1]).split())


def test_the_page_shows_the_warnings_with_their_evidence(page: TestClient) -> None:
    """Office, plan with its decision, figures, pace, forecast, feeds, and what each answer means, in Vietnamese."""
    found = page.get(f"/answer/{token()}")

    said = text_of(found.text)
    assert found.status_code == 200
    assert "lãnh đạo cơ quan: Sở Y tế" in said
    assert "1000/QĐ-UBND, 28/05/2008, UBND tỉnh" in said
    assert "Đang có 2 cảnh báo" in said
    assert "26/120 cán bộ (21,7 %)" in said
    assert "54/120 cán bộ (45,0 %)" in said
    assert "Nhật ký máy chủ thư (/mail/tinh): đầy đủ; số liệu đủ đến 30/09/2008" in said
    assert "Từ 02/10/2008 đến 01/01/2010." in said
    assert "không nêu tên người" in said
    assert found.text.count("<svg") == 2


def test_the_page_speaks_the_links_language_and_the_other_one(page: TestClient) -> None:
    """English where the notice was English; the switch leads to the other language of the same page."""
    english = page.get(f"/answer/{token(language='en')}")
    switched = page.get(f"/answer/{token(language='en')}", params={"lang": "vi"})

    assert '<html lang="en">' in english.text
    assert "2 warnings are open" in english.text
    assert "Department of Health" in english.text
    assert "lang=vi" in english.text
    assert '<html lang="vi">' in switched.text


def test_a_feeds_owner_sees_the_feeds(page: TestClient) -> None:
    """The owner of several feeds answers for the dead one, although the notice is filed under the first."""
    found = page.get(f"/answer/{token(agency='mail', role='feed-owner', notice='f' * 32)}")

    said = text_of(found.text)
    assert "đơn vị quản lý luồng dữ liệu: Tổ quản trị phần mềm" in said
    assert "mất tín hiệu; số liệu đủ đến 14/08/2008" in said
    assert "Hẹn ngày khôi phục số liệu" in said


def test_pages_of_links_say_nothing_to_others(page: TestClient) -> None:
    """No cache, no referrer, no search engine, no script, no frame; the token stands in no address but the page's own."""
    headers = page.get(f"/answer/{token()}").headers

    assert headers["cache-control"] == "no-store"
    assert headers["referrer-policy"] == "no-referrer"
    assert "noindex" in headers["x-robots-tag"]
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]


@pytest.mark.parametrize(
    "token_",
    [
        pytest.param("x", id="no token"),
        pytest.param(token()[:-1] + ("A" if token()[-1] != "A" else "B"), id="forged"),
        pytest.param(token(expires=world.NOW.astimezone(UTC)), id="expired"),
        pytest.param(token(plan="other-plan"), id="of a plan that is not here"),
        pytest.param("a" * 5000, id="endless"),
        pytest.param("%00%0a", id="control characters"),
    ],
)
def test_every_link_that_is_none_gets_the_same_page(page: TestClient, token_: str) -> None:
    """Whatever the reason, the answer tells nothing of it, for looking and for answering."""
    looked, answered_ = page.get(f"/answer/{token_}"), page.post(f"/answer/{token_}", data={"form": "x"})
    same = page.get("/answer/quite-another.one")

    assert looked.status_code == answered_.status_code == 404
    assert looked.text == answered_.text == same.text
    assert "Liên kết không dùng được" in looked.text


def test_looking_changes_nothing(page: TestClient, shared_tansu: Tansu) -> None:
    """GET and HEAD, with whatever a scanner of mails adds to them: nobody has answered anything."""
    address = f"/answer/{token(notice='g' * 32)}"
    query = {"answer[lag:email-use]": "acknowledged", "form": "x"}
    for _ in range(3):
        assert page.get(address, params=query).status_code == 200
        assert page.head(address, params=query).status_code == 200

    assert given(shared_tansu.address, "g" * 32) == []


@pytest.fixture(params=["tansu", pytest.param("kafka", marks=pytest.mark.kafka)])
def broker(request: pytest.FixtureRequest) -> Tansu | Kafka:
    found: Tansu | Kafka = request.getfixturevalue(f"shared_{request.param}")
    return found


def test_answers_are_recorded_after_a_confirmation(
    database: ClickHouse, shared_chdb: ChdbServer, broker: Tansu | Kafka
) -> None:
    """Choosing restates and records nothing; confirming records both answers, by the role, for the notice."""
    notice = "a" * 32
    with board(shared_chdb, NAME, broker.bootstrap) as page:
        chosen = page.post(
            f"/answer/{token(notice=notice)}",
            data=fields(
                email_use={"answer": "accepted", "day": "2008-11-30"},
                mailboxes={"answer": "disputed", "reason": "hai phòng\r\nđã sáp nhập"},
            ),
        )
        before = given(KafkaAddress(broker.bootstrap), notice)
        sent = page.post(f"/answer/{token(notice=notice)}", data={"form": form_in(chosen.text)}, follow_redirects=False)
        shown = page.get(sent.headers["location"])

    assert "ngày hẹn 30/11/2008" in text_of(chosen.text)
    assert before == []
    assert sent.status_code == 303
    accepted, disputed = given(KafkaAddress(broker.bootstrap), notice)
    assert (accepted.cause, accepted.answer, accepted.promised) == (
        "lag:email-use", AnswerKind.ACCEPTED, date(2008, 11, 30),
    )  # fmt: skip
    assert (disputed.cause, disputed.reason) == ("lag:mailboxes", "hai phòng\nđã sáp nhập")
    assert {(one.by, one.via, one.agency, one.opened) for one in (accepted, disputed)} == {
        ("head", "link", "so-y-te", 1)
    }
    said = text_of(shown.text)
    assert "Đã ghi nhận 2 câu trả lời lúc 08:00 01/10/2008" in said
    assert said.count("đã ghi nhận, đang cập nhật") == 2


def test_a_confirmation_sent_again_is_one_answer(page: TestClient, shared_tansu: Tansu) -> None:
    """Twice the same form, and the same answer chosen anew: one record."""
    notice = "b" * 32
    chosen = page.post(f"/answer/{token(notice=notice)}", data=fields(email_use={"answer": "acknowledged"}))
    for _ in range(2):
        sent = page.post(f"/answer/{token(notice=notice)}", data={"form": form_in(chosen.text)}, follow_redirects=False)
        assert sent.status_code == 303
    assert answered(page, token(notice=notice), email_use={"answer": "acknowledged"}).status_code == 303

    assert len(given(shared_tansu.address, notice)) == 1


def test_faults_stand_beside_the_field_and_cost_no_text(page: TestClient, shared_tansu: Tansu) -> None:
    """Refused with 422: the fault is named and tied to its field, what was typed is there, nothing is recorded."""
    notice = "c" * 32
    found = page.post(
        f"/answer/{token(notice=notice)}",
        data=fields(
            email_use={"answer": "accepted", "day": "2008-09-01"}, mailboxes={"answer": "disputed", "reason": ""}
        ),
    )

    assert found.status_code == 422
    assert "Ngày hẹn phải sau hôm nay." in found.text
    assert "Hãy nêu lý do không đồng ý." in found.text
    assert 'value="2008-09-01" aria-describedby="hint-day-1 fault-day-1" aria-invalid="true"' in found.text
    assert given(shared_tansu.address, notice) == []


def test_markup_in_a_reason_is_text_everywhere(page: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    """On the page with faults, on the confirmation and among the answers: shown, never run; in no log, nor is the link."""
    caplog.set_level("DEBUG", "services")
    caplog.set_level("DEBUG", "access")
    evil = "</textarea></blockquote><script>alert(1)</script><img src=x onerror=alert(1)>{{7*7}}'\""
    address = f"/answer/{token(notice='d' * 32)}"
    faulty = page.post(
        address,
        data=fields(email_use={"answer": "disputed", "reason": evil}, mailboxes={"answer": "disputed"}),
    )
    chosen = page.post(address, data=fields(email_use={"answer": "disputed", "reason": evil}))
    sent = page.post(address, data={"form": form_in(chosen.text)}, follow_redirects=False)
    shown = page.get(sent.headers["location"])

    for one in (faulty, chosen, shown):
        assert "<script" not in one.text
        assert "<img" not in one.text
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in one.text
        assert "{{7*7}}" in one.text
    assert "recorded: lag:email-use, disputed, by head" in caplog.text
    ours = "".join(one.getMessage() for one in caplog.records if one.name.startswith(("services", "access")))
    assert "alert(1)" not in ours
    assert token(notice="d" * 32) not in ours


@pytest.mark.parametrize(
    "form",
    [
        pytest.param("forged", id="forged"),
        pytest.param(SIGNER.form(token(notice="other"), [2_000_000_000, []]), id="of another link"),
        pytest.param(SIGNER.form(token(notice="e" * 32), [1_000_000_000, [["lag:email-use", 1, "acknowledged", None, None]]]),
                     id="too late"),
        pytest.param(SIGNER.form(token(notice="e" * 32), [2_000_000_000, [["lag:email-use", 9, "acknowledged", None, None]]]),
                     id="of another warning"),
        pytest.param(SIGNER.form(token(notice="e" * 32), [2_000_000_000, [["lag:documents", 1, "acknowledged", None, None]]]),
                     id="of a warning that is not open"),
        pytest.param(SIGNER.link(link(notice="e" * 32)), id="a link"),
    ],
)  # fmt: skip
def test_a_form_that_is_not_this_links_records_nothing(page: TestClient, shared_tansu: Tansu, form: str) -> None:
    """Forged, another link's, too late or about what has changed: shown anew, and asked again."""
    found = page.post(f"/answer/{token(notice='e' * 32)}", data={"form": form}, follow_redirects=False)

    assert found.status_code == 409
    assert "hãy xem lại số liệu mới" in found.text
    assert given(shared_tansu.address, "e" * 32) == []


def test_bodies_that_are_no_forms_are_refused(page: TestClient) -> None:
    """Too large, too many fields, another type, not UTF-8, and a post from another site: refused, and nothing breaks."""
    address = f"/answer/{token(notice='h' * 32)}"
    form = {"content-type": "application/x-www-form-urlencoded"}

    assert page.post(address, content=b"a=" + b"x" * 600_000, headers=form).status_code == 413
    assert page.post(address, content=b"&".join(b"a%d=1" % n for n in range(500)), headers=form).status_code == 400
    assert page.post(address, json={"form": "x"}).status_code == 400
    assert page.post(address, content=b"answer%5Ball%5D=%ff", headers=form).status_code == 400
    assert page.post(address, data=fields(), headers={"sec-fetch-site": "cross-site"}).status_code == 403
    endless = fields(email_use={"answer": "disputed", "reason": "ộ" * 20_000, "day": "9" * 9_999})
    assert page.post(address, data=endless).status_code == 422


def test_a_link_takes_so_many_answers(database: ClickHouse, shared_chdb: ChdbServer, shared_tansu: Tansu) -> None:
    """Two are taken, the third is not; the page says where to turn to."""
    notice = "i" * 32
    with board(shared_chdb, NAME, shared_tansu.bootstrap, BOARD_ANSWERS="2") as page:
        for day in ("2008-12-01", "2008-12-02"):
            assert answered(page, token(notice=notice), email_use={"answer": "accepted", "day": day}).status_code == 303
        third = page.post(
            f"/answer/{token(notice=notice)}", data=fields(email_use={"answer": "accepted", "day": "2008-12-03"})
        )

    assert third.status_code == 429
    assert "đã dùng hết số lần trả lời (2)" in third.text
    assert len(given(shared_tansu.address, notice)) == 2


def test_while_the_broker_is_away_nothing_is_lost(database: ClickHouse, shared_chdb: ChdbServer) -> None:
    """Not recorded is said with 503; the answers stand there still, and the same form may be sent again."""
    with board(shared_chdb, NAME, f"127.0.0.1:{free_port()}") as page:
        found = answered(page, token(), email_use={"answer": "accepted", "day": "2008-12-01"})

    assert found.status_code == 503
    assert found.headers["retry-after"]
    said = text_of(found.text)
    assert "Chưa ghi nhận được" in said
    assert "ngày hẹn 01/12/2008" in said
    assert SIGNER.read_form(token(), form_in(found.text)) is not None


def test_while_the_database_is_away_a_form_is_kept(shared_tansu: Tansu, shared_chdb: ChdbServer) -> None:
    """Looking says to come back; a form that was signed can be sent again as it is."""
    form = SIGNER.form(token(), [2_000_000_000, [["lag:email-use", 1, "acknowledged", None, None]]])
    with board(shared_chdb, NAME, shared_tansu.bootstrap, CLICKHOUSE_PORT=str(free_port())) as page:
        looked = page.get(f"/answer/{token()}")
        kept = page.post(f"/answer/{token()}", data={"form": form})
        lost = page.post(f"/answer/{token()}", data={"form": "forged"})

    assert [one.status_code for one in (looked, kept, lost)] == [503, 503, 503]
    assert "Tạm thời chưa xem được" in looked.text
    assert form_in(kept.text) == form
    assert 'name="form"' not in lost.text


def test_behind_a_proxy_every_address_carries_its_path(
    database: ClickHouse, shared_chdb: ChdbServer, shared_tansu: Tansu
) -> None:
    """Style sheet, switch, form and the way to the recorded page: under the path that the proxy shows."""
    notice = "p" * 32
    with board(shared_chdb, NAME, shared_tansu.bootstrap, BOARD_BASE="/tien-do") as page:
        looked = page.get(f"/answer/{token(notice=notice)}")
        sent = answered(page, token(notice=notice), email_use={"answer": "acknowledged"})

    addresses = re.findall(r'(?:href|action)="([^"]+)"', looked.text)
    assert len(addresses) == 3
    assert all(one.startswith("/tien-do/") for one in [*addresses, sent.headers["location"]])


def test_without_a_key_there_is_no_page(database: ClickHouse, shared_chdb: ChdbServer, shared_tansu: Tansu) -> None:
    """A board without a key answers every link with 404, and everything else as ever."""
    with board(shared_chdb, NAME, shared_tansu.bootstrap) as with_key, pytest.MonkeyPatch.context() as patch:
        assert with_key.get(f"/answer/{token()}").status_code == 200
        patch.delenv("TIENDO_ANSWER_KEY")
        with TestClient(build(BoardSettings())) as without:
            assert without.get(f"/answer/{token()}").status_code == 404
            assert without.get("/v1/standing", params={"plan": PLAN}).status_code == 200


def test_answers_are_taken_up_and_shown_as_taken(shared_chdb: ChdbServer, shared_tansu: Tansu) -> None:
    """After the evaluator's look the warnings are answered; the page says so, and no longer asks to acknowledge."""
    notice = "j" * 32
    with (
        filled(shared_chdb, "answers_taken") as (database, found),
        board(shared_chdb, "answers_taken", shared_tansu.bootstrap) as page,
    ):
        answered(
            page, token(notice=notice), email_use={"answer": "acknowledged"},
            mailboxes={"answer": "accepted", "day": "2008-12-15"},
        )  # fmt: skip
        look(database, found, given(shared_tansu.address, notice))
        shown = page.get(f"/answer/{token(notice=notice)}")
        again = answered(page, token(notice=notice), email_use={"answer": "disputed", "reason": "đã chuyển"})

    said = text_of(shown.text)
    assert said.count("đã cập nhật vào cảnh báo") == 2
    assert "đang cập nhật" not in said
    assert 'value="acknowledged"' not in shown.text.split('id="answer-all"')[0]
    assert again.status_code == 303


def test_once_all_is_resolved_the_page_says_that_nothing_is_open(shared_chdb: ChdbServer, shared_tansu: Tansu) -> None:
    """A late answer finds nothing to answer, and says so instead of taking it."""
    with (
        filled(shared_chdb, "answers_late") as (database, found),
        board(shared_chdb, "answers_late", shared_tansu.bootstrap) as page,
    ):
        chosen = page.post(f"/answer/{token()}", data=fields(email_use={"answer": "acknowledged"}))
        ended = [
            one.model_copy(
                update={"id": f"end-{one.cause}", "sequence": one.sequence + 1, "state": WarningState.RESOLVED}
            )
            for one in fold(world.decided(found.assessment)).values()
            if one.agency == "so-y-te"
        ]
        record(database, *ended)
        looked = page.get(f"/answer/{token()}")
        late = page.post(f"/answer/{token()}", data={"form": form_in(chosen.text)})

    assert "Hiện không còn cảnh báo nào cần trả lời" in looked.text
    assert "<form" not in looked.text
    assert late.status_code == 409
