"""``tiendo warnings ack``, ``accept``, ``dispute``: an answer to one warning, given for somebody who cannot use the link."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

import typer

from schemas.warnings import Answer, AnswerKind, Transition
from services.cli.warnings_common import (
    AgencyArgument,
    Because,
    By,
    CauseArgument,
    DryRun,
    PlanArgument,
    open_desk,
    say,
)
from services.core.warnings.answers import answer_to
from services.core.warnings.lifecycle import quieted
from services.core.warnings.warning_words import ENGLISH
from services.infra.warnings_names import PlanNames, read_names

Remark = Annotated[str, typer.Option("--reason", help="A remark, where there is one; it is kept for ever.")]
ByDay = Annotated[
    datetime,
    typer.Option("--by-day", formats=["%Y-%m-%d"], metavar="YYYY-MM-DD", help="By when it will have caught up."),
]


def acknowledge(
    plan: PlanArgument,
    agency: AgencyArgument,
    cause: CauseArgument,
    by: By,
    reason: Remark = "",
    dry_run: DryRun = False,
) -> None:
    """Acknowledge a warning: somebody has seen it. Reminders stop, and it grows no further by age.

    Example: tiendo warnings ack thai-nguyen-2008 so-xay-dung lag:email-use --by "Văn phòng Sở Xây dựng"
    """
    _answer(AnswerKind.ACKNOWLEDGED, (plan, agency, cause), by, reason=reason, dry_run=dry_run)


def accept(
    plan: PlanArgument,
    agency: AgencyArgument,
    cause: CauseArgument,
    by: By,
    by_day: ByDay,
    reason: Remark = "",
    dry_run: DryRun = False,
) -> None:
    """Accept a warning and name the day by which the agency will have caught up.

    Example: tiendo warnings accept thai-nguyen-2008 so-xay-dung email-use --by-day 2008-11-30 --by head
    """
    _answer(AnswerKind.ACCEPTED, (plan, agency, cause), by, promised=by_day.date(), reason=reason, dry_run=dry_run)


def dispute(
    plan: PlanArgument, agency: AgencyArgument, cause: CauseArgument, by: By, reason: Because, dry_run: DryRun = False
) -> None:
    """Dispute a warning: the figures are wrong, or it means somebody else. Operations are told.

    Example: tiendo warnings dispute thai-nguyen-2008 so-xay-dung email-use --by head --reason "Hai phòng đã sáp nhập"
    """
    _answer(AnswerKind.DISPUTED, (plan, agency, cause), by, reason=reason, dry_run=dry_run)


def _answer(
    kind: AnswerKind,
    place: tuple[str, str, str],
    by: str,
    *,
    promised: date | None = None,
    reason: str = "",
    dry_run: bool,
) -> None:
    plan, asked_agency, asked_cause = place
    with open_desk() as desk:
        names = read_names(desk.database, plan)
        agency, cause = names.subject(asked_agency, asked_cause)
        last = desk.reader.last(plan, agency, cause)
        record = answer_to(
            last,
            kind,
            by=by,
            via="command",
            at=desk.now,
            today=desk.now.astimezone(desk.zone).date(),
            promised=promised,
            latest=names.latest_promise,
            reason=reason,
        )
        known = record.id in {one.id for one in desk.reader.answers(plan, agency, cause)}
        if not dry_run:
            desk.publish([record])
    assert last is not None
    _tell(record, last, names, known=known, dry_run=dry_run)


def _tell(record: Answer, last: Transition, names: PlanNames, *, known: bool, dry_run: bool) -> None:
    who = names.name(record.agency, record.cause, "en") or record.agency
    what = names.title_of(record.cause, "en") or record.cause
    done = "would record" if dry_run else "recorded already, and once more harmlessly" if known else "recorded"
    say(f"{done}: {record.by} — {ENGLISH.answers[record.answer]}; {who} ({record.agency}), {what} ({record.cause})")
    if record.promised:
        say(f"  by {record.promised}")
    if record.reason:
        say(f"  reason: {record.reason}")
    say(f"  answer {record.id} to the warning of {last.opened_day or last.day}, now {ENGLISH.states[last.state]}")
    match record.answer:
        case AnswerKind.ACKNOWLEDGED if quieted(last):
            follows = "it has been acknowledged or answered before: nothing changes"
        case AnswerKind.ACKNOWLEDGED:
            follows = "no more reminders, and it is brought no higher by age; graver, it is told again"
        case AnswerKind.ACCEPTED:
            follows = f"no more reminders; if it is still behind after {record.promised} it is brought one level higher"
        case AnswerKind.DISPUTED:
            follows = "operations get a mail; the warning stays until figures or plan are mended, without reminders"
    say(f"  what follows, with the evaluator's next look: {follows}")
