"""The log of warnings into the tables: whatever crashes, and however often, they come out as the log says."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from deploy.local.mending import make_topics, mend
from schemas.policy import Match
from schemas.topics import Topic
from schemas.warnings import (
    WARNING_RECORD,
    Answer,
    AnswerKind,
    Notice,
    Record,
    Silence,
    Transition,
    TransitionReason,
    WarningState,
    record_key,
)
from services.alerts.adapters.log_reader import Behind, Logged, LogReader
from services.alerts.adapters.warning_log import WarningLog
from services.alerts.adapters.warning_tables import COLUMNS, row_of
from services.core.warnings.warning_records import counted, fold
from services.infra.clickhouse.client import ClickHouse, ClickHouseAddress, open_clickhouse
from services.infra.clickhouse.migrate import migrate
from services.infra.kafka import Message, open_producer, read_all
from tests import alerts_world as world
from tests.alerts_place import Place, wait_for
from tests.fixtures.chdb import ChdbServer
from tests.fixtures.tansu import Tansu

pytestmark = [pytest.mark.integration, pytest.mark.kafka, pytest.mark.timeout(180)]
DAY = date(2008, 9, 30)
AT = datetime(2008, 10, 1, 1, tzinfo=UTC)


def transition(agency: str, sequence: int, *, since: int = 0, **changes: Any) -> Transition:
    return Transition(
        id=f"{agency}-{sequence}", plan="p", agency=agency, cause="lag:email-use", sequence=sequence,
        state=WarningState.OPEN, reason=TransitionReason.STILL_BEHIND, day=DAY, since=DAY - timedelta(days=since),
        at=AT, revision=1, opened=1, opened_day=DAY, **changes,
    )  # fmt: skip


def answer(agency: str, number: int, kind: AnswerKind = AnswerKind.ACKNOWLEDGED, **changes: Any) -> Answer:
    about = {"id": f"answer-{agency}-{number}", "plan": "p", "cause": "lag:email-use", "opened": 1}
    return Answer.model_validate(
        about | {"agency": agency, "answer": kind, "by": "head", "via": "link", "at": AT} | changes
    )


def silence(number: int, action: str = "begun") -> Silence:
    span = {"from": AT, "until": AT + timedelta(days=3)}
    return Silence.model_validate(
        {"id": f"silence-{number}", "plan": "p", "action": action, "match": Match(agencies=("a1",)), "author": "Văn phòng",
         "reason": "di chuyển trụ sở", "at": AT, **span}
    )  # fmt: skip


def notice(agency: str, number: int, state: str) -> Notice:
    return Notice(
        id=f"notice-{agency}-{number}", plan="p", agency=agency, recipient="head", number=number, language="vi",
        transitions=(f"{agency}-{number}",), state=state, at=AT + timedelta(seconds=state == "sent"),
    )  # fmt: skip


def records(seed: int, number: int = 900) -> list[Record]:
    """Return records of all kinds, with repeats and with places that two evaluators took differently."""
    rng = random.Random(seed)
    made: list[Record] = []
    for step in range(number):
        agency = f"a{rng.randrange(12)}"
        made.append(
            rng.choice(
                [
                    transition(agency, rng.randrange(1, 9), since=rng.randrange(4)),
                    answer(agency, rng.randrange(6)),
                    silence(rng.randrange(9), rng.choice(["begun", "ended"])),
                    notice(agency, rng.randrange(1, 9), rng.choice(["pending", "sent"])),
                    *([made[rng.randrange(step)]] if step else []),
                ]
            )
        )
    return made


GARBAGE = (b"", b"not json", b'{"kind": "rumour"}', '{"kind": "answer", "id": "Sở Y tế"}'.encode())


def publish(place: Place, values: Sequence[bytes], key: bytes = b"p/a1") -> None:
    with open_producer(place.broker.address) as producer:
        for start in range(0, len(values), 100):
            producer.publish([Message(Topic.WARNINGS.value, value, key) for value in values[start : start + 100]])


def dumped(every: Sequence[Record]) -> list[bytes]:
    return [WARNING_RECORD.dump_json(one, by_alias=True) for one in every]


def expected(every: Sequence[Record]) -> dict[str, set[Any]]:
    """Return table → rows, of each place the first of the log."""
    transitions = [one for one in every if isinstance(one, Transition)]
    first: dict[str, Record] = {one.id: one for one in reversed(every) if isinstance(one, Answer)}
    kept = [*counted(transitions), *first.values(), *(one for one in every if isinstance(one, Notice | Silence))]
    found: dict[str, set[Any]] = {table: set() for table in COLUMNS}
    for one in kept:
        table, _ = row_of(one)
        found[table].add(WARNING_RECORD.dump_json(one, by_alias=True).decode())
    return found


def held(database: ClickHouse) -> dict[str, set[Any]]:
    return {table: {row[0] for row in database.rows(f"SELECT record FROM {table} FINAL")} for table in COLUMNS}


@pytest.fixture(params=["tansu", "kafka"])
def place(request: pytest.FixtureRequest, tmp_path: Path, shared_chdb: ChdbServer) -> Iterator[Place]:
    """A place on either broker, with topics."""
    made = Place(tmp_path, shared_chdb, request.getfixturevalue(request.param))
    make_topics(made.broker.address)
    try:
        yield made
    finally:
        made.stop()


def folded(place: Place, end: int) -> bool:
    rows = place.rows("SELECT max(next) FROM log_positions")
    return bool(rows[0][0] >= end)


def test_killed_again_and_again_the_tables_come_out_as_the_log_says(place: Place) -> None:
    """kill -9 in the middle, records that nobody can read, a dropped database: of each place the first recorded counts."""
    every = records(1)
    values = dumped(every)
    publish(place, values[:1])  # a first fetch of one record
    worker = place.alerts()
    wait_for("the first record", lambda: folded(place, 1))
    for part in range(3):
        publish(place, [*values[1 + 200 * part : 101 + 200 * part], GARBAGE[part]])
        wait_for("some of them", lambda part=part: folded(place, 2 + 201 * part))
        publish(place, values[101 + 200 * part : 201 + 200 * part])
        worker.kill()
        worker.wait(10)
        worker = place.alerts()
    publish(place, [*values[601:], GARBAGE[3]])
    end = len(values) + len(GARBAGE)
    wait_for("all records", lambda: folded(place, end), 90)
    with place.database() as database:
        assert held(database) == expected(every)
        assert database.rows("SELECT max(next) FROM log_positions") == [(end,)]
    assert "Sở Y tế" not in place.log()
    assert (
        "record 904 of warnings.v1 cannot be read and is passed over" in place.log() or "cannot be read" in place.log()
    )

    with open_clickhouse(ClickHouseAddress(port=place.address.port, database="default")) as server:
        server.run(f"DROP DATABASE {place.address.database}")
    publish(place, dumped([transition("late", 1)]))
    assert worker.wait(60) != 0
    place.alerts()
    wait_for("all records anew", lambda: _migrated(place) and folded(place, end + 1), 60)
    with place.database() as database:
        assert held(database) == expected([*every, transition("late", 1)])


def _migrated(place: Place) -> bool:
    with open_clickhouse(ClickHouseAddress(port=place.address.port, database="default")) as server:
        where = {"name": place.address.database}
        return bool(
            server.rows("SELECT 1 FROM system.tables WHERE database = %(name)s AND name = 'log_positions'", where)
        )


def test_while_the_database_is_away_the_log_waits(tmp_path: Path, shared_tansu: Tansu, chdb_server: ChdbServer) -> None:
    """The worker says what it lacks, loses nothing, and goes on when the database is back."""
    place = Place(tmp_path, chdb_server, shared_tansu)
    make_topics(place.broker.address)
    try:
        worker = place.alerts(TIENDO_ALERTS_INTERVAL="60")
        wait_for("readiness", lambda: not lacking(place))
        chdb_server.stop(kill=True)
        publish(place, dumped(records(2, 50)))
        wait_for("a word of it", lambda: "the log of warnings is not read" in lacking(place))
        assert worker.poll() is None
        chdb_server.start()
        ends = len(read_all(place.broker.address, Topic.WARNINGS.value))
        wait_for("all records", lambda: folded(place, ends))
        with place.database() as database:
            assert held(database) == expected(logged(place))
    finally:
        place.stop()


def lacking(place: Place) -> str:
    try:
        with urlopen(f"http://127.0.0.1:{place.health_port}/readyz", timeout=2):
            return ""
    except HTTPError as answered:
        return " ".join(json.loads(answered.read())["missing"])
    except OSError:
        return "nothing answers"


def logged(place: Place) -> list[Record]:
    return [
        WARNING_RECORD.validate_json(one.value or b"") for one in read_all(place.broker.address, Topic.WARNINGS.value)
    ]


def test_an_answer_from_elsewhere_is_taken_up_although_no_figure_has_changed(place: Place) -> None:
    """Acknowledged on the board: the evaluator looks again, records it, and the answer waits no longer."""
    with place.database() as database:
        world.fill(database)
    place.alerts()
    place.wait_until_judged()
    opened = wait_for("an open warning", lambda: _last(place, "so-y-te"))
    said = answer("so-y-te", 1, plan="tinh-2008", opened=opened.opened)

    publish(place, dumped([said]), record_key(said).encode())

    wait_for("the answer taken up", lambda: (one := _last(place, "so-y-te")) and one.answer == said.id)
    assert _last(place, "so-y-te").state is WarningState.ACKNOWLEDGED
    assert place.rows("SELECT count() FROM evaluations") == [(1,)]


def _last(place: Place, agency: str) -> Transition | None:
    with place.database() as database:
        return WarningLog(database, _Nowhere()).states("tinh-2008").get((agency, "lag:email-use"))


class _Nowhere:
    def publish(self, messages: Sequence[Message]) -> None:
        """Publish nothing."""


def test_a_broker_that_lost_its_memory_gets_everything_back_in_its_order(tansu: Tansu, chdb_server: ChdbServer) -> None:
    """Answers and silences too; mending again adds nothing; read into an empty database the records make the same tables."""
    address = ClickHouseAddress(port=chdb_server.port, database="before")
    migrate(address)
    every = records(3)
    with open_clickhouse(address) as database:
        reader = LogReader(database, topic_id="t")
        reader.take(
            [Logged(offset=at, timestamp_ms=10**12 + at // 7, value=one) for at, one in enumerate(dumped(every))]
        )
        before = held(database)

    restored = mend(tansu.address, address)
    assert restored == sum(map(len, before.values()))
    assert mend(tansu.address, address) == 0

    log = read_all(tansu.address, Topic.WARNINGS.value)
    back = [WARNING_RECORD.validate_json(one.value or b"") for one in log]
    firsts = [one for at, one in enumerate(every) if one not in every[:at]]
    kept = {one.model_dump_json() for one in back}
    assert [one for one in back if isinstance(one, Answer)] == [
        one for one in firsts if isinstance(one, Answer) and one.model_dump_json() in kept
    ]
    migrate(after := ClickHouseAddress(port=chdb_server.port, database="after"))
    with open_clickhouse(after) as database:
        LogReader(database, topic_id="t").take(
            [Logged(offset=one.offset, timestamp_ms=one.timestamp_ms, value=one.value) for one in log]
        )
        assert held(database) == before


@pytest.fixture
def database(shared_chdb: ChdbServer, chdb_database: str) -> Iterator[ClickHouse]:
    """A migrated database."""
    address = ClickHouseAddress(port=shared_chdb.port, database=chdb_database)
    migrate(address)
    with open_clickhouse(address) as database:
        yield database


def given(every: Sequence[Record], first: int = 0) -> list[Logged]:
    return [Logged(offset=first + at, timestamp_ms=10**12, value=value) for at, value in enumerate(dumped(every))]


def test_of_two_records_of_one_place_the_first_in_the_log_counts(database: ClickHouse) -> None:
    """Whatever is written first, and within one millisecond too; repeated, it stays so."""
    first, second = transition("a", 1, since=1), transition("a", 1, since=2)
    log = given([first, second])
    for batch in (log[1:], log[:1], log, log[1:]):
        LogReader(database, topic_id="t").take(batch)

    assert held(database)["warnings"] == {WARNING_RECORD.dump_json(first).decode()}
    assert WarningLog(database, _Nowhere()).states("p") == fold([first, second])


def test_what_fits_into_no_column_is_passed_over_alone(database: ClickHouse) -> None:
    """A sequence beyond all numbers keeps no other record out."""
    good = [transition("a", 1), transition("a", 2)]
    reader = LogReader(database, topic_id="t")
    log = given([good[0], transition("a", 3), good[1]])
    beyond = (log[1].value or b"").replace(b'"sequence":3', b'"sequence":%d' % 2**70)
    reader.take([log[0], replace(log[1], value=beyond), log[2]])

    assert held(database)["warnings"] == {text.decode() for text in dumped(good)}
    assert LogReader(database, topic_id="t").next == 3
    assert LogReader(database, topic_id="made anew").next == 0


def test_a_word_that_bears_an_earlier_moment_is_heard_too(database: ClickHouse) -> None:
    """The broker's clock was set back, or another broker leads: an answer recorded "before" the last one is news."""
    log, warnings = given([answer("a", 1), answer("a", 2)]), WarningLog(database, _Nowhere())
    reader = LogReader(database, topic_id="t")
    reader.take(log[:1])
    before = warnings.last_word("p")
    reader.take(log[:1])
    assert warnings.last_word("p") == before
    reader.take([replace(log[1], timestamp_ms=log[1].timestamp_ms - 60_000)])
    assert warnings.last_word("p") != before


