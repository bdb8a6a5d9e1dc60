"""``tiendo warnings dead`` and ``resend``: notices that were given up, and sending notices again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Final

import typer

from schemas.warning_views import NoticeView
from schemas.warnings import Notice
from services.cli.harmless import cells, shown
from services.cli.output import Format, console, counted, print_csv, print_json, table
from services.cli.warnings_common import By, Desk, DryRun, Form, Lang, Language, OfPlan, open_desk, say, words_for
from services.core.errors import Rejected
from services.core.warnings.sending_again import sent_again
from services.core.warnings.warning_records import NoticeState
from services.infra.warnings_queries import MOST
from services.infra.warnings_views import notice_view

_FIELDS: Final = (
    "plan", "id", "agency", "agency_name", "recipient", "channel", "about", "number", "attempt", "state", "detail", "fault",
    "remedy", "recorded", "at", "causes",
)  # fmt: skip
_HEADINGS: Final = {
    "en": ("notice", "about", "to", "since", "tried", "why", "what to do"),
    "vi": ("mã", "về", "gửi đến", "từ", "lần gửi lại", "lý do", "cách khắc phục"),
}
_PARTLY: Final = 1  # exit code: something was left out

Limit = Annotated[int, typer.Option(min=1, max=MOST, help="So many are listed; the count is of all.")]


def dead(plan: OfPlan = None, limit: Limit = 100, lang: Lang = Language.EN, form: Form = Format.TABLE) -> None:
    """List the notices that were given up: to whom, what kept them from being sent, and what to do about it.

    Example: tiendo warnings dead --plan thai-nguyen-2008 --lang vi
    """
    words = words_for(lang)
    with open_desk() as desk:
        names = desk.names(plan)
        total = desk.reader.notice_states(list(names)).get("dead", 0)
        states = desk.reader.notices_in(list(names), ["dead"], limit=limit)
        causes = desk.reader.causes_told(states)
        found = [notice_view(one, names.get(one.notice.plan), words, causes.get(one.notice.id, ())) for one in states]
        if form is Format.JSON:
            print_json([one.model_dump(mode="json") for one in found])
        elif form is Format.CSV:
            print_csv(_FIELDS, [_row(one) for one in found])
        elif not found:
            say("no notice was given up" if lang is Language.EN else "không có thông báo nào bị bỏ")
        else:
            _print(found, total, lang, desk)


def resend(
    ids: Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="As `dead` and `show` name them.")] = None,
    all_dead: Annotated[bool, typer.Option("--all-dead", help="All that were given up.")] = False,
    plan: OfPlan = None,
    author: By = "",
    sent: Annotated[bool, typer.Option("--sent", help="Those named that were sent, too.")] = False,
    dry_run: DryRun = False,
) -> None:
    """Have notices sent again that were given up, once the cause is mended. They keep their Message-ID.

    Nothing is changed about the warnings. A mail that had arrived after all comes twice under one Message-ID, which many mail
    programs show once. Exit code 1 where some were left out.

    \b
    Examples:
    tiendo warnings resend --all-dead --by "Tổ vận hành" --dry-run
    tiendo warnings resend 5b1f0c22d9aa --sent --by "Tổ vận hành"
    """
    if bool(ids) == all_dead:
        raise Rejected("say which: ids of notices, or --all-dead")
    if not author.strip():
        raise Rejected("say who has them sent again: --by, or TIENDO_AUTHOR")
    if all_dead and sent:
        raise Rejected("--sent goes with ids: all that were ever sent are not sent again at once")
    again: list[Notice] = []
    refused: list[str] = []
    with open_desk() as desk:
        plans = list(desk.names(plan))
        for state in _all_dead(desk, plans) if all_dead else _named(desk, plans, ids or [], refused):
            try:
                again.append(sent_again(state, by=author, at=desk.now, though_sent=sent))
            except Rejected as why:
                refused.append(str(why).replace("say if it is meant all the same", "--sent sends it all the same"))
        if again and not dry_run:
            desk.publish(again)
    for one in again[:20]:
        say(f"  {one.id} to the {one.recipient} of {one.agency} over {one.channel}, attempt {one.attempt}")
    done = "would be sent again" if dry_run else "recorded to be sent again, at once and with the same Message-ID"
    say(f"{counted(len(again), 'notice', 'notices')} {done}")
    for fault in refused:
        say(f"  left out: {fault}")
    if refused:
        raise typer.Exit(_PARTLY)


def _all_dead(desk: Desk, plans: Sequence[str]) -> list[NoticeState]:
    found: list[NoticeState] = []
    while True:
        step = desk.reader.notices_in(plans, ["dead"], limit=MOST, offset=len(found))
        found += step
        if len(step) < MOST:
            return found


def _named(desk: Desk, plans: Sequence[str], ids: Sequence[str], refused: list[str]) -> list[NoticeState]:
    found: dict[str, NoticeState] = {}
    for number in dict.fromkeys(ids):
        begun = desk.reader.notices_called(plans, number)
        if len(begun) == 1:
            found[begun[0].notice.id] = begun[0]
        else:
            several = f"{len(begun)} notices begin with {number!r}: give more of it"
            refused.append(several if begun else f"there is no notice {number!r}; `tiendo warnings dead` names them")
    return list(found.values())


def _row(one: NoticeView) -> dict[str, object]:
    return cells(one.model_dump(mode="json") | {"causes": "; ".join(one.causes)})


def _print(found: Sequence[NoticeView], total: int, lang: Language, desk: Desk) -> None:
    headings, words = _HEADINGS[lang.value], words_for(lang)
    rows = table(_title(found, total, lang), headings, fixed=(headings[0], headings[3]), right=(headings[4],))
    for one in found:
        whom = words.level(one.recipient) if one.channel == "email" else one.channel
        about = one.agency_name or one.agency
        subject = f"{about}\n[dim]{shown(one.agency)}[/]" if one.about == "agency" else shown(words.about[one.about])
        rows.add_row(
            one.id[:12], subject, shown(whom), desk.moment(one.recorded), str(one.attempt), f"{one.fault}\n[dim]{one.detail}[/]",
            one.remedy,
        )  # fmt: skip
    console().print(rows)
    faults = Counter(one.detail for one in found)
    if len(faults) > 1:
        say("; ".join(f"{fault}: {number}" for fault, number in faults.most_common()))


def _title(found: Sequence[NoticeView], total: int, lang: Language) -> str:
    if lang is Language.EN:
        shown_of = "" if len(found) == total else f"; the oldest {len(found):,} of them"
        return f"{counted(total, 'notice was', 'notices were')} given up{shown_of}"
    return f"{total} thông báo không gửi được" + ("" if len(found) == total else f"; {len(found)} thông báo cũ nhất")
