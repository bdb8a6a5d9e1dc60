"""Which notices carry a link to answer, and that it is the same whenever the mail is written."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from deploy.local.keys import secret
from deploy.local.ports import free_ports
from deploy.local.stack import Stack, children
from schemas.warnings import Notice
from services.alerts.answer_urls import AnswerUrls
from services.alerts.settings import AlertSettings
from services.infra.answer_links import Signer

NOW = datetime(2008, 10, 1, 1, 2, 3, 456, tzinfo=UTC)
SIGNER = Signer(["a-key-of-alerts-and-board-0123456789"])
URLS = AnswerUrls(board="https://tien-do.example.vn", signer=SIGNER, lasts=timedelta(days=30), clock=lambda: NOW)


def notice(**changes: Any) -> Notice:
    content: dict[str, Any] = {
        "id": "n" * 32, "plan": "tinh-2008", "agency": "so-y-te", "recipient": "head", "language": "vi",
        "transitions": ("t",), "state": "pending", "at": NOW,
    }  # fmt: skip
    return Notice.model_validate(content | changes)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"recipient": "operations"}, id="operations"),
        pytest.param({"recipient": "operations", "about": "feeds"}, id="operations, of feeds"),
        pytest.param({"channel": "chat"}, id="a channel that many read"),
        pytest.param({"recipient": "chair", "about": "digest", "period": date(2008, 9, 1), "transitions": ()}, id="digest"),
        pytest.param({"recipient": "head", "about": "feeds"}, id="a head, of feeds"),
    ],
)  # fmt: skip
def test_only_who_answers_gets_a_link(changes: dict[str, Any]) -> None:
    """Heads, contacts and owners of feeds, by mail; nobody else."""
    assert URLS.url(notice(**changes)) is None
    for asked in (notice(), notice(recipient="contact"), notice(recipient="feed-owner", about="feeds")):
        assert URLS.url(asked)


def test_without_an_address_or_a_key_there_are_no_links() -> None:
    """Both are needed; one alone makes nothing that could be followed."""
    for urls in (replace(URLS, board=None), replace(URLS, signer=None)):
        assert urls.url(notice()) is None


def test_a_notice_sent_again_carries_the_same_link() -> None:
    """What was recorded decides, not the moment of writing; a mail that waits for the morning lasts from then."""
    url = URLS.url(notice())
    due = NOW + timedelta(days=3)
    late = URLS.url(notice(due=due))

    assert url == URLS.url(notice(state="failed", attempt=2))
    assert url is not None
    assert late is not None
    link = SIGNER.read_link(url.removeprefix("https://tien-do.example.vn/answer/"), NOW)
    later = SIGNER.read_link(late.removeprefix("https://tien-do.example.vn/answer/"), NOW)
    assert link is not None
    assert later is not None
    assert (link.agency, link.role, link.notice, link.language) == ("so-y-te", "head", "n" * 32, "vi")
    assert link.expires == (NOW + timedelta(days=30)).replace(microsecond=0)
    assert later.expires == (due + timedelta(days=30)).replace(microsecond=0)


@given(st.timedeltas(timedelta(0), timedelta(days=2000)))
def test_whenever_a_mail_goes_out_its_link_has_half_its_life_before_it(after: timedelta) -> None:
    """Tried again soon: the same link. Sent again by hand after a year: one that can still be followed."""
    url = replace(URLS, clock=lambda: NOW + after).url(notice())

    assert url is not None
    link = SIGNER.read_link(url.removeprefix("https://tien-do.example.vn/answer/"), NOW)
    assert link is not None
    assert timedelta(days=15, seconds=-1) <= link.expires - (NOW + after) <= timedelta(days=30)
    assert after >= timedelta(days=15) or url == URLS.url(notice())


def test_the_embedded_stack_gives_alerts_and_board_one_key(tmp_path: Path) -> None:
    """Made at random for each folder, readable by its owner alone; what alerts signs its board takes."""
    stack = Stack(data=tmp_path, ports=free_ports())
    given_ = {one.name: one.env for one in children(stack, {}, print)}
    key = given_["board"]["TIENDO_ANSWER_KEY"]

    assert key == given_["alerts"]["TIENDO_ANSWER_KEY"] != secret(tmp_path / "other", "answers")
    assert len(key) == 64
    assert (tmp_path / "secrets" / "answers").stat().st_mode & 0o777 == 0o600
    assert given_["alerts"]["TIENDO_BOARD_URL"] == stack.board
    assert all("TIENDO_ANSWER_KEY" not in env for name, env in given_.items() if name not in ("alerts", "board"))


@pytest.mark.parametrize(
    "url", ["tien-do.example.vn", "https://tien-do.example.vn/", "ftp://x", "https://x/?a=b", "https://x y"]
)
def test_an_address_that_makes_no_links_is_refused(url: str) -> None:
    """With its scheme, without a slash at the end: what is put before `/answer/…`."""
    with pytest.raises(ValidationError):
        AlertSettings.model_validate({"board_url": url})
    assert AlertSettings.model_validate({"board_url": "https://x/tien-do"}).board_url == "https://x/tien-do"
