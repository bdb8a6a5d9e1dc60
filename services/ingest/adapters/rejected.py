"""Refused inputs, kept whole: what ``usage.rejected.v1`` gets from the gateway."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from schemas.reasons import Reason
from schemas.rejected import Rejection
from schemas.topics import Topic
from services.infra.kafka import Message
from services.ingest.adapters.sealing import Seal
from services.ingest.core.inbound import id_of, type_of
from services.ingest.core.pseudonyms import Pseudonyms
from services.ingest.core.rejection import Refusal


@dataclass(frozen=True, slots=True)
class Refused:
    """An input with the reason against it. *original* is the event as sent, or the whole body where none could be told."""

    refusal: Refusal
    original: bytes


class RejectedRecords:
    """Makes records of refused inputs; nothing of an input stands in them in clear but the name of a known type."""

    def __init__(self, pseudonyms: Pseudonyms, seal: Seal) -> None:
        self._pseudonyms = pseudonyms
        self._seal = seal

    def messages(self, refused: Iterable[Refused], *, source: str, received: datetime) -> list[Message]:
        """Return one record per refused input, keyed by its source."""
        return [
            Message(
                topic=Topic.REJECTED,
                key=source.encode(),
                value=self._rejection(one, source, received).model_dump_json().encode(),
                headers=(("content-type", b"application/json"),),
            )
            for one in refused
        ]

    def _rejection(self, one: Refused, source: str, received: datetime) -> Rejection:
        name = self._pseudonyms.rejection(source=source, original=one.original)
        # Where the body is not an event, what looks like its id or type means nothing.
        readable = one.refusal.reason is not Reason.TOO_LARGE
        claimed = id_of(one.original) if readable else None
        return Rejection(
            rejection=name,
            source=source,
            reason=one.refusal.reason,
            detail=one.refusal.detail,
            pointer=one.refusal.pointer,
            where="http",
            type=type_of(one.original) if readable else "",
            event_id="" if claimed is None else self._pseudonyms.event_id(source=source, id=claimed),
            received=received,
            key_id=self._pseudonyms.key_id,
            body=self._seal.close(one.original, rejection=name),
        )
