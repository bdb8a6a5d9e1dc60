"""Delivery against channels that do as told: what is tried when, what is recorded, and who waits for whom."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from schemas.directory import Contact
from schemas.warnings import Notice, Record
from services.alerts.adapters.channels.parcel import Parcel
from services.alerts.adapters.warning_log import WarningLog
from services.alerts.blocking import Blocking, open_blocking
from services.alerts.delivery import Delivery, Ground
from services.alerts.waits import Waits
from services.core.errors import Transient
from services.core.warnings.warning_records import DeliveryFault, NoticeState, fold_notices

AT = datetime.fromisoformat("2008-10-01T08:00:00+07:00")
OFFICE = Contact(role="operations", name="Vận hành", email="van-hanh@example.vn", language="vi")
GROUND = cast(
    Ground,
    SimpleNamespace(
        assessment=SimpleNamespace(
            plan=SimpleNamespace(plan="p"),
            directory=SimpleNamespace(zone="Asia/Ho_Chi_Minh", operations=OFFICE),
        ),
        life=lambda _: (),
        answers=lambda _: (),
        writer=SimpleNamespace(compose=lambda *_, **__: object()),
    ),
)


class Books:
    """The log of warnings, in memory."""

    def __init__(self) -> None:
        self.records: list[Notice] = []
        self.away = False

    def append(self, records: Sequence[Record]) -> None:
        if self.away:
            raise Transient("the broker is away")
        self.records += [one for one in records if isinstance(one, Notice)]

    def unsettled(self) -> list[NoticeState]:
        return [one for one in fold_notices(self.records).values() if not one.settled]

    def states(self) -> list[str]:
        return [one.state for one in self.records if one.state != "pending"]


class Told:
    """A channel that answers as told, the last answer for ever after."""

    def __init__(self, *answers: DeliveryFault | None, held: asyncio.Event | None = None, kind: str = "told") -> None:
        self.answers, self.held, self.kind = list(answers) or [None], held, kind
        self.taken: list[str] = []
        self.rests = 0
        self.began = asyncio.Event()

    async def send(self, parcel: Parcel) -> DeliveryFault | None:
        self.began.set()
        if self.held is not None:
            await self.held.wait()
        fault = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        self.taken.append(parcel.notice.id)
        return fault

    async def rest(self) -> None:
        self.rests += 1


class Times:
    """The clock and the waits' seconds, both set by the test."""

    def __init__(self) -> None:
        self.now, self.seconds = AT, 0.0

    def waits(self) -> Waits:
        return Waits(first=timedelta(seconds=5), longest=timedelta(seconds=300), now=lambda: self.seconds)


@pytest.fixture
def blocking() -> Iterator[Blocking]:
    with open_blocking() as made:
        yield made


def notice(number: int, channel: str = "told", **more: Any) -> Notice:
    fields: dict[str, Any] = {
        "id": f"{channel}-{number}", "plan": "p", "agency": "so-y-te", "recipient": "channel", "channel": channel,
        "number": number, "language": "vi", "transitions": ("t",), "state": "pending", "at": AT,
    }  # fmt: skip
    return Notice(**(fields | more))


def made(books: Books, times: Times, blocking: Blocking, turn: float = 5.0, **channels: Any) -> Delivery:
    return Delivery(
        warnings=cast(WarningLog, books),
        channels=channels,
        clock=lambda: times.now,
        waits=times.waits(),
        blocking=blocking,
        too_old=timedelta(days=3),
        turn=turn,
    )


def test_a_passing_fault_is_tried_again_recorded_once_and_then_sent(blocking: Blocking) -> None:
    """Failed once however often it fails the same way; under the same id all the time; then sent."""

    async def run() -> None:
        books, times, channel = Books(), Times(), Told(DeliveryFault.TRY_LATER, DeliveryFault.TRY_LATER, None)
        books.records.append(notice(1))
        delivery = made(books, times, blocking, told=channel)
        left = [await delivery.send_all(books.unsettled(), GROUND)]
        left.append(await delivery.send_all(books.unsettled(), GROUND))  # not yet: it waits
        assert channel.taken == ["told-1"]
        for _ in range(2):
            times.seconds += 60
            left.append(await delivery.send_all(books.unsettled(), GROUND))
        assert left == [1, 1, 1, 0]
        assert channel.taken == ["told-1"] * 3
        assert books.states() == ["failed", "sent"]
        assert books.unsettled() == []

    asyncio.run(run())


