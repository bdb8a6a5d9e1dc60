"""Columns into ClickHouse's Native layout: where clickhouse-driver goes value by value in Python, and away from a connection."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any, Final, NamedTuple

from clickhouse_driver.bufferedwriter import BufferedSocketWriter
from clickhouse_driver.columns.service import write_column
from clickhouse_driver.connection import Connection
from clickhouse_driver.context import Context
from clickhouse_driver.defines import DBMS_MIN_REVISION_WITH_BLOCK_INFO, DBMS_MIN_REVISION_WITH_CUSTOM_SERIALIZATION
from clickhouse_driver.streams.native import BlockOutputStream
from clickhouse_driver.varint import write_varint
from clickhouse_driver.writer import write_binary_str, write_binary_uint8

_EPOCH: Final = date(1970, 1, 1).toordinal()


def _dates(items: Sequence[date]) -> bytes:
    return array("i", [item.toordinal() - _EPOCH for item in items]).tobytes()


def _integers(items: Sequence[int]) -> bytes:
    return array("q", items).tobytes()


def _wide(items: Sequence[int]) -> bytes:
    return b"".join([item.to_bytes(16, "little") for item in items])


# Type of the column and of its first value → the layout. Everything else, nulls too, is the driver's.
_PACKED: Final[dict[tuple[str, type], Callable[[Sequence[Any]], bytes]]] = {
    ("Date32", date): _dates,
    ("DateTime64(6, 'UTC')", int): _integers,
    ("UInt128", int): _wide,
}


class Packed(NamedTuple):
    """A column's values as a block holds them, of type *kind*."""

    kind: str
    rows: int
    data: bytes


class _Pieces(list[bytes]):
    """What the driver's writer takes for a socket."""

    sendall = list.append


def pack(kind: str, items: Sequence[Any]) -> Packed:
    """Return *items* as ClickHouse reads a column of type *kind*; microseconds may stand for moments.

    Types that ask for settings of a connection (JSON, Object) are not for here.
    """
    bare = _bare(kind)
    layout = _PACKED.get((bare, type(items[0])))
    if layout is not None:
        return Packed(bare, len(items), layout(items))
    pieces = _Pieces()
    writer = BufferedSocketWriter(pieces, _PIECE)
    write_column(_CONTEXT, "", bare, list(items), writer)  # which it may change in place
    writer.flush()
    return Packed(bare, len(items), b"".join(pieces))


def _context() -> Context:
    context = Context()
    context.client_settings = dict.fromkeys(
        ("strings_as_bytes", "use_numpy", "input_format_null_as_default", "namedtuple_as_json", "server_side_params"),
        False,
    ) | {"strings_encoding": "utf-8"}
    context.settings = {}
    context.server_info = _Server()
    return context


class _Server:
    """What the driver's columns ask the server for."""

    used_revision = DBMS_MIN_REVISION_WITH_BLOCK_INFO

    def get_timezone(self) -> str:
        return "UTC"


_PIECE: Final = 1 << 20
_CONTEXT: Final = _context()


class PackingStream(BlockOutputStream):
    """The driver's stream of blocks; microseconds may stand for moments, one :class:`Packed` for a whole column."""

    def write(self, block: Any) -> None:
        """Write *block*, and flush."""
        if not block.num_columns or not block.num_rows:
            super().write(block)
            return
        revision = self.context.server_info.used_revision
        if revision >= DBMS_MIN_REVISION_WITH_BLOCK_INFO:
            block.info.write(self.fout)
        write_varint(block.num_columns, self.fout)
        first = block.get_column_by_index(0)[0]
        write_varint(first.rows if type(first) is Packed else block.num_rows, self.fout)
        for index, (name, kind) in enumerate(block.columns_with_types):
            write_binary_str(name, self.fout)
            write_binary_str(kind, self.fout)
            if revision >= DBMS_MIN_REVISION_WITH_CUSTOM_SERIALIZATION:
                write_binary_uint8(0, self.fout)  # not sparse
            items = block.get_column_by_index(index)
            if type(items[0]) is Packed:
                if items[0].kind != _bare(kind):
                    raise TypeError(f"{name} is {kind} now and was packed as {items[0].kind}")
                self.fout.write(items[0].data)
                continue
            layout = _PACKED.get((_bare(kind), type(items[0])))
            if layout is None:
                write_column(self.context, name, kind, items, self.fout)
            else:
                self.fout.write(layout(items))
        self.finalize()


def _bare(kind: str) -> str:
    if kind.startswith("SimpleAggregateFunction("):
        return kind[kind.index(",") + 1 : -1].strip()
    return kind


def use_packing(connection: Connection) -> None:
    """Let *connection* write its blocks through :class:`PackingStream`, now and after it connects anew."""
    plain = connection.get_block_out_stream

    def packing() -> Any:
        stream = plain()
        if type(stream) is BlockOutputStream:
            stream.__class__ = PackingStream
        return stream

    connection.get_block_out_stream = packing
