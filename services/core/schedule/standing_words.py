"""What a standing is called, and how its numbers are written, in Vietnamese and English."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

from schemas.plan import Unit
from services.core.schedule.earned import whole_days

STYLES: Final = {
    "behind": "bold red",
    "missed": "bold red",
    "at-risk": "yellow",
    "achieved": "bold green",
    "ahead": "green",
    "on-track": "green",
    "no-data": "dim",
    "too-few": "dim",
    "not-started": "dim",
}


@dataclass(frozen=True, kw_only=True)
class Words:
    """The words and number forms of one language."""

    language: str
    as_of: str
    known_at: str
    under: str
    moved: str  # {asks} is one of the four
    moved_lowered: str
    moved_dropped: str
    moved_off: str
    moved_both: str
    moved_path: str  # less is planned for the day, and neither target nor deadline give way
    headings: tuple[str, str, str, str, str, str, str, str, str]
    verdicts: Mapping[str, str]  # "" is an indicator without a target
    feeds: Mapping[str, str]
    per_week: str
    points: str
    late: str
    early: str
    since: str
    never: str
    comma: str
    thousands: str
    day_form: str

    @property
    def texts(self) -> frozenset[str]:
        """The headings of columns that hold words."""
        return frozenset((*self.headings[:2], self.headings[8]))

    @property
    def short(self) -> frozenset[str]:
        """The headings of columns that must stay on one line."""
        return frozenset(self.headings[1:6])

    def number(self, value: float, digits: int = 1) -> str:
        """Return *value* with the language's decimal mark."""
        return f"{value:.{digits}f}".replace(".", self.comma)

    def date(self, day: date) -> str:
        """Return *day* as the language writes it."""
        return day.strftime(self.day_form)

    def percent(self, share: float | None) -> str:
        """Return a share of 1 as a percentage."""
        return "–" if share is None else f"{self.number(share * 100)} %"

    def amount(self, count: Decimal | Fraction, unit: Unit | None = None) -> str:
        """Return a count as it is; of a unit that holds several cases how many, to the nearest tenth, in groups of three."""
        exact = Fraction(count)
        if unit is None or unit.size == 1:
            return f"{Decimal(exact.numerator) / exact.denominator:f}".replace(".", self.comma)
        whole, tenth = divmod(round(exact * 10 / unit.size), 10)
        return f"{whole:,}".replace(",", self.thousands) + (f"{self.comma}{tenth}" if tenth else "")

    def figure(self, row: Mapping[str, Any], unit: Unit | None = None) -> str:
        """Return cases and ratio, the unit's name with it where the unit holds several; a mean has its ratio alone."""
        ratio = self.percent(row["ratio"])
        if row["denominator"] is None:
            return ratio
        done, of = (self.amount(Fraction(row[part]), unit) for part in ("numerator", "denominator"))
        named = f" {unit.text(self.language)}" if unit is not None and unit.size > 1 else ""
        return f"{done}/{of}{named}  {ratio}"

    def days(self, behind: float | None) -> str:
        """Return days behind, or ahead, to the nearest day."""
        if behind is None:
            return "–"
        whole = abs(whole_days(behind))
        return "0" if whole == 0 else (self.late if behind > 0 else self.early).format(days=whole)

    def needed(self, row: Mapping[str, Any], unit: Unit) -> str:
        """Return the needed pace a week: in cases, rounded up (to tenths where the unit holds several), or in points."""
        pace = row["needed_pace"]
        if not pace:
            return "–"
        if row["denominator"] is None:
            tenths = math.ceil(Fraction(pace).limit_denominator(10**9) * 7000 - Fraction(1, 10**6))
            return f"{self.number(tenths / 10)} {self.points}{self.per_week}"
        # A float of an exact share may lie a hair above a whole number of cases, which is no case more.
        step = Fraction(unit.size, 10) if unit.size > 1 else Fraction(1)
        exact = Fraction(pace).limit_denominator(10**9) * Fraction(row["denominator"]) * 7
        cases = math.ceil(exact / step - Fraction(1, 10**6)) * step
        return f"{self.amount(cases, unit)} {unit.counted(cases / unit.size, self.language)}{self.per_week}"

    def forecast(self, row: Mapping[str, Any], *, with_range: bool) -> str:
        """Return when the target is reached at the recent pace, with the range where wanted: "…" is never.

        Who stands still has a range too, as long as twelve weeks brought anything.
        """
        if row["verdict"] in ("achieved", "missed", "", "no-data", "too-few", "not-started"):
            return "–"
        if row["forecast"] is None and row["recent_pace"] is None:
            return "–"
        found = self.never if row["forecast"] is None else self.date(row["forecast"])
        low, high = row["forecast_low"], row["forecast_high"]
        if not with_range or low == high:
            return found
        return f"{found} ({self.date(low) if low else '…'} – {self.date(high) if high else '…'})"

    def feed(self, row: Mapping[str, Any]) -> str:
        """Return the state of the feeds, with the last day covered where the verdict is frozen."""
        state = self.feeds[row["feed_state"]]
        return f"{state}, {self.since} {self.date(row['judged_day'])}" if row["judged_day"] < row["day"] else state


