"""A warning answered in a real browser, from the mail to the answered warning. ``TIENDO_PICTURES=DIR`` keeps the pages."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests import alerts_world as world
from tests.alerts_place import Place, wait_for
from tests.answer_world import KEY
from tests.fixtures.browser import Browser
from tests.fixtures.chdb import ChdbServer
from tests.fixtures.needs import free_port
from tests.fixtures.tansu import Tansu

pytestmark = [pytest.mark.chromium, pytest.mark.integration, pytest.mark.timeout(240)]
_STATES = "SELECT cause, state, promised FROM (SELECT cause, state, JSONExtractString(record, 'promised') AS promised, \
sequence FROM warnings FINAL WHERE agency = 'so-y-te' ORDER BY sequence DESC LIMIT 1 BY cause) ORDER BY cause"
#: What lies outside the page, has no name for a screen reader, or is named twice.
_AUDIT = """(() => {
  const root = document.documentElement, all = [...document.querySelectorAll('body *')];
  const wide = all.filter(e => e.getBoundingClientRect().right > root.clientWidth + 1).map(e => e.outerHTML.slice(0, 80));
  const fields = [...document.querySelectorAll('input:not([type=hidden]), textarea, button')];
  const nameless = fields.filter(e => e.tagName !== 'BUTTON' && !(e.labels && e.labels.length)).map(e => e.name);
  const outside = fields.filter(e => e.tagName !== 'BUTTON' && !e.closest('fieldset')).map(e => e.name);
  const ids = all.map(e => e.id).filter(Boolean), twice = ids.filter((id, at) => ids.indexOf(id) !== at);
  const dangling = all.flatMap(e => (e.getAttribute('aria-describedby') || '').split(' ')).filter(
    id => id && !document.getElementById(id));
  const levels = [...document.querySelectorAll('h1,h2,h3,h4')].map(e => +e.tagName[1]);
  const jumps = levels.filter((level, at) => at && level > levels[at - 1] + 1);
  return JSON.stringify({wide, nameless, outside, twice, dangling, jumps, h1: levels.filter(l => l === 1).length});
})()"""
SOUND = '{"wide":[],"nameless":[],"outside":[],"twice":[],"dangling":[],"jumps":[],"h1":1}'


@dataclass(frozen=True)
class Site:
    """Alerts and board side by side."""

    place: Place
    board: str


@pytest.fixture
def site(tmp_path: Path, shared_chdb: ChdbServer, tansu: Tansu) -> Iterator[Site]:
    place, port = Place(tmp_path, shared_chdb, tansu), free_port()
    address = f"http://127.0.0.1:{port}"
    try:
        with place.database() as database:
            world.fill(database)
        place.catcher()
        place.alerts(TIENDO_ANSWER_KEY=KEY, TIENDO_BOARD_URL=address)
        place.start(
            "services.board", TIENDO_CLOCK=world.NOW.isoformat(), TIENDO_KAFKA_BOOTSTRAP=tansu.bootstrap,
            TIENDO_CLICKHOUSE_PORT=str(place.address.port), TIENDO_CLICKHOUSE_DATABASE=place.address.database,
            TIENDO_ANSWER_KEY=KEY, TIENDO_BOARD_PORT=str(port),
        )  # fmt: skip
        wait_for("the board", lambda: _answers(f"{address}/healthz"))
        yield Site(place, address)
    finally:
        place.stop()


def _answers(address: str) -> bool:
    try:
        with urlopen(address, timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def link_in(mail: EmailMessage) -> str:
    text = mail.get_body(("plain",))
    assert text is not None
    found = re.search(r"^\s*(http://127\.0\.0\.1:\d+/answer/\S+)\s*$", text.get_content(), re.MULTILINE)
    assert found is not None, text.get_content()
    return found[1]


def keep(browser: Browser, name: str, tmp_path: Path) -> None:
    """Keep the page as a picture, at a desktop's and at a phone's width, where nothing may stick out."""
    folder = Path(os.environ.get("TIENDO_PICTURES", tmp_path))
    for width in (1200, 360):
        browser.size(width, 800)
        assert browser.evaluate(_AUDIT) == SOUND
        browser.picture(folder / f"answer-{name}-{width}.png")
    browser.size(1200, 800)


def test_from_the_mail_to_the_answered_warning(site: Site, browser: Browser, tmp_path: Path) -> None:
    """Open the mail's link, choose, mend a fault, review, send: the warnings are answered, and the page says so."""
    mails = site.place.wait_for_mails(3)
    mail = next(one for one in mails if one["X-Tiendo-Agency"] == "so-y-te")
    browser.size(1200, 800)

    browser.open(link_in(mail))
    keep(browser, "open", tmp_path)
    browser.click("#accepted-1")
    browser.click("#disputed-2")
    browser.click("#reason-2")
    browser.write("Hai phòng đã sáp nhập từ tháng 8; số hộp thư chưa được cập nhật.")
    browser.click("button[type=submit]")
    browser.next_page()

    assert "Hãy nhập ngày hẹn." in browser.text()
    assert browser.evaluate("document.getElementById('reason-2').value").startswith("Hai phòng đã sáp nhập")
    keep(browser, "fault", tmp_path)
    browser.evaluate("document.getElementById('day-1').focus()")
    for key in "11302008":  # as this browser's language has it: month, day, year
        browser.press(key)
    assert browser.evaluate("document.getElementById('day-1').value") == "2008-11-30"
    browser.click("button[type=submit]")
    browser.next_page()

    said = browser.text()
    assert "Xác nhận câu trả lời" in said
    assert "ngày hẹn 30/11/2008" in said
    assert "Hai phòng đã sáp nhập" in said
    assert site.place.rows("SELECT count() FROM answers") == [(0,)]
    keep(browser, "confirm", tmp_path)
    browser.click("button[type=submit]")
    browser.next_page()

    assert "Đã ghi nhận 2 câu trả lời" in browser.text()
    keep(browser, "recorded", tmp_path)
    answered = [("lag:email-use", "answered", "2008-11-30"), ("lag:mailboxes", "answered", "")]
    wait_for("the answers to be taken up", lambda: [*map(tuple, site.place.rows(_STATES))] == answered)
    browser.open(browser.evaluate("location.href"))
    said = browser.text()
    assert said.count("đã cập nhật vào cảnh báo") == 2
    assert said.count("đã trả lời –") == 2
    assert site.place.rows("SELECT count() FROM answers FINAL") == [(2,)]
    keep(browser, "taken", tmp_path)
    blocked = [one for one in browser.events if one["method"] == "Log.entryAdded"]
    assert blocked == []


