"""Which notices carry a link to answer, and that it is the same whenever the mail is written."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from schemas.warnings import Notice
from services.alerts.answer_urls import AnswerUrls
from services.alerts.settings import AlertSettings
from services.infra.answer_links import Signer

NOW = datetime(2008, 10, 1, 1, 2, 3, 456, tzinfo=UTC)
SIGNER = Signer(["a-key-of-alerts-and-board-0123456789"])
URLS = AnswerUrls(board="https://tien-do.example.vn", signer=SIGNER, lasts=timedelta(days=30))


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
    for urls in (
        AnswerUrls(board=None, signer=SIGNER, lasts=URLS.lasts), AnswerUrls(board=URLS.board, signer=None, lasts=URLS.lasts)
    ):  # fmt: skip
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


@pytest.mark.parametrize(
    "url", ["tien-do.example.vn", "https://tien-do.example.vn/", "ftp://x", "https://x/?a=b", "https://x y"]
)
def test_an_address_that_makes_no_links_is_refused(url: str) -> None:
    """With its scheme, without a slash at the end: what is put before `/answer/…`."""
    with pytest.raises(ValidationError):
        AlertSettings.model_validate({"board_url": url})
    assert AlertSettings.model_validate({"board_url": "https://x/tien-do"}).board_url == "https://x/tien-do"
