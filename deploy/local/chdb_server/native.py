"""ClickHouse's Native format: where a block ends, without turning its values into Python objects.

A block is: number of columns, number of rows, then per column its name, its type, and the values of all rows. It has no
length of its own, so its end is found by walking over the columns by their types.
"""

import struct
from typing import Any, Protocol

from clickhouse_driver.bufferedreader import CompressedBufferedReader
from clickhouse_driver.varint import read_varint

from deploy.local.chdb_server.errors import ProtocolError

Columns = list[tuple[str, str]]  # names and types, in order

MAX_COLUMNS = 10_000
MAX_ROWS = 1 << 24  # sixteen times the driver's own block
MAX_ITEMS = 1 << 31  # elements of all arrays of a column
_PIECE = 1 << 22
_MAX_NESTING = 32

_WIDTHS = {
    **dict.fromkeys(("Int8", "UInt8", "Bool", "Nothing"), 1),
    **dict.fromkeys(("Int16", "UInt16", "Date", "BFloat16"), 2),
    **dict.fromkeys(("Int32", "UInt32", "Float32", "Date32", "IPv4", "Time", "Decimal32"), 4),
    **dict.fromkeys(("Int64", "UInt64", "Float64", "Time64", "DateTime64", "Decimal64"), 8),
    **dict.fromkeys(("Int128", "UInt128", "UUID", "IPv6", "Decimal128"), 16),
    **dict.fromkeys(("Int256", "UInt256", "Decimal256"), 32),
    "DateTime": 4,
    "Enum8": 1,
    "Enum16": 2,
}


class Reader(Protocol):
    """clickhouse-driver's buffered reader, as far as it is needed here."""

    def read(self, unread: int) -> bytes: ...
    def read_strings(self, n_items: int) -> Any: ...


def read_text(reader: Reader, limit: int) -> str:
    """Return the next string; ProtocolError when it is longer than *limit* bytes or no UTF-8."""
    size = read_varint(reader)
    if not 0 <= size <= limit:
        raise ProtocolError(f"a string of {size} bytes where at most {limit} are allowed")
    try:
        return reader.read(size).decode()
    except UnicodeDecodeError as error:
        raise ProtocolError("a string that is not UTF-8") from error


def varint(number: int) -> bytes:
    """Return *number* (not negative) as the protocol's variable-length integer."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def text(value: str) -> bytes:
    """Return *value* as the protocol's string: its length in bytes, then UTF-8."""
    raw = value.encode()
    return varint(len(raw)) + raw


def header(columns: Columns) -> bytes:
    """Return a block with *columns* and no rows."""
    return varint(len(columns)) + varint(0) + b"".join(text(name) + text(kind) for name, kind in columns)


def skip_block(reader: Reader) -> tuple[Columns, int]:
    """Read one block to its end; return its columns and its number of rows.

    Raises ProtocolError for sizes that no client of ours sends and for types whose length is not known here.
    """
    n_columns, n_rows = read_varint(reader), read_varint(reader)
    if not (0 <= n_columns <= MAX_COLUMNS and 0 <= n_rows <= MAX_ROWS):
        raise ProtocolError(f"a block of {n_columns} columns and {n_rows} rows")
    columns: Columns = []
    for _ in range(n_columns):
        name, kind = read_text(reader, 1 << 16), read_text(reader, 1 << 20)
        columns.append((name, kind))
        if n_rows:
            _skip_prefix(reader, kind)
            _skip_values(reader, kind, n_rows)
    return columns, n_rows


def split_blocks(body: bytes) -> list[bytes]:
    """Return the blocks of which *body* is the concatenation."""
    blocks: list[bytes] = []
    reader = _over(body)
    start = 0
    while start < len(body):
        skip_block(reader)
        blocks.append(body[start : reader.position])
        start = reader.position
    return blocks


def columns_of(body: bytes) -> Columns:
    """Return the columns of the block *body*."""
    return skip_block(_over(body))[0]


def retype(body: bytes, columns: Columns) -> bytes:
    """Return the block *body* with its columns declared as *columns*, whose types must have the same layout."""
    reader = _over(body)
    n_columns, n_rows = read_varint(reader), read_varint(reader)
    out = [varint(n_columns), varint(n_rows)]
    for name, kind in columns:
        _, declared = read_text(reader, 1 << 16), read_text(reader, 1 << 20)
        start = reader.position
        if n_rows:
            _skip_prefix(reader, declared)
            _skip_values(reader, declared, n_rows)
        out += [text(name), text(kind), body[start : reader.position]]
    return b"".join(out)


