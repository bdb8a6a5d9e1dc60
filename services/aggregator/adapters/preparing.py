"""Records into what is written: decoded, folded, packed. No connection is needed for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

from schemas.usage import BATCH_CONTENT_TYPE, NormalisedEvent, decode_batch, decode_one
from services.aggregator.adapters.decoding import UNREADABLE, Run, Unusable, decode_records
from services.aggregator.core.batch import SHAPES
from services.aggregator.core.folding import Folding
from services.aggregator.core.marks import Touched, touched_by
from services.infra.clickhouse.packing import Packed, pack

# Few events at a time, so that they are gone again before they leave the processor's cache.
_SINGLE_AT_ONCE: Final = 256
_BATCHES_AT_ONCE: Final = 4

TABLES: Final = tuple(shape.table for shape in SHAPES.values())
Kinds = Mapping[str, Mapping[str, str]]  # table → column → type


@dataclass(frozen=True)
class PackedRows:
    """Rows of one table, ready to be sent."""

    table: str
    names: tuple[str, ...]
    columns: tuple[Packed, ...]


@dataclass(frozen=True)
class Prepared:
    """A run of records, ready to be written; *size* is the number of its events, *rows* the archive's first."""

    rows: tuple[PackedRows, ...]
    touched: Touched
    unusable: tuple[Unusable, ...]
    size: int


def prepare(runs: Sequence[Run], zone: ZoneInfo, kinds: Kinds) -> Prepared:
    """Return what *runs* lead to; what cannot be used is told, in order. Never raises for what a record holds."""
    folding = Folding(zone)
    unusable: list[Unusable] = []
    for content_type, values in runs:
        step = _BATCHES_AT_ONCE if content_type == BATCH_CONTENT_TYPE else _SINGLE_AT_ONCE
        for start in range(0, len(values), step):
            part = values[start : start + step]
            try:
                folding.add(_decoded(content_type, part))
            except (*UNREADABLE, TypeError):
                apart = decode_records([(value, content_type) for value in part])
                unusable += [one._replace(after=one.after + folding.size) for one in apart.unusable]
                folding.add(apart.events)
    batch = folding.batch()
    rows = [
        PackedRows(
            part.table,
            part.names,
            tuple(pack(kinds[part.table][name], column) for name, column in zip(part.names, part.columns, strict=True)),
        )
        for part in batch.tables()
    ]
    return Prepared(tuple(rows), touched_by(batch), tuple(unusable), folding.size)


def _decoded(content_type: str, values: Sequence[bytes | None]) -> list[NormalisedEvent]:
    """Return the events of *values*; raises, a TypeError for a record without a value too, where one cannot be used."""
    if content_type == BATCH_CONTENT_TYPE:
        return [event for value in values for event in decode_batch(value)]  # type: ignore[arg-type]
    return [decode_one(value) for value in values]  # type: ignore[arg-type]
