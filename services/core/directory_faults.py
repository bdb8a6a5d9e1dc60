"""A directory, and a list of sources, checked for sense as a whole."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from schemas.directory import Directory
from schemas.events import CATALOGUE
from schemas.revisions import DirectoryRevision
from services.core.findings import (
    Finding,
    Path,
    as_day,
    as_list,
    backward_span,
    duplicates,
    entries,
    meant,
    unless_known,
)
from services.core.scope import LEADERSHIP


def directory_findings(directory: Mapping[str, Any]) -> list[Finding]:
    """Return the faults of a directory as written."""
    return list(_directory(directory))


def departures(before: DirectoryRevision | None, after: Directory) -> list[str]:
    """Return a remark on every agency that *before* has and *after* lacks, in the order of *before*; none without one."""
    kept = {agency.id for agency in after.agencies}
    return [
        f"agency {agency.id!r} is no longer there: what is stated about it will be refused — keep it, with its last day in `to`"
        for agency in (before.document.agencies if before else ())
        if agency.id not in kept
    ]


def sources_findings(sources: Mapping[str, Any], directories: Sequence[Directory]) -> list[Finding]:
    """Return the faults of a list of sources as written, against the directories known; none known: agencies go unchecked."""
    return list(_sources(sources, directories))


def _directory(directory: Mapping[str, Any]) -> Iterator[Finding]:
    agencies = [(at, one) for at, one in entries(directory, "agencies") if isinstance(one, Mapping)]
    groups = directory.get("groups")
    known_groups = {str(name) for name in groups} if isinstance(groups, Mapping) else set()
    ids = {one["id"] for _, one in agencies if isinstance(one.get("id"), str)}
    if isinstance(groups, Mapping) and LEADERSHIP not in known_groups:
        yield Finding(
            ("groups",),
            f"the group {LEADERSHIP!r} is missing: documents are exchanged with it",
            meant(LEADERSHIP, known_groups),
        )
    elif known_groups and not any(LEADERSHIP in as_list(one.get("groups")) for _, one in agencies):
        yield Finding(("groups", LEADERSHIP), f"no agency is in group {LEADERSHIP!r}", warning=True)
    yield from duplicates([(("agencies", at, "id"), one.get("id")) for at, one in agencies], "agency")
    for at, agency in agencies:
        here: Path = ("agencies", at)
        yield from backward_span(here, agency)
        for number, group in entries(agency, "groups"):
            yield from unless_known((*here, "groups", number), "group", group, known_groups)
        if isinstance(agency.get("parent"), str):
            yield from unless_known((*here, "parent"), "agency", agency["parent"], ids)
    yield from _cycles(agencies)
    yield from _codes(agencies)
    schemes = [(at, one) for at, one in entries(directory, "schemes") if isinstance(one, Mapping)]
    yield from duplicates([(("schemes", at, "id"), one.get("id")) for at, one in schemes], "scheme")
    feeds = [(at, one) for at, one in entries(directory, "feeds") if isinstance(one, Mapping)]
    yield from duplicates([(("feeds", at, "id"), one.get("id")) for at, one in feeds], "feed")
    for at, feed in feeds:
        yield from _selector(("feeds", at, "covers"), feed.get("covers"), known_groups, ids)


def _cycles(agencies: Sequence[tuple[int, Mapping[str, Any]]]) -> Iterator[Finding]:
    parents = {one.get("id"): one.get("parent") for _, one in agencies}
    told: set[Any] = set()
    for at, agency in agencies:
        climb: list[Any] = []
        name = agency.get("id")
        while isinstance(name, str) and name in parents and name not in climb:
            climb.append(name)
            name = parents[name]
        if isinstance(name, str) and name in climb and not told & set(climb):
            ring = climb[climb.index(name) :]
            told |= set(ring)
            yield Finding(("agencies", at, "parent"), f"its parents form a circle: {' → '.join([*ring, name])}")


def _codes(agencies: Sequence[tuple[int, Mapping[str, Any]]]) -> Iterator[Finding]:
    held: dict[tuple[str, str], list[tuple[date, date, str]]] = {}
    for at, agency in agencies:
        for number, code in entries(agency, "codes"):
            if not isinstance(code, Mapping):
                continue
            here = ("agencies", at, "codes", number)
            yield from backward_span(here, code)
            key = (str(code.get("scheme")), str(code.get("value")))
            first, last = as_day(code.get("from")) or date.min, as_day(code.get("to")) or date.max
            for other_first, other_last, owner in held.get(key, []):
                if first <= other_last and other_first <= last:
                    yield Finding((*here, "value"), f"code {key[1]!r} of {key[0]!r} is {owner!r}'s already")
                    break
            held.setdefault(key, []).append((first, last, str(agency.get("id"))))


def _sources(sources: Mapping[str, Any], directories: Sequence[Directory]) -> Iterator[Finding]:
    listed = [(at, one) for at, one in entries(sources, "entries") if isinstance(one, Mapping)]
    yield from duplicates([(("entries", at, "id"), one.get("id")) for at, one in listed], "source")
    groups = {group for directory in directories for group in directory.groups}
    ids = {agency.id for directory in directories for agency in directory.agencies}
    for at, source in listed:
        for number, short in entries(source, "types"):
            yield from unless_known(("entries", at, "types", number), "event type", short, set(CATALOGUE))
        if directories:
            yield from _selector(("entries", at, "agencies"), source.get("agencies"), groups, ids)


def _selector(path: Path, selector: Any, groups: Collection[str], ids: Collection[str]) -> Iterator[Finding]:
    if isinstance(selector, Mapping):
        for number, group in entries(selector, "groups"):
            yield from unless_known((*path, "groups", number), "group", group, groups)
        for number, agency in entries(selector, "agencies"):
            yield from unless_known((*path, "agencies", number), "agency", agency, ids)
