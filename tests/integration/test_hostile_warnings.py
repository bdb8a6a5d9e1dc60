"""Records of ``warnings.v1`` that nobody should have written: the worker goes on, and who is to be told is told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from deploy.local.mending import make_topics
from schemas.warnings import WARNING_RECORD, AnswerKind, Record
from tests import alerts_world as world
from tests.alerts_place import Place, wait_for
from tests.fixtures.chdb import ChdbServer
from tests.fixtures.tansu import Tansu
from tests.integration.test_warning_log import answer, folded, notice, publish, silence, transition

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]
PLAN = "tinh-2008"
BIDI = "\u202e\u2066</td><script>alert(1)</script>\r\nBcc: x@example.vn\x00\x1b[2J"


@pytest.fixture
def place(tmp_path: Path, shared_chdb: ChdbServer, tansu: Tansu) -> Iterator[Place]:
    """A place with topics."""
    made = Place(tmp_path, shared_chdb, tansu)
    make_topics(made.broker.address)
    try:
        yield made
    finally:
        made.stop()


def changed(record: Record, **changes: Any) -> bytes:
    return json.dumps(json.loads(WARNING_RECORD.dump_json(record, by_alias=True)) | {"plan": PLAN} | changes).encode()


def hostile() -> list[bytes]:
    """Return records that are wrong in form, in content, or in both."""
    made = [b"\xff\xfe", b"{", b"null", b"[" * 100_000, b'{"kind": "answer"}', b" " * 1_000_000]
    for day in ("0001-01-01", "9999-12-31"):
        made += [
            changed(transition(f"gone-{day}", 1), day=day),
            changed(transition(f"since-{day}", 1), since=day, opened_day=day, told_day=day, level_day=day),
            changed(notice("so-y-te", 7, "pending"), about="digest", period=day, transitions=[], id=f"digest-{day}"),
            changed(answer("so-y-te", 7, AnswerKind.ACCEPTED, promised=date(2008, 12, 1)), promised=day),
        ]
    for moment in ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"):
        made += [
            changed(transition(f"at-{moment[:4]}", 1), at=moment),
            changed(notice("so-y-te", 8, "pending"), id=f"at-{moment[:4]}", at=moment, due=moment),
            changed(answer("so-y-te", 8), id=f"at-{moment[:4]}", at=moment),
            changed(silence(8), id=f"at-{moment[:4]}", at=moment),
        ]
    made += [
        changed(silence(1), until="2298-12-31T00:00:00Z", match={"agencies": ["nobody"]}),
        changed(silence(2), **{"from": "2008-10-02T00:00:00Z", "until": "2008-10-01T00:00:00Z"}),
        changed(silence(3, "ended")),
        changed(transition("far", 2**32 - 1)),
        changed(transition("skips", 40), state="answered", opened=None),
        changed(transition("a", 1), agency=BIDI, cause=BIDI, id=BIDI),
        changed(transition("so-tai-chinh", 1), revision=-1, cause="lag:documents"),
        changed(answer("nobody", 1)),
        changed(answer("so-y-te", 2), opened=99),
        changed(answer("so-y-te", 2), opened=2**70),
        changed(answer("so-y-te", 2), by="other", opened=98),  # the same id, other content
        changed(notice("so-y-te", 1, "pending"), channel="no-such", id="no-channel"),
        changed(notice("so-y-te", 1, "pending"), recipient="king", id="no-recipient"),
        changed(notice("so-y-te", 1, "pending"), id="nothing-told", number=2**32 - 1),
        changed(notice("so-y-te", 1, "pending"), about="digest", period="2008-09-29", transitions=[], id="head-digest"),
        changed(notice("a", 1, "pending"), agency=BIDI, recipient="operations"),
        changed(notice("nobody", 1, "pending"), id="nobody", recipient="operations"),
        changed(notice("so-y-te", 1, "pending"), id=BIDI + "2", recipient="head"),
    ]
    return made


def test_the_worker_outlives_every_record_and_tells_whom_it_has_to(place: Place) -> None:
    """Forged, odd and unreadable records first: head and owners get their mails all the same, and a dispute comes through."""
    with place.database() as database:
        world.fill(database)
    every = hostile()
    publish(place, every)
    place.catcher()
    worker = place.alerts()
    wait_for("all records", lambda: folded(place, len(every)))
    wait_for(
        "mails to all", lambda: about(place) >= {("so-y-te", "so-y-te@example.vn"), ("mail", "van-hanh@example.vn")}
    )
    where = f"plan = '{PLAN}' AND agency = 'so-y-te' AND cause = 'lag:email-use'"
    opened = place.rows(f"SELECT max(sequence) FROM warnings FINAL WHERE {where}")[0][0]

    disputed = answer("so-y-te", 3, AnswerKind.DISPUTED, reason="x")
    publish(place, [changed(disputed, opened=opened, reason=BIDI, by=f"Vụ {BIDI}")])

    wait_for("the dispute", lambda: ("so-y-te", "van-hanh@example.vn") in about(place))
    assert worker.poll() is None
    assert not any(one["Bcc"] for one in place.parsed())
    assert BIDI not in place.log()


def about(place: Place) -> set[tuple[str, str]]:
    """Return the agency and the receiver of each mail."""
    return {(str(one["X-Tiendo-Agency"]), str(one["To"].addresses[0].addr_spec)) for one in place.parsed()}
