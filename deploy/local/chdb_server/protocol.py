"""Packets of ClickHouse's native protocol, as far as clickhouse-driver speaks it, at one revision."""

import socket
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from io import FileIO
from typing import Any, Final

from clickhouse_driver.block import BlockInfo
from clickhouse_driver.bufferedreader import CompressedBufferedReader
from clickhouse_driver.protocol import ClientPacketTypes, ServerPacketTypes
from clickhouse_driver.reader import read_binary_uint8
from clickhouse_driver.varint import read_varint

from deploy.local.chdb_server import native
from deploy.local.chdb_server.errors import (
    MEMORY_LIMIT_EXCEEDED,
    ClientGone,
    DatabaseError,
    ProtocolError,
)
from deploy.local.chdb_server.native import read_text, text, varint

# The last revision before custom serialisation, parameters and the addendum; settings already travel as strings.
REVISION: Final = 54430
OLDEST_CLIENT: Final = 54429
_SHORT: Final = 1 << 12
_LONGEST_QUERY: Final = 1 << 26
_IMPORTANT: Final = 1
_RECEIVE: Final = 1 << 20

HELLO: Final[int] = ClientPacketTypes.HELLO
QUERY: Final[int] = ClientPacketTypes.QUERY
DATA: Final[int] = ClientPacketTypes.DATA
CANCEL: Final[int] = ClientPacketTypes.CANCEL
PING: Final[int] = ClientPacketTypes.PING

PONG: Final = varint(ServerPacketTypes.PONG)
END_OF_STREAM: Final = varint(ServerPacketTypes.END_OF_STREAM)
# Table name "", then BlockInfo: field 1 (overflows: no), field 2 (bucket: -1), end.
_DATA_HEAD: Final = varint(ServerPacketTypes.DATA) + text("") + b"\x01\x00\x02\xff\xff\xff\xff\x00"


@dataclass(frozen=True)
class Hello:
    """How a client introduced itself."""

    database: str
    user: str
    password: str


@dataclass(frozen=True)
class Query:
    """A statement with the settings that hold for it; *important* ones must be known to ClickHouse."""

    query_id: str
    settings: Mapping[str, str]
    important: frozenset[str]
    compressed: bool
    text: str


