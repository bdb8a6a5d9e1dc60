"""Who is meant: one spelling per address and per name of something, before any of it is hashed or compared."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final, NamedTuple

import idna

_PLAIN_DOMAIN: Final = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)(\.(?!-)[a-z0-9_-]{1,63}(?<!-))*", re.ASCII)


class NormalisedAddress(NamedTuple):
    """An address in its one spelling, and its domain in ASCII."""

    address: str
    domain: str


def normalise_text(text: str) -> str:
    """Return *text* in the one spelling by which things are compared: composed characters, no blanks around it.

    Systems differ in how they write the diacritics of one and the same document number.
    """
    return text.strip() if text.isascii() else unicodedata.normalize("NFC", text).strip()


def normalise_address(address: str) -> NormalisedAddress | None:
    """Return the one spelling of an e-mail address; None where its domain cannot be one.

    Case is folded in both parts (mail systems of offices do not tell Lan@ from lan@), a tag from ``+`` on is cut, the
    domain becomes ASCII (IDNA 2008 with the mapping of UTS 46) without a final dot. Doing it twice changes nothing.
    """
    local, at, domain = normalise_text(address).rpartition("@")
    ascii_domain = _domain(domain)
    if not at or ascii_domain is None:
        return None
    folded = unicodedata.normalize("NFC", local.casefold())
    base = folded.partition("+")[0]
    # A local part that begins with the sign has no name before it; cutting would make all of those one person.
    return NormalisedAddress(f"{base or folded}@{ascii_domain}", ascii_domain) if folded else None


@lru_cache(maxsize=4096)
def _domain(domain: str) -> str | None:
    lowered = domain.lower().removesuffix(".")
    if len(lowered) <= 253 and not lowered.startswith("xn--") and ".xn--" not in lowered:
        if _PLAIN_DOMAIN.fullmatch(lowered):
            return lowered
        if lowered.isascii():
            return None
    try:
        return idna.encode(lowered, uts46=True).decode("ascii").removesuffix(".")
    except (idna.IDNAError, UnicodeError):
        return None
