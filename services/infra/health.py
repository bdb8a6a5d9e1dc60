"""Health and metrics of processes that have no HTTP of their own: ``/healthz``, ``/readyz``, ``/metrics``."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

#: Returns what is missing for the process to do its work; an empty list means ready.
Missing = Callable[[], list[str]]


def _handler(missing: Missing) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/healthz":
                self._answer(200, "application/json", b'{"status":"alive"}')
            elif self.path == "/readyz":
                lacking = missing()
                body = json.dumps({"status": "not ready" if lacking else "ready", "missing": lacking}).encode()
                self._answer(503 if lacking else 200, "application/json", body)
            elif self.path == "/metrics":
                self._answer(200, CONTENT_TYPE_LATEST, generate_latest())
            else:
                self._answer(404, "application/json", b'{"status":"unknown path"}')

        def _answer(self, code: int, content_type: str, body: bytes) -> None:
            self.send_response(code)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Probes are not worth a log line each."""

    return Handler


@contextmanager
def open_health(host: str, port: int, missing: Missing) -> Iterator[int]:
    """Serve health and metrics in a thread for the time of a ``with`` block; yields the port (*port* 0 picks one)."""
    server = ThreadingHTTPServer((host, port), _handler(missing))
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, name="health", daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
