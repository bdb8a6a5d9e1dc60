"""Open warnings as alerts of Prometheus's Alertmanager (API v2), so that operations keep their own routing."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

import httpx

from services.alerts.core.alerts import Alert
from services.core.warnings.warning_records import DeliveryFault

log = logging.getLogger(__name__)
_AT_ONCE: Final = 500  # alerts in one request: about half a megabyte
_OUTLASTS: Final = 5  # missed posts until Alertmanager resolves by itself
_PATH: Final = "/api/v2/alerts"


class Alertmanager:
    """Posts what is open now; what no longer is, once, as over. *now* is real time, as in all that Alertmanager is told.

    What was posted is remembered in memory: after a restart alerts that ended meanwhile end by themselves, after five intervals.
    """

    def __init__(
        self,
        *,
        url: str,
        timeout: float,
        every: float,
        now: Callable[[], datetime],
        login: tuple[str, str] | None = None,
        token: str | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._url = url.rstrip("/") + _PATH
        self._timeout = timeout
        self._lasts = timedelta(seconds=every * _OUTLASTS)
        self._now = now
        self._login = httpx.BasicAuth(*login) if login is not None else None
        self._headers = {"authorization": f"Bearer {token}"} if token is not None else {}
        self._tls = tls
        self._posted: dict[tuple[tuple[str, str], ...], Alert] = {}

    async def post(self, open_now: Sequence[Alert]) -> DeliveryFault | None:
        """Post *open_now*, and what was posted before and is not among them as over. None once all was taken, else why not.

        Raises nothing that the other side can cause. Doing it again is harmless.
        """
        now = self._now()
        known = {one.labels: one for one in open_now}
        over = [one for labels, one in self._posted.items() if labels not in known]
        rows = [_row(one, until=now + self._lasts) for one in open_now]
        rows += [_row(replace(one, started=min(one.started, now)), until=now) for one in over]
        self._posted |= known  # before it is posted: of a request that was cut off part may have been taken
        if not rows:
            return None
        async with httpx.AsyncClient(
            verify=self._tls or ssl.create_default_context(),
            follow_redirects=False,
            trust_env=False,
            timeout=self._timeout,
            auth=self._login,
            headers=self._headers,
        ) as client:
            for some in _pieces(rows):
                fault = await self._send(client, some)
                if fault is not None:
                    return fault
        for one in over:
            del self._posted[one.labels]
        return None

    async def _send(self, client: httpx.AsyncClient, rows: list[dict[str, Any]]) -> DeliveryFault | None:
        try:
            async with asyncio.timeout(self._timeout):
                async with client.stream("POST", self._url, json=rows) as answer:
                    status = answer.status_code
        except (httpx.TimeoutException, TimeoutError):
            return DeliveryFault.HTTP_TIMED_OUT
        except (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL, OSError, ValueError):
            return DeliveryFault.HTTP_UNREACHABLE
        if 200 <= status < 300:
            return None
        return DeliveryFault.HTTP_TRY_LATER if status == 429 or status >= 500 else DeliveryFault.HTTP_REFUSED


def _row(one: Alert, *, until: datetime) -> dict[str, Any]:
    row: dict[str, Any] = {
        "labels": dict(one.labels),
        "annotations": dict(one.annotations),
        "startsAt": one.started.isoformat(),
        "endsAt": until.isoformat(),
    }
    return row | ({"generatorURL": one.link} if one.link else {})


def _pieces(rows: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    return (rows[at : at + _AT_ONCE] for at in range(0, len(rows), _AT_ONCE))
