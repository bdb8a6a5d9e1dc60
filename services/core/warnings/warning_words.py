"""What the life of warnings is told in, in Vietnamese and English: the words that mails, pages and commands share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from schemas.policy import Severity
from schemas.warnings import AnswerKind, TransitionReason, WarningState
from services.core.warnings.fault_words import ENGLISH_FAULTS, VIETNAMESE_FAULTS, FaultWords
from services.core.warnings.warning_records import DeliveryFault

R = TransitionReason
S = WarningState


@dataclass(frozen=True, kw_only=True)
class WarningWords:
    """The words of one language. ``notices``: the state of a notice; ``silences``: of a silence."""

    language: str
    states: Mapping[WarningState, str]
    reasons: Mapping[TransitionReason, str]
    severities: Mapping[Severity, str]
    roles: Mapping[str, str]
    levels: Mapping[str, str]  # roles where there is little room
    answers: Mapping[AnswerKind, str]
    notices: Mapping[str, str]
    silences: Mapping[str, str]
    about: Mapping[str, str]
    faults: Mapping[DeliveryFault, FaultWords]
    unknown_fault: FaultWords

    def role(self, role: str) -> str:
        """Return what a role, a level or a channel's recipient is called; an office or a channel as it is."""
        return self.roles.get(role, role)

    def level(self, role: str) -> str:
        """Return what a role is called where there is little room; an office or a channel as it is."""
        return self.levels.get(role, role)

    def fault(self, detail: str) -> FaultWords:
        """Return the words of a fault as it was recorded."""
        return self.faults[DeliveryFault(detail)] if detail in set(DeliveryFault) else self.unknown_fault


VIETNAMESE: Final = WarningWords(
    language="vi",
    states={
        S.PENDING: "đang theo dõi",
        S.OPEN: "đang mở",
        S.ESCALATED: "đã báo cáo cấp trên",
        S.ACKNOWLEDGED: "đã xác nhận",
        S.ANSWERED: "đã trả lời",
        S.RESOLVED: "đã kết thúc",
    },
    reasons={
        R.FALLING_BEHIND: "bắt đầu chậm, chưa đến mức cảnh báo",
        R.NOT_HELD: "không còn chậm, trước khi đến mức cảnh báo",
        R.FELL_BEHIND: "chậm tiến độ",
        R.MISSED: "hết hạn mà không đạt chỉ tiêu",
        R.AT_RISK: "có nguy cơ không kịp hạn",
        R.BEHIND_AGAIN: "chậm trở lại",
        R.WORSENED: "nặng hơn trước",
        R.UNANSWERED: "chưa được trả lời",
        R.PROMISE_PASSED: "đã qua ngày hẹn mà vẫn chậm",
        R.STILL_BEHIND: "nhắc lại: vẫn chậm",
        R.ACKNOWLEDGED: "đã xác nhận nhận được cảnh báo",
        R.ACCEPTED: "đã hẹn ngày theo kịp",
        R.DISPUTED: "không đồng ý với cảnh báo",
        R.CAUGHT_UP: "đã theo kịp kế hoạch",
        R.NO_LONGER_JUDGED: "không còn thuộc diện đánh giá",
        R.FEED_SILENT: "luồng dữ liệu mất tín hiệu",
        R.FEED_PARTIAL: "số liệu thiếu một phần",
        R.FEED_STILL_OUT: "nhắc lại: vẫn thiếu số liệu",
        R.FEED_RETURNED: "đã có lại số liệu",
    },
    severities={Severity.INFO: "lưu ý", Severity.WARNING: "cảnh báo", Severity.CRITICAL: "nghiêm trọng"},
    roles={
        "contact": "đầu mối của cơ quan",
        "head": "lãnh đạo cơ quan",
        "department-in-charge": "cơ quan chủ trì",
        "chair": "Chủ tịch UBND",
        "operations": "bộ phận vận hành",
        "feed-owner": "đơn vị quản lý luồng dữ liệu",
        "channel": "kênh thông báo",
    },
    levels={
        "contact": "đầu mối",
        "head": "lãnh đạo",
        "department-in-charge": "cơ quan chủ trì",
        "chair": "Chủ tịch",
        "operations": "vận hành",
        "feed-owner": "quản lý luồng",
        "channel": "kênh",
    },
    answers={
        AnswerKind.ACKNOWLEDGED: "xác nhận đã nhận được cảnh báo",
        AnswerKind.ACCEPTED: "hẹn ngày theo kịp",
        AnswerKind.DISPUTED: "không đồng ý",
    },
    notices={"pending": "chờ gửi", "sent": "đã gửi", "failed": "chưa gửi được, sẽ thử lại", "dead": "không gửi được"},
    silences={
        "waiting": "chưa đến lúc",
        "in-force": "đang hiệu lực",
        "over": "đã hết hạn",
        "ended": "đã kết thúc sớm",
        "withdrawn": "đã rút trước khi có hiệu lực",
    },
    about={"agency": "cơ quan", "feeds": "luồng dữ liệu", "digest": "bản tổng hợp"},
    faults=VIETNAMESE_FAULTS,
    unknown_fault=FaultWords("lỗi không xác định", "xem nhật ký của tiendo alerts"),
)

