"""What ``plans.v1`` carries: revisions of plans, directories and lists of sources, kept for ever."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, TypeAdapter

from schemas.common import Contract, Slug
from schemas.directory import Directory
from schemas.plan import Plan
from schemas.sources import Sources


class _Revision(Contract):
    id: Slug
    revision: int = Field(ge=1)
    in_force_from: date = Field(description="As-of judging goes by this day.")
    published: AwareDatetime = Field(description="Known-at judging goes by this moment.")


class PlanRevision(_Revision):
    kind: Literal["plan"] = "plan"
    document: Plan


class DirectoryRevision(_Revision):
    kind: Literal["directory"] = "directory"
    document: Directory


class SourcesRevision(_Revision):
    kind: Literal["sources"] = "sources"
    document: Sources


Revision = Annotated[PlanRevision | DirectoryRevision | SourcesRevision, Field(discriminator="kind")]
#: Reads and writes records of ``plans.v1``; ``validate_json`` raises ``pydantic.ValidationError``.
REVISION: TypeAdapter[PlanRevision | DirectoryRevision | SourcesRevision] = TypeAdapter(Revision)


def revision_key(revision: PlanRevision | DirectoryRevision | SourcesRevision) -> str:
    """Return the record's key, ``kind/id/revision``."""
    return f"{revision.kind}/{revision.id}/{revision.revision}"
