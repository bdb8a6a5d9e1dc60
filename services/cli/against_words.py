"""The words of ``tiendo compare --against`` in Vietnamese and English."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from services.core.others import Outcome, Why
from services.core.others_course import Basis, Kind


@dataclass(frozen=True, kw_only=True)
class AgainstWords:
    """Headings, and sentences with their gaps."""

    headings: tuple[str, str, str, str, str, str, str, str]
    everybody: str
    ours: str
    ours_bounded: str
    no_figure: str
    verdicts: Mapping[Outcome, str]
    whys: Mapping[Why, str]
    kinds: Mapping[Kind, str]
    basis: Mapping[Basis, str]
    bounds: str
    unchanged: str
    sooner: str
    later: str
    at_least: str
    same_day: str
    reached: str
    source: str
    rank: str
    rank_bounded: str
    median: str
    quartiles: str
    leader: str
    missing: str
    how: str


ENGLISH: Final = AgainstWords(
    headings=("Who", "Figure", "Of", "Difference", "We are", "Silent at 0 / 100 %", "In days", "Source"),
    everybody="all",
    ours="We: {figure}.",
    ours_bounded="We: {figure}; between {low} and {high} if the silent agencies ({silent} of {agencies}) were at 0 or at 100 %.",
    no_figure="We have no figure on this day.",
    verdicts={
        Outcome.AHEAD: "ahead",
        Outcome.LEVEL: "level",
        Outcome.BEHIND: "behind",
        Outcome.UNKNOWN: "cannot be told",
    },
    whys={
        Why.NOT_OURS: "no figure of ours",
        Why.NOT_THEIRS: "no figure of theirs",
        Why.TOO_OLD: "figure too old",
        Why.COVERAGE: "too many silent",
        Why.NOT_COMPARABLE: "not comparable",
    },
    kinds={Kind.OTHER: "", Kind.LAST_YEAR: "last year"},
    basis={
        Basis.PUBLISHED: "{day}",
        Basis.INTERPOLATED: "{day} and the next, straight between",
        Basis.HELD: "{day}, {age} days old",
    },
    bounds="{low} / {high}",
    unchanged="the same",
    sooner="{days} days ahead",
    later="{days} days behind",
    at_least="at least {said}",
    same_day="0 days",
    reached=" (there on {day})",
    source="{said}; note: {note}",
    rank="Rank {rank} of {of}.",
    rank_bounded="Rank {rank} of {of}; {best} to {worst} within the bounds.",
    median="Beside the others' median ({median}) we are: {verdict}.",
    quartiles="A quarter of them lies below {lower}, a quarter above {upper}.",
    leader="The best comparable: {who}, {ratio}.",
    missing="The file says nothing about: {titles}.",
    how="Level is a difference of up to {margin}. A figure held for more than {oldest} days decides nothing.",
)

VIETNAMESE: Final = AgainstWords(
    headings=("Đơn vị", "Kết quả", "Ngày", "Chênh lệch", "Đánh giá", "Mất tín hiệu ở 0 / 100 %", "Tính ra ngày", "Nguồn"),
    everybody="tất cả",
    ours="Kết quả: {figure}.",
    ours_bounded="Kết quả: {figure}; từ {low} đến {high} nếu các cơ quan mất tín hiệu ({silent}/{agencies}) đều ở 0 hoặc 100 %.",
    no_figure="Ngày này kế hoạch chưa có số liệu.",
    verdicts={
        Outcome.AHEAD: "đi trước",
        Outcome.LEVEL: "ngang bằng",
        Outcome.BEHIND: "tụt lại",
        Outcome.UNKNOWN: "chưa kết luận được",
    },
    whys={
        Why.NOT_OURS: "kế hoạch chưa có số liệu",
        Why.NOT_THEIRS: "bên kia chưa có số liệu",
        Why.TOO_OLD: "số liệu quá cũ",
        Why.COVERAGE: "quá nhiều nơi mất tín hiệu",
        Why.NOT_COMPARABLE: "không so sánh được",
    },
    kinds={Kind.OTHER: "", Kind.LAST_YEAR: "năm trước"},
    basis={
        Basis.PUBLISHED: "{day}",
        Basis.INTERPOLATED: "{day} và kỳ sau, nội suy thẳng",
        Basis.HELD: "{day}, cách {age} ngày",
    },
    bounds="{low} / {high}",
    unchanged="không đổi",
    sooner="sớm hơn {days} ngày",
    later="chậm hơn {days} ngày",
    at_least="ít nhất {said}",
    same_day="0 ngày",
    reached=" (đạt mức này ngày {day})",
    source="{said}; ghi chú: {note}",
    rank="Hạng {rank}/{of}.",
    rank_bounded="Hạng {rank}/{of}; từ {best} đến {worst} trong khoảng trên.",
    median="So với trung vị của các đơn vị khác ({median}): {verdict}.",
    quartiles="Một phần tư dưới {lower}, một phần tư trên {upper}.",
    leader="Cao nhất trong số so sánh được: {who}, {ratio}.",
    missing="Tệp không có số liệu về: {titles}.",
    how="Chênh lệch đến {margin} coi là ngang bằng. Số liệu giữ nguyên quá {oldest} ngày không dùng để kết luận.",
)  # fmt: skip


def against_words_of(language: str) -> AgainstWords:
    """Return the words of *language*, ``vi`` or ``en``."""
    return ENGLISH if language == "en" else VIETNAMESE
