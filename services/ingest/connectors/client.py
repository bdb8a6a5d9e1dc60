"""The sending client: batches of CloudEvents to the gateway, again and again for as long as it is away."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from secrets import SystemRandom
from threading import Event
from typing import Final, Protocol

import httpx
import msgspec

from services.ingest.connectors.errors import CannotGoOn, Stopped

BATCH: Final = 500  # events in a request
CONTENT_TYPE: Final = "application/cloudevents-batch+json"
_FIRST_WAIT: Final = 0.5
_LONGEST_WAIT: Final = 60.0
_LONGEST_ASKED: Final = 3600.0  # a gateway may ask for more patience than our own, within reason

log = logging.getLogger(__name__)


class Rejection(msgspec.Struct, frozen=True):
    """One event that the gateway refused: its place in the batch and a typed reason. It is never sent again."""

    index: int
    reason: str
    id: str | None = None
    detail: str | None = None
    pointer: str | None = None


class Answer(msgspec.Struct, frozen=True):
    """What the gateway said about a batch. *retries*: how many times it had to be sent again."""

    accepted: int
    rejected: tuple[Rejection, ...] = ()
    retries: int = 0


class Sender(Protocol):
    """What a delivery needs of the gateway."""

    def send(self, events: Sequence[bytes]) -> Answer:
        """Take a batch; return once it is answered. Raises CannotGoOn and Stopped."""
        ...


@dataclass(frozen=True)
class Gateway:
    """One source's way to the gateway. Safe to use from several threads. *http* is shared and closed by who made it."""

    http: httpx.Client
    url: str
    token: str
    stop: Event

    def send(self, events: Sequence[bytes]) -> Answer:
        """Post *events* (each one event in JSON) and return the answer; wait as long as the gateway is away.

        Blocks. Sending the same events again is harmless, so a lost answer is a reason to repeat. Raises CannotGoOn when
        only a person can help (token, address), Stopped when `stop` is set while waiting.
        """
        if not events:
            return Answer(0)
        body = b"[" + b",".join(events) + b"]"
        retries = 0
        while True:
            if self.stop.is_set():
                raise Stopped
            answer, asked, why = self._once(body, events)
            if answer is not None:
                return msgspec.structs.replace(answer, retries=answer.retries + retries)
            retries += 1
            wait = _wait(retries, asked)
            level = logging.WARNING if retries in (1, 5) or retries % 20 == 0 else logging.DEBUG
            log.log(
                level, "the gateway does not take events (%s); attempt %d follows in %.1f s", why, retries + 1, wait
            )
            if self.stop.wait(wait):
                raise Stopped

    def _once(self, body: bytes, events: Sequence[bytes]) -> tuple[Answer | None, float | None, str]:
        """Return the answer; or None, the wait that the gateway asked for and why there is no answer."""
        try:
            response = self.http.post(
                f"{self.url.rstrip('/')}/v1/events",
                content=body,
                headers={"Content-Type": CONTENT_TYPE, "Authorization": f"Bearer {self.token}"},
            )
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            raise CannotGoOn(f"{self.url} is no address of a gateway: write http://HOST:PORT") from error
        except httpx.TransportError as error:
            return None, None, type(error).__name__
        status = response.status_code
        if status in (202, 207, 422):
            answer = _read(response.content, len(events))
            return answer, None, f"{status} with an unreadable answer"
        if status in (401, 403):
            raise CannotGoOn(
                f"the gateway refused the token ({status}): check that it is this source's token and has not expired"
            )
        if status == 413:
            return self._smaller(events), None, ""
        if status == 429 or status >= 500:
            return None, _retry_after(response), str(status)
        raise CannotGoOn(f"the gateway answered {status} to POST {self.url}/v1/events: check the address, and versions")

    def _smaller(self, events: Sequence[bytes]) -> Answer:
        if len(events) == 1:
            return Answer(0, (Rejection(0, "too-large"),))
        middle = len(events) // 2
        first, second = self.send(events[:middle]), self.send(events[middle:])
        moved = tuple(msgspec.structs.replace(one, index=one.index + middle) for one in second.rejected)
        return Answer(first.accepted + second.accepted, first.rejected + moved, first.retries + second.retries)


def _read(content: bytes, sent: int) -> Answer | None:
    """Read the gateway's answer; None unless it accounts for every event that was sent."""
    try:
        answer = msgspec.json.decode(content, type=Answer)
    except msgspec.DecodeError:
        return None
    places = {one.index for one in answer.rejected}
    whole = answer.accepted + len(places) == sent and all(0 <= place < sent for place in places)
    return msgspec.structs.replace(answer, retries=0) if whole else None


def _wait(attempt: int, asked: float | None) -> float:
    """Return the pause before the next attempt in seconds: exponential, with jitter, never less than what was asked."""
    longest = min(_LONGEST_WAIT, _FIRST_WAIT * 2.0 ** min(attempt - 1, 10))
    jittered = longest * SystemRandom().uniform(0.5, 1.0)
    return jittered if asked is None else min(asked, _LONGEST_ASKED) + jittered - longest / 2


def _retry_after(response: httpx.Response) -> float | None:
    """Read ``Retry-After``: seconds, or a date that counts from the answer's own ``Date``."""
    value = response.headers.get("Retry-After", "").strip()
    if value.isdecimal():
        return float(value)
    until, said = _http_date(value), _http_date(response.headers.get("Date", ""))
    return max(0.0, (until - said).total_seconds()) if until and said else None


def _http_date(value: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None


def open_http() -> httpx.Client:
    """Return the connection pool that the gateways of a process share. Close it."""
    return httpx.Client(
        timeout=httpx.Timeout(60.0, connect=5.0),
        limits=httpx.Limits(max_connections=32, max_keepalive_connections=16),
        trust_env=False,  # a gateway is reached directly; a proxy meant for the web must not see usage
    )
