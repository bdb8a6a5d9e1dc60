"""Around every request: its time, one line in the log without query strings, and an answer even to a fault of ours."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Collection
from time import monotonic

from prometheus_client import Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_log = logging.getLogger("access")
_errors = logging.getLogger(__name__)
_METHODS = frozenset({"GET", "POST", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"})
_PROBES = frozenset({"/healthz", "/readyz", "/metrics"})


class Observed:
    """ASGI middleware; the outermost, so that nothing that is raised reaches the server with a payload in its text."""

    def __init__(
        self, app: ASGIApp, requests: Histogram, fault: Callable[[], ASGIApp], busy: Collection[str] = ()
    ) -> None:
        """*requests* takes the seconds by route and code; *fault* gives the answer to what was raised.

        What goes well on *busy* routes stands in the metrics, and in the log only with level DEBUG.
        """
        self._app = app
        self._requests = requests
        self._fault = fault
        self._busy = frozenset(busy)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = monotonic()
        code = 0

        async def sending(message: Message) -> None:
            nonlocal code
            if message["type"] == "http.response.start":
                code = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, sending)
        except Exception as error:  # a fault of ours; its text may hold what was sent, its place does not
            frames = traceback.extract_tb(error.__traceback__)[-6:]
            place = " < ".join(f"{frame.filename}:{frame.lineno} {frame.name}" for frame in reversed(frames))
            _errors.error("a request failed with %s at %s", type(error).__name__, place)
            if code == 0:
                await self._fault()(scope, receive, sending)
        self._note(scope, code, monotonic() - began)

    def _note(self, scope: Scope, code: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "unmatched")
        method = scope["method"] if scope["method"] in _METHODS else "other"
        self._requests.labels(route, str(code)).observe(seconds)
        quiet = route in _PROBES or (route in self._busy and code < 300)
        _log.log(logging.DEBUG if quiet else logging.INFO, "%s %s %d %.1f ms", method, route, code, seconds * 1000)
