"""Bodies: read with limits on their time and size, unpacked with a limit on what comes out."""

from __future__ import annotations

import asyncio
import io
import zlib
from typing import Final

import zstandard
from starlette.requests import Request

from schemas.reasons import Reason
from services.ingest.core.rejection import Refusal

ENCODINGS: Final = ("identity", "gzip", "x-gzip", "zstd")
_GZIP: Final = 16 + zlib.MAX_WBITS
#: Of a body that is too large only its beginning is kept.
_KEPT: Final = 64 << 10
_WINDOW: Final = 8 << 20  # RFC 8878 recommends that decoders take windows of 8 MB and no more


class BodyRefused(Exception):
    """A body that cannot be used, with what there is of it."""

    def __init__(self, refusal: Refusal, original: bytes) -> None:
        super().__init__(refusal.reason.value)
        self.refusal = refusal
        self.original = original


async def read_body(request: Request, *, encoding: str, limit: int, seconds: float) -> bytes:
    """Return the body, unpacked; *encoding* is one of ENCODINGS.

    Raises BodyRefused where it holds more than *limit* bytes packed or unpacked, or cannot be unpacked, TimeoutError where
    it does not arrive within *seconds*, starlette's ClientDisconnect where the sender has gone.
    """
    received = bytearray()
    async with asyncio.timeout(seconds):
        async for chunk in request.stream():
            received += chunk
            if len(received) > limit:
                raise _too_large(limit, received)
    return unpack(bytes(received), encoding, limit=limit)


def unpack(packed: bytes, encoding: str, *, limit: int) -> bytes:
    """Return what *packed* holds, at no time more than a little above *limit* bytes. Raises BodyRefused."""
    if encoding == "identity":
        return packed
    try:
        unpacked = _unzstd(packed, limit) if encoding == "zstd" else _gunzip(packed, limit)
    except (zlib.error, zstandard.ZstdError, EOFError):
        refusal = Refusal(Reason.MALFORMED, f"the body is not what its content encoding ({encoding}) promises")
        raise BodyRefused(refusal, packed) from None
    if len(unpacked) > limit:
        raise _too_large(limit, packed)
    return unpacked


def _gunzip(packed: bytes, limit: int) -> bytes:
    unpacked = bytearray()
    while True:  # a gzip file may have several members; each takes bytes away, so this ends
        member = zlib.decompressobj(_GZIP)
        unpacked += member.decompress(packed, limit + 1 - len(unpacked))
        if len(unpacked) > limit:
            return bytes(unpacked)
        if not member.eof:
            raise EOFError
        if not member.unused_data:
            return bytes(unpacked)
        packed = member.unused_data


def _unzstd(packed: bytes, limit: int) -> bytes:
    reader = zstandard.ZstdDecompressor(max_window_size=_WINDOW).stream_reader(
        io.BytesIO(packed), read_across_frames=True
    )
    unpacked = bytearray()
    while len(unpacked) <= limit and (part := reader.read(limit + 1 - len(unpacked))):
        unpacked += part
    return bytes(unpacked)


def _too_large(limit: int, received: bytes | bytearray) -> BodyRefused:
    refusal = Refusal(Reason.TOO_LARGE, f"the body, unpacked, may have at most {limit} bytes; send smaller batches")
    return BodyRefused(refusal, bytes(received[:_KEPT]))
