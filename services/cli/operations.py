"""The gateway's calls for operations, as commands use them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import httpx

from services.core.errors import Rejected, Transient

_TRIES: Final = 6
_LONGEST_WAIT: Final = 8.0
_WHOSE: Final = "Give operations' token: TIENDO_OPERATIONS_TOKEN (in `DATA/env` of `tiendo up`) or --token-file."


class Operations:
    """Asks the gateway with operations' token. A gateway that is away is asked again for some seconds.

    Raises Transient when it stays away, Rejected when it refuses, with what it says. Blocks.
    """

    def __init__(self, http: httpx.Client) -> None:
        self._http = http

    def show(self, rejection: str) -> dict[str, Any]:
        """Return one refused event with what was sent."""
        found: dict[str, Any] = self._ask("GET", f"/v1/rejected/{quote(rejection, safe=':')}", None)
        return found

    def replay(self, rejections: Sequence[str], *, dry_run: bool) -> list[dict[str, Any]]:
        """Return what became of each. Harmless when repeated: an event that is taken twice is taken once."""
        asked = {"ids": list(rejections), "dry_run": dry_run}
        answered: list[dict[str, Any]] = self._ask("POST", "/v1/rejected:replay", asked)["replayed"]
        return answered

    def where(self, source: str, id: str) -> dict[str, Any]:
        """Return what became of an event; state ``unknown`` where nobody has seen it."""
        asked = f"/v1/events?source={quote(source, safe='')}&id={quote(id, safe='')}"
        found: dict[str, Any] = self._ask("GET", asked, None, answers=(200, 404))
        return found

    def _ask(self, method: str, path: str, body: dict[str, Any] | None, answers: tuple[int, ...] = (200,)) -> Any:
        wait, said = 0.5, ""
        for _ in range(_TRIES):
            try:
                answer = self._http.request(method, path, json=body)
            except httpx.TransportError as fault:
                said = f"the gateway does not answer ({type(fault).__name__})"
            else:
                if answer.status_code in answers:
                    return answer.json()
                said = _detail(answer)
                if answer.status_code in (401, 403):
                    raise Rejected(f"the gateway refuses: {said}. {_WHOSE}")
                if answer.status_code not in (429, 502, 503, 504):
                    raise Rejected(f"the gateway refuses: {said}")
            time.sleep(wait)
            wait = min(2 * wait, _LONGEST_WAIT)
        raise Transient(said)


def _detail(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["detail"])
    except (ValueError, KeyError, TypeError):
        return f"code {answer.status_code}"


@contextmanager
def open_operations(gateway: str, token: str, token_file: Path | None) -> Iterator[Operations]:
    """Open the connection for the time of a ``with`` block. Raises Rejected without a readable token."""
    if token_file is not None:
        try:
            token = token_file.read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError) as fault:
            raise Rejected(f"{token_file}: no token can be read from it") from fault
    if not token:
        raise Rejected("no token: set TIENDO_OPERATIONS_TOKEN or give --token-file")
    # A gateway is reached directly: a proxy meant for the web must not see what was refused.
    with httpx.Client(
        base_url=gateway,
        headers={"Authorization": f"Bearer {token}"},
        timeout=httpx.Timeout(60, connect=5),
        trust_env=False,
    ) as http:
        yield Operations(http)
