"""Who may send what: one entry per source, tokens as hashes only."""

from __future__ import annotations

from typing import Annotated

from pydantic import AwareDatetime, Field, StringConstraints

from schemas.common import Contract, Day, ForeignKey, Slug
from schemas.directory import Selector


class TokenHash(Contract):
    """SHA-256 of a bearer token, in hex; valid until a moment, if one is given."""

    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    until: AwareDatetime | None = None


class Limits(Contract):
    """What a source may send at most, as each process of the gateway counts it; null: as the deployment says."""

    events_per_second: int | None = Field(default=None, ge=1, le=1_000_000, description="On average.")
    burst: int | None = Field(default=None, ge=1, le=100_000_000, description="Events at once after a rest.")
    events_per_day: int | None = Field(default=None, ge=1, le=10_000_000_000, description="Per civil day.")


class Source(Contract):
    """A registered source: what it may state, and for which agencies (those selected and their descendants)."""

    id: ForeignKey = Field(description="The CloudEvents `source`.")
    types: tuple[str, ...] = Field(min_length=1, description="Short event types; `feed.reported` is always allowed.")
    agencies: Selector
    tokens: tuple[TokenHash, ...] = ()
    limits: Limits = Limits()
    sandbox: bool = Field(
        default=False, description="Its events are treated in full and counted nowhere: for trying out."
    )


class Sources(Contract):
    """One revision of the list of sources."""

    sources: Slug
    in_force_from: Day
    entries: tuple[Source, ...]
