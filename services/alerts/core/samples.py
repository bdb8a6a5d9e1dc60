"""Made-up letters that go through every branch of the templates: what is checked at the start, and seen in tests."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Final, Literal

from schemas.directory import Contact
from services.alerts.core.letter import (
    Course,
    DeadFeed,
    FeedLetter,
    Goalpost,
    Heading,
    Lag,
    LagLetter,
    Other,
    Resolved,
    SourceLine,
)
from services.alerts.core.message import pace_of
from services.core.coverage import FeedState
from services.core.standing import Standing, Verdict

_START: Final = date(2008, 5, 28)
_DAY: Final = date(2008, 9, 30)
_DEADLINE: Final = date(2008, 12, 31)


def _heading(language: Literal["vi", "en"], role: Literal["head", "operations"]) -> Heading:
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


def _lag(indicator: str, title: str, unit: str, standing: Standing, *, news: bool, parts: tuple[Other, ...]) -> Lag:
    return Lag(
        indicator=indicator,
        objective=3,
        title=title,
        unit=unit,
        standing=standing,
        target=Fraction(1, 2),
        since=date(2008, 8, 5),
        news=news,
        reason="fell-behind",
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


def sample_letters() -> tuple[LagLetter | FeedLetter, ...]:
    """Return letters in both languages: behind in two indicators, missed and nobody to write to, resolved, feeds."""
    letters: list[LagLetter | FeedLetter] = []
    languages: tuple[Literal["vi", "en"], ...] = ("vi", "en")
    for language in languages:
        heading = _heading(language, "head")
        mail = _row("email-use", 110, 500, Fraction(22, 100), Verdict.BEHIND)
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
            heading=heading,
            agency="Sở Mẫu",
            lags=(
                _lag("email-use", "Sử dụng thư điện tử", "cán bộ", mail, news=True, parts=()),
                _lag("documents-online", "Văn bản trên mạng", "văn bản", mean, news=False, parts=(part,)),
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
        missed = replace(mail, verdict=Verdict.MISSED, judged_day=_DEADLINE, recent_pace=None)
        late = _lag("email-use", "Sử dụng thư điện tử", "cán bộ", missed, news=True, parts=())
        gone = Resolved(title="Hộp thư", reason="no-longer-judged", since=_DAY)
        letters += [
            behind,
            replace(behind, heading=_heading(language, "operations"), lags=(late,), resolved=(), others=()),
            replace(behind, lags=(), resolved=(*behind.resolved, gone)),
        ]
        dead = DeadFeed(
            feed="so-mau.documents",
            title="Văn bản của Sở Mẫu",
            source="/office/so-mau",
            types=("document.exchanged", "document.handled"),
            state="silent",
            last_covered=date(2008, 8, 14),
            since=date(2008, 8, 15),
            rhythm="daily",
            news=True,
            indicators=("Văn bản trao đổi", "Văn bản trên mạng"),
            agencies=tuple(f"Sở {number}" for number in range(1, 10)),
        )
        never = replace(dead, feed="other", state="never-connected", last_covered=None, indicators=(), agencies=())
        back = Resolved(title="Hộp thư toàn tỉnh", reason="feed-returned", since=_DAY)
        letters += [
            FeedLetter(heading=heading, feeds=(dead, never), returned=(back,)),
            FeedLetter(heading=heading, feeds=(never,), returned=()),
            FeedLetter(heading=heading, feeds=(), returned=(back,)),
        ]
    return tuple(letters)
