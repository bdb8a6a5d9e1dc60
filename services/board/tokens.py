"""Who may write through the board: bearer tokens, of which a file holds the name and the SHA-256."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

_HASH: Final = re.compile(r"^[0-9a-f]{64}$")
_MOST: Final = 200  # characters of a token; a longer one is none of ours


@dataclass(frozen=True)
class Tokens:
    """SHA-256 of a token in hex → the name of whoever holds it, which becomes the author of what is recorded."""

    names: Mapping[str, str] = field(default_factory=dict, repr=False)

    def whose(self, authorization: str | None) -> str | None:
        """Return the name of the holder of the token in the header; None for whatever is not a token of ours.

        Every hash is compared, so that how long it takes tells nothing.
        """
        kind, _, token = (authorization or "").partition(" ")
        if kind.lower() != "bearer" or not 0 < len(token) <= _MOST:
            return None
        given = hashlib.sha256(token.strip().encode()).hexdigest()
        found = [name for known, name in self.names.items() if hmac.compare_digest(known, given)]
        return found[0] if found else None


def read_tokens(path: Path) -> Tokens:
    """Return the tokens of the file: a name, blanks, and a hash on each line; empty lines and those with ``#`` are none.

    Raises ValueError, naming lines and no content, where it cannot be read so.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as fault:
        raise ValueError(f"the file cannot be read ({type(fault).__name__})") from None
    names: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, _, known = line.strip().rpartition(" ")
        name, known = name.strip(), known.lower()
        if not 0 < len(name) <= 300 or not _HASH.match(known):
            raise ValueError(f"line {number}: write a name and the SHA-256 of its token in hex")
        if known in names:
            raise ValueError(f"line {number}: the token of another line")
        names[known] = name
    if not names:
        raise ValueError("the file names nobody")
    return Tokens(names)
