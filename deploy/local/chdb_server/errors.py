"""What can go wrong between a client and the embedded database."""

import re

SYNTAX_ERROR = 62
NOT_IMPLEMENTED = 48
NO_SUCH_COLUMN = 16
UNEXPECTED_PACKET = 101
UNKNOWN_SETTING = 115
READONLY = 164
TOO_MANY_CONNECTIONS = 202
MEMORY_LIMIT_EXCEEDED = 241
QUERY_WAS_CANCELLED = 394
AUTHENTICATION_FAILED = 516
UNKNOWN_EXCEPTION = 1002

_ENGINE_TEXT = re.compile(r"Code: (\d+)\. (DB::.*)", re.DOTALL)


class DatabaseError(Exception):
    """A statement failed: answer the client with *code* (ClickHouse's own number) and go on with the connection."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message if message.startswith("DB::") else f"DB::Exception: {message}"


class ProtocolError(Exception):
    """The client's bytes make no sense any more: end this connection, and no other."""


class ClientGone(Exception):
    """The client has closed its end: drop what it left unfinished."""


def from_engine(error: Exception) -> DatabaseError:
    """Return *error*, as chDB raised it, with the code that its text carries; 1002 where it carries none."""
    found = _ENGINE_TEXT.search(str(error))
    if found is None:
        return DatabaseError(UNKNOWN_EXCEPTION, str(error) or type(error).__name__)
    return DatabaseError(int(found[1]), found[2])