def test_a_final_fault_is_dead_until_somebody_has_it_sent_again(blocking: Blocking) -> None:
    """A higher attempt is pending again at once, under the same id, whatever the attempt before it waits for."""

    async def run() -> None:
        books, times, channel = Books(), Times(), Told(DeliveryFault.HTTP_REFUSED, None)
        books.records.append(notice(1))
        delivery = made(books, times, blocking, told=channel)
        await delivery.send_all(books.unsettled(), GROUND)
        assert [(one.state, one.detail) for one in books.records[1:]] == [("dead", "http-refused")]
        assert books.unsettled() == []
        books.records.append(notice(1, attempt=1, at=AT + timedelta(days=9)))
        times.now = AT + timedelta(days=9)
        await delivery.send_all(books.unsettled(), GROUND)
        assert channel.taken == ["told-1", "told-1"]
        assert (books.records[-1].state, books.records[-1].attempt) == ("sent", 1)

    asyncio.run(run())


def test_a_notice_that_names_no_channel_of_ours_is_dead(blocking: Blocking) -> None:
    """It says so, and the others go out."""

    async def run() -> None:
        books, times, channel = Books(), Times(), Told()
        books.records += [notice(1, "elsewhere"), notice(2)]
        assert await made(books, times, blocking, told=channel).send_all(books.unsettled(), GROUND) == 0
        assert {one.id: (one.state, one.detail) for one in books.records[2:]} == {
            "elsewhere-1": ("dead", "no-channel"),
            "told-2": ("sent", ""),
        }

    asyncio.run(run())


def test_what_was_tried_in_vain_for_too_long_is_given_up(blocking: Blocking) -> None:
    """Counted from when it was due, by the clock: not before three days, and not while nothing was tried."""

    async def run() -> None:
        books, times, channel = Books(), Times(), Told(DeliveryFault.TRY_LATER)
        books.records.append(notice(1, due=AT + timedelta(days=1)))
        delivery = made(books, times, blocking, told=channel)
        for day, states in ((0, []), (1, ["failed"]), (4, ["failed"]), (4.1, ["failed", "dead"])):
            times.now, times.seconds = AT + timedelta(days=day), times.seconds + 1000
            await delivery.send_all(books.unsettled(), GROUND)
            assert books.states() == states, day
        assert books.records[-1].detail == "too-old"

    asyncio.run(run())


@pytest.mark.parametrize(
    ("fault", "tried"),
    [
        pytest.param(DeliveryFault.UNREACHABLE, 1, id="a relay that is away"),
        pytest.param(DeliveryFault.HTTP_TRY_LATER, 1, id="a receiver that asks for patience"),
        pytest.param(DeliveryFault.GATEWAY_FAILED, 1, id="a gateway that fails"),
        pytest.param(DeliveryFault.TRY_LATER, 20, id="a full queue, after twenty that might have been greylisting"),
        pytest.param(DeliveryFault.HTTP_REFUSED, 50, id="each refused on its own account"),
    ],
)
def test_what_concerns_the_channel_leaves_the_rest_in_peace(
    fault: DeliveryFault, tried: int, blocking: Blocking
) -> None:
    """Fifty notices: a fault that the next would meet as well stops the channel for a while."""

    async def run() -> None:
        books, times, channel = Books(), Times(), Told(fault)
        books.records += [notice(number) for number in range(1, 51)]
        delivery = made(books, times, blocking, told=channel)
        await delivery.send_all(books.unsettled(), GROUND)
        await delivery.send_all(books.unsettled(), GROUND)
        assert len(channel.taken) == tried
        assert channel.rests == 1

    asyncio.run(run())


