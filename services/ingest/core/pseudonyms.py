"""Pseudonyms: keyed hashes in namespaces of their own, so that nobody without the key can tell who is meant."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from typing import Final

_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class Pseudonyms:
    """Makes pseudonyms ``<key id>:<32 hex digits>``: the first 128 bits of HMAC-SHA-256 under *key* (32 bytes or more).

    The same input gives the same pseudonym under the same key; different namespaces never meet, because every part is
    hashed with its length.
    """

    key_id: str
    key: bytes = field(repr=False)

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
        return self._of("address", normalised)

    def stint(self, *, source: str, stint: str) -> str:
        """Return the pseudonym of a source's row key, which may be made from a name."""
        return self._of("stint", source, stint)

    def event_id(self, *, source: str, id: str) -> str:
        """Return the pseudonym of an event's id."""
        return self._of("event", source, id)

    def rejection(self, *, source: str, original: bytes) -> str:
        """Return the name of a rejection: the same input of the same source has the same one."""
        return self._of("rejection", source, hashlib.sha256(original).hexdigest())

    def _of(self, *parts: str) -> str:
        # Lone surrogates cannot come from valid JSON, but a caller's text must never end the process.
        message = "".join([f"{len(part)}:{part}" for part in parts]).encode("utf-8", "surrogatepass")
        return f"{self.key_id}:{hmac.digest(self.key, message, 'sha256')[:_BYTES].hex()}"
