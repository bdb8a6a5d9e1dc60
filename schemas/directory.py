"""The directory: agencies, groups, codes, identity schemes and feeds, published from YAML and kept as revisions."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from schemas.common import Bilingual, Contract, Day, ForeignKey, Slug, Text
from schemas.events import CATALOGUE

Language = Literal["vi", "en"]
OfficeAddress = Annotated[str, StringConstraints(pattern=r"^[^\s@]+@[^\s@]+$", max_length=254)]


class Contact(Contract):
    """An office to write to. It is the one place where an address stands in clear, so name offices, not people."""

    role: Literal["contact", "head", "department-in-charge", "chair", "operations", "feed-owner"]
    name: Text
    email: OfficeAddress
    language: Language = "vi"


class Code(Contract):
    """What other systems call an agency, from a day to a last day."""

    scheme: Slug
    value: ForeignKey
    from_: Day | None = Field(default=None, alias="from")
    to: Day | None = None


class Agency(Contract):
    """A unit that plans judge. ``from`` and ``to`` (last day) bound its life; without them it always exists."""

    id: Slug
    name: Bilingual
    parent: Slug | None = None
    groups: tuple[Slug, ...] = ()
    codes: tuple[Code, ...] = ()
    contacts: tuple[Contact, ...] = ()
    from_: Day | None = Field(default=None, alias="from")
    to: Day | None = None


class IdentityScheme(Contract):
    """A register of people's numbers, such as the province's personnel number."""

    id: Slug
    title: Bilingual


class Selector(Contract):
    """A set of agencies: everything, groups, single agencies with their descendants; their union."""

    all: bool = False
    groups: tuple[Slug, ...] = ()
    agencies: tuple[Slug, ...] = ()

    @model_validator(mode="after")
    def _selects(self) -> Self:
        if not (self.all or self.groups or self.agencies):
            raise ValueError("select something: `all: true`, `groups: […]` or `agencies: […]`")
        return self


class Feed(Contract):
    """One source sending a set of event types, for the agencies that it covers."""

    id: Slug
    title: Bilingual
    source: ForeignKey
    types: tuple[str, ...] = Field(min_length=1, description="Short names of event types, such as mail.used.")
    covers: Selector
    rhythm: Literal["daily", "weekly", "monthly"] = "daily"
    silence_limit: int = Field(
        default=16, ge=0, le=2000, description="Working hours beyond the rhythm; eight make a day."
    )
    owner: Contact

    @model_validator(mode="after")
    def _known_types(self) -> Self:
        unknown = [short for short in self.types if short not in CATALOGUE]
        if unknown:
            raise ValueError(f"unknown event type {', '.join(unknown)}; known are {', '.join(CATALOGUE)}")
        return self


class Directory(Contract):
    """One revision of a directory."""

    directory: Slug
    in_force_from: Day
    zone: str = "Asia/Ho_Chi_Minh"
    groups: dict[Slug, Bilingual] = Field(description="Group id → its title. `leadership` is who documents go to.")
    schemes: tuple[IdentityScheme, ...] = ()
    holidays: tuple[Day, ...] = ()
    operations: Contact
    agencies: tuple[Agency, ...] = Field(min_length=1)
    feeds: tuple[Feed, ...] = ()
