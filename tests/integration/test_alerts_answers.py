"""What people say about warnings takes effect although no figure has changed: answers, silences, a policy."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from schemas.policy import Match, Policy
from schemas.warnings import WARNING_RECORD, Answer, AnswerKind, Record, Silence
from services.alerts.adapters.warning_tables import write_records
from tests import alerts_world as world
from tests.integration.test_alerts_mail import Place, place, wait_for

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]
__all__ = ["place"]  # the fixture


def say(at: Place, *records: Record) -> None:
    """Put *records* where the fold of the log puts them."""
    with at.database() as database:
        write_records(database, [(one, WARNING_RECORD.dump_json(one, by_alias=True).decode()) for one in records])


def publish(at: Place, policy: Policy) -> None:
    with at.database() as database:
        row = ("policy", policy.policy, 1, policy.in_force_from, world.NOW, policy.model_dump_json(by_alias=True))
        names = ["kind", "id", "revision", "in_force_from", "published", "document"]
        database.insert("plan_revisions", names, [[value] for value in row])


def answer(kind: AnswerKind, cause: str, **more: Any) -> Answer:
    return Answer(
        id=f"{kind}-{cause}", plan="tinh-2008", agency="so-y-te", cause=cause, opened=1, answer=kind, by="head",
        via="link", at=world.NOW, **more,
    )  # fmt: skip


def states(at: Place) -> list[tuple[str, str, str]]:
    rows = at.rows(
        "SELECT cause, state, reason FROM warnings FINAL WHERE agency = 'so-y-te' ORDER BY sequence DESC LIMIT 1 BY cause"
    )
    return sorted((str(cause), str(state), str(reason)) for cause, state, reason in rows)


def wait_for_states(at: Place, wanted: Sequence[tuple[str, str, str]]) -> None:
    wait_for(f"states {wanted}, last {states(at)}", lambda: states(at) == list(wanted))


def test_answers_are_taken_up_and_a_dispute_reaches_operations(place: Place) -> None:
    """Acknowledged one indicator, disputed the other: the states change, the head gets nothing, operations one mail."""
    with place.database() as database:
        world.fill(database)
    place.catcher()
    place.alerts()
    place.wait_for_mails(3)
    place.wait_until_all_sent()

    say(place, answer(AnswerKind.ACKNOWLEDGED, "lag:email-use"))
    say(place, answer(AnswerKind.DISPUTED, "lag:mailboxes", reason="hai phòng đã sáp nhập"))

    wait_for_states(
        place, [("lag:email-use", "acknowledged", "acknowledged"), ("lag:mailboxes", "answered", "disputed")]
    )
    mails = place.wait_for_mails(4)
    place.wait_until_all_sent()
    assert len(place.files()) == 4
    about = [(str(mail["X-Tiendo-Agency"]), str(mail["To"].addresses[0].addr_spec)) for mail in mails]
    assert about.count(("so-y-te", "van-hanh@example.vn")) == 1


def test_a_silence_holds_the_first_mail_back_until_it_ends(place: Place) -> None:
    """Silenced before the first look: the warning is open and nobody is told; ended by hand: the head is told."""
    with place.database() as database:
        world.fill(database)
    about = {
        "id": "s1", "plan": "tinh-2008", "match": Match(agencies=("so-y-te",)), "from_": world.NOW - timedelta(hours=1),
        "until": world.NOW + timedelta(days=3), "author": "trực ban", "reason": "đang đối chiếu", "at": world.NOW,
    }  # fmt: skip
    say(place, Silence(action="begun", **about))
    place.catcher()
    place.alerts()
    place.wait_for_mails(2)
    place.wait_until_judged()
    place.wait_until_all_sent()

    assert {str(mail["X-Tiendo-Agency"]) for mail in place.parsed()} == {"mail"}
    assert {state for _, state, _ in states(place)} == {"open"}
    say(place, Silence(action="ended", **about))

    mails = place.wait_for_mails(3)
    assert "so-y-te" in {str(mail["X-Tiendo-Agency"]) for mail in mails}


def test_office_hours_of_a_policy_hold_mails_back_until_the_morning(place: Place, tmp_path: Path) -> None:
    """Judged before dawn: the warnings are open at once, the mails go out when the office hours of the day begin."""
    with place.database() as database:
        world.fill(database)
    publish(
        place,
        Policy.model_validate(
            {"policy": "tinh-2008", "plan": "tinh-2008", "in_force_from": "2008-01-01", "working_time": {}}
        ),
    )
    clock = tmp_path / "clock"
    clock.write_text("2008-10-01T05:00:00+07:00")
    place.catcher()
    place.alerts(TIENDO_CLOCK=f"@{clock}")
    place.wait_until_judged()
    assert place.rows("SELECT count() FROM notices")[0][0] == 0
    assert place.rows("SELECT count() FROM warnings FINAL")[0][0] == 3
    clock.write_text("2008-10-01T07:31:00+07:00")

    mails = place.wait_for_mails(3)
    assert len({str(mail["Message-ID"]) for mail in mails}) == 3