def test_a_moment_beyond_all_calendars_keeps_no_record_out(database: ClickHouse) -> None:
    """Kafka's own stamp may be anything that 64 bits hold."""
    log = [
        replace(one, timestamp_ms=stamp)
        for one, stamp in zip(given([transition("a", 1), transition("b", 1)]), (-(2**62), 2**62), strict=True)
    ]
    LogReader(database, topic_id="t").take(log)
    assert len(held(database)["warnings"]) == 2


def test_who_found_nobody_was_not_told(database: ClickHouse) -> None:
    """A notice that died for want of a recipient tells nothing, unless it is sent again; any other does."""
    warnings = WarningLog(database, _Nowhere())
    opening = transition("a", 1).model_copy(update={"reason": TransitionReason.FELL_BEHIND})
    pending = notice("a", 1, "pending")
    dead = pending.model_copy(update={"state": "dead", "detail": "no-recipient", "at": AT + timedelta(minutes=1)})
    warnings.append([opening, pending])
    assert warnings.untold("p") == ()
    warnings.append([dead])
    assert warnings.untold("p") == (opening,)
    warnings.append([dead.model_copy(update={"detail": "too-old", "id": "another"})])
    assert warnings.untold("p") == ()
    warnings.append([dead.model_copy(update={"id": "another", "attempt": 1})])
    assert warnings.untold("p") == (opening,)
    warnings.append([pending.model_copy(update={"attempt": 1})])
    assert warnings.untold("p") == ()


def test_a_forged_number_leaves_room_for_the_next(database: ClickHouse) -> None:
    """The greatest number that the database can hold is in a thread: the next notice is numbered all the same."""
    warnings = WarningLog(database, _Nowhere())
    warnings.append([notice("a", 3, "pending"), notice("a", 2**32 - 1, "pending")])
    assert warnings.threads("p") == {("a", "head", "email"): 3}


def test_a_database_that_lost_what_was_read_is_noticed(database: ClickHouse) -> None:
    """Emptied behind the reader's back: it writes nothing more, and who begins anew reads from the beginning."""
    reader = LogReader(database, topic_id="t")
    reader.take(given([transition("a", 1)]))
    database.run("TRUNCATE TABLE warnings")
    database.run("TRUNCATE TABLE log_positions")

    with pytest.raises(Behind):
        reader.take(given([transition("a", 2)], first=1))
    assert held(database)["warnings"] == set()
    assert LogReader(database, topic_id="t").next == 0
