"""What webhooks, chats and short messages say, word for word. ``TIENDO_GOLDEN=write`` writes the files anew."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from schemas.webhook import WEBHOOK_MESSAGE, NoticeMessage
from services.alerts.core.brief import brief
from services.alerts.core.samples import sample_letters
from services.alerts.core.warn import compose
from services.alerts.core.webhook import message
from tests import alerts_world as world

FILES = Path(__file__).parent / "webhooks"
SCHEMA = Path(__file__).parents[2] / "schemas" / "json" / "webhook-message.json"


def same_as(name: str, text: str) -> bool:
    path = FILES / name
    if os.environ.get("TIENDO_GOLDEN") == "write":
        path.write_text(text, encoding="utf-8")
    return path.read_text(encoding="utf-8") == text


def body_of(language: str, position: int) -> bytes:
    assessment = world.assessed(language)
    transitions = world.decided(assessment)
    notice = world.planned(assessment, transitions)[position].model_copy(
        update={"recipient": "channel", "channel": "doi-truc"}
    )
    letter = compose(assessment, notice, transitions, written=world.NOW.date())
    assert letter is not None
    return message(notice, letter, [one for one in transitions if one.id in notice.transitions], attempt=0)


@pytest.mark.parametrize(
    ("name", "language", "position"),
    [
        pytest.param("behind.vi.json", "vi", 2, id="behind in two indicators, Vietnamese"),
        pytest.param("behind.en.json", "en", 2, id="behind in two indicators, English"),
        pytest.param("feed.vi.json", "vi", 0, id="a feed has died"),
    ],
)
def test_bodies_of_webhooks(name: str, language: str, position: int) -> None:
    """As the file, which the published schema takes and reading gives back; twice the same is the same."""
    body = body_of(language, position)
    content = json.loads(body)

    assert same_as(name, json.dumps(content, indent=2, ensure_ascii=False) + "\n")
    Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8"))).validate(content)
    assert isinstance(WEBHOOK_MESSAGE.validate_json(body), NoticeMessage)
    assert body == body_of(language, position)
    assert b"@" not in body


def test_short_texts_of_everything_that_may_become_of_a_warning() -> None:
    """In both languages, a few lines each, none longer than a line may be."""
    every = list(dict.fromkeys(brief(letter) for letter in sample_letters()))

    assert same_as("briefs.txt", "\n\n".join(f"{one.title}\n{one.body}".strip() for one in every) + "\n")
    assert all(len(one.body.splitlines()) <= 9 for one in every)
    assert all(len(line) <= 200 for one in every for line in [one.title, *one.body.splitlines()])
