"""chDB: the one owner of a folder, and a connection per client."""

import fcntl
import json
import os
import re
import threading
from collections.abc import Generator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import chdb

from deploy.local.chdb_server import native
from deploy.local.chdb_server.errors import (
    NO_SUCH_COLUMN,
    UNKNOWN_SETTING,
    DatabaseError,
    ProtocolError,
    from_engine,
)
from deploy.local.chdb_server.sql import InsertTarget, Kind, Statement

LOCK_NAME: Final = ".tiendo.lock"
# What a read-only client may call where a table is expected; every other table function reaches outside.
_HARMLESS_FUNCTIONS: Final = frozenset(
    {"format", "generaterandom", "generateseries", "generate_series", "merge", "null", "numbers", "numbers_mt"}
    | {"primes", "sqlstandardvalues", "values", "view", "zeros", "zeros_mt"}
)
# One part per partition and statement: whatever the number of blocks, they are seen together or not at all.
_INSERT_SETTINGS: Final = (
    "async_insert = 0, max_insert_threads = 1, min_insert_block_size_rows = 1000000000,"
    " min_insert_block_size_bytes = 1000000000000, max_insert_block_size = 1000000000"
)


class FolderTaken(Exception):
    """Another process serves this folder: stop it first, or choose another folder."""


class Engine:
    """chDB on one folder, for one process.

    The lock on the folder is the kernel's and ends with the process, so a killed server leaves nothing to clean up.
    Raises FolderTaken while another process holds it. `close` ends all connections' engine; call it last.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder.resolve()
        self._lock = _lock_folder(self.folder)
        self._admin = chdb.connect(str(self.folder))
        self._admin_lock = threading.Lock()
        self.version: str = self._admin_rows("SELECT version()")[0][0]
        self.timezone: str = self._admin_rows("SELECT timezone()")[0][0]
        names = {row[0].lower() for row in self._admin_rows("SELECT name FROM system.table_functions")}
        self.outside_functions = frozenset(names | {"file", "url"}) - _HARMLESS_FUNCTIONS

    def connect(self, label: str, database: str, *, read_only: bool) -> "EngineConnection":
        """Return a connection of its own settings and current database; DatabaseError 81 for an unknown one."""
        return EngineConnection(str(self.folder), label, database, read_only=read_only)

    def cancel(self, label: str) -> None:
        """Cancel what runs on the connection *label*, soon; nothing happens when nothing runs."""
        self._kill(f"splitByChar(' ', Settings['log_comment'])[1] = '{label}'")

    def cancel_all(self) -> None:
        """Cancel what runs on any client's connection."""
        self._kill("Settings['log_comment'] != ''")

    def close(self) -> None:
        """Close chDB and let the folder go."""
        with self._admin_lock:
            self._admin.close()
        os.close(self._lock)

    def _kill(self, condition: str) -> None:
        with self._admin_lock, suppress(RuntimeError):
            self._admin.query(f"KILL QUERY WHERE {condition} ASYNC")

    def _admin_rows(self, sql: str) -> list[list[str]]:
        with self._admin_lock:
            return _rows(self._admin.query(sql, "JSONCompact"))


