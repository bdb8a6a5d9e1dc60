"""A limit on how long a request's head may take: the server's own limits begin with a head that is whole."""

from __future__ import annotations

import asyncio
from typing import Final

from uvicorn.protocols.http.h11_impl import H11Protocol

#: Seconds from the first byte of a connection, or of a later request on it, until its head is whole.
HEAD_SECONDS: Final = 10.0


class PatientProtocol(H11Protocol):
    """HTTP/1.1 that closes connections which do not say what they want within `HEAD_SECONDS`.

    Whoever opens thousands and sends byte by byte holds each for so long and no longer. Between requests the server's
    limit for idle connections holds.
    """

    _limit: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection, on which nothing has been asked yet."""
        super().connection_made(transport)
        self._wait_for_head()

    def data_received(self, data: bytes) -> None:
        """Take bytes, of which a head may become whole, or a new one begin."""
        super().data_received(data)
        if not self._between_requests():
            self._end_wait()
        elif self._limit is None:
            self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._end_wait()
        super().connection_lost(exc)

    def _between_requests(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _wait_for_head(self) -> None:
        self._limit = self.loop.call_later(HEAD_SECONDS, self._too_slow)

    def _end_wait(self) -> None:
        if self._limit is not None:
            self._limit.cancel()
            self._limit = None

    def _too_slow(self) -> None:
        self._limit = None
        if self._between_requests() and not self.transport.is_closing():
            self.transport.close()
