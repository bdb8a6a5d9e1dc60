"""What really happened, and when each register learned of it. Registers are views of this; so is the oracle."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Literal, Protocol, TypeVar

Step = Literal["entered", "adopted", "undone"]


@dataclass(frozen=True, kw_only=True)
class Span:
    """One version of a register's row: it holds from *first* to *last* (both included; None: goes on)."""

    recorded: datetime
    first: date
    last: date | None

    def holds_on(self, day: date) -> bool:
        return self.first <= day and (self.last is None or day <= self.last)


class Versioned(Protocol):
    """What a register has recorded at a moment."""

    @property
    def recorded(self) -> datetime: ...


Version = TypeVar("Version", bound=Versioned)


def known(versions: Iterable[Version], before: datetime) -> Version | None:
    """Return the last version recorded before a moment; None where the register did not know the row yet."""
    seen = [version for version in versions if version.recorded < before]
    return max(seen, key=lambda version: version.recorded) if seen else None


@dataclass(frozen=True, kw_only=True)
class Post:
    """A person on the roster of *agency*, kept in the roster file of *office* under *row*."""

    row: str
    person: str
    agency: str
    office: str
    versions: tuple[Span, ...]


@dataclass(frozen=True, kw_only=True)
class Mailbox:
    """An address with its owner (None: shared)."""

    row: str
    address: str
    owner: str | None
    versions: tuple[Span, ...]


@dataclass(frozen=True, kw_only=True)
class Writer:
    """Somebody who writes mails from *address* on working days of a span, except during a pause."""

    address: str
    first: date
    last: date
    daily: float  # chance of writing on a working day
    pause: tuple[date, date]


@dataclass(frozen=True, kw_only=True)
class Deed:
    """A step of an item on *day*, as the register of *office* has it since *recorded*."""

    office: str
    step: Step
    day: date
    recorded: datetime


@dataclass(frozen=True, kw_only=True)
class Document:
    """A document between two parties. *agency* is the party that is not the leadership; None if there is no such one."""

    number: str
    issued_on: date
    issuer: str
    counterpart: str
    agency: str | None
    deeds: tuple[Deed, ...]


@dataclass(frozen=True, kw_only=True)
class Item:
    """A handled document, a task or a record of *agency*."""

    kind: Literal["handling", "tasks", "records"]
    agency: str
    number: str
    deeds: tuple[Deed, ...]


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """One version of an entry in the register of courses: a person completed *course* on *day*, unless it was withdrawn."""

    recorded: datetime
    day: date
    withdrawn: date | None = None


@dataclass(frozen=True, kw_only=True)
class Trainee:
    """A person of *agency* in the register of courses."""

    row: str
    person: str
    agency: str
    course: str
    versions: tuple[Certificate, ...]


@dataclass(frozen=True, kw_only=True)
class MilestoneState:
    """One version of a milestone: in the plan since *planned*, reached, and given back for work to be done again."""

    recorded: datetime
    weight: Decimal
    planned: date
    reached: date | None = None
    returned: date | None = None


@dataclass(frozen=True, kw_only=True)
class Milestone:
    """A milestone of a project of *agency*."""

    row: str
    agency: str
    project: str
    name: str
    versions: tuple[MilestoneState, ...]


@dataclass(frozen=True, kw_only=True)
class Sum:
    """One version of an amount in đồng, void from *cancelled* on."""

    recorded: datetime
    day: date
    dong: int
    cancelled: date | None = None


@dataclass(frozen=True, kw_only=True)
class Amount:
    """An amount at a stage of a project, as *register* has it; the same paper may be in both registers."""

    row: str
    register: Literal["budget", "treasury"]
    agency: str
    project: str
    stage: str
    paper: str
    versions: tuple[Sum, ...]


@dataclass(kw_only=True)
class World:
    """The whole year. ``uses`` grows while the mails are written: (address, day) of every mail accepted for sending."""

    posts: list[Post] = field(default_factory=list)
    mailboxes: list[Mailbox] = field(default_factory=list)
    writers: list[Writer] = field(default_factory=list)
    documents: list[Document] = field(default_factory=list)
    items: list[Item] = field(default_factory=list)
    leaders: list[Post] = field(default_factory=list)
    trainees: list[Trainee] = field(default_factory=list)
    milestones: list[Milestone] = field(default_factory=list)
    amounts: list[Amount] = field(default_factory=list)
    uses: set[tuple[str, date]] = field(default_factory=set)
    outside: set[str] = field(default_factory=set)


def deeds_known(deeds: Iterable[Deed], office: str, before: datetime) -> dict[Step, Deed]:
    """Return step → the deed as the register of *office* has it before a moment; a later record replaces an earlier."""
    current: dict[Step, Deed] = {}
    for deed in sorted(deeds, key=lambda deed: deed.recorded):
        if deed.office == office and deed.recorded < before:
            current[deed.step] = deed
    return current
