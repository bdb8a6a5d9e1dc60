"""From the answer page's fields to answers: what is chosen, what is wrong, and what is kept of it."""

from __future__ import annotations

import asyncio
import unicodedata
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from schemas.warnings import AnswerKind
from services.board.core.answering import (
    LONGEST,
    Answerable,
    Choice,
    Fault,
    Submission,
    cleaned,
    packed,
    read_day,
    read_fields,
    unpacked,
)
from services.board.http.forms import BadForm, read_form

EARLIEST, LATEST = date(2008, 10, 2), date(2010, 1, 1)
MAIL = Answerable(cause="lag:email-use", opened=1, heard=False)
BOXES = Answerable(cause="lag:mailboxes", opened=4, heard=True)


def sent(there: tuple[Answerable, ...] = (MAIL, BOXES), **fields: str) -> Submission:
    """Fields by short names: ``mail_answer`` is ``answer[lag:email-use]``, ``boxes_…`` the other's, ``all_…`` of all."""
    causes = {"mail": MAIL.cause, "boxes": BOXES.cause, "all": "all"}
    named = {f"opened[{MAIL.cause}]": "1", f"opened[{BOXES.cause}]": "4"}
    for name, value in fields.items():
        whose, _, field = name.partition("_")
        named[f"{field}[{causes[whose]}]"] = value
    return read_fields(named, there, earliest=EARLIEST, latest=LATEST)


def test_each_warning_gets_its_own_answer() -> None:
    """Acknowledged here, accepted with a day there; what is left open is not answered."""
    found = sent(mail_answer="acknowledged", boxes_answer="accepted", boxes_day="31/12/2008")

    assert found.choices == (
        Choice(cause=MAIL.cause, opened=1, kind=AnswerKind.ACKNOWLEDGED),
        Choice(cause=BOXES.cause, opened=4, kind=AnswerKind.ACCEPTED, promised=date(2008, 12, 31)),
    )
    assert sent(mail_answer="acknowledged").choices == found.choices[:1]


def test_one_answer_for_all_spares_those_that_have_their_own() -> None:
    """The common answer fills what is left open, and is not said where it would say nothing new."""
    both = sent(all_answer="disputed", all_reason="sai số liệu", mail_answer="acknowledged")
    again = sent(all_answer="acknowledged")

    assert [(one.cause, one.kind) for one in both.choices] == [
        (MAIL.cause, AnswerKind.ACKNOWLEDGED), (BOXES.cause, AnswerKind.DISPUTED),
    ]  # fmt: skip
    assert both.choices[1].opened == BOXES.opened
    assert [one.cause for one in again.choices] == [MAIL.cause]


@pytest.mark.parametrize(
    ("fields", "where", "fault"),
    [
        pytest.param({}, ("", ""), Fault.NOTHING_CHOSEN, id="nothing"),
        pytest.param({"mail_answer": "bribed"}, ("", ""), Fault.NOTHING_CHOSEN, id="an answer that there is not"),
        pytest.param({"mail_day": "2008-12-01"}, (MAIL.cause, "answer"), Fault.KIND_MISSING, id="a day alone"),
        pytest.param({"mail_answer": "accepted"}, (MAIL.cause, "day"), Fault.DAY_MISSING, id="no day"),
        pytest.param({"mail_answer": "accepted", "mail_day": "31/02/2009"}, (MAIL.cause, "day"), Fault.DAY_UNREADABLE,
                     id="no such day"),
        pytest.param({"mail_answer": "accepted", "mail_day": "2008-10-01"}, (MAIL.cause, "day"), Fault.DAY_TOO_EARLY,
                     id="today"),
        pytest.param({"mail_answer": "accepted", "mail_day": "2010-01-02"}, (MAIL.cause, "day"), Fault.DAY_TOO_LATE,
                     id="too far off"),
        pytest.param({"mail_answer": "disputed"}, (MAIL.cause, "reason"), Fault.REASON_MISSING, id="no reason"),
        pytest.param({"mail_answer": "disputed", "mail_reason": " \u202e\x00 "}, (MAIL.cause, "reason"),
                     Fault.REASON_MISSING, id="a reason that nobody sees"),
        pytest.param({"mail_answer": "disputed", "mail_reason": "x" * (LONGEST + 1)}, (MAIL.cause, "reason"),
                     Fault.REASON_TOO_LONG, id="too long"),
        pytest.param({"mail_answer": "acknowledged", "mail_opened": "9"}, (MAIL.cause, "answer"), Fault.CHANGED,
                     id="another warning by now"),
        pytest.param({"all_answer": "accepted"}, ("all", "day"), Fault.DAY_MISSING, id="of all"),
    ],
)  # fmt: skip
def test_faults_stand_beside_their_field(fields: dict[str, str], where: tuple[str, str], fault: Fault) -> None:
    """One fault, named at its place, and nothing is answered."""
    found = sent(**fields)

    assert dict(found.faults) == {where: fault}
    assert found.choices == ()


