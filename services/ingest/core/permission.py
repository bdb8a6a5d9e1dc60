"""May this source state this: the registry of agencies, identity schemes and sources, and what it allows."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from schemas.directory import Directory
from schemas.reasons import Reason
from schemas.sources import Source, Sources, TokenHash
from services.core.scope import selected
from services.ingest.core.quota import NO_LIMITS, Allowance
from services.ingest.core.rejection import Refusal

ALWAYS_ALLOWED: Final = "feed.reported"
_BUCKET: Final = 8


@dataclass(frozen=True, slots=True)
class Permit:
    """What one source may state: short event types, and for which agencies."""

    source: str
    types: frozenset[str]
    agencies: frozenset[str]
    allowance: Allowance = NO_LIMITS
    sandbox: bool = False


@dataclass(frozen=True, slots=True)
class Registry:
    """What the published documents say, in the form in which events ask it."""

    agencies: frozenset[str] = frozenset()
    schemes: frozenset[str] = frozenset()
    permits: Mapping[str, Permit] = field(default_factory=dict)
    tokens: Mapping[str, tuple[tuple[TokenHash, str], ...]] = field(default_factory=dict, repr=False)

    def authenticate(self, token_sha256: str, now: datetime) -> Permit | None:
        """Return the permit of the source whose token has the SHA-256 *token_sha256* (hex) and is valid at *now*.

        Hashes are looked up by their first digits and compared in constant time.
        """
        found: str | None = None
        for token, source in self.tokens.get(token_sha256[:_BUCKET], ()):
            if hmac.compare_digest(token.sha256, token_sha256) and (token.until is None or now < token.until):
                found = source
        return None if found is None else self.permits[found]

    def holder(self, token_sha256: str) -> str | None:
        """Return the source that a token belongs or belonged to; None where none ever had it. For operations, not for senders."""
        held = self.tokens.get(token_sha256[:_BUCKET], ())
        return next((source for token, source in held if hmac.compare_digest(token.sha256, token_sha256)), None)


def registry_of(directories: Iterable[Directory], lists: Iterable[Sources]) -> Registry:
    """Return the registry of the given documents, one revision each. Of two entries for one source the later counts."""
    known = tuple(directories)
    entries: dict[str, Source] = {entry.id: entry for sources in lists for entry in sources.entries}
    tokens: dict[str, list[tuple[TokenHash, str]]] = {}
    for entry in entries.values():
        for token in entry.tokens:
            tokens.setdefault(token.sha256[:_BUCKET], []).append((token, entry.id))
    return Registry(
        agencies=frozenset(agency.id for directory in known for agency in directory.agencies),
        schemes=frozenset(scheme.id for directory in known for scheme in directory.schemes),
        permits={entry.id: _permit(entry, known) for entry in entries.values()},
        tokens={start: tuple(pairs) for start, pairs in tokens.items()},
    )


def _permit(entry: Source, directories: tuple[Directory, ...]) -> Permit:
    agencies = frozenset[str]().union(*(selected(directory, entry.agencies) for directory in directories))
    limits = entry.limits
    return Permit(
        source=entry.id,
        types=frozenset(entry.types),
        agencies=agencies,
        allowance=Allowance(limits.events_per_second, limits.burst, limits.events_per_day),
        sandbox=entry.sandbox,
    )


def check_permission(
    registry: Registry,
    permit: Permit,
    *,
    source: str,
    short: str,
    agencies: Iterable[tuple[str, str]],
    scheme: tuple[str, str] | None,
) -> Refusal | None:
    """Return why the holder of *permit* may not state this; None where it may.

    *agencies* are those that the event names, each with its pointer; all must exist before any is asked for permission.
    *scheme* is the identity scheme of the person named with its pointer, None for none or the source's own.
    """
    named = tuple(agencies)
    for agency, pointer in named:
        if agency not in registry.agencies:
            return Refusal(Reason.UNKNOWN_AGENCY, f"`{pointer.rpartition('/')[2]}` is not in the directory", pointer)
    if source != permit.source:
        return Refusal(Reason.NOT_PERMITTED, "`source` is not the source of this token", "/source")
    if short not in permit.types and short != ALWAYS_ALLOWED:
        return Refusal(Reason.NOT_PERMITTED, "this source is not registered for this type", "/type")
    for agency, pointer in named:
        if agency not in permit.agencies:
            return Refusal(Reason.NOT_PERMITTED, "this source is not registered for this agency", pointer)
    if scheme is not None and scheme[0] not in registry.schemes:
        return Refusal(Reason.NOT_PERMITTED, "this identity scheme is not registered in the directory", scheme[1])
    return None
