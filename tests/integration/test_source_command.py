"""``tiendo source`` against a broker and a running gateway: what it changes takes effect without a restart."""

from __future__ import annotations

import hashlib
import json
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from services.cli.__main__ import app
from tests.fixtures.gateway import TOKEN, Gateway, encoded, event, prepare
from tests.fixtures.tansu import Tansu

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]
SOURCE = "/mail/thai-nguyen"


@pytest.fixture
def door(tansu: Tansu, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gateway]:
    """A gateway on a broker of the test's own, which the commands change."""
    prepare(tansu.address)
    monkeypatch.setenv("TIENDO_KAFKA_BOOTSTRAP", tansu.bootstrap)
    monkeypatch.setenv("TIENDO_CLOCK", "2008-10-01T08:00:00+07:00")
    running = Gateway(tansu.address, tmp_path)
    running.start()
    try:
        yield running
    finally:
        running.stop()


def tiendo(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["source", *arguments])


def answered(door: Gateway, token: str, **changes: object) -> int:
    return door.client.post(
        "/v1/events", content=encoded(event(**changes)),
        headers={"Content-Type": "application/cloudevents+json", "Authorization": f"Bearer {token}"},
    ).status_code  # fmt: skip


def until(door: Gateway, token: str, code: int, **changes: object) -> None:
    """Return once *token* is answered *code*: no restart is needed, but the gateway has to read what was published."""
    limit = time.monotonic() + 20
    while (found := answered(door, token, **changes)) != code:
        assert time.monotonic() < limit, (found, door.log.read_text()[-2000:])
        time.sleep(0.05)


def listed(source: str) -> list[dict[str, object]]:
    return json.loads(tiendo("show", source, "--format", "json").stdout)


def test_a_token_is_rotated_and_withdrawn(door: Gateway, tmp_path: Path) -> None:
    """Old and new are valid for a while; a withdrawn one is 401 at once, and the log says whose it was, not which."""
    file = tmp_path / "new.token"
    done = tiendo("rotate", SOURCE, "--overlap", "2h", "--to", str(file))
    assert done.exit_code == 0, done.output
    fresh = file.read_text().strip()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert fresh not in done.output

    until(door, fresh, 202)
    assert answered(door, TOKEN) == 202
    old = hashlib.sha256(TOKEN.encode()).hexdigest()[:8]
    ends = {row["token"]: row["until"] for row in listed(SOURCE)}
    assert str(ends[old]).startswith("2008-10-01T03:00:0")
    assert ends[hashlib.sha256(fresh.encode()).hexdigest()[:8]] is None

    assert tiendo("withdraw", SOURCE, "--token", old).exit_code == 0
    until(door, TOKEN, 401)
    assert answered(door, fresh) == 202
    said = door.log.read_text()
    assert f"turned away: ended-token, source {SOURCE}" in said
    assert TOKEN not in said
    assert fresh not in said
    assert 'tiendo_ingest_turned_away_total{reason="ended-token"}' in door.client.get("/metrics").text


def test_a_source_is_entered_and_may_send_what_it_says_alone(door: Gateway) -> None:
    """Its own agency and type; another's agency 403, a type that nobody knows 422, another's name 403."""
    done = tiendo(
        "add", "/office/so-xay-dung", "--type", "mail.used", "--agency", "so-xay-dung", "--events-per-day", "3"
    )
    assert done.exit_code == 0, done.output
    token = done.stdout.strip().splitlines()[-1]
    own = {"source": "/office/so-xay-dung", "agency": "so-xay-dung"}
    until(door, token, 202, **own)
    assert answered(door, token, **own | {"agency": "so-y-te"}) == 403
    assert answered(door, token, **own | {"source": SOURCE}) == 403
    assert answered(door, token, **own) == 429  # the day's three are used up

    again = tiendo("add", "/office/so-xay-dung", "--type", "mailbox.opened", "--agency", "so-xay-dung")
    assert again.exit_code == 1
    assert "other permissions" in again.output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("rotate", "/nobody"), "there is no source '/nobody'"),
        (("withdraw", SOURCE, "--token", "00000000"), "names none of the tokens"),
        (("add", "/x", "--type", "mail.used"), "select something"),
        (("add", "/x", "--type", "mail.usd", "--agency", "tinh"), "mail.used"),
        (("add", "/x", "--type", "mail.used", "--agency", "nowhere"), "nowhere"),
        (("list", "--list", "other"), "published are: thai-nguyen"),
        (("rotate", SOURCE, "--overlap", "soon"), "write a span as 7d"),
    ],
)
def test_what_makes_no_sense_is_told(door: Gateway, arguments: tuple[str, ...], said: str) -> None:
    """Each with what to do; nothing is published."""
    before = tiendo("list", "--format", "csv").stdout
    done = tiendo(*arguments)
    assert done.exit_code != 0
    assert said in done.output
    assert tiendo("list", "--format", "csv").stdout == before
