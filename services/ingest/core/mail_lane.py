"""A short way for the busiest type: uses of mail by address, of which a province sends more than of all else together.

It takes what is plainly right and says nothing about the rest: whatever it does not take goes the whole way, and is taken
or refused there. So it must never take what the whole way refuses, nor make anything else of it; a property holds that.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final, Literal

import msgspec

from schemas import usage
from schemas.usage import MailUse, NormalisedEvent
from services.ingest.core.identity import normalise_address
from services.ingest.core.permission import Permit, Registry
from services.ingest.core.pseudonyms import Pseudonyms

_SHORT: Final = "mail.used"
_FIRST, _LAST = date(1900, 1, 1), date(2299, 12, 31)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class _Data(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    address: str
    day: date
    action: Literal["sent", "read"]
    retracted: bool = False


class _Event(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    specversion: Literal["1.0"]
    id: str
    source: str
    type: Literal["vn.tiendo.mail.used.v1"]
    time: str
    agency: str
    data: _Data
    datacontenttype: Literal["application/json"] = "application/json"


_decode: Final[Callable[[bytes], _Event]] = msgspec.json.Decoder(_Event).decode


@lru_cache(maxsize=4096)
def _moment(text: str) -> datetime | None:
    """Return the moment, in UTC, of 2008-10-01T08:00:00+07:00 or 2008-10-01T01:00:00Z; None for every other form."""
    if not text.isascii() or text[4:5] + text[7:8] + text[10:11] + text[13:14] + text[16:17] != "--T::":
        return None
    if not (len(text) == 20 and text[19] == "Z") and not (len(text) == 25 and text[19] in "+-" and text[22] == ":"):
        return None
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


class MailLane:
    """Takes the plain events of one request. ``latest``: the last moment that does not lie ahead."""

    __slots__ = ("_agencies", "_latest", "_now", "_pseudonyms", "_source")

    def __init__(
        self, permit: Permit, registry: Registry, pseudonyms: Pseudonyms, now: datetime, tolerance: timedelta
    ) -> None:
        self._source = permit.source if _SHORT in permit.types else None
        self._agencies = permit.agencies & registry.agencies
        self._pseudonyms = pseudonyms
        self._now = now
        self._latest = now + tolerance

    def take(self, raw: bytes) -> NormalisedEvent | None:
        """Return the event in *raw* (structured JSON form) as the log keeps it; None where the whole way must judge it."""
        if self._source is None or b"mail.used" not in raw:
            return None
        try:
            event = _decode(raw)
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
            return None
        time = _moment(event.time)
        if (
            time is None
            or not _EPOCH <= time <= self._latest
            or event.source != self._source
            or event.agency not in self._agencies
            or not 0 < len(event.id) <= 256
            or not event.id.isprintable()
        ):
            return None
        data = event.data
        address = data.address
        if not (3 <= len(address) <= 254 and address.isascii() and address.isprintable()) or " " in address:
            return None
        name, _, domain = address.partition("@")
        if not name or not domain or "@" in domain or not _FIRST <= data.day <= _LAST:
            return None
        normalised = normalise_address(address)
        if normalised is None:
            return None
        pseudonyms = self._pseudonyms
        return usage.MailUsed(
            id=pseudonyms.event_id(source=event.source, id=event.id),
            source=event.source,
            agency=event.agency,
            time=time,
            received=self._now,
            data=MailUse(
                retracted=data.retracted,
                actor=pseudonyms.address(normalised.address),
                kind="address",
                day=data.day,
                action=data.action,
            ),
        )
