"""What the parts of an explanation are called, in Vietnamese and English. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, assert_never

from schemas.plan import (
    ActivityMeasure,
    ItemsMeasure,
    MeanMeasure,
    Measure,
    MembersMeasure,
    RollingPeriod,
)
from schemas.progress import ProgressMeasure

#: reason → Vietnamese, English.
REASONS: Final[Mapping[str, tuple[str, str]]] = {
    "adopted": ("đã thực hiện trên mạng", "done over the network"),
    "only-entered": ("chưa thực hiện trên mạng", "not done over the network"),
    "undone": ("bị từ chối hoặc thu hồi", "refused or recalled"),
    "before-period": ("trước kỳ tính", "before the period"),
    "after-day": ("sau ngày tính", "after the day judged"),
    "agency-not-there": ("cơ quan không tồn tại vào ngày phát sinh", "the agency did not exist on the day of entry"),
    "never-entered": ("không có ngày phát sinh", "no source states a day of entry"),
    "taken-back": ("nguồn đã rút lại", "taken back by its source"),
    "unknown-party": ("mã cơ quan không có trong danh mục", "no agency had this code on the day of issue"),
    "not-with-leadership": ("không phải văn bản với lãnh đạo tỉnh", "not between leadership and one other party"),
    "no-mailbox": ("không có hộp thư", "no mailbox"),
    "mailbox-elsewhere": ("chỉ có hộp thư ở tên miền khác", "a mailbox of another domain only"),
    "mailbox-not-open": ("hộp thư không mở vào ngày tính", "a mailbox that was not open on the day"),
    "not-on-roster": ("không có trong danh sách kia", "not on the other roster"),
    "no-address": ("không có địa chỉ thư", "no address"),
    "no-deed": ("có địa chỉ, không sử dụng trong kỳ", "an address, and no use in the window"),
    "too-few-days": ("sử dụng quá ít ngày", "use on too few days"),
}

#: rosters and kinds of items that every deployment has, as Vietnamese officials call them.
_ROSTERS: Final[Mapping[str, str]] = {"officials": "cán bộ"}
_TRAINED: Final = "trained."  # the rosters of those who completed a course
_FACTS: Final[Mapping[str, str]] = {
    "document.exchanged": "văn bản trao đổi",
    "document.handled": "văn bản",
    "task.directed": "nhiệm vụ",
    "record.filed": "hồ sơ",
}

#: what became of one event about an item.
FATES: Final[Mapping[str, tuple[str, str]]] = {
    "counts": ("được tính", "counts"),
    "superseded": ("đã được thay bằng bản sau", "superseded by a later statement"),
    "taken-back": ("đã rút lại", "taken back"),
    "later": ("sau ngày tính", "of a later day"),
    "out-of-reach": ("ngoài kỳ tính", "outside the plan or the agency's life"),
}

STEPS: Final[Mapping[str, tuple[str, str]]] = {
    "entered": ("phát sinh", "entered"),
    "adopted": ("thực hiện trên mạng", "adopted"),
    "undone": ("từ chối, thu hồi", "undone"),
}

#: The same of milestones and amounts, which no network does.
PROGRESS: Final[Mapping[str, tuple[str, str]]] = {
    **REASONS,
    "adopted": ("đã xong", "done"),
    "only-entered": ("thuộc kế hoạch", "planned"),
    "undone": ("không còn được coi là xong", "no longer done"),
    "never-entered": ("không có ngày kế hoạch", "not among what is planned"),
}

PROGRESS_STEPS: Final[Mapping[str, tuple[str, str]]] = {
    "entered": ("kế hoạch", "planned"),
    "adopted": ("xong", "done"),
    "undone": ("huỷ", "undone"),
}

#: The stages of money.
STAGES: Final[Mapping[str, tuple[str, str]]] = {
    "proposed": ("đề xuất", "proposed"),
    "approved": ("được phê duyệt", "approved"),
    "budgeted": ("được cân đối", "budgeted"),
    "delivered": ("đã nghiệm thu", "delivered"),
    "disbursed": ("đã giải ngân", "disbursed"),
}

WITHHELD: Final[Mapping[str, tuple[str, str]]] = {
    "small-group": (
        "Nhóm dưới 10 người không được phân tích tiếp.",
        "Groups of fewer than ten people are not divided.",
    ),
    "few-others": (
        "Số người chưa đạt dưới 10 nên không được phân tích tiếp.",
        "Those who do not count are fewer than ten, and are not divided.",
    ),
}


def word(words: Mapping[str, tuple[str, str]], key: str, language: str) -> str:
    """Return the word for *key* in *language* (``vi`` or ``en``); the key itself where there is none."""
    found = words.get(key)
    return key if found is None else found[language == "en"]


def roster_text(roster: str, language: str) -> str:
    """Return what a roster is called in *language*; one of the deployment's own by its id."""
    return roster if language == "en" else _ROSTERS.get(roster, roster)