def row_count(body: bytes) -> int:
    """Return the number of rows that the first block of *body* announces."""
    reader = _over(body[:20])
    read_varint(reader)
    rows: int = read_varint(reader)
    return rows


def _over(body: bytes) -> Any:
    """Return the driver's reader over *body*; its `position` is the offset in it."""
    pieces = iter((body,))

    def fill() -> bytes:
        for piece in pieces:
            return piece
        raise ProtocolError("the block ends before its last value")

    return CompressedBufferedReader(fill, len(body))


def _arguments(kind: str) -> list[str]:
    """Return the arguments of a type, `Map(String, Array(UInt8))` → `String`, `Array(UInt8)`; names of a tuple's
    elements are dropped."""
    inner = kind[kind.index("(") + 1 : -1]
    parts, depth, quote, start, named = [], 0, "", 0, -1
    for at, char in enumerate(inner):
        if quote:
            quote = "" if char == quote and inner[at - 1] != "\\" else quote
        elif char in "'`":
            quote = char
        elif char in "()":
            depth += 1 if char == "(" else -1
        elif depth == 0 and char == " " and at > start and named < start:
            named = at + 1
        elif depth == 0 and char == ",":
            parts.append(inner[named if named > start else start : at].strip())
            start = at + 2  # ClickHouse writes ", "
    parts.append(inner[named if named > start else start :].strip())
    return parts


def _inner_types(kind: str) -> tuple[str, list[str]]:
    family = kind.partition("(")[0]
    if family in ("Array", "Nullable", "LowCardinality", "Tuple", "Map"):
        return family, _arguments(kind)
    if family == "SimpleAggregateFunction":
        return family, _arguments(kind)[-1:]
    if family == "Nested":
        return "Array", [f"Tuple{kind.removeprefix('Nested')}"]
    return family, []


def _skip_prefix(reader: Reader, kind: str, nesting: int = 0) -> None:
    if nesting > _MAX_NESTING:
        raise ProtocolError("a type nested too deep")
    family, inner = _inner_types(kind)
    if family == "LowCardinality":
        reader.read(8)
        return
    for each in inner:
        _skip_prefix(reader, each, nesting + 1)


def _skip_values(reader: Reader, kind: str, rows: int) -> None:
    family, inner = _inner_types(kind)
    match family:
        case "String":
            for start in range(0, rows, 1 << 16):  # so that the strings of a big block are not all alive at once
                reader.read_strings(min(1 << 16, rows - start))
        case "FixedString":
            _skip_bytes(reader, rows * int(kind[12:-1]))
        case "Nullable":
            _skip_bytes(reader, rows)
            _skip_values(reader, inner[0], rows)
        case "Array" | "Map":
            items = _last_offset(reader, rows)
            if items:
                for each in inner:
                    _skip_values(reader, each, items)
        case "Tuple" | "SimpleAggregateFunction":
            for each in inner:
                _skip_values(reader, each, rows)
        case "LowCardinality":
            _skip_low_cardinality(reader, inner[0])
        case "Decimal":
            precision = int(_arguments(kind)[0])
            _skip_bytes(
                reader, rows * (4 if precision <= 9 else 8 if precision <= 18 else 16 if precision <= 38 else 32)
            )
        case _ if family in _WIDTHS:
            _skip_bytes(reader, rows * _WIDTHS[family])
        case _ if family.startswith("Interval"):
            _skip_bytes(reader, rows * 8)
        case _:
            raise ProtocolError(f"values of type {kind[:80]!r}, whose length is not known")


def _skip_low_cardinality(reader: Reader, inner: str) -> None:
    flags, distinct = struct.unpack("<QQ", reader.read(16))
    if distinct > MAX_ITEMS:
        raise ProtocolError(f"a dictionary of {distinct} values")
    if inner.startswith("Nullable("):
        inner = inner[len("Nullable(") : -1]  # the dictionary has no map of nulls: its first entry stands for them
    _skip_values(reader, inner, distinct)
    (keys,) = struct.unpack("<Q", reader.read(8))
    if keys > MAX_ITEMS:
        raise ProtocolError(f"{keys} keys into a dictionary")
    _skip_bytes(reader, keys << (flags & 0xF))


def _last_offset(reader: Reader, rows: int) -> int:
    _skip_bytes(reader, (rows - 1) * 8)
    (items,) = struct.unpack("<Q", reader.read(8))
    if items > MAX_ITEMS:
        raise ProtocolError(f"{items} elements in the arrays of one block")
    return int(items)


def _skip_bytes(reader: Reader, size: int) -> None:
    while size > 0:
        size -= len(reader.read(min(size, _PIECE)))
