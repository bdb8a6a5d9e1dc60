"""Gathering: whatever arrives in whatever order, each event goes once, and who sent it hears what became of its record."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.usage import NormalisedEvent, decode
from services.core.errors import Rejected, Transient
from services.infra.kafka import Message
from services.ingest.adapters.gathering import Gathering
from services.ingest.core.inbound import read_event
from services.ingest.core.normalise import normalise
from services.ingest.core.rejection import Refusal
from tests.unit.ingest.examples import NOW, PSEUDONYMS, example, raw

_read = read_event(raw(example("mail.used")))
assert not isinstance(_read, Refusal)
_normalised = normalise(_read, pseudonyms=PSEUDONYMS, received=NOW)
assert not isinstance(_normalised, Refusal)
EVENT: NormalisedEvent = _normalised


def event(number: int, agency: str = "a") -> NormalisedEvent:
    return msgspec.structs.replace(EVENT, id=f"k1:{number:032x}", agency=agency)


def events_in(message: Message) -> list[NormalisedEvent]:
    return decode(message.value, dict(message.headers)["content-type"].decode())


@dataclass
class Broker:
    """Acknowledges a group only when told to, or refuses it."""

    groups: list[list[Message]] = field(default_factory=list)
    acknowledged: asyncio.Event = field(default_factory=asyncio.Event)
    refusal: Exception | None = None

    async def publish(self, messages: Sequence[Message]) -> None:
        self.groups.append(list(messages))
        await self.acknowledged.wait()
        if self.refusal is not None:
            raise self.refusal


def test_a_lone_event_goes_at_once_and_as_a_single_event() -> None:
    """It waits for nobody: its record is on its way after one turn of the loop."""

    async def run() -> None:
        broker = Broker()
        sent = asyncio.create_task(Gathering(broker, room=10).publish(event(1)))
        for _ in range(3):
            await asyncio.sleep(0)
        assert [events_in(one) for one in broker.groups[0]] == [[event(1)]]
        assert not sent.done()
        broker.acknowledged.set()
        await sent

    asyncio.run(run())


def test_what_arrives_meanwhile_goes_together_per_agency() -> None:
    """While a group is on its way events gather; one record per agency carries them in their order."""

    async def run() -> None:
        broker = Broker()
        gathering = Gathering(broker, room=100)
        early = asyncio.create_task(gathering.publish(event(1)))
        for _ in range(3):
            await asyncio.sleep(0)
        late = [asyncio.create_task(gathering.publish(event(n, "ab"[n % 2]))) for n in range(10, 20)]
        await asyncio.sleep(0.05)  # nobody acknowledges, and yet they do not wait longer than some milliseconds
        assert len(broker.groups) == 2
        assert [[one.id for one in events_in(message)] for message in broker.groups[1]] == [
            [event(n).id for n in range(10, 20, 2)], [event(n).id for n in range(11, 20, 2)]
        ]  # fmt: skip
        broker.acknowledged.set()
        await asyncio.gather(early, *late)

    asyncio.run(run())


@pytest.mark.parametrize("refusal", [Transient("away"), Rejected("too large")])
def test_everyone_in_a_record_hears_that_it_was_not_taken(refusal: Exception) -> None:
    """No event of a group that failed is answered as taken; the next group is not held up by it."""

    async def run() -> None:
        broker = Broker(refusal=refusal)
        gathering = Gathering(broker, room=100)
        sent = [asyncio.create_task(gathering.publish(event(n))) for n in range(5)]
        await asyncio.sleep(0)
        broker.acknowledged.set()
        found = await asyncio.gather(*sent, return_exceptions=True)
        assert {type(one) for one in found} == {type(refusal)}
        broker.refusal = None
        await gathering.publish(event(6))

    asyncio.run(run())


def test_above_the_room_nothing_is_taken() -> None:
    """The queue has an end: one more is told so at once, and there is room again as soon as some are answered."""

    async def run() -> None:
        broker = Broker()
        gathering = Gathering(broker, room=3)
        sent = [asyncio.create_task(gathering.publish(event(n))) for n in range(3)]
        await asyncio.sleep(0)
        with pytest.raises(Transient, match="too many events wait"):
            await gathering.publish(event(4))
        broker.acknowledged.set()
        await asyncio.gather(*sent)
        await gathering.publish(event(4))

    asyncio.run(run())


def test_who_has_gone_leaves_room() -> None:
    """A sender that is cancelled frees its place, and the others of its group are answered."""

    async def run() -> None:
        broker = Broker()
        gathering = Gathering(broker, room=2)
        gone, stays = (asyncio.create_task(gathering.publish(event(n))) for n in (1, 2))
        await asyncio.sleep(0)
        gone.cancel()
        await asyncio.sleep(0)
        third = asyncio.create_task(gathering.publish(event(3)))
        await asyncio.sleep(0)
        broker.acknowledged.set()
        await asyncio.gather(stays, third)
        assert gone.cancelled()

    asyncio.run(run())


@dataclass
class Moody:
    """Takes each group or refuses it, by a script, each after some turns of the loop."""

    script: list[tuple[int, bool]]
    taken: list[NormalisedEvent] = field(default_factory=list)
    refused: list[NormalisedEvent] = field(default_factory=list)

    async def publish(self, messages: Sequence[Message]) -> None:
        turns, takes = self.script.pop() if self.script else (0, True)
        for _ in range(turns):
            await asyncio.sleep(0)
        found = [one for message in messages for one in events_in(message)]
        (self.taken if takes else self.refused).extend(found)
        if not takes:
            raise Transient("away")


@given(
    arrivals=st.lists(st.tuples(st.integers(0, 3), st.sampled_from("abc")), max_size=60),
    script=st.lists(st.tuples(st.integers(0, 6), st.booleans()), max_size=30),
)
def test_each_event_goes_once_and_its_sender_hears_the_truth(
    arrivals: list[tuple[int, str]], script: list[tuple[int, bool]]
) -> None:
    """Any arrivals, any acknowledgements: taken exactly where publish returned, refused exactly where it raised."""

    async def run() -> None:
        broker = Moody(list(script))
        gathering = Gathering(broker, room=1000)
        tasks = []
        for number, (turns, agency) in enumerate(arrivals):
            tasks.append(asyncio.create_task(gathering.publish(event(number, agency))))
            for _ in range(turns):
                await asyncio.sleep(0)
        found = await asyncio.gather(*tasks, return_exceptions=True)
        sent = [event(number, agency) for number, (_, agency) in enumerate(arrivals)]
        told_taken = [one for one, said in zip(sent, found, strict=True) if said is None]
        assert sorted(told_taken, key=lambda one: one.id) == sorted(broker.taken, key=lambda one: one.id)
        assert len(broker.taken) + len(broker.refused) == len(sent)

    asyncio.run(run())
