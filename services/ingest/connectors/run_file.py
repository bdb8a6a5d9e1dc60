"""``connectors.yaml``: many connectors of one deployment in one file, some of them once per agency."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from services.ingest.connectors.errors import CannotGoOn
from services.ingest.connectors.mapping import read_yaml
from services.ingest.core.postfix_mail import SYSTEM_SENDERS

_AGENCY = "{agency}"


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1, description="Of the state and in summaries; {agency} where one stands for many.")
    source: str = Field(min_length=1)
    agency: str = Field(min_length=1, description="Who reports.")
    for_each: str | None = Field(default=None, description="A folder below the systems, such as offices/{agency}.")
    since: date | None = Field(default=None, description="Mail: the first day read. Registers: the first day reported.")


class PostfixEntry(_Entry):
    """A mail log, or several of one source."""

    kind: Literal["postfix"]
    logs: tuple[str, ...] = Field(min_length=1)
    domains: tuple[str, ...] = Field(min_length=1)
    system_senders: tuple[str, ...] = tuple(sorted(SYSTEM_SENDERS))
    log_zone: str | None = None


class CsvEntry(_Entry):
    """A register's exports."""

    kind: Literal["csv"]
    mapping: str = Field(description="Path of the mapping, relative to this file.")
    files: str = Field(description="Glob below the systems' folder.")


class RunFile(BaseModel):
    """The whole file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    zone: str = "Asia/Ho_Chi_Minh"
    connectors: tuple[Annotated[PostfixEntry | CsvEntry, Field(discriminator="kind")], ...] = Field(min_length=1)


def read_run_file(path: Path) -> RunFile:
    """Return the file's content. Raises CannotGoOn naming every fault."""
    return read_yaml(path, RunFile)


def spread(entry: PostfixEntry | CsvEntry, systems: Path) -> Iterator[PostfixEntry | CsvEntry]:
    """Return *entry* once per agency that has a folder below *systems*; itself where it is for one. Sorted by agency.

    Raises CannotGoOn where ``for_each`` names no agency.
    """
    if entry.for_each is None:
        yield entry
        return
    if entry.for_each.count(_AGENCY) != 1:
        raise CannotGoOn(f"connector {entry.name}: `for_each` needs {_AGENCY} once, as in offices/{_AGENCY}")
    form = re.compile(re.escape(entry.for_each).replace(re.escape(_AGENCY), "([a-z0-9][a-z0-9.-]*)"))
    for folder in sorted(systems.glob(entry.for_each.replace(_AGENCY, "*"))):
        match = form.fullmatch(folder.relative_to(systems).as_posix())
        if match is not None and folder.is_dir():
            yield _filled(entry, match[1])


def _filled(entry: PostfixEntry | CsvEntry, agency: str) -> PostfixEntry | CsvEntry:
    changed: dict[str, object] = {"for_each": None}
    for name in ("name", "source", "agency", "files"):
        value = getattr(entry, name, None)
        if isinstance(value, str):
            changed[name] = value.replace(_AGENCY, agency)
    if isinstance(entry, PostfixEntry):
        changed["logs"] = tuple(log.replace(_AGENCY, agency) for log in entry.logs)
    return entry.model_copy(update=changed)


def token_of(folder: Path, source: str) -> str:
    """Return the token of *source* from ``<source, / as _>.token``. Raises CannotGoOn where there is none."""
    path = folder / f"{source.replace('/', '_')}.token"
    return read_token(path, f"the token of {source}")


def read_token(path: Path, what: str = "the token") -> str:
    """Return the token in *path*. Raises CannotGoOn where there is none."""
    try:
        token = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise CannotGoOn(
            f"cannot read {what} from {path}: put the source's token there, readable for you only"
        ) from error
    if not token or any(sign.isspace() for sign in token):
        raise CannotGoOn(f"{path} holds no token: one line with the source's token is needed")
    return token