def test_a_keyboard_alone_answers(site: Site, browser: Browser) -> None:
    """Tab and space, without a mouse, on the English page: acknowledged for all."""
    mails = site.place.wait_for_mails(3)
    mail = next(one for one in mails if one["X-Tiendo-Agency"] == "so-y-te")
    browser.size(360, 700)
    browser.open(link_in(mail) + "?lang=en")
    assert browser.evaluate(_AUDIT) == SOUND

    reach(browser, "none-all")
    browser.press("ArrowDown")
    assert browser.evaluate("document.activeElement.id") == "acknowledged-all"
    reach(browser, "", tag="BUTTON")
    browser.press("Enter")
    browser.next_page()
    assert browser.text().count("Acknowledge the warning") == 2
    reach(browser, "", tag="BUTTON")
    browser.press("Enter")
    browser.next_page()

    assert "Answers recorded: 2" in browser.text()
    wait_for("both acknowledged", lambda: {state for _, state, _ in site.place.rows(_STATES)} == {"acknowledged"})


def reach(browser: Browser, wanted: str, tag: str = "INPUT") -> None:
    """Press Tab until what is *wanted* has the focus."""
    for _ in range(60):
        browser.press("Tab")
        if browser.evaluate("[document.activeElement.tagName, document.activeElement.id]") == [tag, wanted]:
            return
    raise AssertionError(f"Tab does not lead to {tag} {wanted}")
