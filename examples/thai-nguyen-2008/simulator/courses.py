"""Who is there and which course each agency follows: the only place where the story of the example is told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

DOMAIN: Final = "thainguyen.gov.vn"
UBND: Final = "ubnd-tinh"
UBND_CODE: Final = "000.00.00.H55"
DEAD: Final = "so-giao-duc-dao-tao"
DEAD_LAST_DAY: Final = date(2008, 8, 13)  # the last day that its documents feed covers
NEVER: Final = "huyen-vo-nhai"
OLD_CODE_AGENCY: Final = "so-cong-thuong"
OLD_CODE: Final = "000.00.36.H55"
NEW_CODE_FROM: Final = date(2008, 7, 1)


@dataclass(frozen=True, kw_only=True)
class Course:
    """How an agency does against a straight line to its target: 1 is on the line, 2 twice as far, 0.5 half as far.

    ``mailbox_base`` and ``email_base`` are the shares before the plan; ``filed`` is a plain share of records.
    """

    mailboxes: float
    email: float
    exchanged: float
    handled: float
    directed: float
    filed: float
    mailbox_base: float = 0.25
    email_base: float = 0.15
    trained: float = 1.4
    trained_base: float = 0.15


@dataclass(frozen=True, kw_only=True)
class Agency:
    """One office. ``short`` is its mail subdomain, ``notation`` ends its documents' numbers."""

    id: str
    short: str
    notation: str
    code: str
    officials: int
    kind: str  # department, city, town, district, unit
    course: Course
    parent: str | None = None

    @property
    def domain(self) -> str:
        return f"{self.short}.{DOMAIN}"

    @property
    def email_target(self) -> float:
        return 0.3 if self.kind == "district" else 0.5

    @property
    def documents_target(self) -> float:
        return 0.2 if self.kind in ("district", "town") else 0.5


AHEAD: Final = Course(
    mailboxes=1.6, email=1.8, exchanged=1.6, handled=1.6, directed=1.5, filed=0.7, mailbox_base=0.6, email_base=0.45
)
GOOD: Final = Course(
    mailboxes=1.3, email=1.6, exchanged=1.35, handled=1.3, directed=1.3, filed=0.45, mailbox_base=0.4, email_base=0.3
)
STEADY: Final = Course(
    mailboxes=1.15, email=1.3, exchanged=1.18, handled=1.18, directed=1.18, filed=0.3, mailbox_base=0.3, email_base=0.22
)
LATE_ALL: Final = Course(
    mailboxes=0.55,
    email=0.6,
    exchanged=0.5,
    handled=0.5,
    directed=0.4,
    filed=0.05,
    mailbox_base=0.08,
    email_base=0.05,
    trained=0.5,
    trained_base=0.05,
)
LATE_PEOPLE: Final = Course(
    mailboxes=0.6, email=0.55, exchanged=1.3, handled=1.3, directed=1.25, filed=0.2, mailbox_base=0.12, email_base=0.08
)
LATE_PAPERS: Final = Course(
    mailboxes=1.3, email=1.6, exchanged=0.55, handled=0.5, directed=0.6, filed=0.1, mailbox_base=0.4, email_base=0.3
)
LATE_MAILBOXES: Final = Course(
    mailboxes=0.7, email=1.2, exchanged=1.3, handled=1.3, directed=1.2, filed=0.4, mailbox_base=0.25, email_base=0.2
)
LATE_EXCHANGE: Final = Course(
    mailboxes=1.25, email=1.5, exchanged=0.6, handled=1.3, directed=1.3, filed=0.35, mailbox_base=0.4, email_base=0.3
)
#: Good at documents until its feed dies; late with mailboxes and e-mail all along.
DYING: Final = Course(
    mailboxes=0.6, email=0.5, exchanged=1.3, handled=1.3, directed=1.35, filed=0.4, mailbox_base=0.15, email_base=0.08
)


def _agency(
    agency: str,
    short: str,
    notation: str,
    code: str,
    officials: int,
    kind: str,
    course: Course,
    parent: str | None = None,
) -> Agency:
    return Agency(
        id=agency,
        short=short,
        notation=notation,
        code=f"000.{code}.H55",
        officials=officials,
        kind=kind,
        course=course,
        parent=parent,
    )


