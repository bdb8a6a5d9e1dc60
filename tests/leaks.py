"""Looking for what must not be there, in whatever form: as it is, percent-encoded, base64, hex, JSON-escaped."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from urllib.parse import quote, quote_plus


def forms(secret: str) -> set[bytes]:
    """Return *secret* in every form, lower-cased; of base64 the parts that do not hang on what stands around it."""
    raw = secret.encode()
    found = {
        raw,
        secret.upper().encode(),
        secret.lower().encode(),
        secret.encode("utf-16-le"),
        quote(secret).encode(),
        quote_plus(secret).encode(),
        raw.hex().encode(),
        json.dumps(secret)[1:-1].encode(),
        repr(raw)[2:-1].encode(),
    }
    for shift in range(3):
        # Three alignments; the characters at either end depend on their neighbours.
        encoded = base64.b64encode(b"\0" * shift + raw).decode()
        core = encoded[4 if shift else 0 : -4].encode()
        if len(core) >= 8:
            found |= {core, core.replace(b"+", b"-").replace(b"/", b"_")}
    return {one.lower() for one in found}


def leaks(places: Iterable[tuple[str, bytes]], secrets: Iterable[str]) -> list[str]:
    """Return ``place: secret`` for each of *secrets* that stands in a place (name, what is written there)."""
    wanted = [(secret, forms(secret)) for secret in secrets]
    return [
        f"{name}: {secret}"
        for name, written in places
        for secret, shapes in wanted
        if any(shape in written.lower() for shape in shapes)
    ]