def test_what_was_typed_is_kept_beside_a_fault() -> None:
    """A fault costs nobody a text."""
    found = sent(
        mail_answer="disputed", mail_reason="hai phòng\r\nđã sáp nhập", boxes_answer="accepted", boxes_day="mai"
    )

    assert found.filled[MAIL.cause].reason == "hai phòng\nđã sáp nhập"
    assert (found.filled[BOXES.cause].kind, found.filled[BOXES.cause].day) == ("accepted", "mai")


def test_an_answer_to_what_is_open_no_more_says_so() -> None:
    """All resolved meanwhile: told, not ignored."""
    assert sent((), mail_answer="acknowledged").faults == {("", ""): Fault.CHANGED}


@given(st.dictionaries(st.text(max_size=30), st.text(max_size=50)), st.text(max_size=80), st.text(max_size=30))
def test_no_field_breaks_the_reading(fields: dict[str, str], reason: str, day: str) -> None:
    """Whatever is sent: choices without faults or faults without choices, and every day within its bounds."""
    named = fields | {"answer[lag:email-use]": "accepted", "opened[lag:email-use]": "1",
                      "reason[lag:email-use]": reason, "day[lag:email-use]": day}  # fmt: skip
    found = read_fields(named, (MAIL, BOXES), earliest=EARLIEST, latest=LATEST)

    assert bool(found.choices) != bool(found.faults)
    assert all(one.promised is not None and EARLIEST <= one.promised <= LATEST for one in found.choices)


@given(st.text())
def test_cleaned_text_shows_all_that_it_holds(text: str) -> None:
    """No control character but line ends and tabs, nothing that turns the order of letters, and cleaning twice is once."""
    found = cleaned(text)

    assert cleaned(found) == found
    assert all(one in "\n\t" or unicodedata.category(one) not in ("Cc", "Cf", "Cs") for one in found)


@given(st.dates())
def test_days_are_read_as_browsers_and_as_people_here_write_them(day: date) -> None:
    """ISO from a date picker, day first from a keyboard."""
    assert read_day(day.isoformat()) == day == read_day(f"{day.day}/{day.month}/{day.year:04}")


@given(
    st.lists(
        st.builds(
            Choice, cause=st.text(), opened=st.integers(1), kind=st.sampled_from(AnswerKind),
            promised=st.none() | st.dates(), reason=st.none() | st.text(),
        )
    )
)  # fmt: skip
def test_choices_survive_the_confirmation(choices: list[Choice]) -> None:
    """What is restated is what is recorded."""
    assert unpacked(packed(choices)) == tuple(choices)


@pytest.mark.parametrize("ending", [pytest.param("waits", id="never ends"), pytest.param("leaves", id="is broken off")])
def test_a_body_that_does_not_arrive_is_no_form(ending: str) -> None:
    """Half a form and then silence, or nobody any more: refused after its time, and nothing hangs."""
    parts: list[dict[str, Any]] = [{"type": "http.request", "body": b"form=half", "more_body": True}]

    async def receive() -> dict[str, Any]:
        if parts:
            return parts.pop()
        if ending == "waits":
            await asyncio.Event().wait()
        return {"type": "http.disconnect"}

    scope = {"type": "http", "method": "POST", "headers": [(b"content-type", b"application/x-www-form-urlencoded")]}

    with pytest.raises(BadForm):
        asyncio.run(asyncio.wait_for(read_form(Request(scope, receive), within=0.05), 10))
