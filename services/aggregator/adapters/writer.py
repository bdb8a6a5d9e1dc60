"""Writes a batch in the one order that loses nothing: archive and facts, then look-ups, then marks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Any, Final

from services.aggregator.core.batch import Batch
from services.aggregator.core.marks import (
    DocumentKey,
    ItemKey,
    Lookup,
    MailboxKey,
    Mark,
    MembershipKey,
    Span,
    Touched,
    marks_of,
    touched_by,
)
from services.infra.clickhouse.client import ClickHouse, Row

_KEYS_PER_QUERY: Final = 1000
# The keys are part of the query's text, of which the server takes 256 KiB unless told otherwise: too little for a thousand
# keys as long as the gateway lets them be.
_LONG_QUERIES: Final = {"max_query_size": 1 << 28}


def write(database: ClickHouse, batch: Batch) -> int:
    """Write *batch* and the marks of what it touches; return the number of marks.

    When it returns, ClickHouse has taken everything. Raises Transient otherwise; doing it again is right then. Blocks.
    """
    for part in batch.tables():
        database.insert(part.table, part.names, part.columns)
    return mark(database, touched_by(batch))


def mark(database: ClickHouse, touched: Touched) -> int:
    """Write the marks of a batch that has been written; return their number."""
    marks = marks_of(touched, look_up(database, touched))
    insert_marks(database, marks)
    return len(marks)


def insert_marks(database: ClickHouse, marks: Iterable[Mark]) -> None:
    """Write marks; the database's clock says when."""
    columns = list(zip(*marks, strict=True))
    database.insert("touched", Mark._fields, columns)


def look_up(database: ClickHouse, touched: Touched) -> Lookup:
    """Return what the tables hold about the keys *touched*, over all versions. The batch must have been written."""
    mailboxes: dict[MailboxKey, tuple[Span, frozenset[str]]] = {}
    for address, stint, source, owners, first, last in _chunked(
        database,
        "SELECT address, stint, source, groupUniqArray(owner), min(from_day), max(to_day) FROM mailboxes "
        "WHERE address IN %(keys)s GROUP BY address, stint, source",
        sorted(touched.addresses()),
    ):
        mailboxes[(address, stint, source)] = ((first, last), frozenset(owners))
    persons = touched.persons({owner for _, owners in mailboxes.values() for owner in owners})
    memberships: dict[MembershipKey, Span] = {}
    for person, roster, agency, stint, source, first, last in _chunked(
        database,
        "SELECT person, roster, agency, stint, source, min(from_day), max(to_day) FROM memberships "
        "WHERE person IN %(keys)s GROUP BY person, roster, agency, stint, source",
        sorted(persons),
    ):
        memberships[(person, roster, agency, stint, source)] = (first, last)
    return Lookup(
        memberships=memberships,
        mailboxes=mailboxes,
        documents=_documents(database, touched),
        items=_items(database, touched),
    )


def _documents(database: ClickHouse, touched: Touched) -> dict[DocumentKey, date]:
    keys = sorted({row[:4] for row in touched.exchanges})
    rows = _chunked(
        database,
        "SELECT issuer, year, number, counterpart, least(min(day), min(issued_on)) FROM exchanges "
        "WHERE (issuer, year, number, counterpart) IN %(keys)s GROUP BY issuer, year, number, counterpart",
        keys,
    )
    return {(issuer, year, number, counterpart): least for issuer, year, number, counterpart, least in rows}


def _items(database: ClickHouse, touched: Touched) -> dict[ItemKey, date]:
    keys = sorted({row[:5] for row in touched.items})
    rows = _chunked(
        database,
        "SELECT type, agency, id, step, source, min(day) FROM items "
        "WHERE (type, agency, id, step, source) IN %(keys)s GROUP BY type, agency, id, step, source",
        keys,
    )
    return {(kind, agency, item, step, source): least for kind, agency, item, step, source, least in rows}


def _chunked(database: ClickHouse, query: str, keys: Sequence[Any]) -> Iterator[Row]:
    for start in range(0, len(keys), _KEYS_PER_QUERY):
        part = tuple(keys[start : start + _KEYS_PER_QUERY])
        yield from database.rows(query, {"keys": part}, settings=_LONG_QUERIES)
