"""How headers are written: CPython's own folding loses blanks between encoded words (seen with 3.11 on long subjects)."""

from __future__ import annotations

import re
from base64 import b64encode
from email.policy import EmailPolicy
from typing import Any, Final

_LONGEST: Final = 42  # bytes in one encoded word, so that it fits on the first line of the longest name, Reply-To


class WirePolicy(EmailPolicy):
    """SMTP's line ends; subjects and names of persons as encoded words that are cut at blanks where they can be."""

    def fold(self, name: str, value: Any) -> str:
        """Return the header as it goes over the wire."""
        encoded = _encoded(name, value)
        return super().fold(name, value) if encoded is None else f"{name}: {encoded}\r\n"

    def fold_binary(self, name: str, value: Any) -> bytes:
        """Return the header as it goes over the wire."""
        encoded = _encoded(name, value)
        return super().fold_binary(name, value) if encoded is None else f"{name}: {encoded}\r\n".encode("ascii")


def _encoded(name: str, value: Any) -> str | None:
    """Return the header's value where it holds more than ASCII and is of a kind that we write; None otherwise."""
    if str(value).isascii():
        return None
    if name.lower() == "subject":
        return _encoded_words(str(value))
    if name.lower() in ("from", "to", "reply-to") and len(value.addresses) == 1:
        (address,) = value.addresses
        if address.addr_spec.isascii():
            words = _encoded_words(address.display_name)
            return f"{words}\r\n <{address.addr_spec}>"
    return None


def _encoded_words(text: str) -> str:
    """Return *text* in encoded words (RFC 2047), each blank within one: readers drop those between them."""
    chunks = [b""]
    for word in re.findall(r"\S+\s*|\s+", text):
        raw = word.encode()
        # A word too long for one is cut between characters.
        pieces = [raw] if len(raw) <= _LONGEST else [one.encode() for one in word]
        for piece in pieces:
            if len(chunks[-1]) + len(piece) > _LONGEST:
                chunks.append(b"")
            chunks[-1] += piece
    return "\r\n ".join(f"=?utf-8?b?{b64encode(chunk).decode('ascii')}?=" for chunk in chunks if chunk)


#: Writes mails for SMTP.
WIRE = WirePolicy(linesep="\r\n")
