"""The HTTP around the door where no broker is needed: faults of ours, slow senders, what is not ready."""

import asyncio
import hashlib
import logging
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import httpx
import pytest

from schemas.events import CATALOGUE
from schemas.sources import TokenHash
from services.core.errors import Transient
from services.infra.kafka import Message
from services.ingest.adapters.gathering import Gathering
from services.ingest.adapters.rejected import RejectedRecords
from services.ingest.adapters.sealing import Seal
from services.ingest.core.permission import Permit, Registry
from services.ingest.core.quota import Allowance, Quotas
from services.ingest.core.recent import Recent
from services.ingest.http.app import create_app
from services.ingest.http.events import Door, Limits
from services.ingest.http.turned_away import TurnedAway
from services.ingest.metrics import IngestMetrics
from tests.unit.ingest.examples import NOW, PSEUDONYMS, example, raw

HEADERS = {"Authorization": "Bearer t", "Content-Type": "application/cloudevents+json"}
_SHA256 = hashlib.sha256(b"t").hexdigest()
AGENCIES = frozenset({"tinh-thai-nguyen"})
REGISTRY = Registry(
    agencies=AGENCIES,
    permits={"/mail/thai-nguyen": Permit("/mail/thai-nguyen", frozenset(CATALOGUE), AGENCIES)},
    tokens={_SHA256[:8]: ((TokenHash(sha256=_SHA256), "/mail/thai-nguyen"),)},
)


class Kept:
    """Keeps what is published, or is away."""

    def __init__(self, *, away: bool = False) -> None:
        self.messages: list[Message] = []
        self._away = away

    async def publish(self, messages: Sequence[Message]) -> None:
        if self._away:
            raise Transient("away")
        self.messages += messages


def client(
    publishing: Kept,
    *,
    registry: Registry | None = REGISTRY,
    now: Callable[[], datetime] = lambda: NOW,
    seconds: float = 5,
) -> httpx.AsyncClient:
    """Return a client of an app made for one test."""
    metrics = IngestMetrics()
    door = Door(
        registry=lambda: registry,
        pseudonyms=PSEUDONYMS,
        records=RejectedRecords(PSEUDONYMS, Seal(b"s" * 32)),
        publishing=publishing,
        gathering=Gathering(publishing, room=100),
        metrics=metrics,
        now=now,
        quotas=Quotas(ZoneInfo("Asia/Ho_Chi_Minh")),
        turned_away=TurnedAway(metrics.turned_away, time.monotonic),
        recent=Recent(60),
        limits=Limits(body=100_000, events=10, seconds=seconds, tolerance=timedelta(minutes=5)),
    )
    app = create_app(door, metrics, missing=lambda: [] if registry else ["something"])
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway", headers=HEADERS)


def test_a_fault_of_ours_tells_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """A bug is answered 500 in typed JSON; the log names its place, never the text of the error."""

    def broken() -> datetime:
        raise ValueError("lan@thainguyen.example")

    async def run() -> httpx.Response:
        async with client(Kept(), now=broken) as to:
            return await to.post("/v1/events", content=b"{}")

    with caplog.at_level(logging.DEBUG):
        answer = asyncio.run(run())
    assert (answer.status_code, answer.json()["error"]) == (500, "internal")
    assert "ValueError" in caplog.text
    assert "lan@" not in caplog.text


def test_a_slow_body_is_given_up() -> None:
    """A body that does not arrive in time is answered 408."""

    async def trickle() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.sleep(10)

    async def run() -> httpx.Response:
        async with client(Kept(), seconds=0.05) as to:
            return await to.post("/v1/events", content=trickle())

    answer = asyncio.run(run())
    assert (answer.status_code, answer.json()["error"]) == (408, "too-slow")


@pytest.mark.parametrize(
    "body", [raw(example("mail.used")), b"{", b'{"id":"1"}'], ids=["good", "unreadable", "refused"]
)
def test_without_an_acknowledgement_there_is_no_verdict(body: bytes) -> None:
    """Neither acceptance nor refusal is told before the broker has it."""

    async def run() -> httpx.Response:
        async with client(Kept(away=True)) as to:
            return await to.post("/v1/events", content=body)

    answer = asyncio.run(run())
    assert (answer.status_code, answer.json()["error"]) == (503, "unavailable")
    assert answer.headers["retry-after"] == "2"


def test_without_a_directory_nothing_is_judged() -> None:
    """Until the directory is read, the gateway is not ready and answers 503."""

    async def run() -> list[httpx.Response]:
        async with client(Kept(), registry=None) as to:
            return [await to.post("/v1/events", content=b"{}"), await to.get("/readyz")]

    assert [answer.status_code for answer in asyncio.run(run())] == [503, 503]


