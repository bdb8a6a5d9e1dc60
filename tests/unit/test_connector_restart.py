"""A connector that is killed and started again sends the same events as one that is not."""

import contextlib
from datetime import UTC, date, datetime, timedelta
from threading import Event

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.ingest.connectors import base
from services.ingest.connectors.base import Delivery, Meter, Summary
from services.ingest.connectors.client import Answer
from services.ingest.connectors.errors import CannotGoOn
from services.ingest.connectors.position import open_store
from services.ingest.connectors.postfix import PostfixConnector
from services.ingest.core.postfix_mail import Senders

START = datetime(2008, 6, 2, 8, tzinfo=UTC)
NOW = datetime(2009, 1, 1, tzinfo=UTC)


class Killed(BaseException):
    """Stands for SIGKILL: nothing of ours catches it."""


class Dying:
    """A gateway in memory; the process dies before or after its *lives*-th request is answered."""

    def __init__(self, lives, *, after):
        self.events, self._lives, self._after = [], lives, after

    def send(self, events):
        self._lives -= 1
        if self._lives == 0 and not self._after:
            raise Killed
        self.events += [msgspec.json.decode(event) for event in events]
        if self._lives == 0:
            raise Killed
        return Answer(len(events))


def lines(server, minutes):
    at = START
    for number, (minute, who) in enumerate(minutes):
        at += timedelta(minutes=minute)
        queue = f"{server}{number:X}"
        head = f"{at.isoformat()} mail{server} postfix/"
        yield f"{head}smtpd[1]: {queue}: client=pc[10.0.0.9]"
        yield f"{head}cleanup[1]: {queue}: message-id=<{who}.{number}@x>"
        yield f"{head}qmgr[1]: {queue}: from=<a{who}@x.vn>, size=400, nrcpt=3 (queue active)"
        yield f"{head}smtp[1]: {queue}: to=<b@y.vn>, status=sent"


def run(folder, logs, gateway, batch=3):
    connector = PostfixConnector(
        logs, "/mail/x", "tinh-x", Senders(domains=("x.vn",)), "UTC", lambda: NOW, Event(), since=date(2008, 6, 1)
    )
    summary = Summary("mail", "/mail/x")
    with open_store(folder / "state", "mail") as store, pytest.MonkeyPatch.context() as patched:
        patched.setattr(base, "BATCH", batch)
        patched.setattr("services.ingest.connectors.postfix._LINES_PER_CHECKPOINT", 5)
        Delivery(
            source="/mail/x", agency="tinh-x", store=store, book=store.day_book(connector.types), sender=gateway,
            meter=Meter(), summary=summary, stop=Event(), save_every=0,
        ).run(connector.items(store, Meter(), summary))  # fmt: skip
    return summary


MINUTES = st.lists(st.tuples(st.integers(0, 900), st.integers(0, 3)), max_size=20)


@settings(max_examples=60, deadline=None)
@given(MINUTES, MINUTES, st.lists(st.tuples(st.integers(1, 9), st.booleans()), max_size=6))
def test_killed_at_any_request(tmp_path_factory, first, second, deaths):
    """Two servers' logs, deaths before and after the gateway took a batch: the same events, by id and content."""
    whole, broken = tmp_path_factory.mktemp("whole"), tmp_path_factory.mktemp("broken")
    logs = []
    for server, minutes in (("A", first), ("B", second)):
        path = broken / f"{server}.log"
        path.write_text("".join(line + "\n" for line in lines(server, minutes)))
        logs.append(path)
    expected = Dying(-1, after=False)
    run(whole, tuple(logs), expected)
    got = []
    for lives, after in deaths:
        gateway = Dying(lives, after=after)
        with contextlib.suppress(Killed):
            run(broken, tuple(logs), gateway)
        got += gateway.events
    gateway = Dying(-1, after=False)
    run(broken, tuple(logs), gateway)
    got += gateway.events
    by_id = {event["id"]: event for event in expected.events}
    assert {event["id"]: event for event in got} == by_id
    assert all(event == by_id[event["id"]] for event in got)
    assert len(expected.events) == len(by_id)


def test_reports_follow_the_events_of_their_day(tmp_path):
    """A day is reported after everything stated before it was answered."""
    log = tmp_path / "mail.log"
    log.write_text("".join(line + "\n" for line in lines("A", [(300, n % 4) for n in range(40)])))
    gateway = Dying(-1, after=False)
    run(tmp_path, (log,), gateway)
    told = {}
    for place, event in enumerate(gateway.events):
        if "address" in event["data"]:
            told.setdefault(event["data"]["day"], []).append(place)
    reports = [(place, event["data"]) for place, event in enumerate(gateway.events) if "count" in event["data"]]
    assert len(reports) == 8
    for place, data in reports:
        assert data["count"] == len(told.get(data["day"], []))
        assert all(place > other for other in told.get(data["day"], []))


def test_one_log_may_lag_behind(tmp_path):
    """A day is passed once every server's log has passed it."""
    logs = (tmp_path / "A.log", tmp_path / "B.log")
    for server, log, days in (("A", logs[0], 9), ("B", logs[1], 3)):
        log.write_text("".join(line + "\n" for line in lines(server, [(1440, 1)] * days)))
    summary = run(tmp_path, logs, Dying(-1, after=False))
    assert summary.last_day == date(2008, 6, 4)


def test_a_state_belongs_to_one_source(tmp_path):
    """And to one process at a time; a broken one is named."""
    with open_store(tmp_path, "a") as store:
        store.claim("postfix /mail/x")
        with pytest.raises(CannotGoOn, match="another process"), open_store(tmp_path, "a"):
            pass
    with open_store(tmp_path, "a") as store, pytest.raises(CannotGoOn, match="belongs to postfix /mail/x"):
        store.claim("postfix /mail/y")
    (tmp_path / "b.sqlite").write_text("no database, but long enough to look like one" * 50)
    with pytest.raises(CannotGoOn, match="Remove it"), open_store(tmp_path, "b"):
        pass
    assert (tmp_path / "a.sqlite").stat().st_mode & 0o077 == 0
