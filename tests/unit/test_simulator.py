"""The simulator of the example: the same seed gives the same world, which grows and holds every promised oddity."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from tests.unit.simulated import EXAMPLE, UNTIL, day, files, log_text, newest, rows
from tests.unit.simulated import province as written_province

from simulator.courses import AGENCIES, DEAD, JUDGED, NEVER, UBND_CODE  # isort: skip
from simulator.run import NotThisFolderError, write  # isort: skip
from simulator.truth import World  # isort: skip

ACTIVE = re.compile(
    r"^(\S{10})\S* mail postfix/qmgr\[\d+\]: (\w+): from=<([^>]*)>, size=\d+, nrcpt=\d+ \(queue active\)$", re.M
)
MESSAGE = re.compile(r"^(\S{10})\S* mail postfix/cleanup\[\d+\]: (\w+): message-id=(<.+>)$", re.M)


@dataclass(frozen=True)
class Province:
    """What one run wrote, with its truth."""

    folder: Path
    world: World
    log: str


@pytest.fixture(scope="module")
def province(tmp_path_factory: pytest.TempPathFactory) -> Province:
    folder, world = written_province(tmp_path_factory)
    return Province(folder, world, log_text(folder))


def _office(province: Province, office: str, register: str) -> list[dict[str, str]]:
    return rows(newest(province.folder / "offices" / office, register))


def _owners(province: Province) -> dict[str, list[dict[str, str]]]:
    found = defaultdict(list)
    for row in rows(newest(province.folder / "mail", "mailboxes")):
        found[row["Địa chỉ"]].append(row)
    return found


def test_same_seed_same_bytes_other_seed_other_bytes(tmp_path: Path) -> None:
    """Every file is decided by the seed alone."""
    for name, seed in (("one", 7), ("two", 7), ("three", 8)):
        write(seed, date(2008, 1, 20), tmp_path / name)

    assert files(tmp_path / "one") == files(tmp_path / "two")
    assert files(tmp_path / "one") != files(tmp_path / "three")


def test_a_later_run_appends_to_the_log_and_adds_exports(tmp_path: Path) -> None:
    """Growing step by step leaves the old content as a prefix, keeps old exports, and ends where one run ends."""
    write(7, date(2008, 1, 31), tmp_path / "grown")
    log, before = log_text(tmp_path / "grown"), files(tmp_path / "grown")
    inode = (tmp_path / "grown/mail/mail.log").stat().st_ino
    write(7, date(2008, 2, 14), tmp_path / "grown")

    assert (tmp_path / "grown/mail/mail.log").stat().st_ino == inode
    assert log_text(tmp_path / "grown").startswith(log)
    after = files(tmp_path / "grown")
    assert {name: text for name, text in before.items() if name.endswith(".csv")}.items() <= after.items()
    assert sum(name.endswith(".csv") for name in after) == 2 * sum(name.endswith(".csv") for name in before)
    write(7, date(2008, 2, 14), tmp_path / "once")
    assert log_text(tmp_path / "once") == log_text(tmp_path / "grown")
    write(7, date(2008, 2, 14), tmp_path / "grown")
    assert files(tmp_path / "grown") == after


def test_a_folder_of_another_world_is_refused(tmp_path: Path) -> None:
    """Neither another seed nor an earlier day touches what is there; a day outside 2008 is refused."""
    write(7, date(2008, 1, 10), tmp_path)
    before = files(tmp_path)

    for seed, until in ((8, date(2008, 1, 20)), (7, date(2008, 1, 9))):
        with pytest.raises(NotThisFolderError):
            write(seed, until, tmp_path)
    with pytest.raises(ValueError, match="2008"):
        write(7, date(2009, 1, 1), tmp_path)
    assert files(tmp_path) == before


def test_nothing_is_done_after_the_last_day(province: Province) -> None:
    """After it come one log line and the exports of that night; no row was touched later, no deed is of a later day."""
    later = [line for line in province.log.splitlines() if line[:10] > UNTIL.isoformat()]
    assert len(later) == 1
    assert later[0].startswith("2008-10-01T00:00:00.")
    assert "HUPed" in later[0]

    for path in province.folder.rglob("*.csv"):
        for row in rows(path):
            assert datetime.strptime(row["Cập nhật lúc"], "%d/%m/%Y %H:%M:%S").date() <= UNTIL
            deeds = [day(cell) for head, cell in row.items() if head.startswith("Ngày") and head != "Ngày đóng"]
            assert all(deed <= UNTIL for deed in deeds if deed)


def test_the_log_is_in_order_and_rotated_by_month(province: Province) -> None:
    """Times never go back, and each rotated file begins with the line that its rotation leaves."""
    stamps = [line[:32] for line in province.log.splitlines()]
    assert stamps == sorted(stamps)
    assert all(stamp.endswith("+07:00") for stamp in stamps)
    for number in range(1, 10):
        text = (province.folder / f"mail/mail.log.{number}").read_text()
        assert {line[:7] for line in text.splitlines()} == {f"2008-{10 - number:02d}"}
        assert text.splitlines()[0].endswith("HUPed")


def test_size_is_moderate(province: Province) -> None:
    """About 900 officials, 40,000 uses, 400,000 lines, fewer than 20,000 rows of documents."""
    documents = sum(
        len(rows(p)) for p in province.folder.rglob("*.csv") if p.name[0] in "ehrt" and "roster" not in p.name
    )
    assert 900 <= len({post.person for post in province.world.posts}) <= 1100
    assert 30_000 <= sum(day <= UNTIL for _, day in province.world.uses) <= 50_000
    assert 300_000 <= province.log.count("\n") <= 450_000
    assert 10_000 <= documents <= 20_000


def test_the_log_holds_every_kind_of_mail(province: Province) -> None:
    """Filters, bounces, retries, forwards, webmail, outsiders, system senders, refusals, broken sessions and neighbours."""
    for sign in (
        "relay=127.0.0.1[127.0.0.1]:10024",
        "amavis[",
        "status=bounced",
        "sender non-delivery notification",
        "status=deferred",
        "status=expired, returned to sender",
        "(forwarded as ",
        "orig_to=<",
        "uid=33 from=<cb",
        "from=<root@mail.thainguyen.gov.vn>",
        "from=<>, size=",
        "from=<khach",
        "NOQUEUE: reject: RCPT",
        "milter-reject: END-OF-MESSAGE",
        "lost connection after DATA",
        "message-id=<>\n",
        "nrcpt=3 (queue active)",
        "postfix/anvil",
        "dovecot[",
        "sshd[",
        ".ThaiNguyen.gov.vn>, size=",
        "postfix/submission/smtpd",
    ):
        assert sign in province.log, sign
    queues = [found[1] for found in ACTIVE.findall(province.log)]
    assert any(re.fullmatch("[0-9A-F]{8}", queue) for queue in queues)
    assert any(len(queue) == 15 for queue in queues)


def test_acceptances_deceive_a_simple_count(province: Province) -> None:
    """A queue id comes active again on a later day, another is used twice, and a filter gives a mail back after midnight."""
    active = defaultdict(list)
    for on, queue, sender in ACTIVE.findall(province.log):
        active[queue].append((on, sender))
    assert any(len(set(seen)) > 1 and len({sender for _, sender in seen}) == 1 for seen in active.values())
    assert any(len({sender for _, sender in seen}) > 1 for seen in active.values())
    message_days = defaultdict(set)
    for on, _, message in MESSAGE.findall(province.log):
        message_days[message].add(on)
    assert any(len(days) > 1 for days in message_days.values())

    counted = {(sender.lower(), date.fromisoformat(on)) for on, _, sender in ACTIVE.findall(province.log)}
    assert province.world.uses - counted <= {use for use in province.world.uses if use[1] > UNTIL}
    ours = {use for use in counted if use[0].endswith("thainguyen.gov.vn") and "@mail." not in use[0]}
    assert ours - province.world.uses, "counting every acceptance gives more than the truth"


def test_registers_hold_every_kind_of_document(province: Province) -> None:
    """Two registers see one document; paper here is electronic there; refused, recalled, accepted again, months apart."""
    own = {
        row["Số ký hiệu"] + row["Nơi gửi"] + row["Nơi nhận"]: row for row in _office(province, "so-y-te", "exchange")
    }
    central = {
        row["Số ký hiệu"] + row["Nơi gửi"] + row["Nơi nhận"]: row for row in _office(province, "ubnd-tinh", "exchange")
    }
    both = own.keys() & central.keys()
    adopted, undone = "Ngày tiếp nhận qua mạng", "Ngày từ chối hoặc thu hồi"
    assert any(not own[k][adopted] and central[k][adopted] for k in both)
    assert any(own[k]["Ngày vào sổ"] != central[k]["Ngày vào sổ"] for k in both)
    assert own.keys() - central.keys()

    keys = Counter(
        (d.number, d.agency, d.issuer.startswith(UBND_CODE), d.counterpart) for d in province.world.documents
    )
    assert max(keys.values()) == 1, "a number is given once, whatever the office's code"

    every = [row for p in province.folder.rglob("exchange-*.csv") for row in rows(p)]
    cases = Counter[str]()
    for row in every:
        entered, accepted, gone = day(row["Ngày vào sổ"]), day(row[adopted]), day(row[undone])
        cases["next month"] += bool(accepted and entered and accepted.month != entered.month)
        cases["refused"] += bool(gone and not accepted)
        cases["recalled"] += bool(gone and accepted and gone > accepted)
        cases["same day"] += bool(gone and gone == accepted)
        cases["accepted again"] += bool(gone and accepted and gone < accepted)
        cases["not ours"] += UBND_CODE not in (row["Nơi gửi"], row["Nơi nhận"])
        cases["ministry"] += ".G" in row["Nơi nhận"]
        cases["sub-unit"] += ".01." in row["Nơi gửi"] + row["Nơi nhận"]
        cases["old code"] += "000.00.36.H55" in (row["Nơi gửi"], row["Nơi nhận"])
    assert min(cases.values()) > 0, cases


def test_people_join_leave_move_and_serve_twice(province: Province) -> None:
    """Rosters know joiners of the year, leavers, movers, people in two offices, and leaving registered ahead."""
    posts = defaultdict(list)
    for path in province.folder.glob("offices/*/roster-*.csv"):
        for row in rows(path):
            posts[row["Số hiệu"]].append((row["Đơn vị"], day(row["Từ ngày"]), day(row["Đến ngày"]), row))
    for found in posts.values():
        found.sort(key=lambda post: post[1])
    spans = [post for found in posts.values() for post in found]
    assert any(first.year == 2008 for _, first, _, _ in spans)
    assert any(last and last > UNTIL for _, _, last, _ in spans)
    assert any(
        len(found) == 2 and found[0][2] and found[1][1] == found[0][2] + timedelta(days=1) for found in posts.values()
    )
    assert any(len(found) == 2 and not found[0][2] and not found[1][2] for found in posts.values())
    assert {agency for agency, *_ in spans} == {agency.id for agency in AGENCIES}


def test_addresses_pass_on_and_some_are_no_official_ones(province: Province) -> None:
    """An address changes hands with a gap in which it is still used; some are shared, private or of a look-alike domain."""
    owners = _owners(province)
    passed = {
        address: sorted(found, key=lambda row: day(row["Ngày mở"]))
        for address, found in owners.items()
        if len(found) > 1
    }
    assert len(passed) == 4
    gaps = 0
    for address, (first, second) in passed.items():
        closed, opened = day(first["Ngày đóng"]), day(second["Ngày mở"])
        assert closed < opened
        assert first["Số hiệu chủ hộp thư"] != second["Số hiệu chủ hộp thư"]
        gaps += any(use[0] == address and closed < use[1] < opened for use in province.world.uses)
    assert gaps == 3
    people = Counter(row["Số hiệu chủ hộp thư"] for found in owners.values() for row in found)
    assert people[""] == len(AGENCIES)
    assert any(count > 1 for person, count in people.items() if person)
    assert {"yahoo.com.vn", "mang-thainguyen.gov.vn"} <= {address.partition("@")[2] for address in owners}


def test_one_feed_dies_and_one_never_starts(province: Province) -> None:
    """The dead feed's last document exports are of mid-August, its roster and records go on; the other has none at all."""
    names = {path.name.partition("-")[0]: path.name for path in (province.folder / "offices" / DEAD).iterdir()}
    for register in ("exchange", "handling", "tasks"):
        assert names[register] == f"{register}-20080814T000500+0700.csv"
    for register in ("roster", "records"):
        assert names[register] == f"{register}-20081001T000500+0700.csv"
    never = {path.name.partition("-")[0] for path in (province.folder / "offices" / NEVER).iterdir()}
    assert never == {"roster", "records"}
    assert len(JUDGED) == 28


def test_the_command_says_what_is_wrong_and_shows_an_example(tmp_path: Path) -> None:
    """Run as a folder, it explains itself and refuses a day that lies after the last one."""
    command = [sys.executable, str(EXAMPLE / "simulator")]
    shown = subprocess.run([*command, "--help"], capture_output=True, text=True, check=True)
    assert "example:" in shown.stdout
    refused = subprocess.run(
        [*command, "--until", "2008-01-03", "--out", str(tmp_path), "--as-of", "2008-02-01"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert refused.returncode == 2
    assert "2008-02-01" in refused.stderr
