"""Publishing documents: revisions in ``plans.v1``, numbered per document, the same content never twice."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from schemas.directory import Directory
from schemas.plan import Plan
from schemas.policy import Policy
from schemas.revisions import (
    REVISION,
    AnyRevision,
    DirectoryRevision,
    PlanRevision,
    PolicyRevision,
    SourcesRevision,
    revision_key,
)
from schemas.sources import Sources
from schemas.topics import SHAPES, Topic
from services.core.directory_faults import directory_findings, sources_findings
from services.core.errors import Rejected
from services.core.findings import Finding
from services.core.plan_faults import plan_findings
from services.core.warnings.policy_faults import policy_findings
from services.infra.kafka import KafkaAddress, Message, TopicSpec, ensure_topics, open_producer, read_all


class Published(NamedTuple):
    """The revision that holds the document now; *new* is False where an equal one was the latest already."""

    revision: AnyRevision
    new: bool


def read_revisions(address: KafkaAddress, *, replication: int = 1) -> list[AnyRevision]:
    """Return every revision ever published, in the order of publishing; none where the topic is new.

    Blocks. Raises Transient while the brokers are away.
    """
    shape = SHAPES[Topic.PLANS]
    ensure_topics(address, [TopicSpec(Topic.PLANS, shape.partitions, shape.config)], replication=replication)
    records = read_all(address, Topic.PLANS)
    return [REVISION.validate_json(record.value) for record in records if record.value is not None]


def latest_plan(revisions: Iterable[AnyRevision], plan: str) -> PlanRevision | None:
    """Return the greatest revision of *plan*; None where there is none."""
    found = [one for one in revisions if isinstance(one, PlanRevision) and one.id == plan]
    return max(found, key=lambda one: one.revision, default=None)


def latest_directory(revisions: Iterable[AnyRevision], directory: str) -> DirectoryRevision | None:
    """Return the greatest revision of *directory*; None where there is none."""
    found = [one for one in revisions if isinstance(one, DirectoryRevision) and one.id == directory]
    return max(found, key=lambda one: one.revision, default=None)


def latest_sources(revisions: Iterable[AnyRevision], sources: str) -> SourcesRevision | None:
    """Return the greatest revision of a list of sources, of two of one number the later published; None where there is none."""
    found = [one for one in revisions if isinstance(one, SourcesRevision) and one.id == sources]
    return max(reversed(found), key=lambda one: one.revision, default=None)


def latest_policy(revisions: Iterable[AnyRevision], policy: str) -> PolicyRevision | None:
    """Return the greatest revision of *policy*; None where there is none."""
    found = [one for one in revisions if isinstance(one, PolicyRevision) and one.id == policy]
    return max(found, key=lambda one: one.revision, default=None)


def latest_directories(revisions: Sequence[AnyRevision]) -> list[Directory]:
    """Return the latest content of every directory."""
    names = sorted({one.id for one in revisions if isinstance(one, DirectoryRevision)})
    found = (latest_directory(revisions, name) for name in names)
    return [one.document for one in found if one is not None]


def publish(
    address: KafkaAddress, document: Plan | Directory | Sources | Policy, now: datetime, *, replication: int = 1
) -> Published:
    """Publish *document* as the next revision of its id, acknowledged by every replica in sync.

    Harmless when repeated: content equal to the latest revision makes no new one. One principal publishes; two at once
    could give two documents one number. Blocks. Raises Rejected, with all faults, for a document that does not make sense
    or whose directory is not published; Transient while the brokers are away, and then nothing or this one revision has
    been published.
    """
    revisions = read_revisions(address, replication=replication)
    last = _latest(revisions, document)
    _refuse(document, revisions)
    if last is not None and last.document == document:
        return Published(last, False)
    revision = _next(document, 1 if last is None else last.revision + 1, now)
    message = Message(
        topic=Topic.PLANS,
        key=revision_key(revision).encode(),
        value=REVISION.dump_json(revision, by_alias=True),
        headers=(("content-type", b"application/json"),),
    )
    with open_producer(address) as producer:
        producer.publish([message])
    return Published(revision, True)


def _latest(revisions: Sequence[AnyRevision], document: Plan | Directory | Sources | Policy) -> AnyRevision | None:
    match document:
        case Plan():
            return latest_plan(revisions, document.plan)
        case Directory():
            return latest_directory(revisions, document.directory)
        case Sources():
            return latest_sources(revisions, document.sources)
        case Policy():
            return latest_policy(revisions, document.policy)


def _next(document: Plan | Directory | Sources | Policy, number: int, now: datetime) -> AnyRevision:
    common: dict[str, Any] = {"revision": number, "in_force_from": document.in_force_from, "published": now}
    match document:
        case Plan():
            return PlanRevision(id=document.plan, document=document, **common)
        case Directory():
            return DirectoryRevision(id=document.directory, document=document, **common)
        case Sources():
            return SourcesRevision(id=document.sources, document=document, **common)
        case Policy():
            return PolicyRevision(id=document.policy, document=document, **common)


def _refuse(document: Plan | Directory | Sources | Policy, revisions: Sequence[AnyRevision]) -> None:
    """Raise Rejected with every fault of *document*."""
    written = document.model_dump(by_alias=True)
    match document:
        case Plan():
            directory = latest_directory(revisions, document.directory)
            if directory is None:
                raise Rejected(f"directory {document.directory!r} is not published yet: publish it first")
            findings = plan_findings(written, directory.document)
        case Directory():
            findings = directory_findings(written)
        case Sources():
            findings = sources_findings(written, latest_directories(revisions))
        case Policy():
            plan = latest_plan(revisions, document.plan)
            if plan is None:
                raise Rejected(f"plan {document.plan!r} is not published yet: publish it first")
            directory = latest_directory(revisions, plan.document.directory)
            findings = policy_findings(written, plan.document, directory.document if directory else None)
    faults = [finding for finding in findings if not finding.warning]
    if faults:
        raise Rejected("; ".join(_told(fault) for fault in faults))


def _told(finding: Finding) -> str:
    place = ".".join(str(step) for step in finding.path)
    return f"{place}: {finding.message}" + (f" — {finding.hint}" if finding.hint else "")
