"""What kind of statement a client sent: as much reading of SQL as the protocol needs, chDB does the rest."""

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

from deploy.local.chdb_server.errors import NOT_IMPLEMENTED, READONLY, SYNTAX_ERROR, DatabaseError

_TOKEN = re.compile(
    r"""(?P<space>\s+|--[^\n]*|\#[!\s][^\n]*|/\*.*?\*/)
    |(?P<string>'[^'\\]*(?:(?:\\.|'')[^'\\]*)*')
    |(?P<quoted>`[^`\\]*(?:(?:\\.|``)[^`\\]*)*`|"[^"\\]*(?:(?:\\.|"")[^"\\]*)*")
    |(?P<heredoc>\$(?P<tag>\w*)\$.*?\$(?P=tag)\$)
    |(?P<word>[A-Za-z_][\w$]*)
    |(?P<number>[0-9][\w.]*)
    |(?P<mark>.)""",
    re.DOTALL | re.VERBOSE,
)


class Kind(Enum):
    """How a statement is answered."""

    SELECT = auto()  # streamed block by block
    SHOW = auto()  # a small table: SHOW, EXISTS, DESCRIBE, EXPLAIN
    INSERT_DATA = auto()  # the client sends the rows
    OTHER = auto()  # nothing comes back, or a small table


@dataclass(frozen=True)
class InsertTarget:
    """Where the client's rows go; *columns* is the text between the parentheses, None without a list."""

    table: str
    columns: str | None
    names: tuple[str, ...] | None  # None: no list, or one that is more than plain names
    settings: bool  # the statement has a SETTINGS clause of its own, at its end


@dataclass(frozen=True)
class Statement:
    """One statement, ready for chDB; for INSERT_DATA without its VALUES or FORMAT."""

    text: str
    kind: Kind
    insert: InsertTarget | None = None


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    start: int
    depth: int

    @property
    def upper(self) -> str:
        """The word in capitals; nothing for what is no bare word, so that names in quotes are no keywords."""
        return self.text.upper() if self.kind == "word" else ""


def parse(sql: str) -> Statement:
    """Return what *sql* is.

    Raises DatabaseError for an empty text, for more than one statement and for INTO OUTFILE, which would write a file
    here instead of at the client.
    """
    tokens = _tokens(sql)
    first = next((token for token in tokens if token.text != "("), None)
    if first is None:
        raise DatabaseError(SYNTAX_ERROR, "Syntax error: empty query. (SYNTAX_ERROR)")
    if first.upper == "INSERT":
        return _parse_insert(sql, list(_until_rows(tokens)))
    rest = [first, *tokens]
    end = next((at for at, token in enumerate(rest) if token.text == ";"), len(rest))
    if any(token.text != ";" for token in rest[end:]):
        raise DatabaseError(SYNTAX_ERROR, "Syntax error (Multi-statements are not allowed). (SYNTAX_ERROR)")
    text = sql[: rest[end].start] if end < len(rest) else sql
    rest = rest[:end]
    if first.upper in ("SELECT", "WITH", "FROM"):
        return Statement(_without_format(text, rest), Kind.SELECT)
    if first.upper in ("SHOW", "EXISTS", "DESCRIBE", "DESC", "EXPLAIN"):
        return Statement(_without_format(text, rest), Kind.SHOW)
    return Statement(text, Kind.OTHER)


def check_read_only(sql: str, statement: Statement, forbidden_functions: frozenset[str]) -> None:
    """Raise DatabaseError unless *statement* only reads tables.

    chDB's own `readonly` already refuses writes; it lets files and addresses be read, so table functions in
    *forbidden_functions* (lower case) and files named in FROM are refused here.
    """
    if statement.kind not in (Kind.SELECT, Kind.SHOW):
        raise DatabaseError(READONLY, "Cannot execute query in readonly mode. (READONLY)")
    tokens = list(_tokens(sql))
    for before, token, after in zip([None, *tokens], tokens, [*tokens[1:], None], strict=False):
        name = token.text.strip('`"').lower() if token.kind in ("word", "quoted") else ""
        called = after is not None and after.text == "("
        file_name = token.kind == "string" and before is not None and before.upper in ("FROM", "JOIN", "TABLE")
        if (called and name in forbidden_functions) or file_name or (token.kind == "quoted" and "/" in token.text):
            raise DatabaseError(READONLY, f"Cannot read {token.text} in readonly mode. (READONLY)")


