"""The live registry: directories and sources, followed in ``plans.v1`` from its beginning."""

from __future__ import annotations

import asyncio
import logging
from contextlib import aclosing
from typing import TypeVar

from pydantic import ValidationError

from schemas.revisions import REVISION, DirectoryRevision, PlanRevision, PolicyRevision, SourcesRevision
from schemas.topics import Topic
from services.core.errors import Transient
from services.infra.kafka import CaughtUp, KafkaAddress, Record, follow
from services.ingest.core.permission import Registry, registry_of
from services.ingest.metrics import IngestMetrics

_log = logging.getLogger(__name__)
_Revision = TypeVar("_Revision", DirectoryRevision, SourcesRevision)
#: A broker that forgot everything and was told anew may look like one that has nothing new, so look again from time to time.
_LOOK_AGAIN = 60.0
_PAUSES = (0.2, 0.5, 1.0, 2.0, 5.0)


class Documents:
    """Holds the newest revision of each document; ``registry`` is None until all that there is has been read once."""

    def __init__(self, address: KafkaAddress, metrics: IngestMetrics) -> None:
        self._address = address
        self._metrics = metrics
        self._directories: dict[str, DirectoryRevision] = {}
        self._sources: dict[str, SourcesRevision] = {}
        self._registry: Registry | None = None
        self._again = asyncio.Event()

    @property
    def registry(self) -> Registry | None:
        """The registry as last published; None before the topic has been read to its end for the first time."""
        return self._registry

    def missing(self) -> list[str]:
        """Return what hinders judging events; empty once the topic has been read to its end."""
        return ["plans.v1 has not been read to its end"] if self._registry is None else []

    def read_again(self) -> None:
        """Begin at the topic's beginning once more: a broker that was away may have forgotten and been told anew."""
        self._again.set()

    async def run(self) -> None:
        """Follow the topic until cancelled. What was read stays in force while the broker is away."""
        failures = 0
        while True:
            self._again.clear()
            reading = asyncio.create_task(self._read())
            again = asyncio.create_task(self._again.wait())
            try:
                await asyncio.wait({reading, again}, timeout=_LOOK_AGAIN, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in (reading, again):
                    task.cancel()
                ended, _ = await asyncio.gather(reading, again, return_exceptions=True)
            if isinstance(ended, Transient):
                if failures == 0:
                    _log.warning("plans.v1 cannot be followed: %s", ended)
                failures += 1
            elif isinstance(ended, BaseException) and not isinstance(ended, asyncio.CancelledError):
                raise ended
            else:
                failures = 0
            await asyncio.sleep(_PAUSES[min(failures, len(_PAUSES) - 1)])

    async def _read(self) -> None:
        caught_up = changed = False
        async with aclosing(follow(self._address, Topic.PLANS)) as records:
            async for record in records:
                if isinstance(record, CaughtUp):
                    caught_up = True
                else:
                    changed |= self._keep(record)
                if caught_up and (changed or self._registry is None):
                    changed = False
                    self._put_in_force()

    def _keep(self, record: Record) -> bool:
        """Keep the record's document where it is the newest of its kind and id; returns whether anything changed."""
        try:
            revision = REVISION.validate_json(record.value or b"")
        except ValidationError:
            self._metrics.unreadable_documents.inc()
            _log.warning("plans.v1: the record at offset %d is not a revision that this version reads", record.offset)
            return False
        match revision:
            case DirectoryRevision():
                return _newest(self._directories, revision)
            case SourcesRevision():
                return _newest(self._sources, revision)
            case PlanRevision() | PolicyRevision():
                return False

    def _put_in_force(self) -> None:
        lists = sorted(self._sources.values(), key=lambda revision: revision.published)
        self._registry = registry_of(
            (revision.document for revision in self._directories.values()), (revision.document for revision in lists)
        )
        _log.info("in force: %d agencies, %d sources", len(self._registry.agencies), len(self._registry.permits))


def _newest(held: dict[str, _Revision], revision: _Revision) -> bool:
    known = held.get(revision.id)
    if known is not None and known.revision > revision.revision:
        return False
    held[revision.id] = revision
    return known != revision
