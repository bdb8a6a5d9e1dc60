"""The report's files: what each says, and that its seal can be read back from every format."""

from __future__ import annotations

import csv
import io
import re
from datetime import date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook
from pypdf import PdfReader

from services.core.errors import Rejected
from services.core.schedule.standing_words import words_of
from services.core.seal import changed, documents_part, seal_from
from services.report.render import pdf
from services.report.render.chart import chart
from services.report.render.html import as_html
from services.report.render.reading import seal_in
from services.report.render.tables import FIELDS, as_csv, as_xlsx
from tests.fixtures.needs import missing
from tests.report_world import DAY, SEAL, small_report

GOLDEN = Path(__file__).parents[2] / "golden" / "reports"


def text_of(html: str) -> str:
    """Return the words of a page, a line for each block."""
    body = re.sub(r"<svg.*?</svg>", "[chart]", html.partition("<body>")[2], flags=re.S)
    lines = re.sub(r"</(?:p|tr|h\d|div|dt|dd|section)>", "\n", re.sub(r"</t[dh]>", " | ", body)).splitlines()
    words = (" ".join(re.sub(r"<[^>]+>", " ", line).split()) for line in lines)
    return "\n".join(line for line in words if line) + "\n"


def printed(html: str) -> bytes:
    try:
        return pdf.as_pdf(html)
    except Rejected:
        missing("Pango")


@pytest.mark.parametrize("language", ["vi", "en"])
def test_the_page_says_what_it_said(language):
    """The words of the report are those looked at and found good."""
    assert text_of(as_html(small_report(), [language])) == (GOLDEN / f"report.{language}.txt").read_text()


def test_the_furthest_behind_comes_first_and_its_days_are_in_the_second_sentence():
    """A reader meets who is behind and by how much before anything else."""
    report = small_report()
    assert [page.agency for page in report.pages] == ["b", "c", "a"]
    said = text_of(as_html(report, ["vi"]))
    assert said.index("2 trên 3 cơ quan đang chậm tiến độ.") < said.index("Chậm nhất: Sở Y tế, chậm 91 ngày")


def test_the_page_loads_nothing_and_escapes_what_plans_say():
    """No address stands in the page, and a title with a tag in it stays text."""
    html = as_html(small_report(notes=("<b>",)), ["vi", "en"])
    assert "Kế hoạch &lt;thử&gt;" in html
    assert not re.findall(r"(?:src|href|url\()", html)
    assert html.replace("http://www.w3.org/2000/svg", "").count("://") == 0


def test_moved_goalposts_stand_on_the_first_page():
    """Before the list of those behind, a reader learns that less is asked now."""
    said = text_of(as_html(small_report(notes=("Mốc số một.",)), ["vi"]))
    assert said.index("Mốc số một.") < said.index("Các cơ quan chậm tiến độ")


@pytest.mark.parametrize("languages", [["vi"], ["vi", "en"]])
def test_the_pdf_has_text_and_a_page_for_each_agency(languages):
    """Summary, table, three agencies and definitions are six pages for each language; letters keep their marks."""
    content = printed(as_html(small_report(), languages))
    pages = [page.extract_text() for page in PdfReader(io.BytesIO(content)).pages]
    assert len(pages) == 6 * len(languages)
    assert "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM" in pages[0]
    assert [page.split("\n")[0] for page in pages[2:5]] == ["Sở Y tế", "Sở Xây dựng", "Sở Nội vụ"]
    assert all(f"Trang {at}/{len(pages)}" in page for at, page in enumerate(pages[:6], start=1))
    if len(languages) == 2:
        assert "Page 12/12" in pages[11]


def test_without_a_renderer_the_command_says_what_to_install(monkeypatch):
    """The fault names the packages, and that the other formats do without."""
    monkeypatch.setitem(__import__("sys").modules, "weasyprint", None)
    with pytest.raises(Rejected, match=r"libpango-1.0-0.*html, xlsx and csv need neither"):
        pdf.as_pdf("<p>")