def test_a_token_ends_when_it_says() -> None:
    """A token with an end is valid up to that moment and not at it."""
    until = datetime(2008, 10, 1, tzinfo=UTC)
    ending = Registry(
        permits=REGISTRY.permits,
        tokens={_SHA256[:8]: ((TokenHash(sha256=_SHA256, until=until), "/mail/thai-nguyen"),)},
    )
    assert ending.authenticate(_SHA256, until - timedelta(seconds=1)) is not None
    assert ending.authenticate(_SHA256, until) is None
    assert ending.authenticate(_SHA256[:-1] + "x", until - timedelta(seconds=1)) is None


def test_one_record_per_agency() -> None:
    """Events of one agency share a record, an agency's only event travels alone, and the header says which."""
    events = [example("mail.used") | {"id": str(number)} for number in range(3)]

    async def run(kept: Kept) -> None:
        async with client(kept) as to:
            batch = b"[" + b",".join(map(raw, events)) + b"]"
            await to.post("/v1/events", content=batch, headers={"Content-Type": "application/cloudevents-batch+json"})
            await to.post("/v1/events", content=raw(events[0]))

    kept = Kept()
    asyncio.run(run(kept))
    assert [(one.key, dict(one.headers)["content-type"]) for one in kept.messages] == [
        (b"tinh-thai-nguyen", b"application/cloudevents-batch+json"),
        (b"tinh-thai-nguyen", b"application/cloudevents+json"),
    ]


def test_a_list_sent_as_one_event_is_told_how_lists_go() -> None:
    """The commonest wrong header is named with the right one; what is no JSON at all is told apart."""

    async def run() -> list[httpx.Response]:
        async with client(Kept()) as to:
            return [
                await to.post("/v1/events", content=body) for body in (b"[" + raw(example("mail.used")) + b"]", b"{")
            ]

    as_list, broken = asyncio.run(run())
    assert (as_list.status_code, broken.status_code) == (400, 400)
    assert as_list.json()["rejected"][0]["detail"] == "a list of events goes as application/cloudevents-batch+json"
    assert broken.json()["rejected"][0]["detail"] == "the body is not one readable JSON object"


def test_more_than_a_source_may_send_waits() -> None:
    """Over its rate a source is told when to come again, and nothing is accepted; after that time it is let in."""
    clock = [NOW]
    permit = replace(REGISTRY.permits["/mail/thai-nguyen"], allowance=Allowance(rate=1, burst=2))
    registry = replace(REGISTRY, permits={permit.source: permit})

    async def run() -> None:
        kept = Kept()
        async with client(kept, registry=registry, now=lambda: clock[0]) as sender:
            body = raw([example("mail.used")] * 4)
            kind = {"Content-Type": "application/cloudevents-batch+json"}
            assert (await sender.post("/v1/events", content=body, headers=kind)).status_code == 202
            full = len(kept.messages)
            refused = await sender.post("/v1/events", content=body, headers=kind)
            assert (refused.status_code, refused.json()["error"]) == (429, "too-many")
            assert int(refused.headers["retry-after"]) == 3
            assert len(kept.messages) == full
            clock[0] += timedelta(seconds=3)
            assert (await sender.post("/v1/events", content=body, headers=kind)).status_code == 202
            counted = (await sender.get("/metrics")).text
            assert 'tiendo_ingest_turned_away_total{reason="too-many"} 1.0' in counted

    asyncio.run(run())


def test_who_is_turned_away_is_told_to_operations_alone(caplog: pytest.LogCaptureFixture) -> None:
    """No token, an unknown one and one that has ended get one and the same answer; the log tells them apart, once each."""
    ended = TokenHash(sha256=hashlib.sha256(b"ended").hexdigest(), until=NOW)
    registry = replace(REGISTRY, tokens={ended.sha256[:8]: ((ended, "/mail/thai-nguyen"),)})

    async def run() -> set[tuple[int, str, tuple[str, ...]]]:
        found = set()
        async with client(Kept(), registry=registry) as sender:
            for given in ("", "Bearer nobody", "Bearer ended", "Bearer ended", "Basic ended"):
                answer = await sender.post(
                    "/v1/events", content=raw(example("mail.used")), headers={"Authorization": given}
                )
                found.add((answer.status_code, answer.text, tuple(sorted(answer.headers))))
            counted = (await sender.get("/metrics")).text
            for reason, number in (("no-token", 2), ("unknown-token", 1), ("ended-token", 2), ("too-many", 0)):
                assert f'tiendo_ingest_turned_away_total{{reason="{reason}"}} {number}.0' in counted
        return found

    with caplog.at_level(logging.WARNING):
        answers = asyncio.run(run())

    assert len(answers) == 1
    told = [one.getMessage() for one in caplog.records if "turned away" in one.getMessage()]
    assert told == [
        "turned away: no-token", "turned away: unknown-token", "turned away: ended-token, source /mail/thai-nguyen"
    ]  # fmt: skip
    assert "nobody" not in caplog.text
