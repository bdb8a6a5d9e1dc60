"""The simulator's own figures: checked by hand on tiny worlds, and against its files on the whole one."""

from __future__ import annotations

from datetime import date, datetime
from fractions import Fraction
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from schemas.directory import Directory
from schemas.plan import Plan
from schemas.sources import Sources
from services.core.scope import targets_of
from tests.unit.simulated import EXAMPLE, UNTIL, day, newest, rows
from tests.unit.simulated import province as written_province

from simulator.courses import AGENCIES, DEAD, NEVER, code_on  # isort: skip
from simulator.days import HOLIDAYS  # isort: skip
from simulator.oracle import INDICATORS, Oracle, concerned, is_silent  # isort: skip
from simulator.truth import Deed, Document, Item, Mailbox, Post, Span, World  # isort: skip

NEW_YEAR = datetime(2008, 1, 2, 9)
HEALTH, POPULATION = "so-y-te", "chi-cuc-dan-so"


def _span(first: date, last: date | None = None, recorded: datetime = NEW_YEAR) -> Span:
    return Span(recorded=recorded, first=first, last=last)


def _post(person: str, agency: str, first: date = date(2000, 1, 1), last: date | None = None) -> Post:
    return Post(row=f"{person}{agency}", person=person, agency=agency, office=agency, versions=(_span(first, last),))


def _box(address: str, owner: str, first: date = date(2008, 1, 1), last: date | None = None) -> Mailbox:
    return Mailbox(row=address, address=address, owner=owner, versions=(_span(first, last),))


def _deed(office: str, step: str, month: int, on: int, recorded: datetime | None = None) -> Deed:
    when = date(2008, month, on)
    return Deed(office=office, step=step, day=when, recorded=recorded or datetime(2008, month, on, 9))


def _counts(world: World, indicator: str, agency: str, on: date = UNTIL) -> tuple[int | None, int | None]:
    figure = Oracle(world, UNTIL).figure(indicator, agency, on)
    return figure.numerator, figure.denominator


def test_mailboxes_count_people_with_an_official_address_once() -> None:
    """Two addresses are one person, a private or look-alike one is none, the unit below counts, who left does not."""
    world = World(
        posts=[
            _post("a", HEALTH),
            _post("a", POPULATION),
            _post("b", POPULATION),
            _post("c", HEALTH),
            _post("d", HEALTH, last=date(2008, 9, 29)),
            _post("e", HEALTH),
        ],
        mailboxes=[
            _box("x@soyte.thainguyen.gov.vn", "a"),
            _box("y@thainguyen.gov.vn", "a"),
            _box("z@yahoo.com.vn", "b"),
            _box("w@mang-thainguyen.gov.vn", "c"),
            _box("v@thainguyen.gov.vn", "d"),
            _box("u@thainguyen.gov.vn", "e", last=date(2008, 9, 30)),
        ],
    )
    assert _counts(world, "mailboxes", HEALTH) == (2, 4)
    assert _counts(world, "mailboxes", HEALTH, date(2008, 9, 29)) == (3, 5)


def test_mail_counts_for_the_owner_of_the_day_of_sending() -> None:
    """The old owner keeps what was sent in his time, the gap counts for nobody, the window is 28 days long."""
    address = "x@soyte.thainguyen.gov.vn"
    world = World(
        posts=[_post("old", HEALTH), _post("new", HEALTH)],
        mailboxes=[
            _box(address, "old", last=date(2008, 8, 31)),
            _box(address, "new", first=date(2008, 9, 20)),
        ],
        uses={(address, date(2008, 8, 31)), (address, date(2008, 9, 10)), (address, date(2008, 9, 20))},
    )
    assert _counts(world, "email-use", HEALTH, date(2008, 9, 19)) == (1, 2)
    assert _counts(world, "email-use", HEALTH, date(2008, 9, 27)) == (2, 2)
    assert _counts(world, "email-use", HEALTH, date(2008, 9, 28)) == (1, 2)


