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
    _empty: hmac.HMAC = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # The key is taken up once: a copy of this costs half of a beginning.
        object.__setattr__(self, "_empty", hmac.new(self.key, digestmod="sha256"))

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
        whole = self._empty.copy()
        # Lone surrogates cannot come from valid JSON, but a caller's text must never end the process.
        whole.update(message.encode("utf-8", "surrogatepass"))
        return f"{self.key_id}:{whole.digest()[:_BYTES].hex()}"
