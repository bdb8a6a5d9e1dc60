"""Answers to warnings: what may be answered, and the record of it. Pure."""

from __future__ import annotations

import hashlib
from datetime import date, datetime, timedelta
from typing import Final, Literal

from pydantic import ValidationError

from schemas.warnings import Answer, AnswerKind, Transition, WarningState
from services.core.errors import Rejected
from services.core.warnings.lifecycle import is_open

_A_YEAR: Final = timedelta(days=366)


def latest_promise(deadline: date) -> date:
    """Return the last day that may be promised for having caught up: a year after the plan's *deadline*."""
    return deadline + _A_YEAR


def answer_id(
    *,
    plan: str,
    agency: str,
    cause: str,
    opened: int,
    answer: AnswerKind,
    by: str,
    promised: date | None = None,
    reason: str | None = None,
) -> str:
    """Return the id of an answer, 32 hex digits: the same answer twice is one. The moment plays no part."""
    day = promised.isoformat() if promised is not None else ""
    content = ["answer", plan, agency, cause, str(opened), answer.value, by, day, reason or ""]
    return hashlib.sha256("\n".join(content).encode(errors="surrogatepass")).hexdigest()[:32]


def answer_to(
    last: Transition | None,
    answer: AnswerKind,
    *,
    by: str,
    via: Literal["link", "command", "api"],
    at: datetime,
    today: date,
    promised: date | None = None,
    latest: date | None = None,
    reason: str | None = None,
    notice: str | None = None,
) -> Answer:
    """Return the record of an answer to the warning whose last transition is *last*.

    Raises Rejected, with what to say, where nothing is open there and where the answer makes no sense: a promised day that
    is not after *today* or lies beyond *latest*, a dispute without a reason, a text that is empty or too long.
    """
    if last is None or not is_open(last) or last.opened is None:
        raise Rejected(f"nothing is open there: {_standing(last)}")
    if promised is not None and promised <= today:
        raise Rejected(f"the day promised, {promised}, is not after today, {today}")
    if promised is not None and latest is not None and promised > latest:
        raise Rejected(f"the day promised, {promised}, lies beyond {latest}, a year after the plan's deadline")
    said, who = (reason or "").strip() or None, by.strip()
    number = answer_id(
        plan=last.plan,
        agency=last.agency,
        cause=last.cause,
        opened=last.opened,
        answer=answer,
        by=who,
        promised=promised,
        reason=said,
    )
    try:
        return Answer(
            id=number,
            plan=last.plan,
            agency=last.agency,
            cause=last.cause,
            opened=last.opened,
            answer=answer,
            by=who,
            via=via,
            notice=notice,
            promised=promised,
            reason=said,
            at=at,
        )
    except ValidationError as invalid:
        raise Rejected(faults_of(invalid)) from None


def _standing(last: Transition | None) -> str:
    if last is None:
        return "there has never been a warning"
    if last.state is WarningState.PENDING:
        return f"it has been behind since {last.since}, and not yet for the hold time"
    return f"it was resolved with the day {last.day} ({last.reason.value})"


def faults_of(invalid: ValidationError) -> str:
    """Return what is wrong with a record, without the value given: it may hold anything."""
    return "; ".join(
        ": ".join([*(str(step) for step in one["loc"]), one["msg"].removeprefix("Value error, ")])
        for one in invalid.errors(include_url=False, include_input=False)
    )
