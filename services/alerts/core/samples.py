"""Made-up letters that go through every branch of the templates: what is checked at the start, and seen in tests."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final, Literal

from schemas.directory import Contact
from services.alerts.core.feed_letter import DeadFeed, FeedLetter
from services.alerts.core.letter import (
    Answered,
    Course,
    Dispute,
    DisputeLetter,
    Goalpost,
    Heading,
    Lag,
    LagLetter,
    News,
    Other,
    Resolved,
    SourceLine,
)
from services.alerts.core.message import pace_of
from services.alerts.core.sample_digests import ANSWERS, sample_digests
from services.alerts.core.warn import Letter
from services.core.schedule.coverage import FeedState
from services.core.schedule.standing import Standing, Verdict

_URL: Final = "https://tien-do.example.vn/answer/eyJhbnN3ZXIiOiJ0aGUgbGluayBvZiBhIHNhbXBsZSJ9.YWJjZGVmZ2hpamtsbW5vcA"
_OPENING: Final = frozenset({"fell-behind", "missed", "at-risk", "behind-again", "feed-silent", "feed-partial"})
_START: Final = date(2008, 5, 28)
_DAY: Final = date(2008, 9, 30)
_DEADLINE: Final = date(2008, 12, 31)


Language = Literal["vi", "en"]


def _heading(language: Language, role: Literal["head", "operations"]) -> Heading:
    vi = language == "vi"
    office = "Sở Thông tin và Truyền thông" if vi else "Department of Information and Communications"
    return Heading(
        language=language,
        plan_title="Kế hoạch ứng dụng công nghệ thông tin năm 2008" if vi else "IT application plan 2008",
        decision_number="1000/QĐ-UBND",
        decision_day=_START,
        signer="UBND tỉnh" if vi else "Provincial People's Committee",
        start=_START,
        deadline=_DEADLINE,
        day=_DAY,
        written=date(2008, 10, 1),
        operations=Contact(role="operations", name=office, email="van-hanh@example.vn", language=language),
        to=Contact(
            role=role, name="Giám đốc Sở Mẫu" if vi else "The Director", email="so-mau@example.vn", language=language
        ),
        plan="mau",
        recipient=role,
    )


def _row(indicator: str, numerator: int | None, denominator: int | None, ratio: Fraction, verdict: Verdict) -> Standing:
    return Standing(
        plan="mau",
        revision=1,
        indicator=indicator,
        agency="so-mau",
        day=_DAY,
        numerator=None if numerator is None else Decimal(numerator),
        denominator=None if denominator is None else Decimal(denominator),
        ratio=ratio,
        measured_share=1.0,
        planned=Fraction(288, 1000),
        target=Fraction(1, 2),
        verdict=verdict,
        days_behind=Fraction(83, 2),
        spi=Fraction(2, 3),
        needed_pace=Fraction(3, 1000),
        recent_pace=0.001,
        forecast=date(2009, 3, 20),
        forecast_low=date(2009, 2, 1),
        forecast_high=None,
        feed_state=FeedState.REPORTING,
        provisional=False,
        judged_day=_DAY,
    )


def _course(level: float) -> Course:
    planned = tuple((_START + timedelta(days), 0.5 * days / 217) for days in range(218))
    actual = tuple((_START + timedelta(days), level * min(1.0, days / 90)) for days in range(126))
    return Course(planned=planned, actual=actual, target=0.5)


def _news(reason: str, **fields: Any) -> News:
    return News(reason=reason, day=_DAY, since=date(2008, 8, 5), severity="warning", opens=reason in _OPENING, **fields)


def _lag(
    indicator: str, title: str, unit: str, standing: Standing, *, news: tuple[News, ...], parts: tuple[Other, ...]
) -> Lag:
    return Lag(
        indicator=indicator,
        objective=3,
        title=title,
        unit=unit,
        unit_one=unit,
        standing=standing,
        target=Fraction(1, 2),
        since=date(2008, 8, 5),
        news=news,
        pace=pace_of(standing, Fraction(1, 2), _DEADLINE),
        parts=parts,
        sources=(
            SourceLine(feed="mail", title="Nhật ký thư", source="/mail/mau", state="reporting", last_covered=_DAY),
            SourceLine(
                feed="roster", title="Danh sách cán bộ", source="/mau", state="never-connected", last_covered=None
            ),
        ),
        course=_course(float(standing.ratio or 0)),
    )


def _moved() -> tuple[Goalpost, ...]:
    put_off = Goalpost(
        decision_number="2000/QĐ-UBND", decision_day=date(2008, 9, 1), signer="UBND tỉnh", since=date(2008, 9, 15),
        deadline_before=date(2008, 11, 30), deadline=_DEADLINE,
    )  # fmt: skip
    lowered = replace(
        put_off, title="Hộp thư", target_before=Fraction(1), target=Fraction(9, 10), deadline_before=None, deadline=None
    )
    return put_off, lowered, replace(lowered, target=None)


def sample_letters() -> tuple[Letter, ...]:
    """Return letters in both languages that go through every branch: of agencies, of feeds, of disputes, and digests."""
    languages: tuple[Language, ...] = ("vi", "en")
    return tuple(
        letter
        for language in languages
        for letter in (
            *_lag_letters(language),
            *_feed_letters(language),
            *_lives(language),
            *_disputes(language),
            *sample_digests(_heading(language, "head")),
        )
    )


def _mail() -> Standing:
    return _row("email-use", 110, 500, Fraction(22, 100), Verdict.BEHIND)


def _use(standing: Standing, *news: News) -> Lag:
    return _lag("email-use", "Sử dụng thư điện tử", "cán bộ", standing, news=news, parts=())


def _lag_letters(language: Language) -> tuple[Letter, ...]:
    mean = replace(_row("documents-online", None, None, Fraction(19, 100), Verdict.BEHIND), forecast=None)
    part = Other(
        title="Văn bản",
        unit="văn bản",
        standing=_row("documents", 30, 120, Fraction(1, 4), Verdict.ON_TRACK),
        target=None,
    )
    silent = replace(
        _row("exchanged", 9, 90, Fraction(1, 10), Verdict.BEHIND),
        feed_state=FeedState.SILENT,
        judged_day=date(2008, 8, 14),
    )
    behind = LagLetter(
        heading=_heading(language, "head"),
        agency="Sở Mẫu",
        lags=(
            _use(_mail(), _news("fell-behind")),
            _lag("documents-online", "Văn bản trên mạng", "văn bản", mean, news=(), parts=(part,)),
        ),
        resolved=(Resolved(title="Hộp thư", reason="caught-up", since=_DAY),),
        others=(
            Other(
                title="Hộp thư",
                unit="cán bộ",
                standing=_row("mailboxes", 500, 500, Fraction(1), Verdict.ACHIEVED),
                target=Fraction(1),
            ),
            Other(title="Văn bản trao đổi", unit="văn bản", standing=silent, target=Fraction(2, 5)),
        ),
        moved=_moved(),
    )
    missed = replace(_mail(), verdict=Verdict.MISSED, judged_day=_DEADLINE, recent_pace=None)
    gone = Resolved(title="Hộp thư", reason="no-longer-judged", since=_DAY)
    return (
        behind,
        replace(
            behind,
            heading=_heading(language, "operations"),
            lags=(_use(missed, _news("missed")),),
            resolved=(),
            others=(),
        ),
        replace(behind, lags=(), resolved=(*behind.resolved, gone)),
    )


def _feed_letters(language: Language) -> tuple[Letter, ...]:
    heading = _heading(language, "head")
    dead = DeadFeed(
        feed="so-mau.documents",
        title="Văn bản của Sở Mẫu",
        source="/office/so-mau",
        types=("document.exchanged", "document.handled"),
        state="silent",
        last_covered=date(2008, 8, 14),
        since=date(2008, 8, 15),
        rhythm="daily",
        news=_news("feed-silent"),
        indicators=("Văn bản trao đổi", "Văn bản trên mạng"),
        agencies=tuple(f"Sở {number}" for number in range(1, 10)),
    )
    never = replace(dead, feed="other", state="never-connected", last_covered=None, indicators=(), agencies=())
    still = replace(dead, state="partial", news=_news("feed-still-out"), answered=ANSWERS[1])
    back = Resolved(title="Hộp thư toàn tỉnh", reason="feed-returned", since=_DAY)
    return (
        FeedLetter(heading=heading, feeds=(dead, never), returned=(back,)),
        FeedLetter(heading=heading, feeds=(never,), returned=()),
        FeedLetter(heading=heading, feeds=(), returned=(back,)),
        FeedLetter(
            heading=replace(heading, answer_url=_URL), feeds=(dead, still, replace(still, news=None)), returned=()
        ),
        FeedLetter(heading=heading, feeds=(replace(still, state="reporting"),), returned=()),
        FeedLetter(heading=heading, feeds=(replace(still, last_covered=None),), returned=(replace(back, reason="x"),)),
    )


def _lives(language: Language) -> Iterator[Letter]:
    """Everything that a warning may have come to: each kind of news leads a letter, each answer stands in one."""
    heading = replace(_heading(language, "head"), answer_url=_URL)
    above = {"role": "chair", "office": "Văn phòng Chủ tịch"}
    news = (
        _news("fell-behind", role="department-in-charge"),
        _news("behind-again", before=date(2008, 7, 20)),
        _news("behind-again"),
        _news("at-risk"),
        replace(_news("worsened", severity_before="info"), severity="critical"),
        _news("worsened", **above),
        _news("promise-passed", promised=date(2008, 9, 20), **above),
        _news("promise-passed"),
        _news("unanswered", **above),
        _news("still-behind"),
        *(_news(reason) for reason in ("falling-behind", "not-held", "acknowledged", "accepted", "disputed")),
        *(_news(reason) for reason in ("feed-silent", "feed-partial", "feed-still-out", "feed-returned")),
        *(_news(reason) for reason in ("caught-up", "no-longer-judged", "missed")),
        replace(_news("missed"), opens=False),
        replace(_news("worsened", severity_before="warning"), day=_DEADLINE),
    )
    standings = (
        replace(_mail(), verdict=Verdict.AT_RISK, days_behind=Fraction(-41, 4)),
        replace(_mail(), verdict=Verdict.ON_TRACK, days_behind=Fraction(1, 4), forecast=date(2028, 1, 1)),
        replace(_mail(), verdict=Verdict.ACHIEVED, days_behind=Fraction(-92), numerator=Decimal(500)),
        replace(
            _mail(), verdict=Verdict.TOO_FEW, days_behind=None, planned=None, ratio=None,
            numerator=None, denominator=None,
        ),
    )  # fmt: skip
    old = _use(_mail())
    for at, one in enumerate(news):
        standing = standings[at % len(standings)] if at % 2 else _mail()
        fresh = replace(_use(standing, one), answered=ANSWERS[at % len(ANSWERS)], severity="critical")
        lags = (fresh, replace(old, severity="info", role="chair", office=None if at % 3 else "Văn phòng Chủ tịch"))
        letter = LagLetter(heading=heading, agency="Sở Mẫu", lags=lags[: 1 + at % 2], resolved=(), others=())
        yield letter
        yield replace(letter, lags=(fresh, _use(_mail(), _news("still-behind")), old, fresh))
    yield LagLetter(
        heading=heading, agency="Sở Mẫu", lags=(old,), resolved=(Resolved(title="Hộp thư", reason="caught-up", since=_DAY),),
        others=(),
    )  # fmt: skip


def _disputes(language: Language) -> tuple[Letter, ...]:
    heading = replace(_heading(language, "operations"), recipient="operations")
    one = Dispute(
        indicator="email-use",
        title="Sử dụng thư điện tử",
        unit="cán bộ",
        standing=_mail(),
        answered=Answered(
            answer="disputed", day=_DAY, by="head", reason="Danh sách cán bộ còn tính người đã nghỉ hưu."
        ),
    )
    bare = replace(one, indicator="", standing=None, answered=Answered(answer="disputed", day=None, reason=""))
    return (
        DisputeLetter(heading=heading, agency="Sở Mẫu", agency_id="so-mau", disputes=(one,)),
        DisputeLetter(heading=heading, agency="Sở Mẫu", agency_id="so-mau", disputes=(one, bare)),
    )
