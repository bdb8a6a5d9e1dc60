"""The seal of a report: a checksum of the facts and revisions that its figures came from, part by part. Pure.

A part's digest is the sum modulo 2**256 of the SHA-256 of its rows: rows may come in any order. The seal's checksum is the
SHA-256 of all parts in canonical form. What that proves and what not: docs/adr/0028-checksum-of-a-report.md.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

SCHEME: Final = "tiendo-facts-1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """How many current rows of one kind there are, and their digest in hexadecimal (64 digits)."""

    name: str
    rows: int
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """What a report was made from. ``known_at`` is the last moment of receipt that counts; None: everything there was."""

    plan: str
    as_of: date
    known_at: datetime | None
    revision: int
    directory_revision: int
    parts: tuple[Part, ...]

    @property
    def checksum(self) -> str:
        """The SHA-256 over plan, day and parts, in hexadecimal."""
        return hashlib.sha256(_canonical(self._sealed()).encode()).hexdigest()

    def _sealed(self) -> dict[str, Any]:
        return {
            "scheme": SCHEME,
            "plan": self.plan,
            "as_of": self.as_of.isoformat(),
            "known_at": self.known_at.isoformat() if self.known_at else None,
            "revision": self.revision,
            "directory_revision": self.directory_revision,
            "parts": [[part.name, part.rows, part.digest] for part in sorted(self.parts, key=lambda one: one.name)],
        }

    def to_json(self) -> str:
        """Return the seal with its checksum, as reports carry it."""
        return _canonical(self._sealed() | {"checksum": self.checksum})


def seal_from(text: str) -> Seal:
    """Read a seal back. Raises ValueError where *text* is none, or its checksum does not fit what it says."""
    try:
        said = json.loads(text)
        if said["scheme"] != SCHEME:
            raise ValueError(f"the seal's scheme is {said['scheme']!r}; this version reads {SCHEME!r}")
        seal = Seal(
            plan=said["plan"],
            as_of=date.fromisoformat(said["as_of"]),
            known_at=datetime.fromisoformat(said["known_at"]) if said["known_at"] else None,
            revision=said["revision"],
            directory_revision=said["directory_revision"],
            parts=tuple(Part(name=name, rows=rows, digest=digest) for name, rows, digest in said["parts"]),
        )
        stated = said["checksum"]
    except (KeyError, TypeError, json.JSONDecodeError) as fault:
        raise ValueError("the file carries no seal that can be read") from fault
    if seal.checksum != stated:
        raise ValueError("the seal was changed: its checksum does not fit what it says")
    return seal


def changed(before: Seal, now: Seal) -> list[str]:
    """Return the parts that differ, each as a phrase with both counts; empty where the facts are the same."""
    then, today = ({part.name: part for part in one.parts} for one in (before, now))
    phrases = []
    for name in sorted(then.keys() | today.keys()):
        old, new = then.get(name), today.get(name)
        if old != new:
            counts = f"{old.rows if old else 0} rows then, {new.rows if new else 0} now"
            phrases.append(f"{name}: {counts}" + (", contents differ" if old and new and old.rows == new.rows else ""))
    return phrases


def documents_part(name: str, documents: Iterable[str]) -> Part:
    """Return the part of revisions, each given as its JSON; their order does not count."""
    canonical = sorted({_canonical(json.loads(text)) for text in documents})
    total = sum(int.from_bytes(hashlib.sha256(one.encode()).digest(), "big") for one in canonical)
    return Part(name=name, rows=len(canonical), digest=f"{total % 2**256:064x}")


def _canonical(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