def test_the_workbook_holds_numbers_shares_and_days():
    """Cells are typed and formatted, heads are frozen, and the three sheets are there."""
    book = load_workbook(io.BytesIO(as_xlsx(small_report(), ["vi", "en"])))
    assert book.sheetnames == ["standing", "series", "about"]
    sheet = book["standing"]
    heads = [cell.value for cell in sheet[1]]
    cells = dict(zip(heads, sheet[2], strict=True))
    assert all(one.freeze_panes == "A2" for one in book)
    assert (cells["ratio"].value, cells["ratio"].number_format) == (0.2, "0.0%")
    assert (cells["day"].value, cells["day"].number_format) == (datetime(2008, 7, 1), "yyyy-mm-dd")
    assert cells["agency_name"].value == "Sở Y tế"
    assert cells["numerator"].value == 20
    assert cells["provisional"].value is True
    assert book["series"].max_row == 1 + 3 * (366 + 183)
    about = dict(book["about"].iter_rows(values_only=True))
    assert about["checksum"] == SEAL.checksum


def test_csv_has_the_fields_of_a_standing():
    """A line for each standing, in the names used everywhere, null as an empty field."""
    rows = list(csv.DictReader(io.StringIO(as_csv(small_report()))))
    assert list(rows[0]) == [*FIELDS, "seal"]
    assert len(rows) == 6
    assert (rows[0]["days_behind"], rows[0]["provisional"], rows[1]["target"]) == ("90.75", "true", "")


def test_every_format_carries_the_seal():
    """What is read back from a file is what was sealed."""
    report = small_report()
    html = as_html(report, ["vi", "en"])
    for content in (html.encode(), as_csv(report).encode(), as_xlsx(report, ["vi"]), printed(html)):
        assert seal_in(content).checksum == SEAL.checksum


@pytest.mark.parametrize(
    "content",
    [b"<!DOCTYPE html><p>", b"a,b\n1,2\n", b"", b"\xff\xfe", b"%PDF-1.7 nothing"],
    ids=["page", "csv", "empty", "bytes", "pdf"],
)
def test_a_file_without_a_seal_is_refused(content):
    """Nothing that carries no seal passes for a report."""
    with pytest.raises(ValueError):
        seal_in(content)


def test_a_seal_that_was_changed_is_refused():
    """Its checksum no longer fits what it says."""
    with pytest.raises(ValueError, match="was changed"):
        seal_from(SEAL.to_json().replace('"revision":1', '"revision":2'))


def test_what_changed_is_named():
    """Each part that differs is a phrase with both counts."""
    later = SEAL.__class__(
        plan="p", as_of=DAY, known_at=None, revision=1, directory_revision=1,
        parts=(SEAL.parts[0].__class__(name="items", rows=4, digest="1" * 64), SEAL.parts[1]),
    )  # fmt: skip
    assert changed(SEAL, later) == ["items: 3 rows then, 4 now"]
    assert changed(SEAL, SEAL) == []


@given(st.permutations(['{"a":1}', '{"b":2,"c":3}', '{"c":3,"b":2}', "[]"]))
def test_the_order_of_revisions_and_of_their_fields_does_not_count(documents):
    """The same documents give the same part."""
    part = documents_part("x", documents)
    assert part == documents_part("x", ['{"a":1}', '{"b":2,"c":3}', "[]"])


def test_the_chart_breaks_where_there_is_no_figure():
    """A day without a figure parts the actual line in two, and the planned line goes on to the deadline."""
    line = small_report("a").pages[0].lines[0]
    holed = tuple((day, None if day == date(2008, 3, 1) else share) for day, share in line.actual)
    whole = chart(line, DAY, words_of("vi"), height=100)
    parted = chart(line.__class__(indicator=line.indicator, row=line.row, planned=line.planned, actual=holed), DAY,
                   words_of("vi"), height=100)  # fmt: skip
    assert whole.count("<polyline") == 2
    assert parted.count("<polyline") == 3
    assert ">11/2008</text>" in whole