VIETNAMESE: Final = Words(
    language="vi",
    as_of="đến hết ngày",
    known_at="theo số liệu nhận được đến hết ngày",
    under="theo bản kế hoạch số",
    moved="Mốc đã dời: từ {since}, bản kế hoạch số {revision} {asks} "
    "(kế hoạch đến ngày này: {planned_before} còn {planned}; số cơ quan: {agencies}).",
    moved_lowered="hạ yêu cầu “{title}” từ {before} xuống {after}",
    moved_dropped="bỏ chỉ tiêu “{title}” (trước là {before})",
    moved_off="lùi hạn “{title}” từ {deadline_before} đến {deadline}",
    moved_both="hạ yêu cầu “{title}” từ {before} xuống {after}, lùi hạn từ {deadline_before} đến {deadline}",
    moved_path="giảm mức kế hoạch của “{title}” (chỉ tiêu: {target})",
    headings=(
        "Cơ quan",
        "Đánh giá",
        "Kết quả",
        "Kế hoạch",
        "Chỉ tiêu",
        "Tiến độ",
        "Cần đạt",
        "Dự báo",
        "Nguồn số liệu",
    ),
    verdicts={
        "no-data": "chưa có số liệu",
        "too-few": "quá ít",
        "not-started": "chưa bắt đầu",
        "achieved": "đã đạt",
        "missed": "không đạt",
        "behind": "chậm tiến độ",
        "at-risk": "có nguy cơ",
        "ahead": "vượt tiến độ",
        "on-track": "đúng tiến độ",
        "": "không đặt chỉ tiêu",
    },
    feeds={
        "never-connected": "chưa kết nối",
        "silent": "mất tín hiệu",
        "partial": "thiếu một phần",
        "reporting": "đầy đủ",
    },
    per_week="/tuần",
    points="điểm %",
    late="chậm {days} ngày",
    early="sớm {days} ngày",
    since="số liệu đến",
    never="không đạt nếu giữ nhịp độ này",
    comma=",",
    thousands=".",
    day_form="%d/%m/%Y",
)

ENGLISH: Final = Words(
    language="en",
    as_of="as of",
    known_at="by what had been received by the end of",
    under="under revision",
    moved="Moved goalposts: from {since}, revision {revision} asks less of “{title}”: {asks} "
    "(planned for this day: {planned_before} → {planned}; agencies: {agencies}).",
    moved_lowered="target {before} → {after}",
    moved_dropped="no target any more (it was {before})",
    moved_off="deadline {deadline_before} → {deadline}",
    moved_both="target {before} → {after}, deadline {deadline_before} → {deadline}",
    moved_path="another path, target {target}",
    headings=("Agency", "Verdict", "Figure", "Plan", "Target", "Schedule", "Needed", "Forecast", "Feeds"),
    verdicts={
        "no-data": "no data",
        "too-few": "too few",
        "not-started": "not started",
        "achieved": "achieved",
        "missed": "missed",
        "behind": "behind",
        "at-risk": "at risk",
        "ahead": "ahead",
        "on-track": "on track",
        "": "no target",
    },
    feeds={"never-connected": "never connected", "silent": "silent", "partial": "partial", "reporting": "reporting"},
    per_week=" a week",
    points="points",
    late="{days} days behind",
    early="{days} days ahead",
    since="data to",
    never="never at this pace",
    comma=".",
    thousands=",",
    day_form="%Y-%m-%d",
)


def words_of(language: str) -> Words:
    """Return the words of *language*, ``vi`` or ``en``."""
    return ENGLISH if language == "en" else VIETNAMESE