AGENCIES: Final[tuple[Agency, ...]] = (
    _agency("van-phong-ubnd-tinh", "vpubnd", "VP", "00.01", 38, "department", GOOD),
    _agency("so-noi-vu", "sonoivu", "SNV", "00.02", 26, "department", STEADY),
    _agency("so-tu-phap", "sotuphap", "STP", "00.03", 18, "department", LATE_MAILBOXES),
    _agency("so-ke-hoach-dau-tu", "sokhdt", "SKHĐT", "00.04", 30, "department", AHEAD),
    _agency("so-tai-chinh", "sotaichinh", "STC", "00.05", 32, "department", GOOD),
    _agency("so-cong-thuong", "socongthuong", "SCT", "00.06", 30, "department", STEADY),
    _agency("so-nong-nghiep-ptnt", "sonnptnt", "SNN", "00.07", 34, "department", LATE_EXCHANGE),
    _agency("so-giao-thong-van-tai", "sogtvt", "SGTVT", "00.08", 26, "department", STEADY),
    _agency("so-xay-dung", "soxaydung", "SXD", "00.09", 26, "department", LATE_ALL),
    _agency("so-tai-nguyen-moi-truong", "sotnmt", "STNMT", "00.10", 28, "department", LATE_PAPERS),
    _agency("so-thong-tin-truyen-thong", "sotttt", "STTTT", "00.11", 22, "department", AHEAD),
    _agency("so-lao-dong-tbxh", "soldtbxh", "SLĐTBXH", "00.12", 28, "department", LATE_PAPERS),
    _agency("so-van-hoa-tt-dl", "sovhttdl", "SVHTTDL", "00.13", 26, "department", LATE_PEOPLE),
    _agency("so-khoa-hoc-cong-nghe", "sokhcn", "SKHCN", "00.14", 20, "department", AHEAD),
    _agency("so-giao-duc-dao-tao", "sogddt", "SGDĐT", "00.15", 32, "department", DYING),
    _agency("so-y-te", "soyte", "SYT", "00.16", 30, "department", GOOD),
    _agency("thanh-tra-tinh", "thanhtra", "TTr", "00.17", 16, "department", STEADY),
    _agency("ban-dan-toc", "bandantoc", "BDT", "00.18", 12, "department", LATE_PEOPLE),
    _agency("ban-quan-ly-kcn", "bqlkcn", "BQL", "00.19", 14, "department", STEADY),
    _agency("tp-thai-nguyen", "tpthainguyen", "UBND-TPTN", "00.20", 60, "city", GOOD),
    _agency("tx-song-cong", "songcong", "UBND-SC", "00.21", 42, "town", STEADY),
    _agency("huyen-pho-yen", "phoyen", "UBND-PY", "00.22", 46, "district", GOOD),
    _agency("huyen-phu-binh", "phubinh", "UBND-PB", "00.23", 42, "district", STEADY),
    _agency("huyen-dong-hy", "donghy", "UBND-ĐH", "00.24", 42, "district", LATE_MAILBOXES),
    _agency("huyen-phu-luong", "phuluong", "UBND-PL", "00.25", 40, "district", STEADY),
    _agency("huyen-vo-nhai", "vonhai", "UBND-VN", "00.26", 36, "district", GOOD),
    _agency("huyen-dinh-hoa", "dinhhoa", "UBND-ĐHo", "00.27", 38, "district", LATE_ALL),
    _agency("huyen-dai-tu", "daitu", "UBND-ĐT", "00.28", 44, "district", AHEAD),
    _agency("chi-cuc-kiem-lam", "kiemlam", "CCKL", "01.07", 18, "unit", LATE_EXCHANGE, "so-nong-nghiep-ptnt"),
    _agency("chi-cuc-dan-so", "danso", "CCDS", "01.16", 12, "unit", GOOD, "so-y-te"),
)
BY_ID: Final = {agency.id: agency for agency in AGENCIES}
#: Offices with a register of handled documents, tasks and records of their own; the population office has none.
WITH_REGISTERS: Final = tuple(agency for agency in AGENCIES if agency.id != "chi-cuc-dan-so")
DEPARTMENTS: Final = tuple(agency for agency in AGENCIES if agency.kind == "department")
JUDGED: Final = tuple(agency for agency in AGENCIES if agency.parent is None)


#: What row 5 asks for is set by the plan's owner; this share of officials and these projects are invented.
TRAINED_TARGET: Final = 0.6
#: Agencies with a project to start in 2008 → its name in the registers.
PROJECTS: Final = {
    "van-phong-ubnd-tinh": "hop-truc-tuyen",
    "so-tai-chinh": "quan-ly-ngan-sach",
    "so-tai-nguyen-moi-truong": "co-so-du-lieu-dat-dai",
    "so-thong-tin-truyen-thong": "cong-thong-tin-tinh",
    "so-giao-duc-dao-tao": "mang-giao-duc",
    "so-y-te": "quan-ly-benh-vien",
    "tp-thai-nguyen": "mot-cua-dien-tu",
}
LATE_MILESTONES: Final = "so-tai-nguyen-moi-truong"  # late with its milestones, and so with what is paid out
LATE_BALANCE: Final = "so-giao-duc-dao-tao"  # its funds are balanced too slowly


def code_on(agency: Agency, day: date) -> str:
    """Return the code under which *agency* exchanges documents issued on *day*."""
    return OLD_CODE if agency.id == OLD_CODE_AGENCY and day < NEW_CODE_FROM else agency.code
