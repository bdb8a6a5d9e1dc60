"""Secrets of an embedded stack: made at random on the first start, kept in its data folder, readable by its owner alone."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def secret(folder: Path, name: str) -> str:
    """Return the secret called *name*, 32 random bytes in hex, made on the first call."""
    path = folder / name
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text(encoding="ascii").strip()
    with os.fdopen(handle, "w") as file:
        file.write(secrets.token_hex(32))
    return path.read_text(encoding="ascii").strip()
