"""Faust's Kafka transport, with one topic read from where the database says instead of where the group has committed."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import faust
from faust.transport.drivers import aiokafka as driver
from faust.types.tuples import TP


def read_from(app: faust.App, topic: str, position: Callable[[], int]) -> None:
    """Let *app* begin reading *topic*, whenever it is given its partition, at *position*; must not block.

    To be called before anything asks for the app's topics. What the group commits is for onlookers alone.
    """

    class Consumer(driver.Consumer):
        async def seek_to_committed(self) -> Mapping[TP, int]:
            found = {TP(tp.topic, tp.partition): offset for tp, offset in (await super().seek_to_committed()).items()}
            ours = {tp: position() for tp in found if tp.topic == topic}
            if ours:
                await self.seek_wait(ours)
            return {**found, **ours}

    class Transport(driver.Transport):
        pass

    Transport.Consumer = Consumer
    app.transport = Transport(app.conf.broker_consumer, app)
