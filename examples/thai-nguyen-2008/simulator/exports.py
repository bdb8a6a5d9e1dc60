"""The nightly exports: whole registers as CSV, one file per register and night, as spreadsheets in an office write them."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Final

from simulator.courses import DEAD, DEAD_LAST_DAY, NEVER, UBND
from simulator.truth import Deed, Step, World, deeds_known, known

UPDATED: Final = "Cập nhật lúc"
ROSTER: Final = ("Mã dòng", "Số hiệu", "Đơn vị", "Từ ngày", "Đến ngày", UPDATED)
MAILBOXES: Final = ("Mã dòng", "Địa chỉ", "Số hiệu chủ hộp thư", "Ngày mở", "Ngày đóng", UPDATED)
EXCHANGE: Final = (
    "Mã dòng",
    "Số ký hiệu",
    "Ngày ban hành",
    "Nơi gửi",
    "Nơi nhận",
    "Ngày vào sổ",
    "Ngày tiếp nhận qua mạng",
    "Ngày từ chối hoặc thu hồi",
    UPDATED,
)
HANDLED: Final = ("Số", "Ngày vào", "Ngày xử lý trên mạng", "Ngày huỷ", UPDATED)
RECORDS: Final = ("Số", "Ngày lập", "Ngày nộp điện tử", "Ngày huỷ", UPDATED)
DOCUMENT_REGISTERS: Final = ("exchange", "handling", "tasks")

Rows = list[tuple[str, ...]]


def night_after(day: date) -> datetime:
    """Return when the export that passes *day* runs: five minutes into the next one."""
    return datetime.combine(day + timedelta(days=1), time(0, 5))


def last_exported(office: str, register: str, until: date) -> date | None:
    """Return the last day that an office's newest export of a register covers; None where it never exports."""
    if register in DOCUMENT_REGISTERS and office == NEVER:
        return None
    if register in DOCUMENT_REGISTERS and office == DEAD:
        return min(until, DEAD_LAST_DAY)
    return until


def civil(day: date | None) -> str:
    """Return a day as an office writes it; nothing where there is none."""
    return f"{day:%d/%m/%Y}" if day else ""


def clock(moment: datetime) -> str:
    """Return a moment as an office writes it."""
    return f"{moment:%d/%m/%Y %H:%M:%S}"


def _steps(found: dict[Step, Deed]) -> tuple[str, str, str, str]:
    days = [civil(found[step].day if step in found else None) for step in ("entered", "adopted", "undone")]
    return days[0], days[1], days[2], clock(max(deed.recorded for deed in found.values()))


def roster_rows(world: World, office: str, before: datetime) -> Rows:
    """Return the roster that *office* keeps, with the units below it."""
    rows: Rows = []
    for post in world.posts:
        if post.office == office and (row := known(post.versions, before)):
            rows.append((post.row, post.person, post.agency, civil(row.first), civil(row.last), clock(row.recorded)))
    return rows


def mailbox_rows(world: World, before: datetime) -> Rows:
    """Return the province's register of mailboxes."""
    rows: Rows = []
    for box in world.mailboxes:
        if row := known(box.versions, before):
            rows.append((box.row, box.address, box.owner or "", civil(row.first), civil(row.last), clock(row.recorded)))
    return rows


def exchange_rows(world: World, office: str, before: datetime) -> Rows:
    """Return an office's register of documents exchanged; its row codes follow the order of the documents."""
    rows: Rows = []
    seen = 0
    for document in world.documents:
        if not any(deed.office == office for deed in document.deeds):
            continue
        seen += 1
        if found := deeds_known(document.deeds, office, before):
            entered, adopted, undone, updated = _steps(found)
            parties = (document.issuer, document.counterpart)
            first = (f"VB{seen:05d}", document.number, civil(document.issued_on), *parties)
            rows.append((*first, entered, adopted, undone, updated))
    return rows


def item_rows(world: World, office: str, register: str, before: datetime) -> Rows:
    """Return an office's register of handled documents, tasks or records."""
    rows: Rows = []
    for item in world.items:
        if item.agency == office and item.kind == register and (found := deeds_known(item.deeds, office, before)):
            rows.append((item.number, *_steps(found)))
    return rows


def write(path: Path, head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Write one export: UTF-8 with a byte order mark, semicolons, CRLF. A file that stands there already stays."""
    if path.exists():
        return
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerow(head)
    writer.writerows(rows)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.getvalue().encode("utf-8-sig"))


def write_all(world: World, out: Path, until: date, done: Callable[[], None] = lambda: None) -> None:
    """Write the exports of the night after *until*; of a feed that died, the last one that it made."""
    export(out / "mail", "mailboxes", until, MAILBOXES, lambda before: mailbox_rows(world, before))
    for office in sorted({post.office for post in world.posts}):
        folder = out / "offices" / office
        export(folder, "roster", until, ROSTER, lambda before, o=office: roster_rows(world, o, before))  # type: ignore[misc]
    for office in sorted({deed.office for document in world.documents for deed in document.deeds} | {UBND}):
        last = last_exported(office, "exchange", until)
        folder = out / "offices" / office
        export(folder, "exchange", last, EXCHANGE, lambda before, o=office: exchange_rows(world, o, before))  # type: ignore[misc]
        done()
    for office, kind in sorted({(item.agency, item.kind) for item in world.items}):
        last = last_exported(office, kind, until)
        head = RECORDS if kind == "records" else HANDLED
        folder = out / "offices" / office
        export(folder, kind, last, head, lambda before, o=office, k=kind: item_rows(world, o, k, before))  # type: ignore[misc]


def export(folder: Path, name: str, last: date | None, head: Sequence[str], rows: Callable[[datetime], Rows]) -> None:
    """Write the export of the night after *last*; none where the register never exports."""
    if last is not None:
        night = night_after(last)
        write(folder / f"{name}-{night:%Y%m%dT%H%M%S}+0700.csv", head, rows(night))
