"""How long a connection to ClickHouse waits for somebody who may have gone without a word."""

from __future__ import annotations

import socket
from typing import Any, Final

from clickhouse_driver.connection import Connection

#: Seconds of silence until the other machine is asked, between two questions, and how many may stay unanswered: a machine
#: or a network that has gone is noticed within a minute, whatever is being waited for.
KEEPALIVE: Final = (30, 10, 3)
_UNACKNOWLEDGED_MS: Final = 60_000
GREETING_S: Final = 10.0


def use_patience(connection: Connection, *, greeting_s: float = GREETING_S) -> None:
    """Let *connection* wait *greeting_s* for the server's greeting, and a minute until what it sends has arrived.

    The driver waits for a greeting as long as for the answer to a query, and for a machine that has gone as long as the
    system does. Holds when it connects anew, too.
    """
    create, greet = connection._create_socket, connection.receive_hello

    def created(host: str, port: int) -> socket.socket:
        made: socket.socket = create(host, port)
        if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNACKNOWLEDGED_MS)
        return made

    def greeted() -> Any:
        with connection.timeout_setter(greeting_s):
            return greet()

    connection._create_socket = created
    connection.receive_hello = greeted