def measure_text(measure: Measure, language: str) -> str:
    """Return what is divided by what, in a sentence."""
    english = language == "en"
    roster = roster_text(getattr(measure, "roster", ""), language)
    match measure:
        case MembersMeasure(mailbox_domain=str() as domain):
            return (
                f"people on roster {measure.roster} who own a mailbox of {domain} ÷ people on the roster"
                if english
                else f"người trong danh sách {roster} có hộp thư thuộc {domain} ÷ số người trong danh sách"
            )
        case MembersMeasure(also_on=str() as also) if also.startswith(_TRAINED):
            course = also.removeprefix(_TRAINED)
            return (
                f"people on roster {measure.roster} who completed course {course} ÷ people on the roster"
                if english
                else f"người trong danh sách {roster} đã hoàn thành khoá {course} ÷ số người trong danh sách"
            )
        case MembersMeasure():
            return (
                f"people on roster {measure.roster} who are on {measure.also_on} too ÷ people on the roster"
                if english
                else f"người trong danh sách {roster} cũng có trong {measure.also_on} ÷ số người trong danh sách"
            )
        case ActivityMeasure():
            return (
                f"people on roster {measure.roster} with mail {measure.action} on at least {measure.days} of the last "
                f"{measure.window} days ÷ people on the roster"
                if english
                else f"người trong danh sách {roster} {'gửi' if measure.action == 'sent' else 'đọc'} thư ít nhất "
                f"{measure.days} ngày trong {measure.window} ngày gần nhất ÷ số người trong danh sách"
            )
        case ItemsMeasure():
            return _items(measure, english=english)
        case ProgressMeasure():
            return _progress(measure, english=english)
        case MeanMeasure():
            parts = ", ".join(f"{part.indicator} × {part.weight.normalize():f}" for part in measure.of)
            return f"weighted mean of {parts}" if english else f"trung bình có trọng số của {parts}"
        case never:
            assert_never(never)


def _progress(measure: ProgressMeasure, *, english: bool) -> str:
    if measure.stages is None:
        done, planned = ("milestones reached", "milestones planned") if english else ("mốc đã đạt", "mốc phải đạt")
        weights = "by weight" if english else "tính theo trọng số"
        text = f"{done} ÷ {planned}, {weights}"
    else:
        done, planned = (STAGES[stage][english] for stage in measure.stages)
        text = f"amounts {done} ÷ amounts {planned}" if english else f"kinh phí {done} ÷ kinh phí {planned}"
    if measure.start is None:
        return text
    return f"{text}, from {measure.start} on" if english else f"{text}, từ ngày {measure.start:%d/%m/%Y}"


def _items(measure: ItemsMeasure, *, english: bool) -> str:
    if isinstance(measure.period, RollingPeriod):
        days = measure.period.days
        period = f"that entered in the last {days} days" if english else f"phát sinh trong {days} ngày gần nhất"
    elif measure.period.start is not None:
        period = (
            f"that entered since {measure.period.start}" if english else f"phát sinh từ {measure.period.start:%d/%m/%Y}"
        )
    else:
        period = "that entered since the plan's start" if english else "phát sinh từ khi kế hoạch bắt đầu"
    if english:
        return f"items of {measure.facts} done over the network ÷ all {period}"
    items = _FACTS.get(measure.facts, f"mục {measure.facts}")
    return f"{items} đã thực hiện trên mạng ÷ tất cả {items} {period}"
