"""The life of warnings has words in both languages, whatever is added to it."""

import unicodedata
from collections.abc import Mapping
from typing import Any, get_args

import pytest

from schemas.policy import ROLES, Severity
from schemas.warnings import AnswerKind, Notice, TransitionReason, WarningState
from services.core.warnings.silences import SilenceState
from services.core.warnings.warning_records import DeliveryFault
from services.core.warnings.warning_words import ENGLISH, VIETNAMESE, WarningWords, warning_words_of

BOTH = pytest.mark.parametrize("words", [VIETNAMESE, ENGLISH], ids=lambda words: words.language)


def named(words: WarningWords) -> list[tuple[Mapping[Any, Any], set[Any]]]:
    return [
        (words.states, set(WarningState)),
        (words.reasons, set(TransitionReason)),
        (words.severities, set(Severity)),
        (words.roles, {*ROLES, "operations", "feed-owner", "channel"}),
        (words.levels, set(words.roles)),
        (words.answers, set(AnswerKind)),
        (words.notices, set(get_args(Notice.model_fields["state"].annotation))),
        (words.about, set(get_args(Notice.model_fields["about"].annotation))),
        (words.silences, set(get_args(SilenceState))),
        (words.faults, set(DeliveryFault)),
    ]


@BOTH
def test_everything_has_its_words(words: WarningWords) -> None:
    """A state, reason, role or fault that is added without words fails here, and none keeps words that nothing uses."""
    for table, members in named(words):
        assert set(table) == members


@BOTH
def test_no_two_are_called_alike(words: WarningWords) -> None:
    """Whoever reads the word knows which of them is meant."""
    for table, members in named(words):
        assert len(set(table.values())) == len(members)


def test_texts_are_composed_and_tidy() -> None:
    """Vietnamese is in the composed form that fonts and searches expect; no text has a stray blank."""
    for words in (VIETNAMESE, ENGLISH):
        for table, _ in named(words):
            for text in table.values():
                for one in (text,) if isinstance(text, str) else text:
                    assert one == unicodedata.normalize("NFC", one).strip() != ""


def test_a_fault_that_is_not_known_has_words_too() -> None:
    """A later version may record faults that this one does not know."""
    assert ENGLISH.fault("pigeon-lost") == ENGLISH.unknown_fault
    assert ENGLISH.fault("smtp-recipient-refused").fault == "the mail server refused the recipient"


@BOTH
def test_whoever_is_no_role_keeps_its_name(words: WarningWords) -> None:
    """Answers may come from an office, notices go to a channel of the deployment's own name."""
    assert words.role("Văn phòng Sở Y tế") == "Văn phòng Sở Y tế"


@BOTH
def test_final_faults_say_to_send_again(words: WarningWords) -> None:
    """What a person has to mend ends in sending it again, which nothing does by itself."""
    again = {"vi": "gửi lại", "en": "send it again"}[words.language]
    assert all(words.faults[one].remedy.endswith(again) for one in DeliveryFault if one.final)


def test_languages_are_told_apart() -> None:
    """Vietnamese is what is read where no English is asked for."""
    assert warning_words_of("en") is ENGLISH
    assert warning_words_of("vi") is VIETNAMESE
