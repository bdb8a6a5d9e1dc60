"""Keeps Alertmanager told of what is open, while this process leads."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Protocol

from services.alerts import metrics
from services.alerts.blocking import Blocking
from services.alerts.core.alerts import Alert
from services.core.errors import Transient
from services.core.warnings.warning_records import DeliveryFault

log = logging.getLogger(__name__)


class Takes(Protocol):
    """What is needed of Alertmanager: to be told everything that is open, again and again."""

    async def post(self, open_now: Sequence[Alert]) -> DeliveryFault | None: ...


class AlertPosts:
    """Reads and posts. A database that is away ends no alert: what was open last is posted again."""

    def __init__(self, read: Callable[[], Sequence[Alert]], to: Takes, blocking: Blocking) -> None:
        """*read*: what is open; it blocks, and raises Transient while the database is away."""
        self._read = read
        self._to = to
        self._blocking = blocking
        self._last: Sequence[Alert] = ()
        self._fault: DeliveryFault | None = None

    async def post(self) -> None:
        """Post once. Raises nothing that Alertmanager or the database can cause."""
        try:
            self._last = await self._blocking(self._read)
        except Transient as away:
            log.warning("Alertmanager is told what was open last: %s", away)
        fault = await self._to.post(self._last)
        metrics.ALERTS_POSTED.labels("taken" if fault is None else fault.value).inc()
        if fault is not None and fault is not self._fault:
            log.warning("Alertmanager: %s", fault)
        self._fault = fault
