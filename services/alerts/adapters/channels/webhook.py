"""Signed webhooks after the Standard Webhooks conventions: what receivers check stands in docs/webhooks.md."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

import httpx

from services.alerts.adapters.channels.parcel import Parcel
from services.alerts.core.webhook import CONTENT_TYPE, message, signatures
from services.core.warnings.warning_records import DeliveryFault

log = logging.getLogger(__name__)
_PASSING: Final = frozenset({408, 425, 429})


class Webhook:
    """Posts notices to one address. Follows no redirect, reads nothing of an answer but its status, honours no proxy of the
    environment. *now* is real time: receivers compare the time stamp with their own clock.
    """

    kind = "webhook"

    def __init__(
        self,
        *,
        name: str,
        url: str,
        secrets: Sequence[bytes],
        timeout: float,
        now: Callable[[], datetime],
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._name = name
        self._url = url
        self._secrets = tuple(secrets)
        self._timeout = timeout
        self._now = now
        self._tls = tls
        self._client: httpx.AsyncClient | None = None

    async def send(self, parcel: Parcel) -> DeliveryFault | None:
        """Post the notice under its own id; a repetition differs in nothing but time stamp and signatures."""
        body = message(parcel.notice, parcel.letter, parcel.told, attempt=parcel.attempt)
        return await self.post(parcel.notice.id, body)

    async def post(self, number: str, body: bytes) -> DeliveryFault | None:
        """Post *body* under the id *number*, signed. Raises nothing that the other side can cause."""
        stamp = int(self._now().timestamp())
        headers = {
            "content-type": CONTENT_TYPE,
            "user-agent": "tiendo",
            "webhook-id": number,
            "webhook-timestamp": str(stamp),
            "webhook-signature": signatures(self._secrets, number, stamp, body),
        }
        try:
            async with (
                asyncio.timeout(self._timeout),
                self._opened().stream("POST", self._url, content=body, headers=headers) as answer,
            ):
                return _fault_of(answer.status_code)
        except (httpx.TimeoutException, TimeoutError):
            return DeliveryFault.HTTP_TIMED_OUT
        except (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL, OSError, ValueError) as fault:
            if _of_tls(fault):
                log.warning("channel %s: its certificate is not accepted, or there is no TLS", self._name)
            return DeliveryFault.HTTP_UNREACHABLE

    async def rest(self) -> None:
        """Close the connections."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    def _opened(self) -> httpx.AsyncClient:
        if self._client is None:
            self._client = httpx.AsyncClient(
                verify=self._tls or ssl.create_default_context(),
                follow_redirects=False,
                trust_env=False,
                timeout=self._timeout,
                limits=httpx.Limits(max_connections=1),
            )
        return self._client


def _fault_of(status: int) -> DeliveryFault | None:
    if 200 <= status < 300:
        return None
    return DeliveryFault.HTTP_TRY_LATER if status in _PASSING or status >= 500 else DeliveryFault.HTTP_REFUSED


def _of_tls(fault: BaseException | None) -> bool:
    while fault is not None:
        if isinstance(fault, ssl.SSLError):
            return True
        fault = fault.__cause__ or fault.__context__
    return False
