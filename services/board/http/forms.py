"""Forms as browsers send them, bounded: what is too large is not read to its end."""

from __future__ import annotations

import asyncio
from typing import Final
from urllib.parse import parse_qsl

from fastapi import Request
from starlette.requests import ClientDisconnect

_MOST_BYTES: Final = 512 * 1024  # some twenty reasons of the greatest length, as browsers write Vietnamese
_MOST_FIELDS: Final = 400
_WITHIN: Final = 30.0  # seconds for a body to arrive


class BadForm(Exception):
    """The body is no form of ours."""


class TooLarge(BadForm):
    """The body is larger than any form of ours."""


async def read_form(request: Request, *, within: float = _WITHIN) -> dict[str, str]:
    """Return the fields of a body of ``application/x-www-form-urlencoded``; of several of one name the first.

    Raises TooLarge once too much has come, and BadForm for other types, too many fields, what is not UTF-8 and what has not
    come *within* so many seconds.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise BadForm("not a form")
    body = bytearray()
    try:
        async with asyncio.timeout(within):
            async for chunk in request.stream():
                body += chunk
                if len(body) > _MOST_BYTES:
                    raise TooLarge("too large")
    except (TimeoutError, ClientDisconnect) as fault:
        raise BadForm("it did not arrive") from fault
    try:
        pairs = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="strict"
        )  # fmt: skip
    except ValueError as fault:  # not ASCII, not UTF-8, too many
        raise BadForm("cannot be read") from fault
    fields: dict[str, str] = {}
    for name, value in pairs:
        fields.setdefault(name, value)
    return fields
