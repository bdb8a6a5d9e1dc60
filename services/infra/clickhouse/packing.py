"""Columns into ClickHouse's Native layout where clickhouse-driver goes value by value in Python."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any, Final

from clickhouse_driver.columns.service import write_column
from clickhouse_driver.connection import Connection
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


class PackingStream(BlockOutputStream):
    """The driver's stream of blocks; microseconds may stand for moments."""

    def write(self, block: Any) -> None:
        """Write *block*, and flush."""
        if not block.num_columns or not block.num_rows:
            super().write(block)
            return
        revision = self.context.server_info.used_revision
        if revision >= DBMS_MIN_REVISION_WITH_BLOCK_INFO:
            block.info.write(self.fout)
        write_varint(block.num_columns, self.fout)
        write_varint(block.num_rows, self.fout)
        for index, (name, kind) in enumerate(block.columns_with_types):
            write_binary_str(name, self.fout)
            write_binary_str(kind, self.fout)
            if revision >= DBMS_MIN_REVISION_WITH_CUSTOM_SERIALIZATION:
                write_binary_uint8(0, self.fout)  # not sparse
            items = block.get_column_by_index(index)
            pack = _PACKED.get((_bare(kind), type(items[0])))
            if pack is None:
                write_column(self.context, name, kind, items, self.fout)
            else:
                self.fout.write(pack(items))
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
