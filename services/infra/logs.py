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
    for chatty in ("kafka", "aiokafka", "clickhouse_driver", "httpx", "httpcore"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
