"""Is an integration fit to go live: a checklist over what it has sent so far. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from services.core.feed_accounts import FeedAccount
from services.core.schedule.coverage import FeedState

#: Refusals that say that the sender does not speak the contract yet.
ENVELOPE: Final = frozenset({"malformed", "schema", "unknown-type", "too-large"})
#: At least so many of those who use mail, and so on, must be known from a roster or a register of mailboxes.
KNOWN_SHARE: Final = 0.9
#: Above this share of statements at exactly midnight the time is a day's, and not when the source made the statement.
MIDNIGHT_SHARE: Final = 0.5


class Verdict(StrEnum):
    """What a check came to."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_SHOWN = "not-shown"  # nothing was sent that would show it


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One line of the list: ``said`` is what was found, ``todo`` what to do about it, empty where it passed."""

    name: str
    verdict: Verdict
    said: str
    todo: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What a source has sent in the span looked at, beside the accounts of its feeds.

    ``early``: statements whose `data.day` lies after the local day of their `time`; ``midnight``: those at exactly 0:00:00 of the
    zone; ``ahead``: those whose `time` lay after their receipt. ``people`` and ``known``: people and addresses named, and how
    many of them a roster or a register of mailboxes knows. ``corrected``: things stated more than once. ``refused``: open
    refusals by reason. ``conflicts``: ids with several payloads.
    """

    events: int
    early: int
    midnight: int
    ahead: int
    people: int
    known: int
    corrected: int
    conflicts: int
    refused: Mapping[str, int]
    feeds: Sequence[FeedAccount]


def certify(measured: Measured) -> tuple[Check, ...]:
    """Return the checklist, in its order."""
    return tuple(check(measured) for check in _CHECKS)


def fit(checks: Sequence[Check]) -> bool:
    """Return whether nothing failed and nothing is left to be shown."""
    return all(one.verdict is Verdict.PASSED for one in checks)


def _envelope(m: Measured) -> Check:
    wrong = {reason: count for reason, count in sorted(m.refused.items()) if reason in ENVELOPE}
    if wrong:
        told = ", ".join(f"{reason}: {count}" for reason, count in wrong.items())
        return Check(
            name="envelope", verdict=Verdict.FAILED, said=f"refused and not sent again since: {told}",
            todo="mend what GET /v1/rejected names, and send those events again under the same ids",
        )  # fmt: skip
    if not m.events:
        return _unseen("envelope", "no event was taken yet", "send some")
    return Check(
        name="envelope", verdict=Verdict.PASSED, said=f"{m.events} events taken, no refusal of form stands open"
    )


def _permission(m: Measured) -> Check:
    wrong = {reason: count for reason, count in sorted(m.refused.items()) if reason not in ENVELOPE}
    if wrong:
        told = ", ".join(f"{reason}: {count}" for reason, count in wrong.items())
        return Check(
            name="permission", verdict=Verdict.FAILED, said=f"refused and not sent again since: {told}",
            todo="have the directory or the source's permissions amended, or the clock set right, and send them again",
        )  # fmt: skip
    return Check(name="permission", verdict=Verdict.PASSED, said="no refusal of agencies, types or times stands open")


def _identity(m: Measured) -> Check:
    if not m.people:
        return Check(name="identity", verdict=Verdict.PASSED, said="its statements name nobody")
    share = m.known / m.people
    said = f"{m.known} of {m.people} people and addresses are known from rosters and registers of mailboxes"
    if share < KNOWN_SHARE:
        return Check(
            name="identity", verdict=Verdict.FAILED, said=said,
            todo="use the directory's scheme for people's numbers, and the addresses as the register of mailboxes writes them",
        )  # fmt: skip
    return Check(name="identity", verdict=Verdict.PASSED, said=said)


def _time(m: Measured) -> Check:
    if not m.events:
        return _unseen("time", "no event was taken yet", "send some")
    faults, todo = [], []
    if m.early:
        faults.append(f"{m.early} statements are about a day after their own `time`")
        todo.append("give `time` with the offset of the clock that made it (+07:00)")
    if m.ahead:
        faults.append(f"{m.ahead} statements lay ahead of their receipt")
        todo.append("set the sender's clock (NTP)")
    if m.midnight / m.events > MIDNIGHT_SHARE:
        faults.append(f"{m.midnight} of {m.events} statements are of exactly midnight")
        todo.append(
            "send when the row was written, not the day that it is about: later corrections need a later `time`"
        )
    if faults:
        return Check(name="time", verdict=Verdict.FAILED, said="; ".join(faults), todo="; ".join(todo))
    return Check(name="time", verdict=Verdict.PASSED, said="days, moments and receipt fit each other")


def _replays(m: Measured) -> Check:
    if m.conflicts:
        return Check(
            name="replays", verdict=Verdict.FAILED, said=f"{m.conflicts} ids came with several payloads",
            todo="build the id from the row's key and its version; `tiendo conflicts --source` lists them",
        )  # fmt: skip
    if not m.events:
        return _unseen("replays", "no event was taken yet", "send some, twice")
    return Check(name="replays", verdict=Verdict.PASSED, said="no id came with two payloads, however often it was sent")


def _corrections(m: Measured) -> Check:
    if not m.corrected:
        return _unseen(
            "corrections",
            "nothing was corrected or taken back yet",
            "change a row, send it with a new id and a later `time`",
        )
    return Check(name="corrections", verdict=Verdict.PASSED, said=f"{m.corrected} things were stated anew")


def _heartbeat(m: Measured) -> Check:
    if not m.feeds:
        return _unseen("heartbeat", "no feed of this source is declared", "have the feed entered in the directory")
    dead = [f"{one.feed.id}: {one.state}" for one in m.feeds if one.state is not FeedState.REPORTING]
    gaps = sum(len(one.unreported) for one in m.feeds)
    if dead or gaps:
        said = "; ".join([*dead, *([f"{gaps} days were passed over"] if gaps else [])])
        return Check(
            name="heartbeat", verdict=Verdict.FAILED, said=said,
            todo="send feed.reported for every day that is over and every type, zero included",
        )  # fmt: skip
    return Check(name="heartbeat", verdict=Verdict.PASSED, said="every day was reported, up to the last one")


def _volume(m: Measured) -> Check:
    short = [gap for one in m.feeds for gap in one.incomplete]
    if short:
        worst = max(short, key=lambda gap: gap.reported - gap.counted)
        return Check(
            name="volume", verdict=Verdict.FAILED,
            said=f"on {len(short)} days less was counted than reported; on {worst.day} {worst.counted} of "
            f"{worst.reported} {worst.type}",
            todo="send those days again; count different ids by the day of their `time`",
        )  # fmt: skip
    reported = sum(one.reported for one in m.feeds)
    if not reported:
        return _unseen("volume", "nothing but zeros was reported in four weeks", "send a day with something in it")
    return Check(name="volume", verdict=Verdict.PASSED, said=f"all of {reported} events reported were counted")


def _unseen(name: str, said: str, todo: str) -> Check:
    return Check(name=name, verdict=Verdict.NOT_SHOWN, said=said, todo=todo)


_CHECKS: Final[tuple[Callable[[Measured], Check], ...]] = (
    _envelope, _permission, _identity, _time, _replays, _corrections, _heartbeat, _volume
)  # fmt: skip