def _tokens(sql: str) -> Iterator[_Token]:
    depth = 0
    for found in _TOKEN.finditer(sql):
        if found.lastgroup == "space":
            continue
        piece = found[0]
        if piece in ")]}":
            depth -= 1
        # The tag inside a heredoc is a group too; the outer group closes last, so lastgroup still names it.
        yield _Token(found.lastgroup or "mark", piece, found.start(), depth)
        if piece in "([{":
            depth += 1


def _until_rows(tokens: Iterator[_Token]) -> Iterator[_Token]:
    """Yield tokens up to the one after VALUES: rows in the text itself can be megabytes and need no reading."""
    for token in tokens:
        yield token
        if token.depth == 0 and token.upper == "VALUES":
            yield from (after for after in (next(tokens, None),) if after is not None)
            return


def _without_format(text: str, tokens: list[_Token]) -> str:
    """Return *text* without `FORMAT name`: over the native protocol the client alone decides how rows are shown."""
    for token, after in itertools.pairwise(tokens):
        if token.upper == "INTO" and after.upper == "OUTFILE":
            raise DatabaseError(NOT_IMPLEMENTED, "INTO OUTFILE is a matter of the client. (NOT_IMPLEMENTED)")
    for at in range(len(tokens) - 2, 0, -1):
        token, name = tokens[at], tokens[at + 1]
        last = at + 2 == len(tokens) or tokens[at + 2].upper == "SETTINGS"
        if token.depth == 0 and token.upper == "FORMAT" and name.kind == "word" and last:
            return text[: token.start] + text[name.start + len(name.text) :]
    return text


def _parse_insert(sql: str, tokens: list[_Token]) -> Statement:
    if tokens and tokens[-1].text == ";":
        tokens = tokens[:-1]
    other = Statement(sql, Kind.OTHER)
    words = [token.upper for token in tokens]
    end = next((at for at, word in enumerate(words) if tokens[at].depth == 0 and word in ("VALUES", "FORMAT")), None)
    tail_length = 0 if end is None else len(tokens) - end
    if end is None or tail_length != (1 if words[end] == "VALUES" else 2):
        return other
    if any(tokens[at].depth == 0 and words[at] in ("SELECT", "WITH", "INFILE") for at in range(end)):
        return other
    at = 1
    while at < end and words[at] in ("INTO", "TABLE"):
        at += 1
    if at < end and words[at] == "FUNCTION":
        raise DatabaseError(NOT_IMPLEMENTED, "Rows of a client cannot go into a table function. (NOT_IMPLEMENTED)")
    start = at
    at += 3 if at + 2 < end and tokens[at + 1].text == "." else 1
    if at > end:
        return other
    table = sql[tokens[start].start : tokens[at].start].strip()
    columns, names = None, None
    if tokens[at].text == "(":
        close = next((i for i in range(at, end) if tokens[i].text == ")" and tokens[i].depth == 0), None)
        if close is None:
            return other
        columns = sql[tokens[at].start + 1 : tokens[close].start]
        names = _plain_names(tokens[at + 1 : close])
        at = close + 1
    text = sql[: tokens[end].start]
    return Statement(text, Kind.INSERT_DATA, InsertTarget(table, columns, names, "SETTINGS" in words[at:end]))


def _plain_names(tokens: list[_Token]) -> tuple[str, ...] | None:
    names: list[str] = [""]
    for token in tokens:
        if token.text == ",":
            names.append("")
        elif token.kind == "word" or token.text == ".":
            names[-1] += token.text
        elif token.kind == "quoted":
            quote = token.text[0]
            names[-1] += token.text[1:-1].replace(quote * 2, quote)
        else:
            return None
    return tuple(names)
