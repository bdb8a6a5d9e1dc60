"""After everything that people send, rightly and wrongly: no log, metric, record or table holds an address, a name or a token."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from schemas.topics import Topic
from services.infra.kafka import read_all
from tests.leaks import leaks
from tests.rejected_world import OPERATIONS, SOURCE, TOKEN, System, office_b_events

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]
NAME, NUMBER, ROW = "Nguyễn Văn Bí Mật", "TN-bi-mat-417", "hang-bi-mat-88"
ADDRESS, WRONG_TOKEN, SUBJECT = "bi.mat.417@b.x.gov.vn", "wrong-token-of-bi-mat-417", "Về việc bí mật 417"
SECRETS = (NAME, NUMBER, ROW, ADDRESS, "bi.mat.417", WRONG_TOKEN, TOKEN, OPERATIONS, SUBJECT)
OWN = next(one for one in office_b_events() if one["type"].endswith("official.joined.v1"))


def sent(system: System) -> None:
    """Everything that an integrator may send, and much that he should not."""
    gateway = system.gateway
    person = OWN["data"] | {"person": NUMBER, "stint": ROW}
    box = {"stint": ROW, "address": ADDRESS, "owner": NUMBER, "from": "2008-06-01"}
    used = {"address": f"Bi.Mat.417+x@B.X.gov.vn", "day": "2008-06-20", "action": "sent"}  # noqa: F541
    good = [
        OWN | {"id": f"roster/{NUMBER}", "data": person, "subject": SUBJECT, "tennguoi": NAME},
        OWN | {"id": f"box/{ADDRESS}", "type": "vn.tiendo.mailbox.opened.v1", "data": box},
        OWN | {"id": f"mail/{ADDRESS}", "type": "vn.tiendo.mail.used.v1", "data": used},
    ]
    assert system.post(good).status_code == 202
    bad = [
        OWN | {"id": f"x/{ADDRESS}", "data": person | {"name": NAME}},
        OWN | {"id": ADDRESS, "data": person | {"agency": "nowhere"}},
        OWN | {"id": NAME, "type": f"vn.tiendo.{ADDRESS}.v1"},
        OWN | {"id": NUMBER, "source": f"/{ADDRESS}"},
        OWN | {"id": NUMBER, "agency": ADDRESS},
        OWN | {"id": NUMBER, "time": f"2008 {NAME}"},
        OWN | {"id": f"again/{NUMBER}", NAME: ADDRESS},
        {ADDRESS: NAME},
    ]
    assert system.post(bad).status_code == 422
    for body in (f'[{{"{ADDRESS}": ', f"{NAME} {ADDRESS}", f'[["{NUMBER}"'):
        assert gateway.post(body.encode(), "application/cloudevents-batch+json").status_code in {400, 422}
    head = {"Content-Type": "application/cloudevents+json"}
    post = gateway.client.post
    post(f"/v1/events?who={quote(ADDRESS)}", content=b"{}", headers=head | {"User-Agent": ADDRESS, "X-Name": NUMBER})
    post("/v1/events", content=json.dumps(OWN).encode(), headers=head | {"Authorization": f"Bearer {WRONG_TOKEN}"})
    post(
        "/v1/events",
        content=b"{}",
        headers=head | {"Authorization": f"Basic {base64.b64encode(ADDRESS.encode()).decode()}"},
    )
    binary = {
        "ce-specversion": "1.0",
        "ce-id": quote(NAME),
        "ce-subject": quote(SUBJECT),
        "Content-Type": "application/json",
    }
    post("/v1/events", content=json.dumps({"n": NAME}).encode(), headers=binary)


def asked(system: System) -> None:
    """What people ask, with what they ask about in the address."""
    get = system.gateway.client.get
    get(f"/{quote(ADDRESS)}/{quote(NAME)}")
    assert get("/v1/events", params={"source": SOURCE, "id": f"box/{ADDRESS}"}).status_code == 200
    get("/v1/events", params={"source": SOURCE, "id": NAME})
    get("/v1/rejected", params={"type": ADDRESS})
    get("/v1/feeds", headers={"Authorization": f"Bearer {WRONG_TOKEN}"})


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A system that has taken, refused and stored all of it, and shown and replayed what was refused."""
    system = System(tmp_path_factory.mktemp("personal"))
    try:
        system.start()
        system.publish_documents(with_b=True)
        system.gateway.start()
        sent(system)
        system.wait(lambda: system.query("SELECT uniqExact(id) FROM events") == [(3,)])
        system.wait(lambda: system.query("SELECT count() FROM rejected")[0][0] >= 10)
        system.wait(lambda: not system.query("SELECT 1 FROM outstanding LIMIT 1"))
        asked(system)
        system.tiendo("rejected", "list")
        system.tiendo("rejected", "replay", "--all", "--dry-run", code=1)
        yield system
    finally:
        system.stop()


def places(system: System) -> Iterator[tuple[str, bytes]]:
    """Everything that the run has written: logs, metrics, records with keys and headers, and every column of text."""
    for log in (system.gateway.log, system.log):
        yield log.name, log.read_bytes()
    yield "metrics of the gateway", system.gateway.client.get("/metrics").content
    for topic in Topic:
        for record in read_all(system.broker.address, topic.value):
            headers = b" ".join(name.encode() + b"=" + (value or b"") for name, value in record.headers)
            yield f"{topic.value} at {record.offset}", b" ".join([record.key or b"", headers, record.value or b""])
    columns = system.query(
        "SELECT table, name FROM system.columns WHERE database = currentDatabase() AND type LIKE '%String%' ORDER BY table, name"
    )
    assert len(columns) > 40
    for table, column in columns:
        rows = system.query(f"SELECT DISTINCT toString({column}) FROM {table}")
        yield f"{table}.{column}", "\n".join(str(value) for (value,) in rows).encode()


def test_nothing_personal_is_written_anywhere(system: System) -> None:
    """Neither as it was sent nor encoded; the figures are there all the same."""
    looked = list(places(system))

    assert {name.split(" ")[0] for name, _ in looked} >= {
        "usage.events.v1",
        "usage.rejected.v1",
        "plans.v1",
        "gateway.log",
    }
    assert leaks(looked, SECRETS) == []
    assert system.query("SELECT count() FROM mailboxes WHERE domain = 'b.x.gov.vn'")[0][0] > 0


@pytest.mark.parametrize("secret", SECRETS)
def test_the_search_would_find_it(secret: str) -> None:
    """Put into a text in whatever form, it is found; a text without it is clean."""
    raw = secret.encode()
    planted = (
        raw, quote(secret).encode(), base64.b64encode(b"ab" + raw + b"cd"), base64.urlsafe_b64encode(b"x" + raw),
        raw.hex().encode(), json.dumps({"a": secret}).encode(), secret.upper().encode(), repr(raw).encode(),
    )  # fmt: skip
    for text in planted:
        assert leaks([("log", b"before " + text + b" after")], [secret]), text
    assert leaks([("log", b"a log of nothing in particular")], [secret]) == []


def test_a_leak_in_a_log_is_found(system: System, tmp_path: Path) -> None:
    """The same search over the same places, with one line too many."""
    line = f"INFO posted for {quote(ADDRESS)}\n".encode()
    found = leaks([*places(system), ("gateway.log", system.gateway.log.read_bytes() + line)], SECRETS)
    assert found == [f"gateway.log: {ADDRESS}", "gateway.log: bi.mat.417"]
