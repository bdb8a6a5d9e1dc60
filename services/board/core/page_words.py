"""The words of the answer page, in Vietnamese and English."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from services.board.core.answering import Fault


@dataclass(frozen=True, kw_only=True, slots=True)
class PageWords:
    """The words of one language; ``{…}`` is filled in."""

    language: str
    other: str
    title: str
    intro: str
    plan: str
    decision: str
    deadline: str
    as_of: str
    provisional: str
    nothing_open: str
    nothing_open_more: str
    count_one: str
    count: str
    objective: str
    figure: str
    planned: str
    target: str
    behind: str
    since: str
    needed: str
    forecast: str
    severity: str
    state: str
    feeds: str
    covered: str
    never_covered: str
    source: str
    chart: str
    chart_plan: str
    chart_actual: str
    chart_target: str
    answered: str
    by: str
    statuses: Mapping[str, str]
    promised: str
    your_answer: str
    for_all: str
    for_all_hint: str
    none: str
    acknowledge: str
    acknowledge_hint: str
    acknowledge_feed_hint: str
    accept: str
    accept_hint: str
    accept_feed: str
    accept_feed_hint: str
    dispute: str
    dispute_hint: str
    day: str
    day_hint: str
    reason: str
    reason_hint: str
    go_on: str
    faults_above: str
    faults: Mapping[Fault, str]
    confirm_title: str
    confirm_intro: str
    confirm: str
    back: str
    recorded: str
    recorded_more: str
    no_more: str
    not_recorded: str
    not_recorded_more: str
    try_again: str
    unavailable: str
    unavailable_more: str
    no_link: str
    no_link_more: str
    valid_until: str
    privacy: str


VIETNAMESE: Final = PageWords(
    language="vi",
    other="English",
    title="Trả lời cảnh báo tiến độ",
    intro="Trang này dành cho {role}: {name}. Không cần tài khoản. Câu trả lời được ghi theo vai trò này, không ghi tên"
    " người.",
    plan="Kế hoạch",
    decision="Văn bản",
    deadline="Hạn",
    as_of="Số liệu tính đến hết ngày {day}.",
    provisional="tạm tính",
    nothing_open="Hiện không còn cảnh báo nào cần trả lời",
    nothing_open_more="Các cảnh báo trong thư đã kết thúc. Khi có cảnh báo mới, hệ thống sẽ gửi thư mới với liên kết mới.",
    count_one="Đang có 1 cảnh báo",
    count="Đang có {count} cảnh báo",
    objective="mục tiêu {number}",
    figure="Kết quả",
    planned="Kế hoạch đến ngày này",
    target="Chỉ tiêu",
    behind="Tiến độ",
    since="Từ ngày",
    needed="Cần đạt để kịp hạn",
    forecast="Dự báo đạt chỉ tiêu",
    severity="Mức độ",
    state="Tình trạng",
    feeds="Nguồn số liệu",
    covered="số liệu đủ đến {day}",
    never_covered="chưa có ngày nào đủ số liệu",
    source="Nguồn",
    chart="{title}: kế hoạch đến ngày {day} là {planned}, thực hiện {actual}, chỉ tiêu {target}.",
    chart_plan="kế hoạch (nét đứt)",
    chart_actual="thực hiện (nét liền)",
    chart_target="chỉ tiêu (nét chấm)",
    answered="Đã trả lời",
    by="{role}, {at}",
    statuses={
        "taken": "đã cập nhật vào cảnh báo",
        "waiting": "đã ghi nhận, đang cập nhật",
        "held": "đã ghi nhận; cảnh báo đã được trả lời trước đó",
    },
    promised="ngày hẹn {day}",
    your_answer="Trả lời",
    for_all="Trả lời chung cho tất cả cảnh báo",
    for_all_hint="Áp dụng cho những cảnh báo chưa chọn câu trả lời riêng ở trên.",
    none="Chưa trả lời",
    acknowledge="Xác nhận đã nhận được cảnh báo",
    acknowledge_hint="Hệ thống ngừng nhắc lại và không báo cáo lên cấp trên vì lý do chưa trả lời; cảnh báo vẫn mở cho đến khi "
    "theo kịp kế hoạch.",
    acknowledge_feed_hint="Hệ thống ngừng nhắc lại; cảnh báo vẫn mở cho đến khi có lại số liệu.",
    accept="Hẹn ngày theo kịp kế hoạch",
    accept_hint="Ngày hẹn được ghi vào cảnh báo. Qua ngày đó mà vẫn chậm thì hệ thống nhắc lại và "
    "báo cáo lên cấp cao hơn, nếu có.",
    accept_feed="Hẹn ngày khôi phục số liệu",
    accept_feed_hint="Ngày hẹn được ghi vào cảnh báo để các bên cùng biết.",
    dispute="Không đồng ý: số liệu hoặc cảnh báo chưa đúng",
    dispute_hint="Lý do được chuyển cho bộ phận vận hành xem xét. Cảnh báo vẫn mở cho đến khi số liệu được làm rõ.",
    day="Ngày hẹn",
    day_hint="Từ {earliest} đến {latest}.",
    reason="Lý do hoặc ghi chú",
    reason_hint="Bắt buộc khi không đồng ý; tối đa 2.000 ký tự. Đề nghị nêu đơn vị, không nêu tên người.",
    go_on="Xem lại trước khi gửi",
    faults_above="Có chỗ cần sửa; chưa có gì được ghi nhận",
    faults={
        Fault.NOTHING_CHOSEN: "Hãy chọn câu trả lời cho ít nhất một cảnh báo.",
        Fault.KIND_MISSING: "Hãy chọn một câu trả lời, hoặc xóa ngày và lý do đã nhập.",
        Fault.DAY_MISSING: "Hãy nhập ngày hẹn.",
        Fault.DAY_UNREADABLE: "Không đọc được ngày này; hãy viết như 31/12/2008.",
        Fault.DAY_TOO_EARLY: "Ngày hẹn phải sau hôm nay.",
        Fault.DAY_TOO_LATE: "Ngày hẹn không được quá một năm sau hạn của kế hoạch.",
        Fault.REASON_MISSING: "Hãy nêu lý do không đồng ý.",
        Fault.REASON_TOO_LONG: "Lý do dài quá 2.000 ký tự; hãy rút gọn.",
        Fault.CHANGED: "Cảnh báo này vừa thay đổi; hãy xem lại số liệu mới và chọn lại.",
    },
    confirm_title="Xác nhận câu trả lời",
    confirm_intro="Chưa có gì được ghi nhận. Khi bấm “Gửi câu trả lời”, hệ thống sẽ ghi những điều sau theo vai trò {role}: "
    "{name}.",
    confirm="Gửi câu trả lời",
    back="Quay lại",
    recorded="Đã ghi nhận {count} câu trả lời lúc {at}",
    recorded_more="Câu trả lời được cập nhật vào cảnh báo sau ít phút; có thể đóng trang này.",
    no_more="Liên kết này đã dùng hết số lần trả lời ({most}). Muốn trả lời thêm, hãy trả lời thư cảnh báo: thư đến bộ "
    "phận vận hành.",
    not_recorded="Chưa ghi nhận được",
    not_recorded_more="Hệ thống tạm thời không ghi được. Câu trả lời vẫn còn ở đây: hãy thử lại sau ít phút. Gửi lại không tạo "
    "thành hai câu trả lời.",
    try_again="Thử lại",
    unavailable="Tạm thời chưa xem được",
    unavailable_more="Hệ thống chưa đọc được số liệu. Hãy mở lại liên kết sau ít phút.",
    no_link="Liên kết không dùng được",
    no_link_more="Liên kết đã hết hiệu lực hoặc không đầy đủ. Hãy mở liên kết trong thư cảnh báo mới nhất, hoặc trả lời thư "
    "đó.",
    valid_until="Liên kết có hiệu lực đến {at} và chỉ dành cho nơi nhận thư; đề nghị không chuyển tiếp.",
    privacy="Câu trả lời được lưu cùng cảnh báo, với vai trò và thời điểm trả lời. Hệ thống không lưu tên người, địa chỉ "
    "thư hay địa chỉ máy.",
)

ENGLISH: Final = PageWords(
    language="en",
    other="Tiếng Việt",
    title="Answer a progress warning",
    intro="This page is for {role}: {name}. No account is needed. Answers are recorded under this role, without names "
    "of persons.",
    plan="Plan",
    decision="Decision",
    deadline="Deadline",
    as_of="Figures as of the end of {day}.",
    provisional="provisional",
    nothing_open="No warning is open any more",
    nothing_open_more="The warnings of the mail have ended. A new warning brings a new mail with a new link.",
    count_one="1 warning is open",
    count="{count} warnings are open",
    objective="objective {number}",
    figure="Figure",
    planned="Planned for that day",
    target="Target",
    behind="Schedule",
    since="Since",
    needed="Needed to meet the deadline",
    forecast="Target forecast for",
    severity="Severity",
    state="State",
    feeds="Source feeds",
    covered="data complete to {day}",
    never_covered="no day is complete yet",
    source="Source",
    chart="{title}: planned for {day} {planned}, actual {actual}, target {target}.",
    chart_plan="plan (dashed)",
    chart_actual="actual (solid)",
    chart_target="target (dotted)",
    answered="Answered before",
    by="{role}, {at}",
    statuses={
        "taken": "taken up in the warning",
        "waiting": "recorded, being taken up",
        "held": "recorded; the warning had been answered before",
    },
    promised="by {day}",
    your_answer="Your answer",
    for_all="One answer for all warnings",
    for_all_hint="It counts for those that have no answer of their own above.",
    none="No answer yet",
    acknowledge="Acknowledge the warning",
    acknowledge_hint="Reminders end, and it is no longer brought higher for want of an answer; the warning stays open until you "
    "have caught up.",
    acknowledge_feed_hint="Reminders end; the warning stays open until the data are back.",
    accept="Accept, and name the day by which you will have caught up",
    accept_hint="The day is recorded in the warning. Still behind after that day, you are told again, "
    "and so is the next level, if any.",
    accept_feed="Name the day by which the data will be back",
    accept_feed_hint="The day is recorded in the warning, for everybody concerned to know.",
    dispute="Dispute: the figures or the warning are wrong",
    dispute_hint="The reason goes to operations, who look into it. The warning stays open until the figures are cleared up.",
    day="Day",
    day_hint="From {earliest} to {latest}.",
    reason="Reason or remark",
    reason_hint="Needed for a dispute; 2,000 characters at most. Please name offices, not persons.",
    go_on="Review before sending",
    faults_above="Something needs mending; nothing has been recorded",
    faults={
        Fault.NOTHING_CHOSEN: "Choose an answer for at least one warning.",
        Fault.KIND_MISSING: "Choose an answer, or empty the day and the reason.",
        Fault.DAY_MISSING: "Give the day.",
        Fault.DAY_UNREADABLE: "This day cannot be read; write it like 2008-12-31.",
        Fault.DAY_TOO_EARLY: "The day must come after today.",
        Fault.DAY_TOO_LATE: "The day must not lie more than a year after the plan’s deadline.",
        Fault.REASON_MISSING: "Say why you dispute it.",
        Fault.REASON_TOO_LONG: "The reason is longer than 2,000 characters; please shorten it.",
        Fault.CHANGED: "This warning has changed meanwhile; look at the new figures and choose again.",
    },
    confirm_title="Confirm your answers",
    confirm_intro="Nothing has been recorded yet. “Send the answers” records the following under the role {role}: {name}.",
    confirm="Send the answers",
    back="Go back",
    recorded="Answers recorded: {count}, at {at}",
    recorded_more="Answers are taken up in the warning within minutes; you may close this page.",
    no_more="This link has been used for as many answers as it takes ({most}). To answer more, reply to the mail: it goes"
    " to operations.",
    not_recorded="Not recorded",
    not_recorded_more="The system cannot record at the moment. Your answers are still here: try again in a few minutes. Sending "
    "them again does not make two.",
    try_again="Try again",
    unavailable="Not available at the moment",
    unavailable_more="The system cannot read the figures. Open the link again in a few minutes.",
    no_link="This link cannot be used",
    no_link_more="It has expired, or is not complete. Open the link in the latest mail, or answer that mail.",
    valid_until="The link is valid until {at} and is for the receiver of the mail alone; please do not forward it.",
    privacy="Answers are kept with the warning, with role and time. No names of persons, mail addresses or machine "
    "addresses are kept.",
)


def page_words_of(language: str) -> PageWords:
    """Return the words of *language*, ``vi`` or ``en``."""
    return ENGLISH if language == "en" else VIETNAMESE
