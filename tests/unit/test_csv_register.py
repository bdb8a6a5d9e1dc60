"""Registers read again and again: what is sent, what is taken back, what is reported."""

from datetime import UTC, date, datetime
from threading import Event

import msgspec
import pytest

from services.ingest.connectors.base import Delivery, Meter, Summary
from services.ingest.connectors.client import Answer
from services.ingest.connectors.csv_register import CsvConnector
from services.ingest.connectors.errors import CannotGoOn
from services.ingest.connectors.position import open_store
from services.ingest.core.mapping import Mapping

HEAD = "Số;Ngày vào;Ngày xử lý;Cập nhật"
MAPPING = Mapping.model_validate(
    {
        "register": "handling", "delimiter": ";", "key": "Số", "updated": {"column": "Cập nhật"},
        "events": [
            {"step": step, "type": "document.handled", "when": {"filled": [column]},
             "data": {"agency": {"setting": "agency"}, "id": {"column": "Số"}, "step": step, "day": {"day": column}}}
            for step, column in (("entered", "Ngày vào"), ("adopted", "Ngày xử lý"))
        ],
    }
)  # fmt: skip


class Taking:
    """A gateway in memory."""

    def __init__(self):
        self.events = []

    def send(self, events):
        self.events += [msgspec.json.decode(event) for event in events]
        return Answer(len(events))


class Office:
    """An office's exports and the connector that reads them, run after run."""

    def __init__(self, folder, mapping=MAPPING, now=datetime(2009, 1, 1, tzinfo=UTC)):
        self.folder, self.mapping, self.now = folder, mapping, now
        self.summary = None

    def export(self, stamp, *rows, head=HEAD, encoding="utf-8-sig"):
        path = self.folder / f"handling-{stamp}T000500+0700.csv"
        path.write_bytes("\r\n".join([head, *rows, ""]).encode(encoding))
        return path

    def run(self, since=date(2008, 6, 1)):
        gateway, stop, self.summary = Taking(), Event(), Summary("x", "/office/x")
        connector = CsvConnector(
            self.mapping, str(self.folder / "*.csv"), "/office/x", "so-x", "Asia/Ho_Chi_Minh", lambda: self.now, since
        )
        with open_store(self.folder / "state", "x") as store:
            Delivery(
                source="/office/x", agency="so-x", store=store, book=store.day_book(connector.types), sender=gateway,
                meter=Meter(), summary=self.summary, stop=stop,
            ).run(connector.items(store, Meter(), self.summary))  # fmt: skip
        return gateway.events

    def said(self, **more):
        """Return (id of the document, step, day, retracted, time) of what a run sends, reports aside."""
        return [
            (data["id"], data["step"], data["day"][5:], data.get("retracted", False), event["time"][5:16])
            for event in self.run(**more)
            if "id" in (data := event["data"])
        ]


@pytest.fixture
def office(tmp_path):
    return Office(tmp_path)


def test_a_row_is_stated_with_its_own_time(office):
    """Not with the export's, and not with the file's."""
    office.export("20080603", "1/VB;02/06/2008;;02/06/2008 08:00:00")
    assert office.said() == [("1/VB", "entered", "06-02", False, "06-02T08:00")]


def test_a_row_without_a_time_has_that_of_the_export(office):
    """An empty cell says nothing about when."""
    office.export("20080603", "1/VB;02/06/2008;;")
    assert office.said() == [("1/VB", "entered", "06-02", False, "06-03T00:05")]


def test_only_what_is_new_is_sent(office):
    """The register comes whole every night; a filled column is a new statement, with its own later time."""
    office.export("20080603", "1/VB;02/06/2008;;02/06/2008 08:00:00")
    office.said()
    office.export("20080604", "1/VB;02/06/2008;03/06/2008;03/06/2008 09:00:00", "2/VB;03/06/2008;;03/06/2008 10:00:00")
    assert office.said() == [
        ("1/VB", "adopted", "06-03", False, "06-03T09:00"), ("2/VB", "entered", "06-03", False, "06-03T10:00"),
    ]  # fmt: skip
    assert office.said() == []


def test_several_exports_are_read_in_the_order_of_their_stamps(office):
    """What both say is sent once."""
    office.export("20080604", "1/VB;02/06/2008;03/06/2008;03/06/2008 09:00:00")
    office.export("20080603", "1/VB;02/06/2008;;02/06/2008 08:00:00")
    assert [one[1] for one in office.said()] == ["entered", "adopted"]


def test_an_emptied_column_is_taken_back_and_may_be_stated_again(office):
    """Each with the row's time."""
    office.export("20080603", "1/VB;02/06/2008;02/06/2008;02/06/2008 08:00:00")
    office.said()
    office.export("20080604", "1/VB;02/06/2008;;03/06/2008 09:00:00")
    assert office.said() == [("1/VB", "adopted", "06-02", True, "06-03T09:00")]
    office.export("20080605", "1/VB;02/06/2008;02/06/2008;04/06/2008 09:00:00")
    assert office.said() == [("1/VB", "adopted", "06-02", False, "06-04T09:00")]


def test_a_change_without_a_new_time_is_of_the_export(office):
    """A correction has to be later than what it corrects."""
    office.export("20080603", "1/VB;02/06/2008;;02/06/2008 08:00:00")
    office.said()
    office.export("20080604", "1/VB;01/06/2008;;02/06/2008 08:00:00")
    assert office.said() == [("1/VB", "entered", "06-01", False, "06-04T00:05")]


def test_a_row_that_vanishes_stays_as_it_was_stated(office):
    """Exports lose rows for many reasons."""
    office.export("20080603", "1/VB;02/06/2008;;02/06/2008 08:00:00")
    office.said()
    office.export("20080604")
    assert office.said() == []


