"""An app served as a process of its own."""

from __future__ import annotations

import signal
import sys
from types import FrameType
from typing import NoReturn

import uvicorn
from starlette.types import ASGIApp


def serve(app: ASGIApp, *, host: str, port: int, shutdown_s: int) -> NoReturn:
    """Serve until SIGTERM or SIGINT: no more is accepted, open requests are answered within *shutdown_s*; exit code 0.

    Exit code 1 where the port cannot be had.
    """
    # The server handles both while it runs, and repeats what it caught when it has ended: that is a clean end.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _end)
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
            timeout_graceful_shutdown=shutdown_s,
        )
    )


def _end(_number: int, _frame: FrameType | None) -> None:
    sys.exit(0)
