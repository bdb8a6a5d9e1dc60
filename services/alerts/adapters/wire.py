"""How headers are written: CPython's own folding loses blanks between encoded words (seen with 3.11 on long subjects)."""

from __future__ import annotations

from email.header import Header
from email.policy import EmailPolicy
from typing import Any


class WirePolicy(EmailPolicy):
    """SMTP's line ends; subjects and names of persons as encoded words that are cut between characters, blanks inside."""

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
        return Header(str(value), "utf-8", header_name=name).encode(linesep="\r\n")
    if name.lower() in ("from", "to", "reply-to") and len(value.addresses) == 1:
        (address,) = value.addresses
        if address.addr_spec.isascii():
            words = Header(address.display_name, "utf-8", header_name=name).encode(linesep="\r\n")
            return f"{words}\r\n <{address.addr_spec}>"
    return None


#: Writes mails for SMTP.
WIRE = WirePolicy(linesep="\r\n")
