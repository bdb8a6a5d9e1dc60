"""Mails about everything that may become of a warning, word for word (``TIENDO_GOLDEN=write`` writes the files anew)."""

from __future__ import annotations

import re
from functools import cache
from typing import Literal
from unicodedata import is_normalized

import pytest

from services.alerts.adapters.letters import OURS, Letters, filters_of
from services.alerts.core.warn import Letter
from tests.golden.test_mails import MAILS, compare
from tests.mail_lives import URL, letters

NAMES = ("again", "worse", "higher", "reminder", "ended", "dispute", "feeds", "week", "month")
languages = pytest.mark.parametrize("language", ["vi", "en"])


@cache
def written(language: Literal["vi", "en"]) -> dict[str, Letter]:
    return letters(language)


@languages
@pytest.mark.parametrize("name", NAMES)
def test_the_mail_is_word_for_word_the_golden_one(name: str, language: Literal["vi", "en"]) -> None:
    """Text and HTML are those of the files; no line of the text is too long for a mail program, but for a bare link."""
    rendered = Letters().render(written(language)[name], key="4f2c4f2c4f2c")

    compare(f"{name}.{language}.txt", f"{rendered.subject}\n\n{rendered.text}")
    compare(f"{name}.{language}.html", rendered.html)
    assert all(len(line) <= 78 or line == URL for line in rendered.text.splitlines())


def test_every_letter_of_the_world_is_looked_at() -> None:
    """No letter is composed and then forgotten by the tests."""
    assert set(written("vi")) == set(written("en")) == set(NAMES)


def test_the_guide_quotes_the_mails_as_they_are() -> None:
    """Every line of the guide's examples stands in a golden mail, and every filter that templates have in its list."""
    guide = (MAILS.parents[2] / "docs" / "mails.md").read_text("utf-8")
    mails = {line for path in MAILS.glob("*.vi.txt") for line in path.read_text("utf-8").splitlines()}
    quoted = re.findall(r"^```\n(.*?)^```$", guide, flags=re.MULTILINE | re.DOTALL)
    lines = [line for text in quoted for line in text.splitlines() if "…" not in line and "TIENDO_" not in line]

    assert len(lines) > 20
    assert [line for line in lines if line not in mails] == []
    assert [name for name in filters_of("vi") if f"`{name}" not in guide] == []


def test_vietnamese_is_written_with_composed_characters() -> None:
    """One spelling of each letter (NFC), in our templates and in what comes out, whatever a directory's names are like."""
    letter = written("vi")["ended"]
    decomposed = type(letter)(
        **{name: getattr(letter, name) for name in letter.__dataclass_fields__} | {"agency": "So\u031b\u0309 Y te\u0302\u0301"}
    )  # fmt: skip
    rendered = Letters().render(decomposed, key="k")

    assert all(is_normalized("NFC", path.read_text("utf-8")) for path in OURS.iterdir())
    assert is_normalized("NFC", rendered.subject + rendered.text + rendered.html)
    assert "Sở Y tế" in rendered.subject
