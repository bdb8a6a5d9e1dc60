"""What kept a notice from being sent, and what to do about it, in Vietnamese and English."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from services.core.warnings.warning_records import DeliveryFault

F = DeliveryFault


class FaultWords(NamedTuple):
    """A fault in words, and what whoever runs the deployment does about it."""

    fault: str
    remedy: str


VIETNAMESE_FAULTS: Final[Mapping[DeliveryFault, FaultWords]] = {
    F.UNREACHABLE: FaultWords(
        "không kết nối được máy chủ thư", "kiểm tra TIENDO_ALERTS_SMTP_HOST và cổng; thư được thử gửi lại"
    ),
    F.TIMED_OUT: FaultWords("máy chủ thư không trả lời kịp", "kiểm tra máy chủ thư; thư được thử gửi lại"),
    F.CONNECTION_LOST: FaultWords("mất kết nối với máy chủ thư", "kiểm tra máy chủ thư; thư được thử gửi lại"),
    F.TRY_LATER: FaultWords("máy chủ thư yêu cầu gửi sau", "chờ: thư được thử gửi lại"),
    F.TLS_FAILED: FaultWords(
        "không thiết lập được kết nối TLS", "kiểm tra chứng thư của máy chủ thư và TIENDO_ALERTS_SMTP_CA_FILE"
    ),
    F.NOT_AUTHENTICATED: FaultWords(
        "máy chủ thư không chấp nhận tên đăng nhập", "đặt lại TIENDO_ALERTS_SMTP_USERNAME và …_PASSWORD"
    ),
    F.SENDER_REFUSED: FaultWords(
        "máy chủ thư không chấp nhận người gửi", "đặt lại TIENDO_ALERTS_MAIL_FROM, rồi gửi lại"
    ),
    F.RECIPIENT_REFUSED: FaultWords(
        "máy chủ thư không chấp nhận người nhận", "sửa địa chỉ trong danh mục cơ quan, công bố, rồi gửi lại"
    ),
    F.CONTENT_REFUSED: FaultWords(
        "máy chủ thư không chấp nhận nội dung thư", "xem mẫu thư và bộ lọc của máy chủ thư, rồi gửi lại"
    ),
    F.NO_RECIPIENT: FaultWords(
        "danh mục không còn nêu người nhận", "bổ sung đầu mối vào danh mục cơ quan, công bố, rồi gửi lại"
    ),
    F.NO_CHANNEL: FaultWords(
        "hệ thống không có kênh mang tên này", "khai báo kênh trong cấu hình của tiendo alerts, rồi gửi lại"
    ),
    F.HTTP_UNREACHABLE: FaultWords("không kết nối được máy chủ nhận", "kiểm tra địa chỉ của kênh; được thử gửi lại"),
    F.HTTP_TIMED_OUT: FaultWords("máy chủ nhận không trả lời kịp", "kiểm tra máy chủ nhận; được thử gửi lại"),
    F.HTTP_TRY_LATER: FaultWords("máy chủ nhận yêu cầu gửi sau", "chờ: được thử gửi lại"),
    F.HTTP_REFUSED: FaultWords("máy chủ nhận từ chối", "kiểm tra địa chỉ và khóa của kênh trong cấu hình, rồi gửi lại"),
    F.GATEWAY_FAILED: FaultWords("cổng tin nhắn không nhận", "kiểm tra cấu hình của kênh; được thử gửi lại"),
    F.NOT_WRITTEN: FaultWords(
        "hệ thống không viết được thư này", "tìm lỗi trong nhật ký của tiendo alerts; được thử gửi lại"
    ),
    F.TOO_OLD: FaultWords("đã thử quá lâu mà không gửi được", "khắc phục nguyên nhân trước đó, rồi gửi lại"),
}

ENGLISH_FAULTS: Final[Mapping[DeliveryFault, FaultWords]] = {
    F.UNREACHABLE: FaultWords(
        "the mail server cannot be reached", "check TIENDO_ALERTS_SMTP_HOST and its port; it is tried again"
    ),
    F.TIMED_OUT: FaultWords("the mail server did not answer in time", "check the mail server; it is tried again"),
    F.CONNECTION_LOST: FaultWords("the mail server hung up", "check the mail server; it is tried again"),
    F.TRY_LATER: FaultWords("the mail server said to try later", "wait: it is tried again"),
    F.TLS_FAILED: FaultWords(
        "no TLS with the mail server", "check its certificate and TIENDO_ALERTS_SMTP_CA_FILE; it is tried again"
    ),
    F.NOT_AUTHENTICATED: FaultWords(
        "the mail server did not take the user name or password",
        "set TIENDO_ALERTS_SMTP_USERNAME and …_PASSWORD; it is tried again",
    ),
    F.SENDER_REFUSED: FaultWords(
        "the mail server refused the sender", "set TIENDO_ALERTS_MAIL_FROM, then send it again"
    ),
    F.RECIPIENT_REFUSED: FaultWords(
        "the mail server refused the recipient", "mend the address in the directory, publish it, then send it again"
    ),
    F.CONTENT_REFUSED: FaultWords(
        "the mail server refused the content", "look at templates and the server's filters, then send it again"
    ),
    F.NO_RECIPIENT: FaultWords(
        "the directory no longer names a recipient", "add a contact to the directory, publish it, then send it again"
    ),
    F.NO_CHANNEL: FaultWords(
        "the deployment has no channel of that name",
        "describe the channel in the settings of tiendo alerts, then send it again",
    ),
    F.HTTP_UNREACHABLE: FaultWords("the receiver cannot be reached", "check the channel's address; it is tried again"),
    F.HTTP_TIMED_OUT: FaultWords("the receiver did not answer in time", "check the receiver; it is tried again"),
    F.HTTP_TRY_LATER: FaultWords("the receiver said to try later", "wait: it is tried again"),
    F.HTTP_REFUSED: FaultWords("the receiver refused it", "check the channel's address and secret, then send it again"),
    F.GATEWAY_FAILED: FaultWords(
        "the chat or SMS gateway did not take it", "check the channel's settings; it is tried again"
    ),
    F.NOT_WRITTEN: FaultWords("it cannot be written", "find the defect in the log of tiendo alerts; it is tried again"),
    F.TOO_OLD: FaultWords(
        "it was tried in vain for longer than allowed", "mend what kept it from going out, then send it again"
    ),
}
