"""An app served as a process of its own."""

from __future__ import annotations

import resource
import signal
import ssl
import sys
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, Final, NoReturn

import uvicorn
from starlette.types import ASGIApp

from services.infra.http.heads import PatientProtocol

_MOST_CONNECTIONS: Final = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """The server's certificate and key, and whose certificates clients must show; None: none are asked for."""

    certificate: Path
    key: Path
    client_ca: Path | None = None


def serve(app: ASGIApp, *, host: str, port: int, shutdown_s: int, tls: Tls | None = None) -> NoReturn:
    """Serve until SIGTERM or SIGINT: no more is accepted, open requests are answered within *shutdown_s*; exit code 0.

    Exit code 1 where the port cannot be had.
    """
    # The server handles both while it runs, and repeats what it caught when it has ended: that is a clean end.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _end)
    _allow_connections()
    server = server_of(app, host=host, port=port, shutdown_s=shutdown_s, tls=tls)
    server.run()
    sys.exit(0 if server.started else 1)


def server_of(app: ASGIApp, *, host: str, port: int, shutdown_s: int, tls: Tls | None = None) -> uvicorn.Server:
    """Return the server; the app writes its own access log, without query strings."""
    secured: dict[str, Any] = {}
    if tls is not None:
        secured = {"ssl_certfile": str(tls.certificate), "ssl_keyfile": str(tls.key)}
        if tls.client_ca is not None:
            secured |= {"ssl_ca_certs": str(tls.client_ca), "ssl_cert_reqs": ssl.CERT_REQUIRED}
    return uvicorn.Server(
        uvicorn.Config(
            app,
            host=host,
            port=port,
            log_config=None,
            access_log=False,
            server_header=False,
            http=PatientProtocol,
            **secured,
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
