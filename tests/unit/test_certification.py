"""The checklist of an integration: each fault is found by the check that is for it, and by no other."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from schemas.directory import Feed
from services.core.certification import Measured, Verdict, certify, fit
from services.core.feed_accounts import FeedAccount, Incomplete, Unreported
from services.core.schedule.coverage import FeedState
from tests.aggregator_world import OFFICE

DAY = date(2008, 9, 30)
FEED = FeedAccount(
    feed=Feed.model_validate(
        {
            "id": "a.all", "title": {"vi": "Sở A"}, "source": "/a", "types": ["mail.used"], "covers": {"agencies": ["a"]},
            "owner": OFFICE | {"role": "feed-owner"},
        }
    ),
    state=FeedState.REPORTING, covered=DAY, silent_since=None, reported=40, counted=40, unreported=(), incomplete=(),
)  # fmt: skip
GOOD = Measured(
    events=100, early=0, midnight=3, ahead=0, people=20, known=19, corrected=2, conflicts=0, refused={}, feeds=(FEED,)
)


def verdicts(**changes: Any) -> dict[str, Verdict]:
    return {one.name: one.verdict for one in certify(replace(GOOD, **changes)) if one.verdict is not Verdict.PASSED}


def test_what_is_fit_passes_everything() -> None:
    """Eight checks, each with what was found and nothing to do."""
    checks = certify(GOOD)
    assert fit(checks)
    assert [one.name for one in checks] == [
        "envelope", "permission", "identity", "time", "replays", "corrections", "heartbeat", "volume"
    ]  # fmt: skip
    assert not any(one.todo for one in checks)


@pytest.mark.parametrize(
    ("changes", "check", "verdict"),
    [
        ({"refused": {"schema": 2}}, "envelope", Verdict.FAILED),
        ({"refused": {"unknown-agency": 1}}, "permission", Verdict.FAILED),
        ({"refused": {"future-dated": 1}}, "permission", Verdict.FAILED),
        ({"known": 17}, "identity", Verdict.FAILED),
        ({"early": 1}, "time", Verdict.FAILED),
        ({"ahead": 1}, "time", Verdict.FAILED),
        ({"midnight": 51}, "time", Verdict.FAILED),
        ({"conflicts": 1}, "replays", Verdict.FAILED),
        ({"corrected": 0}, "corrections", Verdict.NOT_SHOWN),
        ({"feeds": (replace(FEED, state=FeedState.SILENT),)}, "heartbeat", Verdict.FAILED),
        ({"feeds": (replace(FEED, unreported=(Unreported("mail.used", DAY),)),)}, "heartbeat", Verdict.FAILED),
        ({"feeds": (replace(FEED, incomplete=(Incomplete("mail.used", DAY, 9, 7),)),)}, "volume", Verdict.FAILED),
        ({"feeds": (replace(FEED, reported=0, counted=0),)}, "volume", Verdict.NOT_SHOWN),
    ],
)
def test_one_fault_fails_one_check(changes: dict[str, Any], check: str, verdict: Verdict) -> None:
    """And it says what to do."""
    assert verdicts(**changes) == {check: verdict}
    (one,) = (one for one in certify(replace(GOOD, **changes)) if one.name == check)
    assert one.todo
    assert not fit(certify(replace(GOOD, **changes)))


def test_names_are_not_asked_of_who_names_nobody() -> None:
    """A document system passes the check of identities without any."""
    assert verdicts(people=0, known=0) == {}


def test_of_who_sent_nothing_nothing_is_shown() -> None:
    """Neither passed nor failed."""
    nothing = verdicts(events=0, midnight=0, people=0, known=0, corrected=0, feeds=())
    assert set(nothing) == {"envelope", "time", "replays", "corrections", "heartbeat", "volume"}
    assert set(nothing.values()) == {Verdict.NOT_SHOWN}
