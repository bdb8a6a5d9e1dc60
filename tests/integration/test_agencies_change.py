"""Agencies founded, merged, split, renamed and moved while a plan runs: what the guide says of them, on the example."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest

from schemas import usage
from schemas.directory import Directory
from schemas.sources import Sources
from schemas.warnings import Transition
from services.aggregator.adapters.documents import store
from services.aggregator.adapters.recompute import recompute
from services.core.in_force import directory_in_force
from services.core.warnings.lifecycle import lag_cause
from services.core.warnings.severity import default_policy
from services.core.warnings.transitions import transitions_of
from services.infra.clickhouse.client import ClickHouse
from services.ingest.core.permission import registry_of
from tests.agencies_world import (
    DIRECTORY,
    FIRST,
    LAST,
    ON_PLAN,
    PLAN,
    after,
    assessed,
    box,
    changed,
    changed_indicators,
    course,
    directory_revision,
    example,
    in_guide,
    plan_revision,
    record,
    standings,
)
from tests.figures_world import ZONE_INFO, day, exchanged, item, joined, sent, world_database
from tests.fixtures.chdb import ChdbServer

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def database(shared_chdb: ChdbServer) -> Iterator[ClickHouse]:
    """A database whose revisions every test replaces."""
    with world_database(shared_chdb, "agencies_change") as database:
        yield database


def test_founded(database):
    """A new office counts from its first day; without a path of its own it begins as far behind as the plan is old."""
    office = "ban-quan-ly-ho-nui-coc"
    piece, of_plan = in_guide("Founded")
    later = directory_revision(2, changed(DIRECTORY, piece))
    events = [
        joined("p1", office, "06-16"), joined("p2", office, "06-10"), box("p1", "06-18"),
        record(office, "1", "entered", "06-12"), record(office, "2", "entered", "06-17"),
        record(office, "2", "adopted", "06-19"),
    ]  # fmt: skip

    figures = after(database, events, later)

    assert course(figures, "mailboxes", office, "06-15", "06-16", "06-18") == [None, (0, 2), (1, 2)]
    assert course(figures, "records-filed", office, "06-16", "06-17", "06-19") == [None, (0, 1), (1, 1)]
    on_first = standings(assessed(database, [ON_PLAN], later, LAST), "mailboxes", office)
    assert min(on_first) == day("06-16")
    assert (on_first[day("06-16")].verdict, on_first[day("06-16")].days_behind) == ("behind", 19)

    own = plan_revision(2, changed(PLAN, changed_indicators(of_plan)), later.document)
    store(database, own)
    recompute(database, complete=LAST, zone=ZONE_INFO)

    with_own = standings(assessed(database, [ON_PLAN, own], later, LAST), "mailboxes", office)
    assert (with_own[day("06-16")].planned, with_own[day("06-16")].days_behind) == (0, 0)
    assert with_own[day("06-16")].verdict == "on-track"


MERGED = [
    joined("p1", "so-xay-dung", "06-01"), joined("p1", "so-xay-dung-giao-thong", "07-01"), box("p1"),
    joined("p2", "so-giao-thong-van-tai", "06-01"), sent("p1@x", "06-20"),
    *(record("so-xay-dung", name, "entered", "06-20") for name in ("1", "2", "3")),
    record("so-xay-dung", "1", "adopted", "06-25"), record("so-xay-dung", "4", "entered", "07-01"),
    *(record("so-giao-thong-van-tai", name, "entered", "06-20") for name in ("1", "2")),
    record("so-giao-thong-van-tai", "2", "adopted", "07-03"),
    record("so-xay-dung-giao-thong", "1", "entered", "07-02"),
    exchanged("9", "adopted", "07-02", issued="06-25", issuer="edoc:000.00.00.H55", counterpart="edoc:000.00.09.H55"),
]  # fmt: skip


def test_merged(database):
    """Two offices end, each with its figures; the new one begins with the sum, and with those on its own roster."""
    new, one, other = "so-xay-dung-giao-thong", "so-xay-dung", "so-giao-thong-van-tai"
    later = directory_revision(2, changed(DIRECTORY, in_guide("Merged")[0]))

    figures = after(database, MERGED, later)

    assert course(figures, "records-filed", one, "06-20", "06-30", "07-01") == [(0, 3), (1, 3), None]
    assert course(figures, "records-filed", other, "06-30", "07-01") == [(0, 2), None]
    assert course(figures, "records-filed", new, "06-30", "07-01", "07-02", "07-03") == [None, (1, 5), (1, 6), (2, 6)]
    assert course(figures, "documents-exchanged", one, "06-30", "07-02") == [(0, 1), None]
    assert course(figures, "documents-exchanged", new, "07-01", "07-02") == [(0, 1), (1, 1)]
    assert course(figures, "mailboxes", one, "06-30", "07-01") == [(1, 1), None]
    assert course(figures, "mailboxes", other, "06-30", "07-01") == [(0, 1), None]
    assert course(figures, "mailboxes", new, "06-30", "07-01") == [None, (1, 1)]
    # The mail of 20 June lies within 28 days until 17 July.
    assert course(figures, "email-use", new, "07-01", "07-17", "07-18") == [(1, 1), (1, 1), (0, 1)]


def test_merged_before_the_registers_know(database):
    """While the old offices go on as parts of the new one their people count for it."""
    piece = in_guide("Merged")[0]
    for agency in piece["agencies"]:
        agency.pop("to", None)
    later = directory_revision(2, changed(DIRECTORY, piece))

    figures = after(database, MERGED, later)

    assert course(figures, "mailboxes", "so-xay-dung-giao-thong", "06-30", "07-01") == [None, (1, 2)]


def test_merged_with_a_code_taken_over(database):
    """Documents count for whom the code meant on their day of issue; under an old code that nobody takes over for nobody."""
    code, new, old = {"scheme": "edoc", "value": "000.00.09.H55"}, "so-xay-dung-giao-thong", "so-xay-dung"
    plain = in_guide("Merged")[0]
    codes = {old: [code | {"to": "2008-06-30"}], new: [code | {"from": "2008-07-01"}]}
    over = plain | {
        "agencies": [one | {"codes": codes[one["id"]]} if one["id"] in codes else one for one in plain["agencies"]]
    }
    parties = {"issuer": "edoc:000.00.00.H55", "counterpart": "edoc:000.00.09.H55"}
    events = [
        exchanged("9", "adopted", "07-02", issued="06-25", **parties),
        exchanged("10", "adopted", "07-05", issued="07-04", **parties),
    ]

    kept, taken = (
        course(
            after(database, events, directory_revision(2, changed(DIRECTORY, piece))),
            "documents-exchanged", new, "07-01", "07-02", "07-04", "07-05",
        )
        for piece in (plain, over)
    )  # fmt: skip

    assert kept == [(0, 1), (1, 1), (1, 1), (1, 1)]
    assert taken == [(0, 1), (1, 1), (1, 2), (2, 2)]


def test_an_ended_office_is_warned_no_more(database):
    """An open warning of an office that has ended is resolved as no longer judged."""
    later = directory_revision(2, changed(DIRECTORY, in_guide("Merged")[0]))
    after(database, MERGED, later)
    subject = ("so-giao-thong-van-tai", lag_cause("mailboxes"))

    def brought(last: date, past: dict[tuple[str, str], Transition]) -> list[Transition]:
        judged = assessed(database, [ON_PLAN], later, last)
        found = transitions_of(judged, past, default_policy(judged.plan), at=datetime(2008, 7, 21, tzinfo=UTC))
        return [one for one in found if (one.agency, one.cause) == subject]

    (behind,) = brought(day("06-30"), {})
    (gone,) = brought(day("07-01"), {subject: behind})

    assert (behind.state, behind.reason) == ("open", "fell-behind")
    assert (gone.state, gone.reason) == ("resolved", "no-longer-judged")


def test_split(database):
    """What an office has entered goes to one heir; people go where their rosters have them, with their mail."""
    old, heir, other = "so-van-hoa-tt-dl", "so-van-hoa-the-thao", "so-du-lich"
    later = directory_revision(2, changed(DIRECTORY, in_guide("Split")[0]))
    events = [
        joined("p1", old, "06-01", "06-30"), joined("p2", old, "06-01", "06-30"), joined("p1", heir, "07-01"),
        joined("p2", other, "07-01"), box("p1"), box("p2"), sent("p1@x", "06-20"), sent("p2@x", "06-20"),
        *(record(old, name, "entered", "06-20") for name in "1234"), record(old, "1", "adopted", "06-20"),
        record(old, "2", "adopted", "06-20"), record(heir, "5", "entered", "07-02"),
        record(other, "6", "entered", "07-02"), record(other, "6", "adopted", "07-04"),
    ]  # fmt: skip

    figures = after(database, events, later)

    assert course(figures, "records-filed", old, "06-30", "07-01") == [(2, 4), None]
    assert course(figures, "records-filed", heir, "06-30", "07-01", "07-02") == [None, (2, 4), (2, 5)]
    assert course(figures, "records-filed", other, "07-01", "07-02", "07-04") == [None, (0, 1), (1, 1)]
    assert course(figures, "email-use", old, "06-30", "07-01") == [(2, 2), None]
    assert course(figures, "email-use", heir, "06-30", "07-01") == [None, (1, 1)]
    assert course(figures, "email-use", other, "06-30", "07-01") == [None, (1, 1)]


def test_renamed(database):
    """A new name changes no figure and is that of its days only."""
    office = "ban-dan-toc"
    later = directory_revision(2, changed(DIRECTORY, in_guide("Renamed")[0]))
    events = [joined("p1", office, "06-01"), joined("p2", office, "06-01"), box("p1")]

    figures = after(database, events, later)

    assert course(figures, "mailboxes", office, "06-30", "07-01", "07-20") == [(1, 2)] * 3
    # Mailboxes, e-mail use and training of 1 June to 20 July, each appended once.
    assert database.rows("SELECT count() FROM adoption") == [(3 * 50,)]
    names = {}
    for on in (day("06-30"), day("07-01")):
        in_force = directory_in_force([FIRST, later], on)
        assert in_force is not None
        names[on] = next(one.name.vi for one in in_force.document.agencies if one.id == office)
    assert list(names.values()) == ["Ban Dân tộc", "Ban Dân tộc và Tôn giáo"]


def test_moved_to_another_parent(database):
    """An office that moves takes its people and all that it has entered along, from the day on."""
    moved, old, new = "chi-cuc-kiem-lam", "so-nong-nghiep-ptnt", "so-tai-nguyen-moi-truong"
    later = directory_revision(2, changed(DIRECTORY, in_guide("Moved to another parent")[0]))
    events = [
        joined("p1", moved, "06-01"), joined("p2", old, "06-01"), joined("p3", new, "06-01"), box("p1"), box("p2"),
        record(moved, "1", "entered", "06-05"), record(moved, "2", "entered", "06-05"),
        record(moved, "1", "adopted", "06-10"), record(moved, "3", "entered", "07-02"),
    ]  # fmt: skip

    figures = after(database, events, later)

    assert course(figures, "records-filed", old, "06-09", "06-30", "07-01") == [(0, 2), (1, 2), None]
    assert course(figures, "records-filed", new, "06-30", "07-01", "07-02") == [None, (1, 2), (1, 3)]
    assert course(figures, "mailboxes", old, "06-30", "07-01") == [(2, 2), (1, 1)]
    assert course(figures, "mailboxes", new, "06-30", "07-01") == [(0, 1), (1, 2)]


def test_a_move_takes_permission_along():
    """A source that speaks for a department speaks for the offices below it as the latest directory has them."""
    moved, old, new = "chi-cuc-kiem-lam", "so-nong-nghiep-ptnt", "so-tai-nguyen-moi-truong"
    later = directory_revision(2, changed(DIRECTORY, in_guide("Moved to another parent")[0]))
    sources = Sources.model_validate(example("sources"))

    def speak_for(office: str, directory: Directory) -> set[str]:
        permits = registry_of([directory], [sources]).permits.values()
        return {permit.source for permit in permits if office in permit.agencies} & {f"/office/{old}", f"/office/{new}"}

    assert speak_for(moved, FIRST.document) == {f"/office/{old}"}
    assert speak_for(moved, later.document) == {f"/office/{new}"}


def test_moved_to_another_group(database):
    """Another group is another target and path, as old as the plan; figures stay."""
    town = "tx-song-cong"
    later = directory_revision(2, changed(DIRECTORY, in_guide("Moved to another group")[0]))
    events = [
        item(kind, town, str(number), "entered", "06-02")
        for kind in (usage.DocumentHandled, usage.TaskDirected)
        for number in range(10)
    ]
    events.append(item(usage.DocumentHandled, town, "0", "adopted", "06-03"))

    figures = after(database, events, later)

    assert course(figures, "documents-handled", town, "06-30", "07-01") == [(1, 10), (1, 10)]
    online = standings(assessed(database, [ON_PLAN], later, LAST), "documents-online", town)
    before, on = online[day("06-30")], online[day("07-01")]
    assert before.ratio == on.ratio == pytest.approx(0.05)
    # The plan runs for 217 days; 30 June is day 33. 5 % is due on day 54.25 on the way to 20 %, on day 21.7 to 50 %.
    assert (before.target, on.target) == (pytest.approx(0.2), pytest.approx(0.5))
    assert float(before.planned) == pytest.approx(0.2 * 33 / 217)
    assert float(on.planned) == pytest.approx(0.5 * 34 / 217)
    assert float(before.days_behind) == pytest.approx(33 - 54.25)
    assert (float(on.days_behind), on.verdict) == (pytest.approx(34 - 21.7), "behind")
