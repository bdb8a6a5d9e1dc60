"""Logs: one line per event on standard error, time in UTC, no payloads."""

from __future__ import annotations

import logging
import sys

_FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"


def set_up_logs(service: str, level: str = "INFO") -> None:
    """Send all logging of this process to standard error. Call once, in ``__main__``."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter(_FORMAT.replace("%(name)s", f"{service} %(name)s")))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    quiet_libraries()


def quiet_libraries() -> None:
    """Keep client libraries from logging what reaches their callers as exceptions anyway."""
    for chatty in ("kafka", "aiokafka", "httpx", "httpcore"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    # It logs a whole traceback for every refused connection.
    logging.getLogger("clickhouse_driver").setLevel(logging.CRITICAL)