class Wire:
    """One client's socket. Reading blocks; ClientGone when the client has closed, ProtocolError for nonsense."""

    def __init__(self, sock: socket.socket, *, max_insert_bytes: int) -> None:
        self._socket = sock
        self._max_insert_bytes = max_insert_bytes
        self._tape: bytearray | None = None
        self._reader: Any = CompressedBufferedReader(self._receive, _RECEIVE)

    def send(self, *pieces: bytes) -> None:
        """Send *pieces* in one go; ClientGone when nobody takes them."""
        try:
            self._socket.sendall(b"".join(pieces))
        except OSError as error:
            raise ClientGone from error

    def send_block(self, block: bytes) -> None:
        """Send one Native block as a packet."""
        self.send(_DATA_HEAD, block)

    def send_exception(self, error: DatabaseError) -> None:
        """Send *error* the way ClickHouse does, without a stack trace."""
        code = struct.pack("<i", error.code)
        name = error.message[: error.message.find(":", len("DB::"))]
        self.send(varint(ServerPacketTypes.EXCEPTION), code, text(name), text(error.message), text(""), b"\x00")

    def send_hello(self, version: str, timezone: str) -> None:
        """Introduce the server; *version* is ClickHouse's, with at least three parts."""
        major, minor, patch = (int(part) for part in version.split(".")[:3])
        name = text("ClickHouse")
        numbers = varint(major) + varint(minor) + varint(REVISION)
        head = varint(ServerPacketTypes.HELLO)
        self.send(head, name, numbers, text(timezone), text("tiendo embedded (chDB)"), varint(patch))

    def read_packet_type(self) -> int:
        """Return the number of the next packet."""
        number: int = read_varint(self._reader)
        return number

    def cancel_is_next(self) -> bool:
        """Whether a Cancel packet has already been received behind what was read so far."""
        at: int = self._reader.position
        return bool(at < self._reader.current_buffer_size and self._reader.buffer[at] == CANCEL)

    def read_hello(self) -> Hello:
        """Read the body of Hello; ProtocolError for a client that is too old."""
        read_text(self._reader, _SHORT)
        read_varint(self._reader), read_varint(self._reader)
        revision = read_varint(self._reader)
        if revision < OLDEST_CLIENT:
            raise ProtocolError(f"a client of revision {revision}, at least {OLDEST_CLIENT} is needed")
        return Hello(*(read_text(self._reader, _SHORT) for _ in range(3)))

    def read_query(self) -> Query:
        """Read the body of Query."""
        query_id = read_text(self._reader, _SHORT)
        self._read_client_info()
        settings, important = self._read_settings()
        read_varint(self._reader)  # stage: always to the end
        compressed = bool(read_varint(self._reader))
        return Query(query_id, settings, important, compressed, read_text(self._reader, _LONGEST_QUERY))

    def read_data(self, into: FileIO | None) -> tuple[str, native.Columns, int]:
        """Read the body of Data and append its block, if it has rows, to *into*, an unbuffered file.

        Returns the table's name (external tables have one), the columns and the number of rows.
        """
        name = read_text(self._reader, _SHORT)
        BlockInfo().read(self._reader)
        self._tape = self._left_over()
        try:
            try:
                columns, rows = native.skip_block(self._reader)
            except (SystemError, ValueError, OverflowError, MemoryError, struct.error) as error:
                raise ProtocolError("a block that cannot be read") from error  # the driver's reader on absurd sizes
            if rows and into is not None:
                block = memoryview(self._tape)[: len(self._tape) - len(self._left_over())]
                self._check_size(into.tell() + len(block))
                while block:
                    block = block[into.write(block) :]
        finally:
            self._tape = None
        return name, columns, rows

    def _read_client_info(self) -> None:
        if read_binary_uint8(self._reader) == 0:  # no query kind: nothing follows
            return
        for _ in range(3):  # initial user, query id, address
            read_text(self._reader, _SHORT)
        interface = read_binary_uint8(self._reader)
        if interface != 1:
            raise ProtocolError(f"a query relayed from interface {interface}")
        for _ in range(3):  # the client's user, host, name
            read_text(self._reader, _SHORT)
        for _ in range(3):  # version and revision
            read_varint(self._reader)
        read_text(self._reader, _SHORT)  # quota key
        read_varint(self._reader)  # patch

    def _read_settings(self) -> tuple[dict[str, str], frozenset[str]]:
        settings: dict[str, str] = {}
        important: set[str] = set()
        while name := read_text(self._reader, _SHORT):
            if read_varint(self._reader) & _IMPORTANT:
                important.add(name)
            settings[name] = read_text(self._reader, 1 << 20)
            if len(settings) > 1000:
                raise ProtocolError("more than a thousand settings")
        return settings, frozenset(important)

    def _left_over(self) -> bytearray:
        """Return what was received and not yet read."""
        reader = self._reader
        return bytearray(reader.buffer[reader.position : reader.current_buffer_size])

    def _receive(self) -> bytes:
        try:
            data = self._socket.recv(_RECEIVE)
        except OSError as error:
            raise ClientGone from error
        if not data:
            raise ClientGone
        if self._tape is not None:
            self._tape += data
            self._check_size(len(self._tape))
        return data

    def _check_size(self, size: int) -> None:
        if size > self._max_insert_bytes:
            raise DatabaseError(
                MEMORY_LIMIT_EXCEEDED,
                f"An insert of more than {self._max_insert_bytes} bytes: send it in parts. (MEMORY_LIMIT_EXCEEDED)",
            )
