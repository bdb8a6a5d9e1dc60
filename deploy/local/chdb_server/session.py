"""One client's conversation, from Hello to the closed socket."""

import hmac
import logging
import os
import socket
import struct
import threading
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from io import FileIO

from deploy.local.chdb_server import native, protocol
from deploy.local.chdb_server.engine import Engine, EngineConnection
from deploy.local.chdb_server.errors import (
    AUTHENTICATION_FAILED,
    MEMORY_LIMIT_EXCEEDED,
    NO_SUCH_COLUMN,
    NOT_IMPLEMENTED,
    QUERY_WAS_CANCELLED,
    UNEXPECTED_PACKET,
    ClientGone,
    DatabaseError,
    ProtocolError,
)
from deploy.local.chdb_server.protocol import Hello, Query, Wire
from deploy.local.chdb_server.sql import Kind, Statement, check_read_only, parse
from deploy.local.chdb_server.watch import Watch

log = logging.getLogger("chdb_server")
_HANDSHAKE_SECONDS = 10
_SEND_SECONDS = 300  # the driver's own patience


@dataclass(frozen=True)
class Users:
    """Who may come in: `default`, and perhaps one more that only reads."""

    password: str
    read_only_name: str | None
    read_only_password: str

    def admits(self, hello: Hello) -> bool:
        """Whether name and password belong together."""
        known = {"default": self.password}
        if self.read_only_name is not None:
            known[self.read_only_name] = self.read_only_password
        wanted = known.get(hello.user)
        return wanted is not None and hmac.compare_digest(wanted.encode(), hello.password.encode())