class EngineConnection:
    """What one client has of chDB; used by one thread at a time."""

    def __init__(self, folder: str, label: str, database: str, *, read_only: bool) -> None:
        self._folder, self._label, self._read_only = folder, label, read_only
        self._settings: dict[str, str] = {}
        self._unknown: set[str] = set()
        self._conn: Any = None
        self._open(database)

    def close(self) -> None:
        """Close the connection; an open answer is dropped."""
        self._conn.close()

    def configure(self, settings: Mapping[str, str], important: frozenset[str]) -> None:
        """Let *settings* hold for the next statement and end those of the last one.

        Names that ClickHouse does not know are ignored, as its server does, unless they are *important*.
        """
        wanted = dict(settings)
        wanted["log_comment"] = f"{self._label} {wanted.get('log_comment', '')}".strip()
        for name in sorted(set(self._settings) - set(wanted)):
            try:
                self._query(f"SET {_identifier(name)} = DEFAULT")
            except DatabaseError:  # `readonly` cannot be taken back, only a new connection is without it
                self._reopen()
                break
            del self._settings[name]
        for name, value in wanted.items():
            if self._settings.get(name) == value or (name in self._unknown and name not in important):
                continue
            try:
                self._query(f"SET {_identifier(name)} = {_literal(value)}")
            except DatabaseError as error:
                if error.code != UNKNOWN_SETTING or name in important:
                    raise
                self._unknown.add(name)
            else:
                self._settings[name] = value

    def run(self, statement: Statement) -> Generator[bytes, None, None]:
        """Yield the answer of *statement* as Native blocks, the first one without rows, for names and types.

        A SELECT is streamed, and closing the iterator cancels it; everything else has run when the first block comes.
        Raises DatabaseError with chDB's code, also between blocks.
        """
        if statement.kind is Kind.SELECT:
            yield from self._select(statement)
            return
        blocks = native.split_blocks(self._query(statement.text).bytes())
        if statement.text.lstrip()[:3].upper() == "USE":
            self._database = self._current_database()
        if blocks:
            yield native.header(native.columns_of(blocks[0]))
        elif statement.kind is Kind.SHOW:
            yield native.header(self._columns_of(statement))
        yield from blocks

    def insert_columns(self, target: InsertTarget) -> native.Columns:
        """Return names and types of the columns that a client is to send; DatabaseError for unknown ones."""
        if target.columns is not None and target.names is None:
            columns = f"SELECT {target.columns} FROM {target.table}"  # noqa: S608 - the client's own SQL, its own rights
            return [(row[0], row[1]) for row in _rows(self._query(_describe(f"({columns})"), "JSONCompact"))]
        rows = _rows(self._query(_describe(target.table), "JSONCompact"))
        if target.names is None:
            return [(row[0], row[1]) for row in rows if row[2] not in ("MATERIALIZED", "ALIAS", "EPHEMERAL")]
        kinds = {row[0]: row[1] for row in rows if row[2] not in ("MATERIALIZED", "ALIAS")}
        for name in target.names:
            if name not in kinds:
                raise DatabaseError(
                    NO_SUCH_COLUMN, f"No such column {name} in table {target.table}. (NO_SUCH_COLUMN_IN_TABLE)"
                )
        return [(name, kinds[name]) for name in target.names]

    def insert(self, statement: Statement, columns: native.Columns, blocks: int) -> None:
        """Insert with one statement the Native blocks in the open file *blocks*; it returns once they can be read.

        Into a MergeTree table the rows become one part per partition: a partition's rows are all there or not at all.
        """
        if statement.insert is None:
            return
        # Not chDB's own `send_insert`: it reports success for rows that a constraint, for one, has refused.
        joint = "," if statement.insert.settings else "\nSETTINGS"
        names = ", ".join(_identifier(name) for name, _ in columns)
        structure = _literal(", ".join(f"{_identifier(name)} {kind}" for name, kind in columns))
        source = f"SELECT {names} FROM file('/proc/self/fd/{blocks}', 'Native', {structure})"  # noqa: S608 - quoted
        self._query(f"{statement.text}{joint} {_INSERT_SETTINGS} {source}")

    def _select(self, statement: Statement) -> Generator[bytes, None, None]:
        try:
            stream = self._conn.send_query(statement.text, "Native")
        except RuntimeError as error:
            if "Streaming query is not supported" not in str(error):
                raise from_engine(error) from error
            yield from self.run(Statement(statement.text, Kind.OTHER))
            return
        columns: native.Columns | None = None
        zoned = False
        try:
            for chunk in stream:
                body = chunk.bytes()
                whole = native.row_count(body) == chunk.rows_read()
                for block in (body,) if whole else native.split_blocks(body):
                    if columns is None:
                        columns, zoned = self._first_columns(block, statement)
                        yield native.header(columns)
                    yield native.retype(block, columns) if zoned else block
        except RuntimeError as error:
            raise from_engine(error) from error
        finally:
            with suppress(RuntimeError):
                stream.close()
        if columns is None:
            yield native.header(self._columns_of(statement))

    def _first_columns(self, block: bytes, statement: Statement) -> tuple[native.Columns, bool]:
        """Return the columns of an answer, and whether its blocks must be told so: Native drops a DateTime's zone."""
        try:
            columns = native.columns_of(block)
        except ProtocolError:  # a type whose values cannot be walked over; the client may know it all the same
            columns = []
        if columns and all(kind != "DateTime" for _, kind in columns):
            return columns, False
        with chdb.connect(self._folder) as other:  # this connection is busy with the answer itself
            other.query(f"USE {_identifier(self._database)}")
            described = self._columns_of(statement, other)
        return described, bool(columns) and described != columns

    def _columns_of(self, statement: Statement, conn: Any = None) -> native.Columns:
        """Return the columns of a statement that answers with a table, without its rows."""
        conn = conn or self._conn
        if statement.kind is Kind.SELECT:
            with suppress(RuntimeError):
                rows = _rows(conn.query(_describe(f"({statement.text}\n)"), "JSONCompact"))
                return [(row[0], row[1]) for row in rows]
        try:
            meta = json.loads(conn.query(statement.text, "JSONCompact").bytes())["meta"]
        except RuntimeError as error:
            raise from_engine(error) from error
        return [(column["name"], column["type"]) for column in meta]

    def _query(self, sql: str, fmt: str = "Native") -> Any:
        try:
            return self._conn.query(sql, fmt)
        except RuntimeError as error:
            raise from_engine(error) from error

    def _current_database(self) -> str:
        return _rows(self._query("SELECT currentDatabase()", "JSONCompact"))[0][0]

    def _open(self, database: str) -> None:
        self._conn = chdb.connect(self._folder)
        try:
            if database:
                self._query(f"USE {_identifier(database)}")
            self._database = database or self._current_database()
            self._settings = {}
            if self._read_only:
                self._query("SET readonly = 2")
        except DatabaseError:
            self._conn.close()
            raise

    def _reopen(self) -> None:
        self._conn.close()
        self._open(self._database)


def _lock_folder(folder: Path) -> int:
    handle = os.open(folder / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        owner = os.read(handle, 20).decode(errors="replace").strip()
        os.close(handle)
        raise FolderTaken(f"{folder} is served by another process (pid {owner or 'unknown'})") from error
    os.ftruncate(handle, 0)
    os.write(handle, f"{os.getpid()}\n".encode())
    return handle


def _rows(result: Any) -> list[list[str]]:
    data: list[list[str]] = json.loads(result.bytes())["data"]
    return data


def _describe(table: str) -> str:
    # Types as they stand in blocks, without the line breaks that are meant for people.
    return f"DESCRIBE TABLE {table} SETTINGS print_pretty_type_names = 0"


def _identifier(name: str) -> str:
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"


def _literal(value: str) -> str:
    return "'" + re.sub(r"([\\'])", r"\\\1", value) + "'"
