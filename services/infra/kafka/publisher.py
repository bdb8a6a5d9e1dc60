"""Publishing: a message counts as published once every replica in sync has it."""

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from time import monotonic
from typing import Any

import kafka
import kafka.errors

from services.core.errors import Rejected, Transient
from services.infra.kafka.address import Headers, KafkaAddress, duties, worn_out


@dataclass(frozen=True, slots=True)
class Message:
    """What is to be published; messages of one key keep their order, those without a key are spread evenly."""

    topic: str
    value: bytes
    key: bytes | None = None
    headers: Headers = ()


class Publisher:
    """Publishes messages and says when the brokers have them; safe to use from several threads and from coroutines."""

    def __init__(self, connect: Callable[[], Any], *, patience: float, room: int) -> None:
        self._connect = connect
        self._patience = patience
        self._capacity = self._room = room
        self._lock = threading.Lock()
        self._worn_out = False
        self._refused_at = float("-inf")
        self._producer = connect()
        # Sending may block for metadata; one thread keeps that off the event loop and keeps the callers' order.
        self._sender = ThreadPoolExecutor(1, thread_name_prefix="kafka-send")

    def publish(self, messages: Sequence[Message]) -> None:
        """Publish and return once every message is acknowledged; nothing to publish is fine.

        Raises Transient when the brokers are away, too much is waiting already, or not all is acknowledged in time
        (at most twice the patience): some messages may have arrived then, and repeating all of them is right. Raises
        Rejected when a message is larger than Kafka takes, or all together are larger than the room. Blocks; from a
        coroutine use `publish_async`.
        """
        acknowledged = self._start(messages)
        try:
            acknowledged.result(2 * self._patience)
        except TimeoutError as error:
            acknowledged.cancel()
            raise self._too_late() from error

    async def publish_async(self, messages: Sequence[Message]) -> None:
        """Do what `publish` does without blocking the event loop."""
        try:
            await asyncio.wait_for(asyncio.wrap_future(self._start(messages)), 2 * self._patience)
        except TimeoutError as error:
            raise self._too_late() from error

    def close(self) -> None:
        """Send what waits, for at most the patience, and disconnect."""
        self._sender.shutdown(wait=True, cancel_futures=True)
        _end(self._producer, 0 if self._worn_out else self._patience)

    def _too_late(self) -> Transient:
        self._worn_out = True
        return Transient("publishing: not acknowledged in time")

    def _start(self, messages: Sequence[Message]) -> Future[None]:
        acknowledged: Future[None] = Future()
        if not messages:
            acknowledged.set_result(None)
            return acknowledged
        size = sum(len(message.value) for message in messages)
        if size > self._capacity:
            raise Rejected("publishing: more at once than may ever wait")
        # kafka-python's own buffer has no limit, and a long absence of the brokers must not eat the memory.
        with self._lock:
            if size > self._room:
                raise Transient("publishing: too much waits for Kafka already")
            self._room -= size
        countdown = _Countdown(len(messages), acknowledged, lambda: self._free(size))
        self._sender.submit(self._send, messages, countdown, monotonic())
        return acknowledged

    def _send(self, messages: Sequence[Message], countdown: "_Countdown", asked: float) -> None:
        if countdown.unwanted():
            countdown.failed(Transient("publishing: nobody waits any more"), len(messages))
            return
        for position, message in enumerate(messages):
            try:
                with duties(f"publishing to {message.topic}"):
                    producer = self._fresh(asked)
                    note = partial(self._note, producer)
                    sent = producer.send(
                        message.topic, key=message.key, value=message.value, headers=list(message.headers)
                    )
            except Exception as error:  # whatever it is, the one who waits for the answer gets it
                self._note(self._producer, error.__cause__ or error)
                countdown.failed(error, len(messages) - position)
                return
            sent.add_callback(countdown.arrived)
            sent.add_errback(note)
            sent.add_errback(countdown.failed)

    def _fresh(self, asked: float) -> Any:
        """Return a producer that works, as far as is known; who asked before the last refusal is not kept waiting."""
        if not self._worn_out:
            return self._producer
        if asked <= self._refused_at:
            raise Transient("publishing: Kafka is away")
        _end(self._producer, 0)
        try:
            self._producer = self._connect()
        except Exception:
            self._refused_at = monotonic()
            raise
        self._worn_out = False
        return self._producer

    def _note(self, producer: Any, error: BaseException) -> None:
        if producer is self._producer and worn_out(error):
            self._worn_out = True

    def _free(self, size: int) -> None:
        with self._lock:
            self._room += size


def _end(producer: Any, timeout: float) -> None:
    """Close *producer*; what it has not sent within *timeout* seconds fails."""
    with suppress(kafka.errors.KafkaTimeoutError):
        producer.close(timeout)
    # close() leaves the thread running when something still waits; there is no public way to end it then.
    producer._sender.force_close()


class _Countdown:
    """Resolves *result* when the last of *count* messages has been acknowledged or has failed."""

    def __init__(self, count: int, result: Future[None], finished: Callable[[], None]) -> None:
        self._left = count
        self._result = result
        self._finished = finished
        self._error: BaseException | None = None
        self._lock = threading.Lock()

    def unwanted(self) -> bool:
        return self._result.cancelled()

    def arrived(self, _metadata: object) -> None:
        self._less(1, None)

    def failed(self, error: BaseException, count: int = 1) -> None:
        try:
            with duties("publishing"):
                raise error
        except Exception as named:
            self._less(count, named)

    def _less(self, count: int, error: BaseException | None) -> None:
        with self._lock:
            self._left -= count
            self._error = self._error or error
            if self._left:
                return
        self._finished()
        # A caller that gave up has cancelled the future, and nobody wants the answer.
        if self._result.set_running_or_notify_cancel():
            if self._error:
                self._result.set_exception(self._error)
            else:
                self._result.set_result(None)


@contextmanager
def open_producer(address: KafkaAddress, *, patience: float = 10.0, room: int = 64 << 20) -> Iterator[Publisher]:
    """Yield a Publisher with acks=all and idempotence on; on leaving, what waits is sent and the connection closed.

    *patience* is how long, in seconds, a message may wait for its acknowledgement before it fails with Transient;
    *room* is how many bytes may wait at once. Raises Transient when no broker answers within *patience*.
    """
    milliseconds = int(patience * 1000)

    def connect() -> Any:
        # No compression: aiokafka, without a further package, reads none but gzip.
        return kafka.KafkaProducer(
            **address.options(),
            acks="all",
            enable_idempotence=True,
            allow_auto_create_topics=False,
            linger_ms=2,
            batch_size=256 << 10,
            bootstrap_timeout_ms=milliseconds,
            max_block_ms=milliseconds // 2,
            request_timeout_ms=milliseconds // 2,
            delivery_timeout_ms=milliseconds,
            reconnect_backoff_max_ms=1000,
        )

    with duties("connecting"):
        publisher = Publisher(connect, patience=patience, room=room)
    try:
        yield publisher
    finally:
        publisher.close()
