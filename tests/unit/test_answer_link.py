"""Links to the answer page: what is signed is what is read, nothing else is, and keys can be changed."""

from __future__ import annotations

import string
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.core.warnings.answer_link import AnswerLink, content_of, link_of
from services.infra.answer_links import AnswerSettings, Signer

NOW = datetime(2008, 10, 1, 1, tzinfo=UTC)
OLD, NEW, FOREIGN = "old-" * 10, "new-" * 10, "foreign-" * 5
texts = st.text(st.characters(codec="utf-8"), max_size=40)
links = st.builds(
    AnswerLink, plan=texts, agency=texts, role=texts, notice=texts, language=st.sampled_from(["vi", "en"]),
    expires=st.datetimes(datetime(2008, 10, 2), datetime(2200, 1, 1), timezones=st.just(UTC)).map(
        lambda at: at.replace(microsecond=0)
    ),
)  # fmt: skip
LINK = AnswerLink(
    plan="p", agency="so-y-te", role="head", notice="0" * 32, language="vi", expires=NOW + timedelta(days=30)
)


@given(links)
def test_what_is_signed_is_read(link: AnswerLink) -> None:
    """A token says the whole link, and the same link is the same token: a mail written again is the same mail."""
    signer = Signer([NEW])

    assert signer.read_link(signer.link(link), NOW) == link
    assert signer.link(link) == Signer([NEW]).link(link)
    assert link_of(content_of(link)) == link


@given(links, st.data())
def test_any_changed_byte_is_refused(link: AnswerLink, data: st.DataObject) -> None:
    """Whatever stands in whichever place instead: the token is none any more."""
    signer = Signer([NEW])
    token = signer.link(link)
    at = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.sampled_from(sorted(set(string.printable) - {token[at]})))

    assert signer.read_link(token[:at] + other + token[at + 1 :], NOW) is None


@given(links, st.data())
def test_a_token_with_more_or_less_in_it_is_refused(link: AnswerLink, data: st.DataObject) -> None:
    """Base64 is forgiving about padding, line ends and strange letters; links are not."""
    signer = Signer([NEW])
    token = signer.link(link)
    at = data.draw(st.integers(0, len(token)))
    more = data.draw(st.text(min_size=1, max_size=3))

    assert signer.read_link(token[:at] + more + token[at:], NOW) is None
    assert signer.read_link(token[:-1], NOW) is None


def test_a_link_ends_at_its_moment() -> None:
    """Valid to the last second, and then no more."""
    signer = Signer([NEW])
    token = signer.link(LINK)

    assert signer.read_link(token, LINK.expires - timedelta(seconds=1)) == LINK
    assert signer.read_link(token, LINK.expires) is None


def test_keys_can_be_changed() -> None:
    """The first key signs, all are taken; a key that is gone is worth nothing, and a foreign one never was."""
    before, both, after = Signer([OLD]), Signer([NEW, OLD]), Signer([NEW])
    token = before.link(LINK)

    assert both.read_link(token, NOW) == LINK
    assert both.link(LINK) == after.link(LINK) != token
    assert after.read_link(token, NOW) is None
    assert both.read_link(Signer([FOREIGN]).link(LINK), NOW) is None


def test_forms_receipts_and_links_are_not_each_other() -> None:
    """What was signed for one purpose, or for one link, serves no other."""
    signer = Signer([NEW])
    token = signer.link(LINK)
    form, receipt = signer.form(token, ["x"]), signer.receipt(token, ["x"])

    assert signer.read_form(token, form) == ["x"]
    assert signer.read_receipt(token, receipt) == ["x"]
    assert signer.read_form(token, receipt) is None
    assert signer.read_receipt(token, form) is None
    assert signer.read_form(token + "x", form) is None
    assert signer.read_link(form, NOW) is None
    assert signer.read_form(token, token) is None


@pytest.mark.parametrize(
    "content",
    [
        pytest.param([2, "p", "a", "r", "n", "vi", 1], id="another version"),
        pytest.param([1, "p", "a", "r", "n", "fr", 1], id="another language"),
        pytest.param([1, "p", "a", "r", 5, "vi", 1], id="a number for a text"),
        pytest.param([1, "p", "a", "r", "n", "vi", True], id="no moment"),
        pytest.param([1, "p", "a", "r", "n", "vi", 10**30], id="a moment beyond time"),
        pytest.param([1, "p"], id="too short"),
        pytest.param({"plan": "p"}, id="no list"),
        pytest.param(None, id="nothing"),
    ],
)
def test_what_is_no_link_is_none(content: Any) -> None:
    """Signed or not, only a whole link counts."""
    assert link_of(content) is None


@pytest.mark.parametrize(
    ("given_", "fault"),
    [
        pytest.param({"answer_key": "short"}, "at least 32", id="short"),
        pytest.param({"answer_key": f"{NEW} short"}, "at least 32", id="one of two is short"),
        pytest.param({"answer_key": "  "}, "is empty", id="empty"),
        pytest.param({"answer_key": NEW, "answer_key_file": "/nowhere"}, "not both", id="both"),
        pytest.param({"answer_key_file": "/nowhere"}, "cannot be read", id="no file"),
    ],
)
def test_settings_name_what_is_wrong_with_keys_and_never_the_keys(given_: dict[str, str], fault: str) -> None:
    """The message helps whoever set it and tells nobody a key."""
    with pytest.raises(ValidationError, match=fault) as raised:
        AnswerSettings.model_validate(given_)

    text = "".join(one["msg"] for one in raised.value.errors(include_input=False))
    assert NEW not in text
    assert "short" not in text


def test_keys_come_from_a_file_too(tmp_path: Path) -> None:
    """One key per line, the one that signs first; without any there are none."""
    file = tmp_path / "keys"
    file.write_text(f"{NEW}\n{OLD}\n", encoding="ascii")

    assert AnswerSettings(answer_key_file=file).answer_keys() == (NEW, OLD)
    assert AnswerSettings().answer_keys() == ()
