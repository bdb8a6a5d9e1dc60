"""Keys and envelopes: what is derived from the gateway's one secret, and rejected bytes sealed under it."""

from __future__ import annotations

import base64
import binascii
import hmac

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_NONCE = 12


def derive(secret: bytes, purpose: str) -> bytes:
    """Return 32 bytes for one *purpose*; those of different purposes say nothing about each other or about *secret*."""
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=f"tiendo {purpose} v1".encode()).derive(secret)


class Seal:
    """Encrypts rejected bytes with AES-256-GCM; bound to the rejection's name, so that bodies cannot be swapped.

    The nonce is a keyed hash of name and bytes: the same input is sealed the same way, and no nonce serves two inputs.
    """

    def __init__(self, secret: bytes) -> None:
        self._cipher = AESGCM(derive(secret, "rejected body"))
        self._nonces = derive(secret, "rejected nonce")

    def close(self, original: bytes, *, rejection: str) -> str:
        """Return *original* sealed: nonce, ciphertext and tag, in base64."""
        name = rejection.encode()
        nonce = hmac.digest(self._nonces, len(name).to_bytes(4, "big") + name + original, "sha256")[:_NONCE]
        return base64.b64encode(nonce + self._cipher.encrypt(nonce, original, name)).decode("ascii")

    def open(self, body: str, *, rejection: str) -> bytes:
        """Return what was sealed. Raises cryptography's InvalidTag for another key, another rejection or changed bytes."""
        sealed = base64.b64decode(body, validate=True)
        return self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], rejection.encode())

    def unseal(self, body: str, *, rejection: str) -> bytes | None:
        """Return what was sealed; None where this key does not open it."""
        try:
            return self.open(body, rejection=rejection)
        except (InvalidTag, binascii.Error, ValueError):
            return None
