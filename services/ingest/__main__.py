"""``python -m services.ingest``: the gateway as a process of its own."""

from __future__ import annotations

from services.infra.clock import open_clock
from services.infra.http.server import serve
from services.infra.logs import set_up_logs
from services.infra.settings import read_settings
from services.ingest.app import build
from services.ingest.settings import IngestSettings


def main() -> None:
    """Serve until SIGTERM or SIGINT, then end with exit code 0; exit code 2 and every fault at once for bad settings.

    In the end open requests are answered and the producer is flushed.
    """
    settings = read_settings(IngestSettings)
    clock = open_clock()
    set_up_logs("ingest", settings.log_level)
    app = build(settings, clock)
    serve(
        app,
        host=settings.host,
        port=settings.ingest_port,
        shutdown_s=settings.ingest_shutdown_timeout,
        tls=settings.tls(),
    )


if __name__ == "__main__":
    main()
