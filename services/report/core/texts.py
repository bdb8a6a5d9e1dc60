"""The report's own sentences, in Vietnamese and English. Words of figures are those of a table of standing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

VI: Final[Mapping[str, str]] = {
    "title": "BÁO CÁO",
    "subtitle": "Tiến độ thực hiện {title}",
    "upto": "Số liệu đến hết ngày {day}",
    "number": "Số: …… /BC",
    "on": "ngày {d} tháng {m} năm {y}",
    "basis": "Căn cứ: {number} ({day}); nơi ban hành: {signer}; bản kế hoạch số {revision}. "
    "Thời hạn hoàn thành: {deadline}.",
    "summary": "I. Kết luận chính",
    "headline": "{late} trên {all} cơ quan đang chậm tiến độ.",
    "headline_none": "Không có cơ quan nào trong {all} cơ quan chậm tiến độ.",
    "most": "Chậm nhất: {name}, chậm {days} ngày ({indicator}).",
    "worst_heading": "Các cơ quan chậm tiến độ, chậm nhất xếp trước",
    "more": "và {count} cơ quan khác, xem bảng ở Mục II.",
    "agency": "Cơ quan",
    "days": "Số ngày chậm",
    "where": "Chỉ tiêu chậm nhất",
    "result": "Kết quả / kế hoạch",
    "needed": "Cần thêm để kịp hạn",
    "counts": "Theo từng chỉ tiêu",
    "indicator": "Chỉ tiêu",
    "matrix": "II. Tất cả cơ quan theo từng chỉ tiêu",
    "matrix_note": "Mỗi ô: kết quả đến ngày báo cáo, số ngày chậm hoặc sớm so với kế hoạch, đánh giá. "
    "Dấu * là số liệu tạm tính. Ô trống: chỉ tiêu không áp dụng.",
    "plan": "Kế hoạch đến ngày này",
    "target": "Chỉ tiêu cuối kỳ",
    "schedule": "So với tiến độ",
    "pace": "Cần đạt",
    "forecast": "Dự báo đạt chỉ tiêu",
    "feed": "Nguồn số liệu",
    "provisional": "tạm tính",
    "untargeted": "Theo dõi, không đặt chỉ tiêu",
    "figure": "Kết quả",
    "legend": "Nét liền: kết quả. Nét đứt: kế hoạch. Chấm chấm: chỉ tiêu cuối kỳ. Vạch dọc: ngày báo cáo.",
    "definitions": "III. Giải thích từ ngữ",
    "signature": "THỦ TRƯỞNG CƠ QUAN",
    "sign_hint": "(Ký, ghi rõ họ tên, đóng dấu)",
    "recipients": "Nơi nhận:",
    "recipient_list": "- Các cơ quan trong báo cáo;|- Lưu: VT.",
    "checksum": "Mã kiểm (SHA-256) của số liệu gốc",
    "late_in": "Chậm tiến độ ở {count} chỉ tiêu, nhiều nhất {days} ngày.",
    "not_late": "Không chậm tiến độ ở chỉ tiêu nào.",
    "no_data_count": "{count} cơ quan có chỉ tiêu chưa đủ số liệu để đánh giá.",
}

EN: Final[Mapping[str, str]] = {
    "title": "REPORT",
    "subtitle": "Progress of the {title}",
    "upto": "Figures up to and including {day}",
    "number": "No.: …… /BC",
    "on": "{day}",
    "basis": "Basis: {number} ({day}); issued by: {signer}; revision {revision} of the plan. Deadline: {deadline}.",
    "summary": "I. In short",
    "headline": "{late} of {all} agencies are behind schedule.",
    "headline_none": "None of the {all} agencies is behind schedule.",
    "most": "Furthest behind: {name}, by {days} days ({indicator}).",
    "worst_heading": "Agencies behind schedule, the furthest behind first",
    "more": "and {count} more, see the table in part II.",
    "agency": "Agency",
    "days": "Days behind",
    "where": "Furthest behind in",
    "result": "Actual / planned",
    "needed": "Needed to finish in time",
    "counts": "By indicator",
    "indicator": "Indicator",
    "matrix": "II. All agencies by indicator",
    "matrix_note": "Each cell: the figure on the report's day, days behind or ahead of the plan, the verdict. "
    "An asterisk marks provisional figures. Empty: the indicator does not concern the agency.",
    "plan": "Planned for this day",
    "target": "Target",
    "schedule": "Against the schedule",
    "pace": "Needed pace",
    "forecast": "Target forecast for",
    "feed": "Feeds",
    "provisional": "provisional",
    "untargeted": "Watched, without a target",
    "figure": "Figure",
    "legend": "Solid: actual. Dashed: planned. Dotted: target. Upright line: day of the report.",
    "definitions": "III. What the words mean",
    "signature": "HEAD OF OFFICE",
    "sign_hint": "(signature, full name, seal)",
    "recipients": "To:",
    "recipient_list": "- the agencies in this report;|- file.",
    "checksum": "Checksum (SHA-256) of the facts",
    "late_in": "Behind schedule in {count} of its indicators, at most by {days} days.",
    "not_late": "Behind schedule in no indicator.",
    "no_data_count": "Agencies with an indicator that could not be judged for want of data: {count}.",
}

TERMS: Final[Mapping[str, tuple[tuple[str, str], ...]]] = {
    "vi": (
        ("Kết quả", "Phần đã thực hiện chia cho tổng số phải thực hiện, tính đến hết ngày báo cáo."),
        ("Kế hoạch đến ngày này", "Mức mà kế hoạch yêu cầu đạt vào ngày báo cáo trên đường đi tới chỉ tiêu cuối kỳ."),
        (
            "Số ngày chậm",
            "Ngày báo cáo trừ đi ngày mà kế hoạch đã yêu cầu đạt mức kết quả hiện nay. Ví dụ: nếu kết quả hôm nay là "
            "mức lẽ ra phải đạt từ 30 ngày trước thì cơ quan chậm 30 ngày.",
        ),
        ("Cần đạt", "Số người hoặc số văn bản phải tăng thêm mỗi tuần, từ nay đến thời hạn, để đạt chỉ tiêu."),
        (
            "Dự báo",
            "Ngày đạt chỉ tiêu nếu giữ nhịp độ của 28 ngày gần nhất. Trong ngoặc là ngày sớm nhất, nếu nhanh gấp đôi nhịp độ "
            "nhanh hơn, và ngày muộn nhất, nếu chỉ bằng một nửa nhịp độ chậm hơn, trong hai nhịp độ của 28 ngày và 12 tuần "
            "gần nhất; dấu … nghĩa là không bao giờ đạt.",
        ),
        ("Chậm tiến độ", "Chậm từ {behind_after} ngày trở lên."),
        ("Không đạt", "Đã đến thời hạn mà chưa đạt chỉ tiêu."),
        ("Có nguy cơ", "Chưa chậm quá ngưỡng, nhưng với nhịp độ hiện nay sẽ đạt sau thời hạn hoặc không đạt."),
        ("Đúng, vượt tiến độ; đã đạt", "Không chậm quá ngưỡng; sớm từ {behind_after} ngày; đã đạt chỉ tiêu cuối kỳ."),
        (
            "Chưa có số liệu, quá ít",
            "Không có số liệu, hoặc số trường hợp quá nhỏ để đánh giá; không tính là kết quả thấp.",
        ),
        (
            "Nguồn số liệu",
            "Đầy đủ: hệ thống nguồn vẫn báo cáo; thiếu một phần: có ngày thiếu; mất tín hiệu: nguồn ngừng báo cáo, đánh giá "
            "giữ nguyên của ngày cuối có số liệu; chưa kết nối: chưa từng báo cáo.",
        ),
        ("Tạm tính (*)", "Nguồn số liệu chưa báo cáo đủ đến ngày báo cáo; con số còn có thể thay đổi."),
        (
            "Mã kiểm",
            "Dấu vân tay của số liệu gốc. Lệnh `tiendo report --verify TỆP` cho biết số liệu hiện nay có còn đúng như khi "
            "lập báo cáo hay không.",
        ),
    ),
    "en": (
        ("Figure", "What has been done ÷ what there is to do, by the end of the report's day."),
        ("Planned for this day", "What the plan wants by this day on the way to its target."),
        (
            "Days behind",
            "The report's day less the day on which the plan wanted the present figure. If today's figure was due thirty "
            "days ago, the agency is 30 days behind.",
        ),
        ("Needed pace", "People or documents to be gained each week from now to the deadline to reach the target."),
        (
            "Forecast",
            "When the target is reached at the pace of the last 28 days. In brackets the earliest day, at double the faster, "
            "and the latest, at half the slower, of that pace and the pace of the last twelve weeks; … means never.",
        ),
        ("Behind", "By {behind_after} days or more."),
        ("Missed", "The deadline has come and the target is not reached."),
        (
            "At risk",
            "Not behind beyond the threshold, but at its pace it reaches the target after the deadline or never.",
        ),
        ("On track, ahead, achieved", "Not behind beyond the threshold; ahead by {behind_after} days; target reached."),
        ("No data, too few", "Nothing is known, or too few cases to judge by; that is not the same as a low figure."),
        (
            "Feeds",
            "Reporting: the source still reports; partial: days are missing; silent: it has stopped, and the verdict stays "
            "that of the last covered day; never connected: it has never reported.",
        ),
        ("Provisional (*)", "Feeds have not yet reported up to the report's day; the figure may still change."),
        (
            "Checksum",
            "A fingerprint of the facts. `tiendo report --verify FILE` says whether today's facts are still those of the "
            "report.",
        ),
    ),
}


def texts_of(language: str) -> Mapping[str, str]:
    """Return the sentences of *language*, ``vi`` or ``en``."""
    return EN if language == "en" else VI
