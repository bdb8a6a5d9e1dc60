"""Warnings, notices and silences as they are told: records of the tables with the names of the documents."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from schemas.directory import Agency
from schemas.policy import Match
from schemas.warning_views import (
    AnswerView,
    NoticeView,
    SilenceView,
    Told,
    TransitionView,
    WarningHistory,
    WarningView,
)
from schemas.warnings import Answer, Transition
from services.core.warnings.matching import matches
from services.core.warnings.silences import SilenceLife
from services.core.warnings.warning_records import NoticeState
from services.core.warnings.warning_words import WarningWords
from services.infra.warnings_names import PlanNames, Unknown, must_be_known
from services.infra.warnings_queries import WantedWarnings
from services.infra.warnings_reader import Listed, WarningsReader


def warning_view(one: Listed, names: PlanNames | None, language: str) -> WarningView:
    """Return the warning with the names of its plan, without them where the plan has none."""
    last = one.last
    return WarningView(
        plan=last.plan,
        agency=last.agency,
        agency_name=names.name(last.agency, last.cause, language) if names else "",
        cause=last.cause,
        title=names.title_of(last.cause, language) if names else "",
        state=last.state.value,
        reason=last.reason.value,
        severity=last.severity.value if last.severity else None,
        level=last.level,
        since=last.since,
        day=last.day,
        opened_day=last.opened_day,
        days_behind=one.days_behind,
        acknowledged=last.acknowledged,
        promised=last.promised,
        at=last.at,
        notices=tuple(told_view(each) for each in one.notices),
    )


def told_view(state: NoticeState) -> Told:
    """Return a notice with what became of it."""
    return Told(**_told(state))


def notice_view(
    state: NoticeState, names: PlanNames | None, words: WarningWords, causes: Sequence[str] = ()
) -> NoticeView:
    """Return a notice with whom it is about, and its fault and what to do about it in words."""
    notice, fault = state.notice, words.fault(state.fault)
    cause = "feed:" if notice.about == "feeds" else ""
    return NoticeView(
        **_told(state),
        plan=notice.plan,
        agency=notice.agency,
        agency_name=names.name(notice.agency, cause, words.language) if names else "",
        about=notice.about,
        period=notice.period,
        language=notice.language,
        recorded=notice.at,
        fault=fault.fault if state.fault and not state.sent else "",
        remedy=fault.remedy if state.fault and not state.sent else "",
        causes=tuple(causes),
    )


def _told(state: NoticeState) -> dict[str, Any]:
    notice = state.notice
    return {
        "id": notice.id,
        "recipient": notice.recipient,
        "channel": notice.channel,
        "number": notice.number,
        "state": state.state,
        "attempt": state.attempt,
        "detail": "" if state.sent else state.fault,
        "due": notice.due if not state.attempt else None,
        "at": state.at,
    }


def silence_view(life: SilenceLife, now: datetime) -> SilenceView:
    """Return a silence as it stands at *now*."""
    begun, ended = life.begun, life.ended
    return SilenceView(
        id=begun.id,
        plan=begun.plan,
        state=life.state(now),
        match=begun.match,
        begins=begun.from_,
        until=begun.until,
        author=begun.author,
        reason=begun.reason,
        recorded=begun.at,
        ended=ended.at if ended else None,
        ended_by=ended.author if ended else None,
        ended_because=ended.reason if ended else None,
    )


def history(
    reader: WarningsReader, names: PlanNames, agency: str, cause: str, *, words: WarningWords, now: datetime
) -> WarningHistory:
    """Return the whole life of the warnings of *agency* and *cause*. Raises Unknown where there has never been one."""
    plan = names.plan
    wanted = WantedWarnings(plans=(plan,), agencies=(agency,), causes=(cause,))
    found = reader.listed(wanted, limit=1)
    if not found:
        raise Unknown(f"there has never been a warning of {agency} about {cause}")
    life, answers = reader.life(plan, agency, cause), reader.answers(plan, agency, cause)
    notices = reader.notices_about([(plan, agency, cause)])
    told: dict[str, list[str]] = {}
    for state in notices:
        for number in state.notice.transitions:
            told.setdefault(number, []).append(state.notice.id)
    return WarningHistory(
        warning=warning_view(found[0], names, words.language),
        transitions=tuple(_transition(one, told.get(one.id, ()), words) for one in life),
        answers=tuple(_answers(answers, life)),
        notices=tuple(told_view(one) for one in notices),
        silences=tuple(
            silence_view(one, now)
            for one in reader.silences([plan])
            if matches(one.begun.match, life[-1], _agency(names, agency))
        ),
    )


def _transition(one: Transition, notices: Sequence[str], words: WarningWords) -> TransitionView:
    return TransitionView(
        sequence=one.sequence,
        day=one.day,
        since=one.since,
        at=one.at,
        state=one.state.value,
        reason=one.reason.value,
        words=words.reasons[one.reason],
        severity=one.severity.value if one.severity else None,
        level=one.level,
        promised=one.promised,
        answer=one.answer,
        notices=tuple(notices),
    )


def _answers(answers: Iterable[Answer], life: Iterable[Transition]) -> Iterable[AnswerView]:
    made: dict[str, int] = {}
    for one in life:
        if one.answer is not None:
            made.setdefault(one.answer, one.sequence)
    for answer in answers:
        yield AnswerView(
            id=answer.id,
            answer=answer.answer.value,
            by=answer.by,
            via=answer.via,
            at=answer.at,
            opened=answer.opened,
            promised=answer.promised,
            reason=answer.reason,
            taken_up=made.get(answer.id),
        )


def _agency(names: PlanNames, agency: str) -> Agency | None:
    name: Mapping[str, str] | None = names.agencies.get(agency)
    if name is None:
        return None
    groups = tuple(sorted(group for group, members in names.members.items() if agency in members))
    return Agency.model_validate({"id": agency, "name": name, "groups": groups})


def wanted_of(
    names: Mapping[str, PlanNames],
    *,
    agencies: Collection[str] = (),
    indicators: Collection[str] = (),
    states: Collection[str] = (),
    severities: Collection[str] = (),
    levels: Collection[str] = (),
    only_open: bool,
) -> WantedWarnings:
    """Return the warnings asked for of the plans in *names*; with *states* named, of those states whether open or not.

    Raises Unknown for an agency, feed or indicator that none of the plans has.
    """
    every = list(names.values())
    whose = f"plan {every[0].plan!r} has" if len(every) == 1 else "there is"
    there = {one for each in every for one in (*each.agencies, *each.feeds)}
    must_be_known(f"{whose} no agency or feed", agencies, there)
    must_be_known(f"{whose} no indicator", indicators, {one for each in every for one in each.indicators})
    return WantedWarnings(
        plans=list(names) or [""],
        agencies=agencies,
        causes=[f"lag:{one}" for one in indicators],
        states=states,
        severities=severities,
        levels=levels,
        only_open=only_open and not states,
    )


def meant_now(match: Match, names: PlanNames) -> WantedWarnings | None:
    """Return the open warnings that *match* means, as a question; None: it can mean none.

    Raises Unknown for a name that plan and directory do not have.
    """
    names.known("agency", match.agencies, names.agencies)
    names.known("group", match.groups, names.groups)
    names.known("indicator", match.indicators, names.indicators)
    names.known("feed", match.feeds, names.feeds)
    if match.feeds:
        return WantedWarnings(plans=(names.plan,), causes=[f"feed:{one}" for one in match.feeds], only_open=True)
    agencies = set(match.agencies)
    if match.groups:
        members = {one for group in match.groups for one in names.members.get(group, ())}
        agencies = agencies & members if agencies else members
        if not agencies:
            return None
    return WantedWarnings(
        plans=(names.plan,),
        agencies=agencies,
        causes=[f"lag:{one}" for one in match.indicators],
        severities=match.severities,
        only_open=True,
        only_lags=not match.everything,
    )
