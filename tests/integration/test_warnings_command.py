"""`tiendo warnings` against a database and a broker: what is listed, what is recorded, what is refused."""

from __future__ import annotations

import csv
import json
import uuid
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from schemas.policy import Match, Severity
from schemas.warnings import Answer, AnswerKind, Notice, Silence, Transition, TransitionReason, WarningState
from services.cli.__main__ import app
from services.core.errors import Rejected
from services.core.warnings.lifecycle import transition_id
from services.core.warnings.matching import matches
from services.core.warnings.warning_records import fold_notices
from services.infra.clickhouse.client import ClickHouse, ClickHouseAddress, open_clickhouse
from services.infra.warnings_names import read_names
from services.infra.warnings_reader import WarningsReader
from services.infra.warnings_views import meant_now
from tests import alerts_world as world
from tests import warnings_world as warnings
from tests.fixtures.chdb import ChdbServer
from tests.fixtures.tansu import Tansu

pytestmark = pytest.mark.integration

PLACE = ("tinh-2008", "so-y-te", "lag:email-use")


@pytest.fixture(scope="module")
def untouched(shared_chdb: ChdbServer) -> Iterator[ClickHouseAddress]:
    """A database that no test writes into."""
    address = ClickHouseAddress(host=shared_chdb.host, port=shared_chdb.port, database="warnings_command")
    with warnings.warned(address):
        yield address
    with shared_chdb.client() as client:
        client.execute("DROP DATABASE warnings_command")


@pytest.fixture
def database(
    shared_chdb: ChdbServer, chdb_database: str, run: Any, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ClickHouse]:
    """A database of the test's own, which the command then goes to."""
    address = ClickHouseAddress(host=shared_chdb.host, port=shared_chdb.port, database=chdb_database)
    with warnings.warned(address) as database:
        monkeypatch.setenv("TIENDO_CLICKHOUSE_DATABASE", chdb_database)
        yield database