class Session(threading.Thread):
    """The thread of one client. Whatever the client does ends at most this thread and this connection."""

    def __init__(
        self,
        number: int,
        sock: socket.socket,
        engine: Engine,
        users: Users,
        watch: Watch,
        *,
        max_insert_bytes: int,
        on_end: Callable[["Session"], None],
    ) -> None:
        super().__init__(name=f"client-{number}", daemon=True)
        self._socket, self._engine, self._users, self._watch, self._on_end = sock, engine, users, watch, on_end
        self._wire = Wire(sock, max_insert_bytes=max_insert_bytes)
        self._cancelled = False
        self._stopping = False

    def stop(self) -> None:
        """Let the statement that runs end and be answered, then end; an insert still being sent is dropped."""
        self._stopping = True
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RD)

    def run(self) -> None:
        """Serve the client until it leaves, misbehaves or the server stops."""
        try:
            self._serve()
        except ClientGone:
            pass
        except (ProtocolError, DatabaseError) as error:
            # Of a DatabaseError only the code: its text can hold what the client sent.
            log.info("%s: connection ended: %s", self.name, getattr(error, "code", error))
            if isinstance(error, ProtocolError):
                error = DatabaseError(UNEXPECTED_PACKET, f"Unreadable packet: {error}. (UNEXPECTED_PACKET_FROM_CLIENT)")
            with suppress(ClientGone):
                self._wire.send_exception(error)
        except Exception:  # this thread's last resort: garbage may trip the readers in ways of their own
            log.warning("%s: connection ended by an unexpected error", self.name, exc_info=True)
        finally:
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)
            self._socket.close()
            self._on_end(self)

    def _serve(self) -> None:
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        self._socket.settimeout(_HANDSHAKE_SECONDS)
        if self._wire.read_packet_type() != protocol.HELLO:
            raise ProtocolError("the first packet is not Hello")
        hello = self._wire.read_hello()
        if not self._users.admits(hello):
            raise DatabaseError(
                AUTHENTICATION_FAILED,
                f"{hello.user}: Authentication failed: password is incorrect, or there is no user with such name."
                " (AUTHENTICATION_FAILED)",
            )
        read_only = hello.user == self._users.read_only_name
        with closing(self._engine.connect(self.name, hello.database, read_only=read_only)) as conn:
            self._wire.send_hello(self._engine.version, self._engine.timezone)
            self._socket.settimeout(None)
            patience = struct.pack("@ll", _SEND_SECONDS, 0)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, patience)
            while not self._stopping:
                self._next_packet(conn, read_only=read_only)

    def _next_packet(self, conn: EngineConnection, *, read_only: bool) -> None:
        match self._wire.read_packet_type():
            case protocol.PING:
                self._wire.send(protocol.PONG)
            case protocol.CANCEL:
                pass  # it came after the end of what it meant
            case protocol.QUERY:
                query = self._wire.read_query()
                if query.compressed:  # what follows is compressed too, so there is no going on
                    raise DatabaseError(NOT_IMPLEMENTED, "Compression is off here. (NOT_IMPLEMENTED)")
                self._cancelled = False
                try:
                    self._answer(conn, query, read_only=read_only)
                except DatabaseError as error:
                    if self._cancelled and error.code == QUERY_WAS_CANCELLED:
                        self._wire.send(protocol.END_OF_STREAM)
                        return
                    self._wire.send_exception(error)
                    if error.code == MEMORY_LIMIT_EXCEEDED:
                        raise ClientGone from error  # blocks may be under way that nobody will read
            case other:
                raise ProtocolError(f"packet {other}")

    def _answer(self, conn: EngineConnection, query: Query, *, read_only: bool) -> None:
        self._refuse_external_tables()
        statement = parse(query.text)
        if read_only:
            check_read_only(query.text, statement, self._engine.outside_functions)
        conn.configure(query.settings, query.important)
        if statement.kind is Kind.INSERT_DATA:
            self._insert(conn, statement)
        elif statement.kind is Kind.SELECT:
            with self._watch.readable(self._socket, self._readable_during_query):
                self._send_blocks(conn, statement)
        else:
            self._send_blocks(conn, statement)
        self._wire.send(protocol.END_OF_STREAM)

    def _send_blocks(self, conn: EngineConnection, statement: Statement) -> None:
        if self._wire.cancel_is_next():
            self._cancelled = True
            return
        with closing(conn.run(statement)) as blocks:  # closing it cancels what still runs
            for block in blocks:
                if self._cancelled:
                    return
                self._wire.send_block(block)

    def _insert(self, conn: EngineConnection, statement: Statement) -> None:
        """Take all blocks first: an insert whose client vanishes has never begun."""
        if statement.insert is None:
            return
        wanted = conn.insert_columns(statement.insert)
        self._wire.send_block(native.header(wanted))
        names = {name for name, _ in wanted}
        fault: DatabaseError | None = None
        with FileIO(os.memfd_create(self.name, os.MFD_CLOEXEC), "wb") as memory:
            while True:
                self._expect_data()
                _, columns, rows = self._wire.read_data(memory)
                if not columns:
                    break
                if rows and {name for name, _ in columns} != names:
                    fault = DatabaseError(NO_SUCH_COLUMN, "Other columns than asked for. (NO_SUCH_COLUMN_IN_TABLE)")
            if fault is not None:
                raise fault
            if memory.tell():
                conn.insert(statement, wanted, memory.fileno())

    def _refuse_external_tables(self) -> None:
        refused = False
        while True:
            self._expect_data()
            name, columns, _ = self._wire.read_data(None)
            if not name and not columns:
                break
            refused = True
        if refused:
            raise DatabaseError(NOT_IMPLEMENTED, "External tables are not supported here. (NOT_IMPLEMENTED)")

    def _expect_data(self) -> None:
        packet = self._wire.read_packet_type()
        if packet == protocol.CANCEL:
            raise ClientGone  # given up while sending rows: nothing of them is kept
        if packet != protocol.DATA:
            raise ProtocolError(f"packet {packet} where Data is due")

    def _readable_during_query(self) -> bool:
        """Cancel what runs if the client says so or has gone, and tell whether; called from the watch's thread."""
        try:
            first = self._socket.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        except OSError:
            first = b""
        if self._stopping or (first and first[0] != protocol.CANCEL):
            return False
        self._cancelled = True
        self._engine.cancel(self.name)
        return True
