"""A batch folded into columns per table, duplicates collapsed as the tables would collapse them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from services.aggregator.core.facts import (
    Activity,
    Archived,
    Declaration,
    Exchange,
    FeedReport,
    Item,
    Mailbox,
    Membership,
    Row,
)


@dataclass(frozen=True)
class Shape:
    """A table: the first *key* columns are its ORDER BY; of equal keys the least last column stays (or the greatest)."""

    table: str
    names: tuple[str, ...]
    key: int
    greatest: bool = False


SHAPES: Final[dict[type[Row], Shape]] = {
    Archived: Shape("events", Archived._fields, 3),
    Membership: Shape("memberships", Membership._fields, 6),
    Mailbox: Shape("mailboxes", Mailbox._fields, 4),
    Activity: Shape("activity", Activity._fields, 7, greatest=True),
    Exchange: Shape("exchanges", Exchange._fields, 7),
    Item: Shape("items", Item._fields, 6),
    Declaration: Shape("declarations", Declaration._fields, 6),
    FeedReport: Shape("feed_reports", ("source", "type", "day", "version", "count", "retracted", "received"), 4),
}


@dataclass(frozen=True)
class Columns:
    """Rows of one table as parallel sequences, never empty."""

    table: str
    names: tuple[str, ...]
    columns: tuple[Sequence[Any], ...]


R = TypeVar("R", Archived, Membership, Mailbox, Activity, Exchange, Item, Declaration, FeedReport)


@dataclass(frozen=True)
class Batch:
    """The different rows of a batch as columns, by their kind, in order of first appearance."""

    columns: dict[type[Row], tuple[Sequence[Any], ...]]

    def rows(self, kind: type[R]) -> Iterator[R]:
        """Yield the rows of *kind*."""
        return map(kind._make, zip(*self.columns.get(kind, ()), strict=True))

    def column(self, kind: type[Row], name: str) -> Sequence[Any]:
        """Return one column of *kind*, empty where there is no row."""
        return self.columns[kind][kind._fields.index(name)] if kind in self.columns else ()

    def tables(self) -> tuple[Columns, ...]:
        """Return what is to be inserted, the archive first."""
        return tuple(
            Columns(shape.table, shape.names, self.columns[kind])
            for kind, shape in SHAPES.items()
            if kind in self.columns
        )


def fold(rows: Iterable[Row]) -> Batch:
    """Return *rows* without duplicates.

    Of rows with one key the smallest ``received`` stays, of a deed the greatest version of its day of receipt. Folding
    any cut of a stream and inserting the parts leaves the tables as if every row had been inserted alone.
    """
    kept: dict[type[Row], dict[tuple[Any, ...], Row]] = {kind: {} for kind in SHAPES}
    keys = {kind: shape.key for kind, shape in SHAPES.items()}
    for row in rows:
        kind = type(row)
        of_kind = kept[kind]
        key = row[: keys[kind]]
        present = of_kind.setdefault(key, row)
        if present is not row:
            old: Any = present[-1]
            new: Any = row[-1]
            if new > old if SHAPES[kind].greatest else new < old:
                of_kind[key] = row
    return Batch({kind: tuple(zip(*found.values(), strict=True)) for kind, found in kept.items() if found})