@pytest.fixture
def run(untouched: ClickHouseAddress, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The command, an hour after the warnings; its exit code must be *code*, and a refusal is its text."""
    monkeypatch.setenv("TIENDO_CLICKHOUSE_PORT", str(untouched.port))
    monkeypatch.setenv("TIENDO_CLICKHOUSE_DATABASE", untouched.database)
    monkeypatch.delenv("TIENDO_CLOCK_OFFSET", raising=False)
    monkeypatch.setenv("TIENDO_KAFKA_BOOTSTRAP", "127.0.0.1:1")

    def command(*words: str, code: int = 0, clock: str = "09:00") -> str:
        monkeypatch.setenv("TIENDO_CLOCK", f"2008-10-01T{clock}:00+07:00")
        done = CliRunner().invoke(app, ["warnings", *words])
        if isinstance(done.exception, Rejected):
            assert code == 1
            return str(done.exception)
        assert done.exit_code == code, done.output
        return str(done.stdout)

    return command


@pytest.fixture
def broker(shared_tansu: Tansu, run: Any, monkeypatch: pytest.MonkeyPatch) -> Tansu:
    monkeypatch.setenv("TIENDO_KAFKA_BOOTSTRAP", shared_tansu.bootstrap)
    return shared_tansu


def recorded(broker: Tansu, database: ClickHouse, before: int) -> list[Any]:
    """Return what the topic has beyond the first *before* records, and put it where the fold of the log does."""
    found = warnings.published(broker.address)[before:]
    warnings.write(database, *found)
    return found


def so_far(broker: Tansu) -> int:
    try:
        return len(warnings.published(broker.address))
    except Exception:  # the topic is made by the first record
        return 0


def test_a_list_has_names_days_behind_and_who_was_told(run: Any) -> None:
    """The gravest first, the longest behind first, feeds last; the same in all three forms."""
    found = json.loads(run("list", "--format", "json", "--lang", "vi"))

    assert [(one["agency_name"], one["title"], one["state"]) for one in found] == [
        ("Sở Y tế", "Cán bộ có hộp thư công vụ", "open"),
        ("Sở Y tế", "Cán bộ sử dụng thư điện tử cho công việc", "open"),
        ("Sổ văn bản so-xay-dung", "Sổ văn bản so-xay-dung", "open"),
    ]
    assert [one["days_behind"] for one in found] == [61.0, 30.4, None]
    assert [(told["recipient"], told["state"]) for told in found[0]["notices"]] == [("head", "sent")]
    rows = list(csv.DictReader(run("list", "--format", "csv").splitlines()))
    assert [row["cause"] for row in rows] == [one["cause"] for one in found]
    assert rows[0]["notices"] == "head sent 2008-10-01 08:01"
    table = run("list")
    assert "3 open warnings" in table
    assert "Department of Health" in table
    assert "2008-10-01 08:01" in table
    assert "head: sent" in table
    assert "operations: given up" in table


@pytest.mark.parametrize(
    ("options", "causes"),
    [
        pytest.param(["--indicator", "email-use"], ["lag:email-use"], id="indicator"),
        pytest.param(["--agency", "so-tai-chinh"], [], id="an agency without warnings"),
        pytest.param(["--agency", "so-xay-dung.documents"], ["feed:so-xay-dung.documents"], id="a feed"),
        pytest.param(["--severity", "critical"], [], id="severity"),
        pytest.param(["--level", "head"], ["lag:mailboxes", "lag:email-use"], id="level"),
        pytest.param(["--state", "resolved", "--state", "open", "--limit", "1"], ["lag:mailboxes"], id="limit"),
    ],
)
def test_filters_leave_out_the_others(run: Any, options: list[str], causes: list[str]) -> None:
    """Each filter by itself."""
    assert [one["cause"] for one in json.loads(run("list", "--format", "json", *options))] == causes


def test_resolved_ones_are_listed_when_asked_for(run: Any, database: ClickHouse) -> None:
    """A plain list is of what is open; --all has what is over, too, and counts by state."""
    opened = next(one for one in warnings.given()[0] if one.cause == "lag:email-use")
    over = {
        "id": transition_id(opened.plan, opened.agency, opened.cause, 2), "sequence": 2, "state": WarningState.RESOLVED,
        "reason": TransitionReason.CAUGHT_UP,
    }  # fmt: skip
    warnings.write(database, opened.model_copy(update=over))

    assert "lag:email-use" not in run("list")
    every = run("list", "--all", "--lang", "vi")
    assert "2 cảnh báo đang mở – đang mở: 2, đã kết thúc: 1" in every
    assert "đã kết thúc" in every


@pytest.mark.parametrize(
    ("words", "told"),
    [
        pytest.param(["list", "--plan", "tinh-2009"], "there is no plan 'tinh-2009'; did you mean 'tinh-2008'?", id="plan"),
        pytest.param(
            ["list", "--plan", "tinh-2008", "--agency", "so-yte"],
            "plan 'tinh-2008' has no agency or feed 'so-yte'; did you mean 'so-y-te'?",
            id="agency",
        ),
        pytest.param(
            ["show", "tinh-2008", "so-y-te", "lag:emailuse"], "has no indicator 'emailuse'; did you mean 'email-use'?",
            id="cause",
        ),
        pytest.param(["show", "tinh-2008", "so-y-te", "x:y"], "a cause is `lag:<indicator>` or `feed:<feed>`", id="kind"),
        pytest.param(
            ["ack", "tinh-2008", "so-tai-chinh", "email-use", "--by", "head"],
            "nothing is open there: there has never been a warning",
            id="nothing there",
        ),
        pytest.param(
            ["silence", "tinh-2008", "--for", "3d", "--reason", "r", "--by", "b"], "say what: --agency", id="everything"
        ),
        pytest.param(
            ["silence", "tinh-2008", "--agency", "so-y-te", "--until", "2008-09-30", "--reason", "r", "--by", "b"],
            "it would be over already: `until` lies in the past",
            id="in the past",
        ),
        pytest.param(
            ["silence", "tinh-2008", "--agency", "So Y Te\x1b[2J", "--for", "3d", "--reason", "r", "--by", "b"],
            "is no id of agencies",
            id="an id with odd characters",
        ),
        pytest.param(
            ["silence", "tinh-2008", "--group", "district", "--for", "3d", "--reason", "r", "--by", "b"],
            "has no group 'district'",
            id="group",
        ),
        pytest.param(
            ["silence", "tinh-2008", "--everything", "--until", "9999-12-31", "--reason", "r", "--by", "b"],
            "beyond what the database can hold",
            id="for ever",
        ),
        pytest.param(["unsilence", "nonsense", "--reason", "r", "--by", "b"], "there is no silence 'nonsense'", id="silence"),
        pytest.param(["list", "--plan", "\udcff"], "there is no plan", id="a plan that is no text"),
        pytest.param(["ack", *PLACE, "--by", "\udcff"], "by: ", id="an author that is no text"),
        pytest.param(
            ["dispute", *PLACE, "--by", "head", "--reason", "\udcff"], "reason: ", id="a reason that is no text"
        ),
        pytest.param(
            ["silence", "tinh-2008", "--feed", "mail", "--for", "3d", "--reason", "\udcff", "--by", "b"], "reason: ",
            id="a silence's reason that is no text",
        ),
        pytest.param(["resend"], "say which: ids of notices, or --all-dead", id="nothing to send"),
        pytest.param(
            ["accept", *PLACE, "--by-day", "2012-01-01", "--by", "head"], "a year after the plan's deadline", id="far away"
        ),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_in_a_line(run: Any, words: list[str], told: str) -> None:
    """Nothing is published: no broker is there at all."""
    assert told in run(*words, code=1)


def test_an_answer_is_recorded_once_however_often_it_is_given(run: Any, broker: Tansu, database: ClickHouse) -> None:
    """Acknowledged twice: one id. What was recorded and what follows is told; nothing is recorded in a dry run."""
    before = so_far(broker)
    assert "would record" in run("ack", *PLACE, "--by", "Văn phòng Sở Y tế", "--dry-run")
    assert so_far(broker) == before

    told = run("ack", *PLACE, "--by", "Văn phòng Sở Y tế")
    found = recorded(broker, database, before)
    again = run("ack", "tinh-2008", "so-y-te", "email-use", "--by", "Văn phòng Sở Y tế")

    assert [(one.answer, one.by, one.via, one.opened) for one in found] == [
        (AnswerKind.ACKNOWLEDGED, "Văn phòng Sở Y tế", "command", 1)
    ]
    assert "Department of Health (so-y-te), Officials using e-mail for work (lag:email-use)" in told
    assert "no more reminders" in told
    assert "recorded already" in again
    assert {one.id for one in recorded(broker, database, before)} == {found[0].id}


def test_two_answers_at_once_are_both_kept(run: Any, broker: Tansu, database: ClickHouse) -> None:
    """The office accepts while its head disputes: two records, and the history shows both, waiting to be taken up."""
    before = so_far(broker)
    run("accept", *PLACE, "--by-day", "2008-11-30", "--by", "contact", "--reason", "đang tập huấn")
    run("dispute", *PLACE, "--by", "head", "--reason", "hai phòng đã sáp nhập")
    found = recorded(broker, database, before)

    assert [type(one) for one in found] == [Answer, Answer]
    history = json.loads(run("show", *PLACE, "--format", "json", "--lang", "vi"))
    assert [(one["answer"], one["by"], one["promised"], one["taken_up"]) for one in history["answers"]] == [
        ("accepted", "contact", "2008-11-30", None), ("disputed", "head", None, None),
    ]  # fmt: skip


def test_history_ties_transitions_answers_and_notices_together(run: Any, database: ClickHouse) -> None:
    """An answer taken up names its transition, a transition the notices that tell it, and a silence that means it is there."""
    opened = next(one for one in warnings.given()[0] if one.cause == "lag:email-use")
    answer = Answer(
        id="a1", plan="tinh-2008", agency="so-y-te", cause="lag:email-use", opened=1, answer=AnswerKind.ACCEPTED, by="head",
        via="link", promised=date(2008, 11, 30), reason="=cmd|' /C calc'!A0\x1b[31m", at=world.NOW,
    )  # fmt: skip
    taken = {
        "id": transition_id(opened.plan, opened.agency, opened.cause, 2), "sequence": 2, "answer": "a1",
        "state": WarningState.ANSWERED, "reason": TransitionReason.ACCEPTED, "promised": date(2008, 11, 30),
        "acknowledged": True,
    }  # fmt: skip
    silence = Silence(
        id="s1", plan="tinh-2008", action="begun", match=Match(groups=("departments",)), from_=world.NOW,
        until=world.NOW + timedelta(days=1), author="trực ban", reason="bảo trì", at=world.NOW,
    )  # fmt: skip
    warnings.write(database, answer, opened.model_copy(update=taken), silence)

    found = json.loads(run("show", *PLACE, "--format", "json"))

    assert [(one["sequence"], one["state"], len(one["notices"])) for one in found["transitions"]] == [
        (1, "open", 1), (2, "answered", 0),
    ]  # fmt: skip
    assert found["answers"][0]["taken_up"] == 2
    assert [(one["id"], one["state"]) for one in found["silences"]] == [("s1", "in-force")]
    shown = run("show", *PLACE)
    assert "answered, warning, 30 days behind" in shown
    assert "to have caught up by 2008-11-30" in shown
    assert "\x1b" not in shown
    changes = list(csv.DictReader(run("show", *PLACE, "--format", "csv").splitlines()))
    assert [row["words"] for row in changes] == ["fell behind schedule", "accepted, with a date"]
    exported = list(csv.DictReader(run("export", "answers").splitlines()))
    assert exported[0]["reason"] == "'=cmd|' /C calc'!A0 [31m"
    exact = json.loads(run("export", "answers", "--format", "jsonl"))
    assert exact == json.loads(answer.model_dump_json(by_alias=True))


def test_a_silence_is_recorded_listed_and_ended(run: Any, broker: Tansu, database: ClickHouse) -> None:
    """It says how many open warnings it means; ended before its time it is listed no more."""
    before = so_far(broker)
    told = run("silence", "tinh-2008", "--agency", "so-y-te", "--until", "2008-10-03", "--reason", "đối chiếu",
               "--author", "Sở TT&TT")  # fmt: skip
    begun = recorded(broker, database, before)[0]

    assert "2 warnings that are open now" in told
    assert "until 2008-10-04 00:00" in told
    assert begun.match == Match(agencies=("so-y-te",))
    assert [one["state"] for one in json.loads(run("silences", "--format", "json", clock="09:15"))] == ["in-force"]

    told = run("unsilence", begun.id[:12], "--reason", "xong", "--by", "trực ban", clock="09:30")
    assert "what still holds and was not told is told" in told
    recorded(broker, database, before)
    assert run("silences", clock="09:45").strip() == "no silences"
    rows = list(csv.DictReader(run("silences", "--all", "--format", "csv", clock="09:45").splitlines()))
    assert (rows[0]["state"], rows[0]["ended_by"], rows[0]["agencies"]) == ("ended", "trực ban", "so-y-te")


def test_a_silence_withdrawn_before_it_begins(run: Any, broker: Tansu, database: ClickHouse) -> None:
    """Announced for next week and no longer wanted: it never begins."""
    before = so_far(broker)
    run("silence", "tinh-2008", "--everything", "--from", "2008-10-06", "--for", "2d", "--reason", "r", "--by", "b")
    begun = recorded(broker, database, before)[0]
    assert (begun.from_.isoformat(), begun.until.isoformat()) == (
        "2008-10-06T00:00:00+07:00",
        "2008-10-08T00:00:00+07:00",
    )

    assert "it never begins" in run("unsilence", begun.id, "--reason", "hoãn", "--by", "b")
    recorded(broker, database, before)
    assert [one["state"] for one in json.loads(run("silences", "--all", "--format", "json"))] == ["withdrawn"]


@pytest.mark.parametrize(
    ("options", "count"),
    [
        pytest.param(["--everything"], 3, id="everything"),
        pytest.param(["--group", "departments"], 2, id="a group"),
        pytest.param(["--group", "departments", "--agency", "so-tai-chinh"], 0, id="an agency of a group"),
        pytest.param(["--indicator", "mailboxes"], 1, id="an indicator"),
        pytest.param(["--severity", "warning"], 2, id="a severity, which feeds have not"),
        pytest.param(["--severity", "critical"], 0, id="a graver one"),
        pytest.param(["--feed", "so-xay-dung.documents"], 1, id="a feed"),
    ],
)
def test_a_silence_says_how_many_it_means(run: Any, options: list[str], count: int) -> None:
    """The same warnings that muting means."""
    told = run("silence", "tinh-2008", *options, "--for", "3d", "--reason", "r", "--by", "b", "--dry-run")
    assert f"it means {count} warning" in told


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_what_a_silence_counts_is_what_muting_means(untouched: ClickHouseAddress, data: st.DataObject) -> None:
    """Whatever is named: the count in the database is that of the rule by which notices are kept back."""

    def some(*names: str) -> tuple[str, ...]:
        return tuple(data.draw(st.lists(st.sampled_from(names), unique=True, max_size=2)))

    match = Match(
        agencies=some("so-y-te", "so-tai-chinh"),
        groups=some("departments"),
        indicators=some("email-use", "documents"),
        severities=tuple(Severity(one) for one in some("warning", "critical")),
    )
    if data.draw(st.booleans()):
        match = Match(feeds=some("mail", "so-xay-dung.documents"))
    agencies = {one.id: one for one in world.directory().agencies}
    with open_clickhouse(untouched) as database:
        wanted = meant_now(match, read_names(database, "tinh-2008"))
        counted = sum(WarningsReader(database).states(wanted).values()) if wanted is not None else 0

    assert counted == sum(matches(match, one, agencies.get(one.agency)) for one in warnings.given()[0])


def test_dead_letters_are_explained_and_sent_again(run: Any, broker: Tansu, database: ClickHouse) -> None:
    """The fault in words and what to do; sent again it is pending, with the same id, and no longer dead."""
    found = json.loads(run("dead", "--format", "json", "--lang", "vi"))
    assert {one["fault"] for one in found} == {"máy chủ thư không chấp nhận người nhận"}
    assert {tuple(one["causes"]) for one in found} == {("feed:so-xay-dung.documents",)}
    assert "mend the address in the directory" in " ".join(run("dead").split())

    before = so_far(broker)
    assert f"{len(found)} notices would be sent again" in run("resend", "--by", "trực ban", "--all-dead", "--dry-run")
    assert "recorded to be sent again" in run("resend", "--by", "trực ban", "--all-dead")

    again = recorded(broker, database, before)
    assert {(one.id, one.attempt, one.state) for one in again} == {(one["id"], 1, "pending") for one in found}
    assert json.loads(run("dead", "--format", "json")) == []
    assert "is pending and still being tried" in run("resend", "--by", "trực ban", found[0]["id"][:12], code=1)


def test_what_was_sent_is_sent_again_only_where_it_is_meant(run: Any, broker: Tansu, database: ClickHouse) -> None:
    """The relay lost it after taking it: --sent. Unknown ids are named and the rest goes on."""
    number = json.loads(run("show", *PLACE, "--format", "json"))["notices"][0]["id"]
    assert "--sent sends it all the same" in run("resend", "--by", "trực ban", number, code=1)

    before = so_far(broker)
    told = run("resend", "--by", "trực ban", number[:8], "nowhere", "--sent", code=1)

    assert "there is no notice 'nowhere'" in told
    assert [one.attempt for one in recorded(broker, database, before)] == [1]
    every = [one for one in warnings.published(broker.address) if isinstance(one, Notice) and one.id == number]
    assert fold_notices(every)[number].state == "pending"


def test_an_export_has_everything(run: Any) -> None:
    """Warnings as they stand, and each kind of record, in both forms."""
    assert len(run("export").splitlines()) == 4
    transitions = [json.loads(line) for line in run("export", "transitions", "--format", "jsonl").splitlines()]
    assert {Transition.model_validate(one).id for one in transitions} == {one.id for one in warnings.given()[0]}
    assert len(run("export", "notices").splitlines()) == 1 + 2 * len(warnings.given()[1])
    assert run("export", "silences", "--plan", "tinh-2008") == ""


def test_walking_goes_on_after_each_step(database: ClickHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    """With steps of two, all of more than two are found, each once, and the records of all."""
    from services.infra import warnings_reader as module

    monkeypatch.setattr(module, "MOST", 2)
    first = warnings.given()[0][0]
    others = [
        first.model_copy(
            update={"agency": f"x-{uuid.UUID(int=number).hex}", "id": f"i{number}", "severity": Severity.INFO}
        )
        for number in range(7)
    ]
    warnings.write(database, *others)
    reader = module.WarningsReader(database)

    walked = list(reader.walk(module.WantedWarnings(plans=("tinh-2008",))))

    assert len(walked) == len({(one.last.agency, one.last.cause) for one in walked}) == 10
    assert len({one.id for one in reader.records("warnings", ["tinh-2008"])}) == 10
