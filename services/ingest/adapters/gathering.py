"""Single events of concurrent requests, gathered per agency into one record: the broker's work is per record, not per event."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final, Protocol

from schemas.usage import NormalisedEvent
from services.core.errors import Transient
from services.infra.kafka import Message
from services.ingest.adapters.publisher import event_messages

#: While a group is on its way events wait for it to arrive, but never longer than this, in seconds.
_PATIENCE: Final = 0.005
#: Events of one group; with the rooms of the producer's buffers this keeps any one request's wait short.
_LARGEST: Final = 1000


class Publishing(Protocol):
    """Where records go."""

    async def publish(self, messages: Sequence[Message]) -> None:
        """Return once all are acknowledged; raises Transient where not all are, Rejected where they are too large."""


class Gathering:
    """Publishes events one by one as the caller sees it, and together as the broker sees it.

    A lone event goes at once. Under load those that arrive while others are on their way go together, after a few
    milliseconds at most, so that a group is as large as the load makes it. *room*: events that may wait.
    """

    def __init__(self, publishing: Publishing, *, room: int) -> None:
        self._publishing = publishing
        self._room = room
        self._waiting: list[tuple[NormalisedEvent, asyncio.Future[None]]] = []
        self._under_way: set[asyncio.Task[None]] = set()
        self._unanswered = 0
        self._call: asyncio.Handle | None = None

    async def publish(self, event: NormalisedEvent) -> None:
        """Return once the broker has acknowledged the record that carries *event*.

        Raises Transient where it has not in time, and at once where too many events wait already; Rejected where the
        broker takes no such record. Sending again is right: a fact that arrives twice counts once.
        """
        if self._unanswered >= self._room:
            raise Transient("publishing: too many events wait for the broker already")
        loop = asyncio.get_running_loop()
        acknowledged = loop.create_future()
        self._waiting.append((event, acknowledged))
        self._unanswered += 1
        if len(self._waiting) == _LARGEST:
            self._go()
        elif self._call is None:
            idle = not self._under_way
            self._call = loop.call_soon(self._go) if idle else loop.call_later(_PATIENCE, self._go)
        try:
            await acknowledged
        finally:
            self._unanswered -= 1

    def _go(self) -> None:
        if self._call is not None:
            self._call.cancel()
            self._call = None
        # Whoever has gone no longer needs an answer, and was promised nothing.
        group = [one for one in self._waiting if not one[1].done()]
        self._waiting = []
        if group:
            task = asyncio.create_task(self._publish(group))
            self._under_way.add(task)
            task.add_done_callback(self._arrived)

    def _arrived(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        if self._waiting:
            self._go()

    async def _publish(self, group: list[tuple[NormalisedEvent, asyncio.Future[None]]]) -> None:
        failure: BaseException | None = None
        try:
            await self._publishing.publish(event_messages([event for event, _ in group]))
        except BaseException as error:  # whatever it is, those who wait for the answer get it
            failure = error
        for _, acknowledged in group:
            if acknowledged.done():
                continue
            if failure is None:
                acknowledged.set_result(None)
            else:
                acknowledged.set_exception(_told(failure))
        if isinstance(failure, asyncio.CancelledError):
            raise failure


def _told(failure: BaseException) -> Exception:
    return failure if isinstance(failure, Exception) else Transient("publishing: the gateway is ending")
