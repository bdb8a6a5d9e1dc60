"""Whether the worker makes progress, and the watchdog that ends it when it does not."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

from services.aggregator import metrics

log = logging.getLogger(__name__)

STALLED = 71


class Progress:
    """The last sign of progress, declared waits, and what is missing. Safe to use from several threads."""

    def __init__(self) -> None:
        self._idle = 0.0  # seconds without progress up to _counted, declared waits left out
        self._counted = monotonic()
        self._waits = 0
        self._paused_until = 0.0
        self._lock = threading.Lock()
        self.missing: dict[str, str] = {}
        metrics.IDLE_SECONDS.set_function(self.idle)

    def beat(self) -> None:
        """Say that something went on."""
        with self._lock:
            self._idle, self._counted = 0.0, monotonic()

    def idle(self) -> float:
        """Return the seconds since the last progress, declared waits left out."""
        with self._lock:
            self._count()
            return self._idle

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Declare a wait for somebody else, which the watchdog lets pass; it may nest and overlap. It is no progress.

        To be held by the thread that waits: across an ``await`` a loop that hangs would hold it for ever.
        """
        with self._lock:
            self._count()
            self._waits += 1
        try:
            yield
        finally:
            with self._lock:
                self._count()
                self._waits -= 1

    def pause(self, seconds: float) -> None:
        """Declare that nothing will go on for *seconds* from now; the declaration ends by itself."""
        with self._lock:
            self._count()
            self._paused_until = max(self._paused_until, self._counted + seconds)

    def _count(self) -> None:
        now = monotonic()
        if not self._waits:
            self._idle += max(0.0, now - max(self._counted, self._paused_until))
        self._counted = now


def watch(progress: Progress, limit: float) -> threading.Thread:
    """Start a thread that ends the process with ``STALLED`` after *limit* seconds without progress.

    Nothing is tidied up: a worker that hangs holds partitions that others could serve, and nothing that it has not
    acknowledged is lost.
    """

    def guard() -> None:
        pause = threading.Event()
        while not pause.wait(min(1.0, limit / 4)):
            if progress.idle() > limit:
                log.critical("no progress for %.0f s; ending", progress.idle())
                os._exit(STALLED)

    thread = threading.Thread(target=guard, name="watchdog", daemon=True)
    thread.start()
    return thread