def test_a_document_combines_what_all_registers_say() -> None:
    """Paper here and accepted there is accepted, from that day on; undone wins on equal days; the least entry decides."""
    code = "000.00.16.H55"

    def document(number: str, *deeds: Deed) -> Document:
        return Document(
            number=number, issued_on=date(2008, 9, 1), issuer=code, counterpart="u", agency=HEALTH, deeds=deeds
        )

    ubnd = "ubnd-tinh"
    world = World(
        documents=[
            document("1", _deed(HEALTH, "entered", 9, 1), _deed(ubnd, "entered", 9, 2), _deed(ubnd, "adopted", 9, 5)),
            document("2", _deed(HEALTH, "entered", 9, 1), _deed(HEALTH, "adopted", 9, 3), _deed(ubnd, "undone", 9, 3)),
            document("3", _deed(ubnd, "entered", 9, 1), _deed(HEALTH, "undone", 9, 3), _deed(HEALTH, "adopted", 9, 4)),
            document("4", _deed(ubnd, "entered", 5, 27), _deed(HEALTH, "entered", 5, 28)),
            document("5", _deed(HEALTH, "entered", 9, 28), _deed(HEALTH, "adopted", 10, 3)),
            document("6", _deed(HEALTH, "entered", 9, 29, recorded=datetime(2008, 10, 2, 9))),
        ]
    )
    assert _counts(world, "documents-exchanged", HEALTH, date(2008, 9, 3)) == (0, 3)
    assert _counts(world, "documents-exchanged", HEALTH, date(2008, 9, 5)) == (2, 3)
    assert _counts(world, "documents-exchanged", HEALTH) == (2, 4)


def test_a_dead_feed_keeps_its_last_day_and_a_mean_needs_both_parts() -> None:
    """Silent figures are those of 13 August, what came to light later is unknown; a part over nothing gives no mean."""
    world = World(
        items=[
            Item(
                kind="handling",
                agency=DEAD,
                number="1",
                deeds=(_deed(DEAD, "entered", 8, 13), _deed(DEAD, "adopted", 8, 13)),
            ),
            Item(
                kind="handling",
                agency=DEAD,
                number="2",
                deeds=(_deed(DEAD, "entered", 8, 12, datetime(2008, 8, 14, 9)),),
            ),
            Item(kind="handling", agency=DEAD, number="3", deeds=(_deed(DEAD, "entered", 8, 11),)),
        ]
    )
    oracle = Oracle(world, UNTIL)
    handled = oracle.figure("documents-handled", DEAD, UNTIL)
    assert (handled.numerator, handled.denominator, handled.judged_day) == (1, 2, date(2008, 8, 13))
    assert handled.feed_state == "silent"
    assert oracle.figure("documents-online", DEAD, UNTIL).ratio is None
    assert oracle.figure("documents-handled", DEAD, date(2008, 7, 31)).feed_state == "reporting"
    never = oracle.figure("documents-online", NEVER, UNTIL)
    assert (never.feed_state, never.judged_day) == ("never-connected", UNTIL)
    empty = oracle.figure("documents-handled", NEVER, UNTIL).as_json()
    assert (empty["numerator"], empty["denominator"], empty["ratio"]) == (None, None, None)


def test_mean_is_exact() -> None:
    """Half of one and a third of the other make five twelfths."""
    items = [
        Item(kind=kind, agency=HEALTH, number=f"{number}", deeds=(_deed(HEALTH, "entered", 9, 1), *adopted))
        for kind, count in (("handling", 2), ("tasks", 3))
        for number in range(count)
        for adopted in [(_deed(HEALTH, "adopted", 9, 2),) if number == 0 else ()]
    ]
    figure = Oracle(World(items=items), UNTIL).figure("documents-online", HEALTH, UNTIL)
    assert figure.ratio == Fraction(5, 12)
    assert figure.numerator is None


@pytest.mark.parametrize(
    ("on", "silent"),
    [
        pytest.param(date(2008, 8, 18), False, id="Thursday is the rhythm, Friday and Monday are borne"),
        pytest.param(date(2008, 8, 19), True, id="Tuesday is too late"),
    ],
)
def test_silence_counts_working_days(on: date, silent: bool) -> None:
    """The last covered day is Wednesday, 13 August."""
    assert is_silent(date(2008, 8, 13), on) is silent


@pytest.fixture(scope="module")
def province(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Oracle]:
    folder, world = written_province(tmp_path_factory)
    return folder, Oracle(world, UNTIL)


