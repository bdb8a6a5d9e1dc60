"""The embedded broker as a process of its own, for process managers other than ``tiendo up``.

``python -m deploy.local.broker_process --port 9092 --data DIR`` runs it on 127.0.0.1 until SIGTERM or SIGINT. Whenever it
has started it makes the topics and what must last in them anew from the database that ``TIENDO_CLICKHOUSE_…`` names.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path
from threading import Event

from deploy.local.broker import broker_command
from deploy.local.mending import LOST, mend
from deploy.local.supervisor import Child, Supervisor
from services.core.errors import Transient
from services.infra.clickhouse.client import ClickHouseAddress
from services.infra.kafka import KafkaAddress, brokers_answer
from services.infra.logs import quiet_libraries
from services.infra.settings import SharedSettings


def run(folder: Path, port: int, database: ClickHouseAddress, stop: Event) -> None:
    """Run the broker until *stop*, starting it again when it ends. Raises Transient when it does not come up at first."""
    address = KafkaAddress(f"127.0.0.1:{port}")
    starts = 0

    def mend_it() -> None:
        nonlocal starts
        starts += 1
        while not stop.is_set():
            try:
                restored = mend(address, database)
            except Transient as fault:  # the database may start later than the broker
                print(f"broker: waits: {fault}", flush=True)
                stop.wait(2)
            else:
                print(f"broker: ready on {address.bootstrap}; {restored} records made anew", flush=True)
                if starts > 1:
                    print(f"broker: {LOST}", flush=True)
                return

    supervisor = Supervisor(folder, lambda line: print(line, flush=True))
    try:
        supervisor.start(
            Child(
                name="broker",
                command=tuple(broker_command(folder, port)),
                env=os.environ,
                healthy=lambda: brokers_answer(address, timeout=2),
                mend=mend_it,
                grace=2,
            )
        )
        stop.wait()
    finally:
        supervisor.stop()


def main() -> None:
    """Read the command line and run; exit code 1, and the reason, when the broker does not come up."""
    parser = argparse.ArgumentParser(description="The embedded broker, on 127.0.0.1; it keeps its log in memory.")
    parser.add_argument("--port", type=int, default=9092, help="port on 127.0.0.1 (default: %(default)s)")
    parser.add_argument("--data", type=Path, required=True, help="folder for its log")
    options = parser.parse_args()
    quiet_libraries()
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        run(options.data.resolve(), options.port, SharedSettings().clickhouse(), stop)
    except Transient as fault:
        print(f"broker: {fault}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