ENGLISH: Final = WarningWords(
    language="en",
    states={
        S.PENDING: "being watched",
        S.OPEN: "open",
        S.ESCALATED: "brought higher",
        S.ACKNOWLEDGED: "acknowledged",
        S.ANSWERED: "answered",
        S.RESOLVED: "resolved",
    },
    reasons={
        R.FALLING_BEHIND: "behind, not yet warned about",
        R.NOT_HELD: "no longer behind, before it was warned about",
        R.FELL_BEHIND: "fell behind schedule",
        R.MISSED: "the deadline has passed and the target was missed",
        R.AT_RISK: "at risk of missing the deadline",
        R.BEHIND_AGAIN: "behind again",
        R.WORSENED: "graver than before",
        R.UNANSWERED: "not answered yet",
        R.PROMISE_PASSED: "the day accepted has passed, and it is still behind",
        R.STILL_BEHIND: "reminder: still behind",
        R.ACKNOWLEDGED: "acknowledged",
        R.ACCEPTED: "accepted, with a date",
        R.DISPUTED: "disputed",
        R.CAUGHT_UP: "caught up",
        R.NO_LONGER_JUDGED: "no longer judged",
        R.FEED_SILENT: "the feed is silent",
        R.FEED_PARTIAL: "the feed is incomplete",
        R.FEED_STILL_OUT: "reminder: data are still missing",
        R.FEED_RETURNED: "data are back",
    },
    severities={Severity.INFO: "for attention", Severity.WARNING: "warning", Severity.CRITICAL: "critical"},
    roles={
        "contact": "the agency’s contact",
        "head": "the head of the agency",
        "department-in-charge": "the department in charge",
        "chair": "the chair",
        "operations": "operations",
        "feed-owner": "the feed’s owner",
        "channel": "a channel",
    },
    levels={
        "contact": "contact",
        "head": "head",
        "department-in-charge": "department in charge",
        "chair": "chair",
        "operations": "operations",
        "feed-owner": "feed’s owner",
        "channel": "channel",
    },
    answers={
        AnswerKind.ACKNOWLEDGED: "acknowledged",
        AnswerKind.ACCEPTED: "accepted, with a date",
        AnswerKind.DISPUTED: "disputed",
    },
    notices={"pending": "waiting", "sent": "sent", "failed": "failed, is tried again", "dead": "given up"},
    silences={
        "waiting": "not begun yet",
        "in-force": "in force",
        "over": "over",
        "ended": "ended early",
        "withdrawn": "withdrawn before it began",
    },
    about={"agency": "an agency", "feeds": "feeds", "digest": "a digest"},
    faults=ENGLISH_FAULTS,
    unknown_fault=FaultWords("an unknown fault", "look into the log of tiendo alerts"),
)


def warning_words_of(language: str) -> WarningWords:
    """Return the words of *language*, ``vi`` or ``en``."""
    return ENGLISH if language == "en" else VIETNAMESE
