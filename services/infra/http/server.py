"""An app served as a process of its own."""

from __future__ import annotations

import resource
import signal
import sys
from types import FrameType
from typing import Final, NoReturn

import uvicorn
from starlette.types import ASGIApp

from services.infra.http.heads import PatientProtocol

_MOST_CONNECTIONS: Final = 65_536


def serve(app: ASGIApp, *, host: str, port: int, shutdown_s: int) -> NoReturn:
    """Serve until SIGTERM or SIGINT: no more is accepted, open requests are answered within *shutdown_s*; exit code 0.

    Exit code 1 where the port cannot be had.
    """
    # The server handles both while it runs, and repeats what it caught when it has ended: that is a clean end.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _end)
    _allow_connections()
    server = server_of(app, host=host, port=port, shutdown_s=shutdown_s)
    server.run()
    sys.exit(0 if server.started else 1)


def server_of(app: ASGIApp, *, host: str, port: int, shutdown_s: int) -> uvicorn.Server:
    """Return the server; the app writes its own access log, without query strings."""
    return uvicorn.Server(
        uvicorn.Config(
            app,
            host=host,
            port=port,
            log_config=None,
            access_log=False,
            server_header=False,
            http=PatientProtocol,
            timeout_graceful_shutdown=shutdown_s,
        )
    )


def _allow_connections() -> None:
    """Raise the number of files that the process may hold open to what the system lets it: each connection is one."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST_CONNECTIONS if most == resource.RLIM_INFINITY else min(most, _MOST_CONNECTIONS)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))


def _end(_number: int, _frame: FrameType | None) -> None:
    sys.exit(0)
