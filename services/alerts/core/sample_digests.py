"""Made-up digests and answers that go through every branch of their templates."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from fractions import Fraction
from typing import Final

from services.alerts.core.digest_letter import (
    AnswerLine,
    Counts,
    DigestLetter,
    EndLine,
    FeedLine,
    IndicatorLine,
    Listed,
    WarningLine,
)
from services.alerts.core.letter import Answered, Heading

_DAY: Final = date(2008, 9, 28)
_FIRST: Final = date(2008, 9, 22)
#: One of each kind, and none.
ANSWERS: Final = (
    Answered(answer="acknowledged", day=_DAY, by="head"),
    Answered(answer="accepted", day=_DAY, by="Sở Mẫu", promised=date(2008, 10, 31)),
    Answered(answer="accepted", day=_DAY, promised=_DAY, passed=True),
    Answered(answer="accepted", day=None, passed=True),
    Answered(answer="disputed", day=_DAY, by="head", reason="Danh sách cán bộ còn tính người đã nghỉ hưu."),
    None,
)
_COUNTS: Final = Counts(
    judged=45, agencies=23, reached=7, newly=2, feeds=3,
    open=67, info=5, warning=50, critical=12, unanswered=40, seen=10, promising=9, overdue=3, disputing=5,
    opened=12, resolved=4, acknowledged=3, accepted=2, disputed=1, passed=1,
)  # fmt: skip
_NOTHING: Final = Counts(**dict.fromkeys(vars(_COUNTS), 0))


def sample_digests(heading: Heading) -> Iterator[DigestLetter]:
    """Yield digests of a week and of a month, full and empty."""
    row = WarningLine(
        agency="Sở Mẫu",
        title="Sử dụng thư điện tử",
        severity="critical",
        newly=True,
        since=date(2008, 8, 5),
        days_behind=41.5,
        missed=False,
        ratio=Fraction(22, 100),
        planned=Fraction(288, 1000),
        answered=None,
    )
    rows = (
        row,
        replace(row, newly=False, severity="info", missed=True),
        replace(row, days_behind=None, ratio=None),
        replace(row, days_behind=-3.0),
        *(replace(row, newly=False, severity="warning", answered=one) for one in ANSWERS),
    )
    line = IndicatorLine(
        title="Sử dụng thư điện tử", judged=45, warned=12, median=31.0, worst=91.0, worst_agency="Sở Mẫu"
    )
    calm = replace(line, warned=0, median=None, worst=None, worst_agency="")
    feeds = tuple(
        FeedLine(title="Nhật ký thư", state=state, since=_DAY, owner="Tổ quản trị" if state == "silent" else "")
        for state in ("silent", "never-connected", "partial", "reporting")
    )
    answers = tuple(AnswerLine(agency="Sở Mẫu", title="Hộp thư", answered=one) for one in ANSWERS if one is not None)
    ended = tuple(
        EndLine(agency="Sở Mẫu", title="Hộp thư", reason=reason, since=_DAY)
        for reason in ("caught-up", "no-longer-judged")
    )
    full = DigestLetter(
        heading=heading,
        role="department-in-charge",
        period="week",
        first=_FIRST,
        last=_DAY,
        area="Tỉnh Mẫu",
        counts=_COUNTS,
        reached=Listed(rows=rows, of=len(rows) + 30),
        indicators=Listed(rows=(line, replace(line, warned=1), calm), of=4),
        answers=Listed(rows=answers, of=len(answers) + 1),
        feeds=Listed(rows=feeds, of=len(feeds) + 1),
        ended=Listed(rows=ended, of=len(ended) + 1),
    )
    yield full
    yield replace(
        full,
        heading=heading,
        role="chair",
        period="month",
        first=date(2008, 8, 1),
        last=date(2008, 8, 31),
        counts=_NOTHING,
        reached=Listed(),
        indicators=Listed(rows=(calm,), of=1),
        answers=Listed(),
        feeds=Listed(),
        ended=Listed(),
    )
    yield replace(full, reached=Listed(rows=rows, of=len(rows)), answers=Listed(rows=answers, of=len(answers)))
