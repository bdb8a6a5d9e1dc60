"""Findings: faults that no contract can see in one field, and the tools that the checks of documents share.

The checks read a document as it was written, not the validated value, so that they find their faults beside those of the
contract; what has the wrong shape they pass over, because the contract reports it.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from typing import Any

from pydantic import TypeAdapter, ValidationError

from schemas.plan import Share

Path = tuple[str | int, ...]
_SHARE: TypeAdapter[Fraction] = TypeAdapter(Share)


@dataclass(frozen=True, slots=True)
class Finding:
    """A fault at a path of the document, with what was probably meant; a warning does not keep it from being published."""

    path: Path
    message: str
    hint: str | None = None
    warning: bool = False


def meant(word: str, known: Collection[str]) -> str | None:
    """Return the hint with the known word that resembles *word* most; None where none does."""
    close = difflib.get_close_matches(word, sorted(known), n=1, cutoff=0.6)
    return f"did you mean {close[0]!r}?" if close else None


def unless_known(path: Path, what: str, name: Any, known: Collection[str]) -> Iterator[Finding]:
    """Yield an unknown *name*; what is no text is passed over."""
    if isinstance(name, str) and name not in known:
        yield Finding(path, f"unknown {what} {name!r}", meant(name, known))


def duplicates(named: Sequence[tuple[Path, Any]], what: str) -> Iterator[Finding]:
    """Yield every name that stands a second time."""
    seen: set[str] = set()
    for path, name in named:
        if isinstance(name, str):
            if name in seen:
                yield Finding(path, f"a second {what} {name!r}")
            seen.add(name)


def backward_span(path: Path, holder: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield a life that ends before it begins."""
    first, last = as_day(holder.get("from")), as_day(holder.get("to"))
    if first and last and last < first:
        yield Finding((*path, "to"), f"ends, {last}, before it begins, {first}")


def entries(holder: Mapping[str, Any], key: str) -> Iterator[tuple[int, Any]]:
    """Yield the numbered entries of a list; nothing where there is none."""
    yield from enumerate(as_list(holder.get(key)))


def as_list(value: Any) -> Sequence[Any]:
    """Return *value* if it is a list, else an empty one."""
    return value if isinstance(value, list | tuple) else ()


def as_day(value: Any) -> date | None:
    """Return the day that *value* states; None where it states none."""
    if isinstance(value, datetime):
        return None
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None


def as_share(value: Any) -> Fraction | None:
    """Return the share that *value* states; None where it states none."""
    try:
        return _SHARE.validate_python(value)
    except ValidationError:
        return None


def percent(share: Fraction) -> str:
    """Return *share* for people."""
    return f"{float(share * 100):g} %"


def some_of(names: Collection[str]) -> str:
    """Return the first three names and how many more there are."""
    first = sorted(names)[:3]
    more = len(names) - len(first)
    return ", ".join(repr(name) for name in first) + (f" and {more} more" if more else "")
