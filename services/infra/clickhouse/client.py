"""A connection to ClickHouse. Blocking; one per thread."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from time import monotonic
from typing import Any

from clickhouse_driver import Client
from clickhouse_driver.errors import Error as DriverError
from clickhouse_driver.errors import NetworkError, ServerException, SocketTimeoutError, TypeMismatchError

from services.core.errors import Transient
from services.infra.clickhouse.packing import Packed, use_packing
from services.infra.clickhouse.patience import GREETING_S, KEEPALIVE, use_patience

Row = tuple[Any, ...]

# What a healthy server may answer and take back later: timed out, too many queries at once, a fault of its own network,
# out of memory for now, read-only for now, too many parts, too few replicas, an insert of unknown fate, Keeper away;
# and what a statement of ours refuses by `throwIf`, because it began too late.
_PASSING = frozenset({159, 202, 209, 210, 241, 242, 252, 285, 319, 395, 999})


@dataclass(frozen=True, kw_only=True)
class ClickHouseAddress:
    """Where ClickHouse is and who we are there. The password is never shown.

    *timeout_s* is how long a statement may take without a sign of the server. ClickHouse gives one many times a second while
    it works on a query; the embedded database gives none until it has the answer.
    """

    host: str = "127.0.0.1"
    port: int = 9000
    database: str = "tiendo"
    user: str = "default"
    password: str = ""
    secure: bool = False
    timeout_s: int = 120

    def __repr__(self) -> str:
        return f"ClickHouseAddress({self})"

    def __str__(self) -> str:
        return f"{self.user}@{self.host}:{self.port}/{self.database}"


class ClickHouse:
    """One connection. A network fault raises :class:`Transient`; the next call connects anew.

    What the server refuses (a wrong query, a type) raises the driver's ``ServerException``: a bug, not something to retry.
    What it cannot do at the moment (out of memory, too many parts, no Keeper) raises :class:`Transient` too. A value that its
    column cannot hold raises TypeError: no wait mends that.
    """

    def __init__(self, address: ClickHouseAddress) -> None:
        self._address = address
        self._asked: float | None = None
        self._client = Client(
            host=address.host,
            port=address.port,
            database=address.database,
            user=address.user,
            password=address.password,
            secure=address.secure,
            connect_timeout=5,
            send_receive_timeout=address.timeout_s,
            client_name="tiendo",
            tcp_keepalive=KEEPALIVE,
        )
        use_packing(self._client.connection)
        use_patience(self._client.connection, greeting_s=min(GREETING_S, address.timeout_s))

    def rows(
        self, query: str, params: dict[str, Any] | None = None, *, settings: dict[str, Any] | None = None
    ) -> list[Row]:
        """Return the rows of a SELECT; *settings* are ClickHouse's own, for this query."""
        with self._faults():
            result: list[Row] = self._client.execute(query, params, settings=settings)
            return result

    def columns(self, query: str, params: dict[str, Any] | None = None) -> list[Sequence[Any]]:
        """Return the columns of a SELECT; an empty list where there are no rows."""
        with self._faults():
            result: list[Sequence[Any]] = self._client.execute(query, params, columnar=True)
            return result

    def named(self, query: str, params: dict[str, Any] | None = None) -> list[dict[str, Any]]:
        """Return the rows of a SELECT as dictionaries."""
        with self._faults():
            rows, header = self._client.execute(query, params, with_column_types=True)
        names = [name for name, _ in header]
        return [dict(zip(names, row, strict=True)) for row in rows]

    def run(self, query: str, params: dict[str, Any] | None = None) -> None:
        """Execute a statement without rows."""
        with self._faults():
            self._client.execute(query, params)

    def insert(self, table: str, names: Sequence[str], columns: Sequence[Sequence[Any]]) -> None:
        """Insert *columns* (parallel sequences) into *table*; returns once ClickHouse has taken the rows."""
        if columns and columns[0]:
            self._insert(table, names, list(columns))

    def insert_packed(self, table: str, names: Sequence[str], columns: Sequence[Packed]) -> None:
        """Insert columns packed elsewhere; returns once ClickHouse has taken the rows. TypeError where types have changed."""
        if columns and columns[0].rows:
            self._insert(table, names, [[column] for column in columns])

    def types(self, table: str) -> dict[str, str]:
        """Return the type of each column of *table*, none where there is no such table."""
        return dict(
            self.rows(
                "SELECT name, type FROM system.columns WHERE database = currentDatabase() AND table = %(table)s",
                {"table": table},
            )
        )

    def _insert(self, table: str, names: Sequence[str], columns: list[Any]) -> None:
        with self._faults():
            self._client.execute(
                f"INSERT INTO {table} ({', '.join(names)}) VALUES",
                columns,
                columnar=True,
                # A repeated block may have missed a view the first time; its rows collapse by their keys anyway. And they
                # need not be looked through for equal keys now: queries and merges do it.
                settings={"insert_deduplicate": 0, "optimize_on_insert": 0},
            )

    def unanswered(self) -> float:
        """Return for how many seconds the statement under way has had no answer; 0 between statements. For any thread."""
        asked = self._asked
        return 0.0 if asked is None else monotonic() - asked

    def close(self) -> None:
        """Close the connection; a statement under way in another thread fails."""
        with suppress(AttributeError):  # of the driver, where that thread disconnects at the same moment
            self._client.disconnect()

    @contextmanager
    def _faults(self) -> Iterator[None]:
        self._asked = monotonic()
        try:
            yield
        except ServerException as fault:
            if fault.code not in _PASSING:
                raise
            raise Transient(f"ClickHouse at {self._address} cannot do it now: code {fault.code}") from fault
        except (NetworkError, SocketTimeoutError, EOFError, OSError) as fault:
            self._client.disconnect()
            raise Transient(f"ClickHouse at {self._address} is not answering: {type(fault).__name__}") from fault
        except TypeMismatchError:  # its text quotes the value
            self._client.disconnect()
            raise TypeError(f"a value does not fit its column of ClickHouse at {self._address}") from None
        except DriverError as fault:  # a half-read answer leaves the connection in no known state
            self._client.disconnect()
            raise Transient(f"the connection to ClickHouse at {self._address} broke: {type(fault).__name__}") from fault
        finally:
            self._asked = None


@contextmanager
def open_clickhouse(address: ClickHouseAddress) -> Iterator[ClickHouse]:
    """Open a connection for the time of a ``with`` block. The first query connects."""
    client = ClickHouse(address)
    try:
        yield client
    finally:
        client.close()
