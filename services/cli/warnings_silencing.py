"""``tiendo warnings silence``, ``silences``, ``unsilence``: a span in which nobody is told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Final

import typer
from pydantic import ValidationError

from schemas.policy import Match, Severity
from schemas.warning_views import SilenceView
from services.cli.harmless import cells, shown
from services.cli.output import Format, console, counted, print_csv, print_json, table
from services.cli.warnings_common import (
    Because,
    By,
    Desk,
    DryRun,
    Form,
    Lang,
    Language,
    OfPlan,
    PlanArgument,
    moment_of,
    open_desk,
    say,
    span_of,
    words_for,
)
from services.core.errors import Rejected
from services.core.findings import meant
from services.core.warnings.silences import SilenceLife, end_of, silence_of
from services.infra.warnings_names import PlanNames, plan_ids, read_names
from services.infra.warnings_views import meant_now, silence_view

_FIELDS: Final = (
    "plan", "id", "state", "agencies", "groups", "indicators", "feeds", "severities", "begins", "until", "author",
    "reason", "recorded", "ended", "ended_by", "ended_because",
)  # fmt: skip
_HEADINGS: Final = {
    "en": ("silence", "state", "silenced", "from", "until", "by", "reason"),
    "vi": ("mã", "tình trạng", "không báo về", "từ", "đến", "người yêu cầu", "lý do"),
}


def silence(
    plan: PlanArgument,
    reason: Because,
    author: By,
    agency: Annotated[list[str] | None, typer.Option("--agency", help="This agency; may be repeated.")] = None,
    group: Annotated[list[str] | None, typer.Option("--group", help="Agencies of this group; may be repeated.")] = None,
    indicator: Annotated[list[str] | None, typer.Option("--indicator", help="This one; may be repeated.")] = None,
    feed: Annotated[list[str] | None, typer.Option("--feed", help="Warnings about this feed; may be repeated.")] = None,
    severity: Annotated[list[Severity] | None, typer.Option("--severity", help="May be repeated.")] = None,
    everything: Annotated[bool, typer.Option("--everything", help="All warnings of the plan.")] = False,
    until: Annotated[str, typer.Option("--until", metavar="MOMENT", help="A day (its end) or a moment.")] = "",
    lasting: Annotated[str, typer.Option("--for", metavar="SPAN", help="Instead: 90m, 12h, 3d, 2w.")] = "",
    begins: Annotated[str, typer.Option("--from", metavar="MOMENT", help="Not at once, but from then on.")] = "",
    dry_run: DryRun = False,
) -> None:
    """Tell nobody for a while about the warnings that all options given mean.

    Warnings open and close as ever. It acknowledges nothing: what still holds at the end is told then.

    \b
    Examples:
    tiendo warnings silence thai-nguyen-2008 --feed mail --for 3d --reason "Bảo trì máy chủ thư" --by "Sở TT&TT"
    tiendo warnings silence thai-nguyen-2008 --group districts --indicator email-use --until 2008-10-10 --reason "…" --by "…"
    """
    match = _match(agencies=agency, groups=group, indicators=indicator, feeds=feed, severities=severity)
    if everything and not match.everything:
        raise Rejected("--everything stands alone: the other options would leave something out")
    if bool(until) == bool(lasting):
        raise Rejected("say how long: --until MOMENT or --for SPAN, one of them")
    if match.everything and not everything:
        raise Rejected("say what: --agency, --group, --indicator, --feed, --severity, or --everything")
    with open_desk() as desk:
        names = read_names(desk.database, plan)
        wanted = meant_now(match, names)
        first = _beginning(begins, desk) if begins else None
        record = silence_of(
            plan=plan,
            match=match,
            begins=first,
            until=moment_of(until, desk.zone) if until else (first or desk.now) + span_of(lasting),
            author=author,
            reason=reason,
            at=desk.now,
            everything=everything,
        )
        meant_by_it = sum(desk.reader.states(wanted).values()) if wanted is not None else 0
        if not dry_run:
            desk.publish([record])
        say(f"{'would record' if dry_run else 'recorded'}: silence {record.id}, by {record.author}: {record.reason}")
        say(f"  {_what(record.match, names)}, from {desk.moment(record.from_)} until {desk.moment(record.until)}")
    say(f"  it means {counted(meant_by_it, 'warning that is', 'warnings that are')} open now, and those to come")
    say("  what follows: nobody is told of them until then; what still holds at the end is told then")
    if not dry_run:
        say(f"  to end it before: tiendo warnings unsilence {record.id} --reason … --by …")


def silences(
    plan: OfPlan = None,
    every: Annotated[bool, typer.Option("--all", help="Those that are over, too.")] = False,
    lang: Lang = Language.EN,
    form: Form = Format.TABLE,
) -> None:
    """List the silences that are in force or have not begun yet.

    Example: tiendo warnings silences --plan thai-nguyen-2008 --all
    """  # fmt: skip
    words = words_for(lang)
    with open_desk() as desk:
        names = desk.names(plan)
        found = [silence_view(life, desk.now) for life in desk.reader.silences(list(names))]
        listed = [one for one in found if every or one.state in ("waiting", "in-force")]
        if form is Format.JSON:
            print_json([one.model_dump(mode="json") for one in listed])
        elif form is Format.CSV:
            print_csv(_FIELDS, [_row(one) for one in listed])
        elif not listed:
            say("no silences" if lang is Language.EN else "không có")
        else:
            headings = _HEADINGS[lang.value]
            rows = table("", headings, fixed=(headings[0], *headings[3:5]))
            for one in listed:
                rows.add_row(
                    one.id[:12], words.silences[one.state], shown(_what(one.match, names[one.plan])),
                    desk.moment(one.begins), desk.moment(one.until), shown(one.author), shown(one.reason),
                )  # fmt: skip
            console().print(rows)


def unsilence(
    number: Annotated[str, typer.Argument(metavar="ID", help="As `tiendo warnings silences` names it.")],
    reason: Because,
    author: By,
    dry_run: DryRun = False,
) -> None:
    """End a silence before its time. What still holds is told with the evaluator's next look.

    Example: tiendo warnings unsilence 3f0c9a7b21de --reason "Máy chủ đã chạy lại" --by "Sở TT&TT"
    """
    with open_desk() as desk:
        life = _found(number, desk)
        names = read_names(desk.database, life.begun.plan)
        record = end_of(life, author=author, reason=reason, at=desk.now)
        if not dry_run:
            desk.publish([record])
        begun = life.state(desk.now) == "in-force"
        say(f"{'would record' if dry_run else 'recorded'}: the end of silence {record.id}, by {record.author}")
        say(f"  {_what(record.match, names)}; it would have lasted until {desk.moment(record.until)}")
    told = "what still holds and was not told is told with the evaluator's next look" if begun else "it never begins"
    say(f"  what follows: {told}")


def _match(**named: Sequence[str] | None) -> Match:
    try:
        return Match.model_validate({name: tuple(values or ()) for name, values in named.items()})
    except ValidationError as invalid:
        fault = invalid.errors(include_url=False)[0]
        raise Rejected(f"{fault['input']!r} is no id of {fault['loc'][0]}") from None


def _found(number: str, desk: Desk) -> SilenceLife:
    every = desk.reader.silences(plan_ids(desk.database) or [""])
    found = [life for life in every if life.begun.id.startswith(number)] if number else []
    if len(found) != 1:
        hint = meant(number, [life.begun.id[:12] for life in every])
        several = f"{len(found)} silences begin with {number!r}: give more of it"
        raise Rejected(several if found else f"there is no silence {number!r}" + (f"; {hint}" if hint else ""))
    return found[0]


def _beginning(text: str, desk: Desk) -> datetime:
    # A day alone is meant from its first moment, other than at the end of a span.
    return moment_of(f"{text}T00:00" if len(text) == len("2008-10-03") else text, desk.zone)


def _what(match: Match, names: PlanNames) -> str:
    """Return what is meant, in a line."""
    if match.everything:
        return f"all warnings of {names.plan}"
    parts: list[tuple[str, Sequence[str]]] = [
        ("agency", match.agencies),
        ("group", match.groups),
        ("indicator", match.indicators),
        ("feed", match.feeds),
        ("severity", [one.value for one in match.severities]),
    ]
    return "; ".join(f"{name} {', '.join(each)}" for name, each in parts if each)


def _row(one: SilenceView) -> dict[str, object]:
    record = one.model_dump(mode="json") | one.match.model_dump(mode="json")
    return cells({name: "; ".join(value) if isinstance(value := record[name], list) else value for name in _FIELDS})
