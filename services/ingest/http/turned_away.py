"""Who was turned away: counted by reason, and told to operations in the log; the sender learns nothing from it."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Literal

from prometheus_client import Counter
from starlette.requests import Request

from services.ingest.core.permission import Registry

TurnedAwayFor = Literal["no-token", "unknown-token", "ended-token", "too-many"]
#: Seconds in which one reason of one source is logged once: whoever knocks without end must not fill the disk.
_SILENCE: Final = 60.0
_MOST: Final = 10_000
_log = logging.getLogger(__name__)


def token_hash(request: Request) -> str | None:
    """Return the SHA-256 of the request's bearer token in hex; None where it carries none."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        return None
    return hashlib.sha256(token.strip().encode("latin-1")).hexdigest()


@dataclass(slots=True)
class TurnedAway:
    """Counts and logs. *counter* has the label ``reason``; *clock* counts seconds."""

    counter: Counter
    clock: Callable[[], float]
    _told: dict[tuple[TurnedAwayFor, str], float] = field(default_factory=dict)

    def note(self, request: Request, registry: Registry) -> None:
        """A request carried no valid token: none, one that nobody ever had, or one that has ended, and then whose."""
        given = token_hash(request)
        if given is None:
            self._tell("no-token", "")
            return
        holder = registry.holder(given)
        self._tell("unknown-token" if holder is None else "ended-token", holder or "")

    def too_many(self, source: str) -> None:
        """A source has sent more than it may."""
        self._tell("too-many", source)

    def _tell(self, reason: TurnedAwayFor, source: str) -> None:
        self.counter.labels(reason).inc()
        now = self.clock()
        if now - self._told.get((reason, source), float("-inf")) < _SILENCE:
            return
        if len(self._told) >= _MOST:
            self._told.clear()
        self._told[reason, source] = now
        _log.warning("turned away: %s%s", reason, f", source {source}" if source else "")
