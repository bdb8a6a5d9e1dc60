"""What a preview is told in, in Vietnamese and English."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from services.core.preview import Difference


@dataclass(frozen=True, kw_only=True)
class PreviewWords:
    """The words of one language. ``differences`` take a number ``{by}``, and ``{s}`` is the English plural's ending."""

    headings: tuple[str, str, str, str, str, str, str]
    totals: tuple[str, str, str, str]
    counts: tuple[str, str, str, str]
    about: str
    unpublished: str
    known: str
    published: str
    assumed: str  # {until} is one of the two
    until_now: str
    until: str
    nothing: str
    lag: str
    unwarned: str
    still: str
    feed: str
    working: str
    differences: Mapping[Difference, str]

    def difference(self, difference: Difference, by: int) -> str:
        """Return the difference in words."""
        return self.differences[difference].format(by=by, s="" if by == 1 else "s")


VIETNAMESE: Final = PreviewWords(
    headings=(
        "Cơ quan",
        "Cảnh báo đầu (hiện hành)",
        "Cảnh báo đầu (dự thảo)",
        "Số cảnh báo",
        "Số ngày",
        "Đánh giá ngày cuối",
        "Khác biệt",
    ),
    totals=("Tổng hợp", "Hiện hành", "Dự thảo", "Chênh lệch"),
    counts=("Số cảnh báo", "Số ngày có cảnh báo", "Đang cảnh báo đến ngày cuối", "Số cơ quan bị cảnh báo"),
    about="dự thảo so với kế hoạch đã ban hành (đến bản số {revision}), từ {first} đến hết ngày {day}",
    unpublished="dự thảo, chưa có kế hoạch nào có hiệu lực, từ {first} đến hết ngày {day}",
    known="theo số liệu nhận được đến hết ngày {day}",
    published="dự thảo chỉ tính từ ngày có hiệu lực, {day}",
    assumed="Cả hai bên đều được tính lại từng ngày theo những gì biết được {until}, không lấy từ các cảnh báo đã gửi: "
    "số liệu đến muộn được coi như đã có từ đầu.",
    until_now="đến nay",
    until="đến hết ngày {day}",
    nothing="Không có gì khác: cảnh báo và đánh giá theo dự thảo giống hệt như hiện hành.",
    lag="Chỉ khác số ngày chậm của ngày cuối, cùng đánh giá: {count} trường hợp (xem --format csv).",
    unwarned="–",
    still="{day}, đang mở",
    feed="Luồng số liệu {feed}: cảnh báo mất tín hiệu {difference}.",
    working="Đang tính lại từ số liệu gốc",
    differences={
        Difference.NEVER: "không bị cảnh báo",
        Difference.NEW: "mới bị cảnh báo",
        Difference.NO_LONGER: "không còn bị cảnh báo",
        Difference.EARLIER: "sớm hơn {by} ngày",
        Difference.LATER: "muộn hơn {by} ngày",
        Difference.LONGER: "kéo dài thêm {by} ngày",
        Difference.SHORTER: "ngắn hơn {by} ngày",
        Difference.MORE_OFTEN: "thêm {by} lần cảnh báo",
        Difference.LESS_OFTEN: "bớt {by} lần cảnh báo",
        Difference.OTHER_DAYS: "vào những ngày khác",
        Difference.SAME: "như cũ",
    },
)

ENGLISH: Final = PreviewWords(
    headings=(
        "Agency",
        "First warned (in force)",
        "First warned (draft)",
        "Warnings",
        "Days open",
        "Last day's verdict",
        "Difference",
    ),
    totals=("Totals", "In force", "Draft", "Change"),
    counts=("warnings", "days open", "open on the last day", "agencies warned"),
    about="draft against the published plan, up to its revision {revision}, from {first} to {day}",
    unpublished="draft of a plan that is not in force, from {first} to {day}",
    known="by what had been received by the end of {day}",
    published="the draft counts from {day} only",
    assumed="Both sides are recomputed day by day from all that {until}, not read from the warnings that were sent: "
    "what came in late counts as if it had always been there.",
    until_now="is known now",
    until="was known by the end of {day}",
    nothing="Nothing differs: under the draft warnings and verdicts are those of the revisions in force.",
    lag="With the same verdict, days behind of the last day differ in {count} more (see --format csv).",
    unwarned="–",
    still="{day}, open",
    feed="Feed {feed}: warning of its silence {difference}.",
    working="computing afresh from the facts",
    differences={
        Difference.NEVER: "never warned",
        Difference.NEW: "newly warned",
        Difference.NO_LONGER: "no longer warned",
        Difference.EARLIER: "earlier by {by} day{s}",
        Difference.LATER: "later by {by} day{s}",
        Difference.LONGER: "open {by} day{s} longer",
        Difference.SHORTER: "open {by} day{s} less",
        Difference.MORE_OFTEN: "{by} warning{s} more",
        Difference.LESS_OFTEN: "{by} warning{s} less",
        Difference.OTHER_DAYS: "on other days",
        Difference.SAME: "same",
    },
)


def preview_words_of(language: str) -> PreviewWords:
    """Return the words of *language*, ``vi`` or ``en``."""
    return ENGLISH if language == "en" else VIETNAMESE