def test_a_sick_channel_holds_up_no_other(blocking: Blocking) -> None:
    """While one hangs, others take old and new notices; what hangs is handed over once."""

    async def run() -> None:
        books, times, release = Books(), Times(), asyncio.Event()
        slow, quick = Told(held=release), Told()
        books.records += [notice(1, "slow"), notice(2, "slow"), notice(1, "quick")]
        delivery = made(books, times, blocking, turn=0.05, slow=slow, quick=quick)
        assert await delivery.send_all(books.unsettled(), GROUND) == 2
        books.records.append(notice(2, "quick"))
        assert delivery.anything_due(books.unsettled())
        assert await delivery.send_all(books.unsettled(), GROUND) == 2
        assert quick.taken == ["quick-1", "quick-2"]
        before = books.unsettled()  # read while the slow one is still at it
        assert not delivery.anything_due(before)
        release.set()
        await delivery.send_all(before, GROUND)
        await delivery.send_all(before, GROUND)
        assert slow.taken == ["slow-1", "slow-2"]
        assert books.unsettled() == []

    asyncio.run(run())


def test_what_was_sent_is_not_sent_again_when_recording_fails(blocking: Blocking) -> None:
    """The broker goes away in the wrong moment: Transient, then the record is made up for, and one message went out."""

    async def run() -> None:
        books, times, channel = Books(), Times(), Told()
        books.records.append(notice(1))
        delivery = made(books, times, blocking, told=channel)
        before = books.unsettled()
        books.away = True
        with pytest.raises(Transient):
            await delivery.send_all(before, GROUND)
        with pytest.raises(Transient):
            await delivery.flush()
        books.away = False
        await delivery.flush()
        assert await delivery.send_all(before, GROUND) == 0
        assert channel.taken == ["told-1"]
        assert books.states() == ["sent"]

    asyncio.run(run())


def test_a_letter_that_cannot_be_written_keeps_no_other_back(blocking: Blocking) -> None:
    """A defect in one: the next goes out, the fault is recorded and tried again; what the defect says stays out of the log."""
    books, channel, times = Books(), Told(), Times()
    books.append([notice(1), notice(2)])

    def life(one: Notice) -> tuple[Any, ...]:
        if one.number == 1 and times.seconds == 0:
            raise ValueError("giam-doc@example.vn")
        return ()

    delivery = made(books, times, blocking, told=channel)
    ground = cast(Ground, SimpleNamespace(**(vars(GROUND) | {"life": life})))
    assert asyncio.run(delivery.send_all(books.unsettled(), ground)) == 1
    assert channel.taken == ["told-2"]
    assert [(one.state, one.detail) for one in books.records[2:]] == [("failed", "not-written"), ("sent", "")]
    times.seconds = 10
    assert asyncio.run(delivery.send_all(books.unsettled(), ground)) == 0
    assert channel.taken == ["told-2", "told-1"]


def test_letters_are_composed_one_by_one(blocking: Blocking) -> None:
    """Of many notices no more than one parcel is there at a time."""

    async def run() -> None:
        books, times, alive = Books(), Times(), []

        class Counting(Told):
            async def send(self, parcel: Parcel) -> DeliveryFault | None:
                alive.append(composed[0] - len(self.taken))
                return await super().send(parcel)

        composed = [0]

        def compose(*_: Any, **__: Any) -> object:
            composed[0] += 1
            return object()

        ground = cast(Ground, SimpleNamespace(**(vars(GROUND) | {"writer": SimpleNamespace(compose=compose)})))
        books.records += [notice(number) for number in range(1, 201)]
        await made(books, times, blocking, told=Counting()).send_all(books.unsettled(), ground)
        assert composed == [200]
        assert set(alive) == {1}

    asyncio.run(run())


def test_closing_ends_what_hangs(blocking: Blocking) -> None:
    """And lets go of the channel; nothing is recorded as sent that was not."""

    async def run() -> None:
        books, times, channel = Books(), Times(), Told(held=asyncio.Event())
        books.records.append(notice(1))
        delivery = made(books, times, blocking, turn=0.01, told=channel)
        await delivery.send_all(books.unsettled(), GROUND)
        await channel.began.wait()
        await delivery.close()
        assert channel.rests == 1
        assert books.states() == []

    asyncio.run(run())
