"""``python -m services.ingest``: the gateway as a process of its own."""

from __future__ import annotations

import signal
import sys
from types import FrameType

from services.infra.clock import open_clock
from services.infra.logs import set_up_logs
from services.infra.settings import read_settings
from services.ingest.app import build, server_of
from services.ingest.settings import IngestSettings


def main() -> None:
    """Serve until SIGTERM or SIGINT, then end with exit code 0; exit code 2 and every fault at once for bad settings."""
    settings = read_settings(IngestSettings)
    clock = open_clock()
    set_up_logs("ingest", settings.log_level)
    # The server handles both while it runs, and repeats what it caught when it has ended: that is a clean end.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _end)
    server = server_of(settings, build(settings, clock))
    server.run()
    sys.exit(0 if server.started else 1)


def _end(_number: int, _frame: FrameType | None) -> None:
    sys.exit(0)


if __name__ == "__main__":
    main()
