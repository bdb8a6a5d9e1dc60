"""The owner of a dead feed answers by the link in the mail: taken up, and a dispute reaches operations with its reason."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from services.board.app import build
from services.board.settings import BoardSettings
from tests import alerts_world as world
from tests.alerts_place import Place, wait_for
from tests.answer_world import KEY, form_in
from tests.fixtures.chdb import ChdbServer
from tests.fixtures.tansu import Tansu

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]
CAUSE = "feed:so-xay-dung.documents"


@pytest.fixture
def place(tmp_path: Path, shared_chdb: ChdbServer, tansu: Tansu) -> Iterator[Place]:
    made = Place(tmp_path, shared_chdb, tansu)
    try:
        with made.database() as database:
            world.fill(database)
        made.catcher()
        made.alerts(TIENDO_ANSWER_KEY=KEY, TIENDO_BOARD_URL="http://board.example.vn/tien-do")
        yield made
    finally:
        made.stop()


@pytest.fixture
def board(place: Place, tansu: Tansu, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    values = {
        "CLOCK": world.NOW.isoformat(), "CLICKHOUSE_PORT": str(place.address.port), "ANSWER_KEY": KEY,
        "CLICKHOUSE_DATABASE": place.address.database, "KAFKA_BOOTSTRAP": tansu.bootstrap,
    }  # fmt: skip
    for setting, value in values.items():
        monkeypatch.setenv(f"TIENDO_{setting}", value)
    with TestClient(build(BoardSettings())) as client:
        yield client


def test_a_disputed_feed_reaches_operations_with_the_reason(place: Place, board: TestClient) -> None:
    """Only the owner's mail has a link; what it leads to is disputed; operations get one mail more, with the reason."""
    mails = place.wait_for_mails(3)
    place.wait_until_all_sent()
    texts = {str(one["To"].addresses[0].addr_spec): one.get_body(("plain",)).get_content() for one in mails}
    links = {
        address: re.findall(r"http://board\.example\.vn/tien-do(/answer/\S+)", text) for address, text in texts.items()
    }

    assert {address: len(found) for address, found in links.items()} == {
        "quan-tri@example.vn": 1, "so-y-te@example.vn": 1, "van-hanh@example.vn": 0,
    }  # fmt: skip
    address = links["quan-tri@example.vn"][0]
    chosen = board.post(
        address,
        data={
            f"opened[{CAUSE}]": "1", f"answer[{CAUSE}]": "disputed",
            f"reason[{CAUSE}]": "Sở đã ngừng dùng phần mềm này từ tháng 8.",
        },
    )  # fmt: skip
    assert board.post(address, data={"form": form_in(chosen.text)}).status_code == 200

    told = place.wait_for_mails(4)
    place.wait_until_all_sent()
    states = place.rows(f"SELECT state FROM warnings FINAL WHERE cause = '{CAUSE}' ORDER BY sequence DESC LIMIT 1")
    assert states == [("answered",)]
    about = [one.get_body(("plain",)).get_content() for one in told if one["To"].addresses[0].username == "van-hanh"]
    assert sum("ngừng dùng phần mềm này" in " ".join(text.split()) for text in about) == 1
    assert len(place.files()) == 4
    wait_for("the page to say so", lambda: "đã cập nhật vào cảnh báo" in board.get(address).text)
