"""What people may say about warnings, and the records that it makes: answers, silences, notices sent again."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.policy import Match, Severity
from schemas.warnings import AnswerKind, Notice, Silence, Transition, TransitionReason, WarningState
from services.core.errors import Rejected
from services.core.warnings.answers import answer_id, answer_to
from services.core.warnings.sending_again import sent_again
from services.core.warnings.silences import end_of, lives_of, silence_of
from services.core.warnings.warning_records import fold_notices, silences_in_force

NOW = datetime(2008, 10, 1, 1, tzinfo=UTC)
TODAY = date(2008, 10, 1)
LATEST = date(2009, 12, 31)
HOUR = timedelta(hours=1)


def last(state: WarningState = WarningState.OPEN, **changes: Any) -> Transition:
    content: dict[str, Any] = {
        "id": "t", "plan": "p", "agency": "so-y-te", "cause": "lag:email-use", "sequence": 2, "state": state,
        "reason": TransitionReason.FELL_BEHIND, "day": "2008-09-30", "since": "2008-09-01", "at": NOW, "revision": 1,
        "opened": 2, "opened_day": "2008-09-30", "severity": Severity.WARNING, "level": "head",
    }  # fmt: skip
    return Transition.model_validate(content | changes)


def answered(kind: AnswerKind = AnswerKind.ACKNOWLEDGED, of: Transition | None = None, **changes: Any) -> Any:
    given_: dict[str, Any] = {"by": "head", "via": "api", "at": NOW, "today": TODAY, "latest": LATEST}
    return answer_to(of or last(), kind, **(given_ | changes))


def silence(**changes: Any) -> Silence:
    given_: dict[str, Any] = {
        "plan": "p", "match": Match(agencies=("so-y-te",)), "begins": None, "until": NOW + HOUR, "author": "trực ban",
        "reason": "bảo trì", "at": NOW,
    }  # fmt: skip
    return silence_of(**(given_ | changes))


def test_the_same_answer_later_is_the_same_answer() -> None:
    """Sent twice by a nervous finger, or through two channels: one answer."""
    assert answered().id == answered(at=NOW + HOUR, via="command").id


@given(st.sampled_from(["agency", "cause", "opened", "by", "promised", "reason", "answer"]))
def test_another_answer_has_another_id(field: str) -> None:
    """Whatever is answered otherwise, by somebody else or to another warning, is an answer of its own."""
    same: dict[str, Any] = {
        "plan": "p", "agency": "a", "cause": "lag:x", "opened": 1, "answer": AnswerKind.ACCEPTED, "by": "head",
        "promised": date(2008, 12, 1), "reason": "r",
    }  # fmt: skip
    other = {
        "agency": "b", "cause": "lag:y", "opened": 2, "answer": AnswerKind.DISPUTED, "by": "contact", "promised": None,
        "reason": None,
    }  # fmt: skip
    assert answer_id(**same) != answer_id(**(same | {field: other[field]}))


@pytest.mark.parametrize(
    ("of", "told"),
    [
        pytest.param(None, "there has never been a warning", id="never"),
        pytest.param(last(WarningState.PENDING, opened=None), "not yet for the hold time", id="pending"),
        pytest.param(last(WarningState.RESOLVED, reason="caught-up"), "it was resolved", id="resolved"),
    ],
)
def test_where_nothing_is_open_nothing_is_answered(of: Transition | None, told: str) -> None:
    """It says what stands there instead."""
    with pytest.raises(Rejected, match=f"nothing is open there: .*{told}"):
        answer_to(of, AnswerKind.ACKNOWLEDGED, by="head", via="api", at=NOW, today=TODAY)


@pytest.mark.parametrize(
    ("kind", "changes", "told"),
    [
        pytest.param(AnswerKind.ACCEPTED, {}, "accepted needs", id="accepted without a day"),
        pytest.param(AnswerKind.ACKNOWLEDGED, {"promised": date(2008, 12, 1)}, "accepted needs", id="a day too many"),
        pytest.param(AnswerKind.ACCEPTED, {"promised": TODAY}, "is not after today", id="today"),
        pytest.param(AnswerKind.ACCEPTED, {"promised": date(2299, 1, 1)}, "lies beyond 2009-12-31", id="far away"),
        pytest.param(AnswerKind.DISPUTED, {}, "disputed needs a `reason`", id="no reason"),
        pytest.param(AnswerKind.DISPUTED, {"reason": " \n "}, "disputed needs a `reason`", id="a blank reason"),
        pytest.param(AnswerKind.DISPUTED, {"reason": "x" * 2001}, "at most 2000", id="a long reason"),
        pytest.param(AnswerKind.ACKNOWLEDGED, {"by": "  "}, "by: ", id="nobody"),
    ],
)
def test_answers_that_make_no_sense_are_refused(kind: AnswerKind, changes: dict[str, Any], told: str) -> None:
    """What is wrong is said, and what was given is not repeated."""
    with pytest.raises(Rejected, match=told) as refused:
        answered(kind, **changes)
    assert "xxx" not in str(refused.value)


def test_the_same_silence_twice_is_one() -> None:
    """Given its beginning, a silence published again is the same record."""
    assert silence(begins=NOW).id == silence(begins=NOW, at=NOW - HOUR).id
    assert silence(reason="khác").id != silence().id


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        pytest.param({"until": NOW}, "lies in the past", id="over already"),
        pytest.param({"match": Match()}, "every warning of the plan", id="everything"),
        pytest.param({"match": Match(feeds=("mail",), agencies=("a",))}, "silenced apart", id="feeds and agencies"),
        pytest.param({"begins": NOW + 2 * HOUR}, "`from` lies before `until`", id="backwards"),
        pytest.param({"reason": ""}, "reason: ", id="no reason"),
        pytest.param({"author": "x" * 301}, "author: ", id="a long author"),
    ],
)
def test_silences_that_make_no_sense_are_refused(changes: dict[str, Any], told: str) -> None:
    """Above all one that would silence everything by an option left out."""
    with pytest.raises(Rejected, match=told):
        silence(**changes)


def test_everything_is_silenced_where_it_is_meant() -> None:
    """Said so it is allowed."""
    assert silence(match=Match(), everything=True).match.everything


def test_a_silence_withdrawn_before_it_begins_never_begins() -> None:
    """At no moment is it in force, and it is told as withdrawn."""
    waiting = silence(begins=NOW + HOUR, until=NOW + 3 * HOUR)
    life = lives_of([waiting])[0]
    assert life.state(NOW) == "waiting"

    ended = end_of(life, author="trực ban", reason="không cần nữa", at=NOW + HOUR / 2)

    assert ended.id == waiting.id
    for order in ([waiting, ended], [ended, waiting, waiting]):
        assert lives_of(order)[0].state(NOW + 2 * HOUR) == "withdrawn"
        assert silences_in_force(order, NOW + 2 * HOUR) == ()


def test_what_becomes_of_a_silence() -> None:
    """In force from its beginning, over with its end, ended where somebody ended it, which happens once."""
    begun = silence(until=NOW + 2 * HOUR)
    life = lives_of([begun])[0]
    assert [life.state(NOW + step * HOUR) for step in (0, 1, 2)] == ["in-force", "in-force", "over"]

    ended = end_of(life, author="phòng CNTT", reason="xong", at=NOW + HOUR)

    over = lives_of([ended, begun])[0]
    assert over.state(NOW + HOUR) == over.state(NOW + 5 * HOUR) == "ended"
    with pytest.raises(Rejected, match="phòng CNTT has ended it already"):
        end_of(over, author="a", reason="b", at=NOW + HOUR)
    with pytest.raises(Rejected, match="it ended by itself"):
        end_of(life, author="a", reason="b", at=NOW + 2 * HOUR)


def test_an_end_without_a_beginning_is_nothing() -> None:
    """Half a silence mutes nobody and is not shown."""
    begun = silence()
    assert lives_of([end_of(lives_of([begun])[0], author="a", reason="b", at=NOW)]) == ()


def notice(state: str, attempt: int = 0, **changes: Any) -> Notice:
    content: dict[str, Any] = {
        "id": "n", "plan": "p", "agency": "so-y-te", "recipient": "head", "language": "vi", "transitions": ["t"],
        "state": state, "attempt": attempt, "at": NOW, "due": NOW + HOUR,
    }  # fmt: skip
    return Notice.model_validate(content | changes)


def test_a_dead_letter_sent_again_waits_to_be_sent() -> None:
    """The next attempt, with the same id, at once; twice at the same time is one attempt."""
    dead = [notice("pending"), notice("dead", detail="smtp-recipient-refused")]
    again = sent_again(fold_notices(dead)["n"], by="trực ban", at=NOW + HOUR)

    found = fold_notices([*dead, again, again.model_copy(update={"at": NOW + 2 * HOUR})])["n"]

    assert (again.id, again.attempt, again.due, again.detail) == ("n", 1, None, "trực ban")
    assert (found.state, found.attempt, found.fault) == ("pending", 1, "")


@pytest.mark.parametrize(
    ("records", "told"),
    [
        pytest.param([notice("pending")], "still being tried", id="pending"),
        pytest.param([notice("pending"), notice("failed", detail="smtp-try-later")], "still being tried", id="failed"),
        pytest.param([notice("pending"), notice("sent")], "was sent", id="sent"),
    ],
)
def test_what_is_not_dead_is_not_sent_again_by_accident(records: list[Notice], told: str) -> None:
    """What is being tried goes out by itself; what was sent is wanted again only by who says so."""
    state = fold_notices(records)["n"]
    with pytest.raises(Rejected, match=told):
        sent_again(state, by="trực ban", at=NOW)
    if state.sent:
        assert sent_again(state, by="trực ban", at=NOW, though_sent=True).attempt == 1