KEYED = Mapping.model_validate(
    MAPPING.model_dump(by_alias=True, mode="json")
    | {
        "key": "Dòng",
        "events": [
            {"step": "entered", "type": "document.handled", "data": {"agency": {"setting": "agency"},
             "id": {"column": "Số"}, "step": "entered", "day": {"day": "Ngày vào"}}}
        ],
    }
)  # fmt: skip


def test_a_changed_key_takes_the_wrong_one_back(tmp_path):
    """A document's number cannot be corrected in place."""
    office, head = Office(tmp_path, KEYED), "Dòng;Số;Ngày vào;Cập nhật"
    office.export("20080603", "1;12/VB;02/06/2008;02/06/2008 08:00:00", head=head)
    office.said()
    office.export("20080604", "1;21/VB;02/06/2008;03/06/2008 08:00:00", head=head)
    assert office.said() == [
        ("12/VB", "entered", "06-02", True, "06-03T08:00"), ("21/VB", "entered", "06-02", False, "06-03T08:00"),
    ]  # fmt: skip


def test_a_key_that_another_row_took_over_is_not_taken_back(tmp_path):
    """Two rows that change their numbers with one another lose none."""
    office, head = Office(tmp_path, KEYED), "Dòng;Số;Ngày vào;Cập nhật"
    office.export("20080603", "1;12/VB;02/06/2008;", "2;21/VB;02/06/2008;", head=head)
    office.said()
    office.export("20080604", "1;21/VB;02/06/2008;", "2;12/VB;02/06/2008;", head=head)
    assert {one[:4] for one in office.said()} == {
        ("21/VB", "entered", "06-02", False),
        ("12/VB", "entered", "06-02", False),
    }


VOIDABLE = Mapping.model_validate(
    MAPPING.model_dump(by_alias=True, mode="json")
    | {
        "events": [
            {"step": "entered", "type": "document.handled", "when": {state: ["Ngày huỷ"]},
             "data": {"agency": {"setting": "agency"}, "id": {"column": "Số"}, "step": "entered",
                      "day": {"day": "Ngày vào"}} | ({"retracted": True} if state == "filled" else {})}
            for state in ("empty", "filled")
        ],
    }
)  # fmt: skip


def test_a_row_marked_as_void_is_taken_back_once_and_may_be_stated_again(tmp_path):
    """A mapping may say `retracted` of a row that stays in the register: sent once, whatever is exported afterwards."""
    office, head = Office(tmp_path, VOIDABLE), "Số;Ngày vào;Ngày huỷ;Cập nhật"
    office.export("20080603", "1/VB;02/06/2008;;02/06/2008 08:00:00", head=head)
    assert office.said() == [("1/VB", "entered", "06-02", False, "06-02T08:00")]
    office.export("20080604", "1/VB;02/06/2008;03/06/2008;03/06/2008 09:00:00", head=head)
    assert office.said() == [("1/VB", "entered", "06-02", True, "06-03T09:00")]
    office.export("20080605", "1/VB;02/06/2008;03/06/2008;03/06/2008 09:00:00", head=head)
    assert office.said() == []
    office.export("20080606", "1/VB;02/06/2008;;05/06/2008 09:00:00", head=head)
    assert office.said() == [("1/VB", "entered", "06-02", False, "06-05T09:00")]


def test_days_are_reported_up_to_the_one_before_the_stamp(office):
    """Counted by the events' time; the stamp's own day is not over."""
    office.export("20080604", "1/VB;02/06/2008;;02/06/2008 08:00:00", "2/VB;02/06/2008;;02/06/2008 09:00:00")
    reports = [event for event in office.run() if event["type"] == "vn.tiendo.feed.reported.v1"]
    assert [(one["data"]["day"], one["data"]["count"], one["time"]) for one in reports] == [
        (f"2008-06-0{day}", count, "2008-06-04T00:05:00.000000+07:00") for day, count in ((1, 0), (2, 2), (3, 0))
    ]


def test_faulty_rows_are_named_and_the_others_sent(office):
    """By file, line and column; a key that comes twice is a fault of the second row."""
    path = office.export("20080603", "1/VB;02/06/2008;;", "2/VB;2.6.2008;;", "1/VB;01/06/2008;;")
    assert [one[0] for one in office.said()] == ["1/VB"]
    assert office.summary.remarks == [
        f"{path}:3: column `Ngày vào`: not a day written as dd/mm/yyyy",
        f"{path}:4: column `Số`: the same key as in {path.name}:2",
    ]
    assert office.summary.read["faulty rows"] == 2


@pytest.mark.parametrize(
    ("head", "encoding", "told"),
    [
        pytest.param("Số;Ngày;Cập nhật", "utf-8", "no column `Ngày vào`; no column `Ngày xử lý`", id="missing"),
        pytest.param(HEAD + ";Số", "utf-8", "two columns `Số`", id="twice"),
        pytest.param(HEAD, "utf-16", "is not utf-8-sig", id="encoding"),
    ],
)
def test_a_file_that_cannot_be_used_stops_the_connector(office, head, encoding, told):
    """With the reason; nothing of it is remembered."""
    office.export("20080603", "1/VB;02/06/2008;;", head=head, encoding=encoding)
    with pytest.raises(CannotGoOn, match=told):
        office.run()


def test_files_without_a_stamp_or_ahead_of_the_clock_are_named(office):
    """They are left for the next run."""
    (office.folder / "handling.csv").write_text(HEAD)
    office.export("20300101", "1/VB;02/06/2008;;")
    assert office.run() == []
    assert len(office.summary.remarks) == 2
