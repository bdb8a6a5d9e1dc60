"""A document as paths and leaves, to be compared with another."""

from __future__ import annotations

from typing import Any


def flat(value: Any, path: str = "") -> dict[str, Any]:
    """Return path → leaf. Entries of lists go by what names them, so that an insertion does not change all after it."""
    if isinstance(value, dict):
        items = [(str(key), one) for key, one in value.items()]
    elif isinstance(value, list):
        items = [(_name(one, at), one) for at, one in enumerate(value)]
    else:
        return {path: value} if value is not None else {}
    return {key: leaf for name, one in items for key, leaf in flat(one, f"{path}.{name}" if path else name).items()}


def _name(entry: Any, at: int) -> str:
    if isinstance(entry, dict):
        for key in ("id", "group", "agency", "indicator", "day", "quarter"):
            if entry.get(key) is not None:
                return str(entry[key])
    return str(at)
