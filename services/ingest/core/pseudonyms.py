"""Pseudonyms: keyed hashes in namespaces of their own, so that nobody without the key can tell who is meant."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any, Final

_DIGITS: Final = 32
_BLOCK: Final = 64  # bytes that SHA-256 takes up at once


@dataclass(frozen=True, slots=True)
class Pseudonyms:
    """Makes pseudonyms ``<key id>:<32 hex digits>``: the first 128 bits of HMAC-SHA-256 under *key* (32 bytes or more).

    The same input gives the same pseudonym under the same key; different namespaces never meet, because every part is
    hashed with its length.
    """

    key_id: str
    key: bytes = field(repr=False)
    _inner: Any = field(init=False, repr=False, compare=False)
    _outer: Any = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # HMAC as RFC 2104 defines it, the padded key taken up once: a third of what `hmac.digest` takes, for every event.
        key = self.key if len(self.key) <= _BLOCK else hashlib.sha256(self.key).digest()
        padded = key.ljust(_BLOCK, b"\0")
        object.__setattr__(self, "_inner", hashlib.sha256(bytes(byte ^ 0x36 for byte in padded)))
        object.__setattr__(self, "_outer", hashlib.sha256(bytes(byte ^ 0x5C for byte in padded)))

    def person(self, *, value: str, scheme: str | None, source: str) -> str:
        """Return the pseudonym of a person: number *value* of a registered *scheme*, or of the source's own numbering."""
        # A source may be named like a scheme; the word before the name keeps the two apart.
        return (
            self._of("person", "source", source, value)
            if scheme is None
            else self._of("person", "scheme", scheme, value)
        )

    def address(self, normalised: str) -> str:
        """Return the pseudonym of a normalised address; the same for all sources, because they mean one mailbox."""
        return self._hashed(f"7:address{len(normalised)}:{normalised}")

    def stint(self, *, source: str, stint: str) -> str:
        """Return the pseudonym of a source's row key, which may be made from a name."""
        return self._of("stint", source, stint)

    def event_id(self, *, source: str, id: str) -> str:
        """Return the pseudonym of an event's id."""
        return self._hashed(f"5:event{len(source)}:{source}{len(id)}:{id}")

    def rejection(self, *, source: str, original: bytes) -> str:
        """Return the name of a rejection: the same input of the same source has the same one."""
        return self._of("rejection", source, hashlib.sha256(original).hexdigest())

    def _of(self, *parts: str) -> str:
        return self._hashed("".join([f"{len(part)}:{part}" for part in parts]))

    def _hashed(self, message: str) -> str:
        inner, outer = self._inner.copy(), self._outer.copy()
        # Lone surrogates cannot come from valid JSON, but a caller's text must never end the process.
        inner.update(message.encode("utf-8", "surrogatepass"))
        outer.update(inner.digest())
        return f"{self.key_id}:{outer.hexdigest()[:_DIGITS]}"
