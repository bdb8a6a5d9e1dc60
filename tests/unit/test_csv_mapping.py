"""Mappings: rows as statements, faults by column, mappings checked as a whole."""

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.connectors.errors import CannotGoOn
from services.ingest.connectors.mapping import load_mapping
from services.ingest.connectors.run_file import read_run_file
from services.ingest.core.mapping import Mapping, strptime_format
from services.ingest.core.mapping_rows import Fault, Row, read_row

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
EXAMPLE = Path(__file__).parents[2] / "examples" / "thai-nguyen-2008"
SETTINGS = {"agency": "so-y-te", "source": "/office/so-y-te"}
ROSTER = {"Mã dòng": "7", "Số hiệu": "001", "Đơn vị": "so-y-te", "Từ ngày": "02/06/2008", "Đến ngày": "",
          "Cập nhật lúc": "03/06/2008 09:10:11"}  # fmt: skip


def example(name):
    return load_mapping(EXAMPLE / "mappings" / f"{name}.yaml")


def test_a_roster_row_states_its_stint():
    """Joined while it goes on, left once it has ended: the same entry."""
    row = read_row(example("roster"), ROSTER, SETTINGS, ZONE)
    (joined,) = row.statements
    assert (row.key, row.time) == ("7", datetime(2008, 6, 3, 9, 10, 11, tzinfo=ZONE))
    assert joined.type == "official.joined"
    assert joined.data == {"person": {"scheme": "personnel", "value": "001"}, "agency": "so-y-te", "stint": "7",
                           "from": "2008-06-02"}  # fmt: skip
    (left,) = read_row(example("roster"), ROSTER | {"Đến ngày": "30/06/2008"}, SETTINGS, ZONE).statements
    assert (left.step, left.type, left.data["to"]) == (joined.step, "official.left", "2008-06-30")


def test_a_document_row_states_the_steps_whose_days_are_filled():
    """Entered and adopted are statements of their own."""
    cells = {"Mã dòng": "VB1", "Số ký hiệu": "5/UBND", "Ngày ban hành": "28/09/2008", "Nơi gửi": "000.00.00.H55",
             "Nơi nhận": "000.00.18.H55", "Ngày vào sổ": "28/09/2008", "Ngày tiếp nhận qua mạng": "03/10/2008",
             "Ngày từ chối hoặc thu hồi": "", "Cập nhật lúc": ""}  # fmt: skip
    row = read_row(example("exchange"), cells, SETTINGS, ZONE)
    assert row.time is None
    assert [(one.data["step"], one.data["day"]) for one in row.statements] == [
        ("entered", "2008-09-28"), ("adopted", "2008-10-03"),
    ]  # fmt: skip


def test_a_mailbox_without_owner_is_nobodys():
    """A shared mailbox states no owner."""
    cells = {"Mã dòng": "1", "Địa chỉ": "vt@thainguyen.gov.vn", "Số hiệu chủ hộp thư": "", "Ngày mở": "02/06/2008",
             "Ngày đóng": "", "Cập nhật lúc": ""}  # fmt: skip
    (opened,) = read_row(example("mailboxes"), cells, SETTINGS, ZONE).statements
    assert opened.type == "mailbox.opened"
    assert "owner" not in opened.data


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        pytest.param({"Từ ngày": "31/06/2008"}, Fault("Từ ngày", "not a day written as dd/mm/yyyy"), id="no such day"),
        pytest.param({"Số hiệu": " "}, Fault("Số hiệu", "empty, but `value` is needed"), id="empty"),
        pytest.param({"Mã dòng": ""}, Fault("Mã dòng", "the row's key is empty"), id="no key"),
        pytest.param(
            {"Cập nhật lúc": "hôm qua"}, Fault("Cập nhật lúc", "not a moment written as dd/mm/yyyy HH:MM:SS"), id="time"
        ),
    ],
)
def test_a_fault_names_its_column(change, fault):
    """And the reason; never what the cell holds."""
    faults = read_row(example("roster"), ROSTER | change, SETTINGS, ZONE)
    assert fault in faults


def test_what_the_gateway_would_refuse_is_a_fault_of_its_column():
    """The contract is checked where row and column are still known, and the value is not told."""
    (fault,) = read_row(example("roster"), ROSTER | {"Đơn vị": "Sở Y tế Bí mật"}, SETTINGS, ZONE)
    assert fault.column == "Đơn vị"
    assert "Bí mật" not in fault.reason


