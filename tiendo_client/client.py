"""Sending: on disk first, then in batches, again and again until the gateway has answered for every event."""

from __future__ import annotations

import json
import logging
import random
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from threading import Condition, Event, Thread
from time import monotonic
from types import TracebackType
from typing import Any, Final, Self

import httpx

from tiendo_client.spool import Refused, Spool

_log = logging.getLogger("tiendo_client")
_BATCH_TYPE: Final = "application/cloudevents-batch+json"
#: Answers that account for every event of the batch.
_ANSWERED: Final = frozenset({202, 207, 400, 403, 422})
_FIRST_WAIT: Final = 0.5
_LONGEST_ASKED: Final = 900.0


def event_id(key: str, version: int | str) -> str:
    """Return the id of a statement: the source's own key of the row, and the row's version.

    The same statement has the same id however often it is sent, and counts once; a correction has the next version.
    """
    return f"{key}/{version}"


class Client:
    """Sends events of one source. ``send`` returns once the event is on disk; a thread sends what waits, in order."""

    def __init__(
        self,
        gateway: str,
        token: str,
        source: str,
        *,
        spool: str | Path,
        batch: int = 500,
        most: int = 1_000_000,
        longest_wait: float = 60.0,
    ) -> None:
        """*gateway*: its address; *spool*: the file for what waits, at most *most* events; *longest_wait* in seconds.

        Raises SpoolInUse where another process has the spool open.
        """
        self._source = source
        self._batch = batch
        self._longest_wait = longest_wait
        self._spool = Spool(Path(spool), most)
        self._http = httpx.Client(base_url=gateway, headers={"Authorization": f"Bearer {token}"}, timeout=60.0)
        self._changed = Condition()
        self._ending = Event()
        self._trouble = ""
        self._thread = Thread(target=self._run, name="tiendo-client", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """How many events the gateway has not answered for yet."""
        return self._spool.waiting

    @property
    def trouble(self) -> str:
        """Why nothing is taken at the moment, for a person; empty while all is well."""
        return self._trouble

    def send(
        self,
        type: str,
        data: Mapping[str, Any],
        *,
        agency: str,
        key: str,
        version: int | str = 1,
        time: datetime | None = None,
    ) -> str:
        """Keep one statement and return its id; it is on disk then. *type* as in the catalogue, short or in full.

        *key*: the source's own key of the row; *version* goes up with every correction; *time*: when the source made the
        statement (now, unless told), with a zone. Raises SpoolFull, and ValueError for a time without a zone.
        """
        moment = datetime.now(UTC) if time is None else time
        if moment.tzinfo is None:
            raise ValueError("time needs a zone, such as datetime.now(UTC)")
        id = event_id(key, version)
        self.put(
            {
                "specversion": "1.0", "id": id, "source": self._source, "agency": agency, "time": moment.isoformat(),
                "type": type if type.startswith("vn.tiendo.") else f"vn.tiendo.{type}.v1", "data": dict(data),
            }
        )  # fmt: skip
        return id

    def put(self, *events: Mapping[str, Any]) -> None:
        """Keep whole CloudEvents, all or none; they are on disk then. Raises SpoolFull."""
        self._spool.put([json.dumps(event, ensure_ascii=False).encode() for event in events])
        with self._changed:
            self._changed.notify_all()

    def flush(self, timeout: float | None = None) -> bool:
        """Wait until the gateway has answered for everything; False where that took longer than *timeout* seconds."""
        until = None if timeout is None else monotonic() + timeout
        with self._changed:
            while self._spool.waiting:
                left = None if until is None else until - monotonic()
                if left is not None and left <= 0:
                    return False
                self._changed.wait(left if left is None else min(left, 0.5))
        return True

    def refused(self) -> list[Refused]:
        """Return what the gateway would not take: mend the cause, send it anew, and `forget` it."""
        return self._spool.refused()

    def forget(self, refused: Sequence[Refused]) -> None:
        """Drop refused events that were seen to."""
        self._spool.forget([one.place for one in refused])

    def close(self, timeout: float = 10.0) -> None:
        """Send what can be sent within *timeout* seconds, and end; what waits is sent by the next client on this spool."""
        self.flush(timeout)
        self._ending.set()
        with self._changed:
            self._changed.notify_all()
        self._thread.join(70)
        self._http.close()
        self._spool.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.close()

    def _run(self) -> None:
        size, failures = self._batch, 0
        while not self._ending.is_set():
            batch = self._spool.first(size)
            if not batch:
                with self._changed:
                    self._changed.wait(0.5)
                continue
            wait = self._post(batch)
            if wait is None:
                size, failures = self._batch, 0
                with self._changed:
                    self._changed.notify_all()
            elif wait < 0:  # too large
                size = max(1, len(batch) // 2)
            else:
                failures += 1
                self._ending.wait(self._pause(failures, wait))

    def _post(self, batch: Sequence[tuple[int, bytes]]) -> float | None:
        """Send *batch*; None: answered for; below 0: too large as a whole; else the seconds that were asked for, or 0."""
        body = b"[" + b",".join(event for _, event in batch) + b"]"
        try:
            answer = self._http.post("/v1/events", content=body, headers={"Content-Type": _BATCH_TYPE})
        except httpx.TransportError as error:
            return self._failed(f"no connection to the gateway ({type(error).__name__})")
        if answer.status_code == 413 and len(batch) > 1:
            return -1
        if answer.status_code in _ANSWERED or answer.status_code == 413:
            return self._settle(batch, answer)
        if answer.status_code == 401:
            return self._failed("the gateway does not know this token (401); ask operations for a new one")
        return self._failed(f"the gateway answered {answer.status_code}", answer.headers.get("Retry-After", ""))

    def _settle(self, batch: Sequence[tuple[int, bytes]], answer: httpx.Response) -> float | None:
        try:
            said = answer.json()["rejected"]
            # Without an index the body as a whole was refused, and with it whatever was in it.
            whole = [one for one in said if one["index"] is None]
            faults = dict.fromkeys(range(len(batch)), whole[0]) if whole else {one["index"]: one for one in said}
        except (ValueError, KeyError, TypeError):
            return self._failed(
                f"an answer that is none of the gateway's ({answer.status_code}); is the address right?"
            )
        if whole and len(batch) > 1:
            return -1  # one of them is at fault; smaller batches find it
        refused = [
            Refused(place, event, str(fault["reason"]), str(fault["detail"]), str(fault["pointer"]))
            for at, (place, event) in enumerate(batch)
            if (fault := faults.get(at)) is not None
        ]
        if refused:
            one = refused[0]
            _log.warning(
                "%d of %d events refused; the first: %s at %s: %s",
                len(refused), len(batch), one.reason, one.pointer or "/", one.detail,
            )  # fmt: skip
        self._spool.done(batch[-1][0], refused)
        self._trouble = ""
        return None

    def _failed(self, why: str, asked: str = "") -> float:
        if why != self._trouble:
            _log.warning("%s; what waits stays on disk and is sent again", why)
        self._trouble = why
        return min(float(asked), _LONGEST_ASKED) if asked.isdecimal() else 0.0

    def _pause(self, failures: int, asked: float) -> float:
        """Exponential with full jitter, so that many clients do not come back at once; never earlier than *asked*."""
        longest = min(self._longest_wait, _FIRST_WAIT * 2.0 ** min(failures - 1, 20))
        return asked + random.uniform(0, longest)  # noqa: S311  nothing secret hangs on it
