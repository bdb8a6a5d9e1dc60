"""Where the embedded stack listens: known ports by default, free ones on request."""

from __future__ import annotations

import socket
from contextlib import closing
from dataclasses import dataclass, fields

HOST = "127.0.0.1"


@dataclass(frozen=True, kw_only=True)
class Ports:
    """TCP ports of the stack on the loopback interface."""

    broker: int = 9092
    database: int = 9000
    gateway: int = 8080
    board: int = 8090
    aggregator: int = 9101  # health and metrics
    alerts: int = 9102  # health and metrics
    mail: int = 1025


def _free() -> int:
    with closing(socket.socket()) as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def free_ports() -> Ports:
    """Return ports that nobody listens on at this moment."""
    chosen: set[int] = set()
    while len(chosen) < len(fields(Ports)):
        chosen.add(_free())
    return Ports(**dict(zip((field.name for field in fields(Ports)), chosen, strict=True)))


def taken(ports: Ports) -> list[str]:
    """Return what is in the way, as ``name (port)``; an empty list if all ports are free."""
    busy = []
    for field in fields(Ports):
        port = getattr(ports, field.name)
        with closing(socket.socket()) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                busy.append(f"{field.name} ({port})")
    return busy