def test_all_faults_of_a_row_are_told_at_once():
    """So that an office mends it once."""
    faults = read_row(example("roster"), ROSTER | {"Từ ngày": "x", "Số hiệu": ""}, SETTINGS, ZONE)
    assert {fault.column for fault in faults} == {"Từ ngày", "Số hiệu"}


@given(st.fixed_dictionaries({name: st.text(max_size=20) for name in ROSTER}))
def test_any_cells_give_a_row_or_faults(cells):
    """Nothing in a register crashes the connector."""
    result = read_row(example("roster"), cells, SETTINGS, ZONE)
    assert isinstance(result, Row) or all(isinstance(fault, Fault) for fault in result)


def test_export_times_come_from_the_name():
    """With their offset; a name without one says nothing."""
    mapping = example("roster")
    assert mapping.export_time("roster-20081001T000500+0700.csv").isoformat() == "2008-10-01T00:05:00+07:00"
    assert mapping.export_time("roster.csv") is None
    assert mapping.export_time("roster-20081301T000500+0700.csv") is None


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("dd/mm/yyyy", "%d/%m/%Y"),
        ("yyyy-mm-dd HH:MM", "%Y-%m-%d %H:%M"),
        ("%Y%m%d", "%Y%m%d"),
        ("dd.mm.yy", "%d.%m.%y"),
    ],
)
def test_forms_of_dates(text, form):
    """As people write them, or as strptime has them."""
    assert strptime_format(text) == form


def test_numbers_are_read_with_their_sign_for_fractions():
    """1.234,5 is what 1,234.5 is elsewhere; a fraction is stated as a text, which keeps every digit."""
    rule = {"step": "s", "type": "record.filed", "data": {"agency": "a", "id": {"column": "K"}, "step": "entered",
            "day": {"day": "D"}, "weight": {"number": "W", "decimal": ","}}}  # fmt: skip
    mapping = Mapping.model_validate({"register": "r", "key": "K", "days": "yyyy-mm-dd", "events": [rule]})
    cells = {"K": "1", "D": "2008-06-02", "W": "1.234,5"}
    assert read_row(mapping, cells, SETTINGS, ZONE).statements[0].data["weight"] == "1234.5"
    assert read_row(mapping, cells | {"W": "1.234,00"}, SETTINGS, ZONE).statements[0].data["weight"] == 1234
    (fault,) = read_row(mapping, cells | {"W": "viel"}, SETTINGS, ZONE)
    assert fault == Fault("W", "not a number")


def test_all_faults_of_a_mapping_are_told_at_once(tmp_path):
    """By place; the file is named."""
    path = tmp_path / "bad.yaml"
    path.write_text(
        "register: Sổ\nkey: K\ndays: ngày\nevents:\n- {step: s, type: mail.sent, data: {}}\n- {step: S!, type: mail.used}\n"
    )
    with pytest.raises(CannotGoOn) as caught:
        load_mapping(path)
    told = str(caught.value)
    assert str(path) in told
    for place in ("register", "events.0.type", "events.1.step", "events.1.data"):
        assert place in told


def test_yaml_that_is_none_is_told_by_line_and_column(tmp_path):
    """So is a file that is not there."""
    path = tmp_path / "bad.yaml"
    path.write_text("register: [a\nkey: b\n")
    with pytest.raises(CannotGoOn, match=r"bad\.yaml:2:"):
        load_mapping(path)
    with pytest.raises(CannotGoOn, match="cannot read"):
        load_mapping(tmp_path / "none.yaml")


def test_the_examples_files_are_whole():
    """Each connector's mapping exists and its types are those of the register."""
    run = read_run_file(EXAMPLE / "connectors.yaml")
    types = {
        entry.mapping: load_mapping(EXAMPLE / entry.mapping).types for entry in run.connectors if entry.kind == "csv"
    }
    assert types == {
        "mappings/mailboxes.yaml": ("mailbox.opened", "mailbox.closed"),
        "mappings/courses.yaml": ("training.completed",),
        "mappings/leaders.yaml": ("official.joined", "official.left"),
        "mappings/milestones.yaml": ("milestone.reached",),
        "mappings/money.yaml": ("budget.recorded",),
        "mappings/roster.yaml": ("official.joined", "official.left"),
        "mappings/exchange.yaml": ("document.exchanged",),
        "mappings/handling.yaml": ("document.handled",),
        "mappings/tasks.yaml": ("task.directed",),
        "mappings/records.yaml": ("record.filed",),
    }