def test_files_say_the_same_as_the_truth(province: tuple[Path, Oracle]) -> None:
    """Reading the registers themselves gives the oracle's records and mailboxes, for every agency on both days."""
    folder, oracle = province
    boxes = [
        row
        for row in rows(newest(folder / "mail", "mailboxes"))
        if row["Địa chỉ"].endswith(("@thainguyen.gov.vn", ".thainguyen.gov.vn"))
    ]
    posts = [row for path in folder.glob("offices/*/roster-*.csv") for row in rows(path)]
    below = {agency.id: agency.parent or agency.id for agency in AGENCIES}
    for on in (date(2008, 7, 31), UNTIL):
        owners = {b["Số hiệu chủ hộp thư"] for b in boxes if day(b["Ngày mở"]) <= on <= (day(b["Ngày đóng"]) or UNTIL)}
        for agency in concerned("mailboxes"):
            people = {
                p["Số hiệu"] for p in posts
                if below[p["Đơn vị"]] == agency.id and day(p["Từ ngày"]) <= on <= (day(p["Đến ngày"]) or UNTIL)
            }  # fmt: skip
            figure = oracle.figure("mailboxes", agency.id, on)
            assert (figure.numerator, figure.denominator) == (len(people & owners), len(people))
            adopted = total = 0
            for office in (a for a, top in below.items() if top == agency.id and a != POPULATION):
                for row in rows(newest(folder / "offices" / office, "records")):
                    if date(2008, 5, 28) <= day(row["Ngày lập"]) <= on:
                        total += 1
                        filed, gone = day(row["Ngày nộp điện tử"]), day(row["Ngày huỷ"])
                        adopted += bool(filed and filed <= on and not (gone and filed <= gone <= on))
            figure = oracle.figure("records-filed", agency.id, on)
            assert (figure.numerator, figure.denominator) == (adopted, total)


def test_courses_hold(province: tuple[Path, Oracle]) -> None:
    """On 30 September the promised agencies are behind, in three objectives at once, and the leader is ahead in all."""
    _, oracle = province
    passed = Fraction(125, 217)
    for indicator, target in (
        ("mailboxes", Fraction(1)),
        ("email-use", Fraction(1, 2)),
        ("documents-online", Fraction(1, 2)),
    ):
        behind = oracle.figure(indicator, "so-xay-dung", UNTIL).ratio
        ahead = oracle.figure(indicator, "so-thong-tin-truyen-thong", UNTIL).ratio
        assert behind < target * passed * Fraction(3, 4)
        assert ahead > target * passed * Fraction(5, 4)
    # Carried on to September, the dead feed's last figures would look late although they were not on their day.
    frozen = oracle.figure("documents-online", DEAD, UNTIL).ratio
    assert Fraction(1, 2) * Fraction(77, 217) < frozen < Fraction(1, 2) * passed


def test_published_documents_agree_with_the_simulator() -> None:
    """The YAML files are valid, name the simulator's agencies, codes and holidays, and its indicators concern the same."""

    def load(name: str) -> object:
        return YAML(typ="safe").load((EXAMPLE / f"{name}.yaml").read_text(encoding="utf-8"))

    directory, plan = Directory.model_validate(load("directory")), Plan.model_validate(load("plan"))
    sources = Sources.model_validate(load("sources"))

    listed = {agency.id: agency for agency in directory.agencies}
    for agency in AGENCIES:
        for on in (date(2008, 6, 30), date(2008, 7, 1)):
            codes = [c.value for c in listed[agency.id].codes if (c.from_ or on) <= on <= (c.to or on)]
            assert codes == [code_on(agency, on)]
        assert listed[agency.id].parent == (agency.parent or "tinh-thai-nguyen")
    assert len(listed) == len(AGENCIES) + 2
    assert set(directory.holidays) == HOLIDAYS
    assert tuple(indicator.id for indicator in plan.indicators) == INDICATORS
    targets = {indicator.id: targets_of(directory, indicator) for indicator in plan.indicators}
    for indicator, found in targets.items():
        assert set(found) == {agency.id for agency in concerned(indicator)}
    for agency in concerned("mailboxes"):
        assert targets["email-use"][agency.id].target == Fraction(str(agency.email_target))
        assert targets["documents-online"][agency.id].target == Fraction(str(agency.documents_target))
    assert {feed.source for feed in directory.feeds} == {source.id for source in sources.entries}
    assert all(
        set(f.types) <= {t for s in sources.entries if s.id == f.source for t in s.types} for f in directory.feeds
    )
    judged = [listed[agency.id] for agency in concerned("mailboxes")]
    assert all({contact.role for contact in agency.contacts} == {"contact", "head"} for agency in judged)
