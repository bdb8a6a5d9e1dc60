"""Warnings and their life as tables for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final

from schemas.policy import Severity
from schemas.warning_views import Told, WarningHistory, WarningView
from schemas.warnings import AnswerKind, TransitionReason, WarningState
from services.cli.harmless import shown
from services.cli.output import console, counted, table
from services.cli.warnings_common import Desk
from services.core.schedule.earned import whole_days
from services.core.warnings.warning_words import WarningWords

_ID: Final = 36
_STYLES: Final = {"critical": "bold red", "warning": "red", "info": "yellow", None: "yellow"}
_LIST: Final = {
    "en": ("agency", "about", "state", "brought to", "since", "days behind", "told last"),
    "vi": ("cơ quan", "về", "tình trạng", "báo cáo đến", "từ ngày", "số ngày chậm", "thông báo gần nhất"),
}
_LIFE: Final = {
    "en": ("no.", "day", "recorded", "change", "state", "severity", "brought to", "told in"),
    "vi": ("số", "ngày", "ghi nhận", "diễn biến", "tình trạng", "mức độ", "báo cáo đến", "thông báo"),
}
_ANSWERS: Final = {
    "en": ("Answers", "recorded", "by", "answer", "until", "reason", "taken up"),
    "vi": ("Trả lời", "ghi nhận", "người trả lời", "nội dung", "hẹn ngày", "lý do", "diễn biến số"),
}
_NOTICES: Final = {
    "en": ("Notices", "notice", "to", "state", "at", "sent again", "why not"),
    "vi": ("Thông báo", "mã", "gửi đến", "tình trạng", "lúc", "lần gửi lại", "lý do"),
}
_SILENCES: Final = {
    "en": ("Silences", "silence", "state", "from", "until", "by", "reason"),
    "vi": ("Tạm dừng thông báo", "mã", "tình trạng", "từ", "đến", "người yêu cầu", "lý do"),
}


def print_warnings(found: Sequence[WarningView], counts: Mapping[str, int], desk: Desk, words: WarningWords) -> None:
    """Print one row a warning, under a line that counts them by state."""
    out = console()
    if not found:
        out.print("no warnings" if words.language == "en" else "không có cảnh báo nào")
        return
    names = _LIST[words.language]
    rows = table(_counts(counts, words), names, right=(names[5],), fixed=(names[4],))
    # Ids stay whole as far as there is room: they are what the next command is given.
    rows.columns[0].min_width = min(_ID, max(len(one.agency) for one in found))
    rows.columns[1].min_width = min(_ID, max(len(one.cause) for one in found))
    for one in found:
        last = one.notices[-1] if one.notices else None
        rows.add_row(
            _named(one.agency_name, one.agency),
            shown(one.cause) if one.cause == f"feed:{one.agency}" else _named(one.title, one.cause),
            "\n".join(part for part in (words.states[WarningState(one.state)], _severity(one.severity, words)) if part),
            words.level(one.level),
            one.since.isoformat(),
            "" if one.days_behind is None else str(max(0, whole_days(one.days_behind))),
            "" if last is None else _told(last, desk, words),
        )
    out.print(rows)


def print_history(found: WarningHistory, desk: Desk, words: WarningWords) -> None:
    """Print the life of a warning: how it stands, then changes, answers, notices and silences."""
    out, one = console(), found.warning
    out.print(f"[bold]{shown(one.agency_name or one.agency)}[/] [dim]{shown(one.agency)}[/] — {shown(one.title)} "
              f"[dim]{shown(one.cause)}[/]", soft_wrap=True)  # fmt: skip
    out.print(_standing(one, words), soft_wrap=True)
    _print_life(found, desk, words)
    if found.answers:
        title, *names = _ANSWERS[words.language]
        rows = table(title, names, fixed=(names[0],), right=(names[5],))
        for answer in found.answers:
            rows.add_row(
                desk.moment(answer.at), shown(words.role(answer.by)), words.answers[AnswerKind(answer.answer)],
                _day(answer.promised), shown(answer.reason or ""), "–" if answer.taken_up is None else str(answer.taken_up),
            )  # fmt: skip
        out.print(rows)
    if found.notices:
        title, *names = _NOTICES[words.language]
        rows = table(title, names, fixed=(names[0], names[3]), right=(names[4],))
        for notice in found.notices:
            why = words.fault(notice.detail).fault if notice.detail else ""
            rows.add_row(
                notice.id[:12], shown(_whom(notice, words)), words.notices[notice.state], desk.moment(notice.at),
                str(notice.attempt or ""), shown(why),
            )  # fmt: skip
        out.print(rows)
    if found.silences:
        title, *names = _SILENCES[words.language]
        rows = table(title, names, fixed=(names[0], *names[2:4]))
        for silence in found.silences:
            rows.add_row(
                silence.id[:12], words.silences[silence.state], desk.moment(silence.begins), desk.moment(silence.until),
                shown(silence.author), shown(silence.reason),
            )  # fmt: skip
        out.print(rows)


def _print_life(found: WarningHistory, desk: Desk, words: WarningWords) -> None:
    names = _LIFE[words.language]
    rows = table("", names, right=(names[0],), fixed=names[1:3])
    for one in found.transitions:
        promised = f" ({_day(one.promised)})" if one.reason == TransitionReason.ACCEPTED else ""
        rows.add_row(
            str(one.sequence), one.day.isoformat(), desk.moment(one.at), f"{one.words}{promised}",
            words.states[WarningState(one.state)], _severity(one.severity, words), words.level(one.level),
            ", ".join(number[:12] for number in one.notices),
        )  # fmt: skip
    console().print(rows)


def _standing(one: WarningView, words: WarningWords) -> str:
    state, severity = words.states[WarningState(one.state)], _severity(one.severity, words)
    english = words.language == "en"
    parts = [f"[bold]{state}[/]", severity]
    if one.days_behind is not None and one.days_behind > 0:
        days = whole_days(one.days_behind)
        parts.append(f"{counted(days, 'day', 'days')} behind" if english else f"chậm {days} ngày")
    parts.append(f"{'since' if english else 'từ ngày'} {one.since}")
    if one.promised is not None:
        parts.append(f"{'to have caught up by' if english else 'hẹn theo kịp ngày'} {one.promised}")
    return ", ".join(part for part in parts if part)


def _counts(counts: Mapping[str, int], words: WarningWords) -> str:
    """Return ``29 open warnings``: how many are neither pending nor resolved, and how many of all there are in each state."""
    closed = (WarningState.PENDING, WarningState.RESOLVED)
    still = sum(count for state, count in counts.items() if state not in closed)
    title = counted(still, "open warning", "open warnings") if words.language == "en" else f"{still} cảnh báo đang mở"
    states = [one for one in WarningState if counts.get(one.value)]
    if states in ([], [WarningState.OPEN]):
        return title
    return f"{title} – " + ", ".join(f"{words.states[one]}: {counts[one.value]:,}" for one in states)


def _named(name: str, number: str) -> str:
    return f"{shown(name)}\n[dim]{shown(number)}[/]" if name else shown(number)


def _severity(severity: str | None, words: WarningWords) -> str:
    return f"[{_STYLES[severity]}]{words.severities[Severity(severity)]}[/]" if severity else ""


def _whom(told: Told, words: WarningWords) -> str:
    return words.level(told.recipient) if told.channel == "email" else told.channel


def _told(told: Told, desk: Desk, words: WarningWords) -> str:
    return f"{desk.moment(told.at)}\n{shown(_whom(told, words))}: {words.notices[told.state]}"


def _day(day: date | None) -> str:
    return "" if day is None else day.isoformat()
