"""What ``plans.v1`` carries: revisions of plans, directories, lists of sources and policies, kept for ever."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from schemas.common import Contract, Day, Moment, Number, Slug
from schemas.directory import Directory
from schemas.plan import Plan
from schemas.policy import Policy
from schemas.sources import Sources


class _Revision(Contract):
    id: Slug
    revision: Number
    in_force_from: Day = Field(description="As-of judging goes by this day.")
    published: Moment = Field(description="Known-at judging goes by this moment.")


class PlanRevision(_Revision):
    kind: Literal["plan"] = "plan"
    document: Plan


class DirectoryRevision(_Revision):
    kind: Literal["directory"] = "directory"
    document: Directory


class SourcesRevision(_Revision):
    kind: Literal["sources"] = "sources"
    document: Sources


class PolicyRevision(_Revision):
    kind: Literal["policy"] = "policy"
    document: Policy


AnyRevision = PlanRevision | DirectoryRevision | SourcesRevision | PolicyRevision
Revision = Annotated[AnyRevision, Field(discriminator="kind")]
#: Reads and writes records of ``plans.v1``; ``validate_json`` raises ``pydantic.ValidationError``.
REVISION: TypeAdapter[AnyRevision] = TypeAdapter(Revision)


def revision_key(revision: AnyRevision) -> str:
    """Return the record's key, ``kind/id/revision``."""
    return f"{revision.kind}/{revision.id}/{revision.revision}"
