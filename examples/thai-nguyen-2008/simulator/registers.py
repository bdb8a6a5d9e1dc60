"""The province's own registers: courses, who leads the work on IT, milestones and money, exported whole every night."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Final

from simulator.exports import UPDATED, Rows, civil, clock, export
from simulator.truth import World, known

COURSES: Final = ("Mã dòng", "Số hiệu", "Đơn vị", "Mã khoá", "Ngày hoàn thành", "Ngày huỷ", UPDATED)
LEADERS: Final = ("Mã dòng", "Số hiệu", "Đơn vị", "Từ ngày", "Đến ngày", UPDATED)
MILESTONES: Final = (
    "Mã dòng",
    "Mã dự án",
    "Mã mốc",
    "Cơ quan",
    "Trọng số",
    "Ngày đưa vào kế hoạch",
    "Ngày hoàn thành",
    "Ngày trả lại",
    UPDATED,
)
MONEY: Final = (
    "Mã dòng",
    "Mã dự án",
    "Cơ quan",
    "Số văn bản",
    "Giai đoạn",
    "Ngày",
    "Số tiền (đồng)",
    "Ngày huỷ",
    UPDATED,
)
STAGES: Final = {
    "proposed": "Đề xuất",
    "approved": "Phê duyệt",
    "budgeted": "Cân đối",
    "delivered": "Nghiệm thu",
    "disbursed": "Giải ngân",
}


def course_rows(world: World, before: datetime) -> Rows:
    """Return the register of courses."""
    rows: Rows = []
    for one in world.trainees:
        if row := known(one.versions, before):
            days = (civil(row.day), civil(row.withdrawn))
            rows.append((one.row, one.person, one.agency, one.course, *days, clock(row.recorded)))
    return rows


def leader_rows(world: World, before: datetime) -> Rows:
    """Return the list of those who lead the work on IT."""
    rows: Rows = []
    for post in world.leaders:
        if row := known(post.versions, before):
            rows.append((post.row, post.person, post.agency, civil(row.first), civil(row.last), clock(row.recorded)))
    return rows


def milestone_rows(world: World, before: datetime) -> Rows:
    """Return the register of milestones; weights with a decimal comma."""
    rows: Rows = []
    for one in world.milestones:
        if row := known(one.versions, before):
            days = (civil(row.planned), civil(row.reached), civil(row.returned))
            named = (one.row, one.project, one.name, one.agency, _weight(row.weight))
            rows.append((*named, *days, clock(row.recorded)))
    return rows


def money_rows(world: World, register: str, before: datetime) -> Rows:
    """Return what the register (``budget`` or ``treasury``) has of every project; amounts in đồng, in groups of three."""
    rows: Rows = []
    for one in world.amounts:
        if one.register == register and (row := known(one.versions, before)):
            named = (one.row, one.project, one.agency, one.paper, STAGES[one.stage])
            dong = f"{row.dong:,}".replace(",", ".")
            rows.append((*named, civil(row.day), dong, civil(row.cancelled), clock(row.recorded)))
    return rows


def write_registers(world: World, out: Path, until: date) -> None:
    """Write the exports of the night after *until*."""
    export(out / "training", "courses", until, COURSES, lambda before: course_rows(world, before))
    export(out / "training", "leaders", until, LEADERS, lambda before: leader_rows(world, before))
    export(out / "projects", "milestones", until, MILESTONES, lambda before: milestone_rows(world, before))
    export(out / "projects", "budget", until, MONEY, lambda before: money_rows(world, "budget", before))
    export(out / "projects", "treasury", until, MONEY, lambda before: money_rows(world, "treasury", before))


def _weight(weight: Decimal) -> str:
    return f"{weight:f}".replace(".", ",")
