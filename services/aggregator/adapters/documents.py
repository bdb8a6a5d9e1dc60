"""Revisions into the tables that are read off them. The same revision twice changes nothing."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from itertools import islice
from typing import Any, Final, NamedTuple

from schemas.directory import Directory
from schemas.plan import Plan
from schemas.revisions import AnyRevision, DirectoryRevision, PlanRevision, PolicyRevision, SourcesRevision
from services.aggregator.adapters.writer import insert_marks
from services.aggregator.core import documents as rows_of
from services.aggregator.core.marks import Mark
from services.core.definition import definitions_in
from services.core.reigns import Issue, reigns_of
from services.core.scope import FIRST_DAY, LAST_DAY
from services.infra.clickhouse.client import ClickHouse, Row

_ROWS_AT_ONCE: Final = 50_000
_REVISION: Final = ("kind", "id", "revision", "in_force_from", "published", "document")


def store(database: ClickHouse, revision: AnyRevision) -> None:
    """Keep *revision*, write what is read off it, and mark every figure that it may change.

    A plan whose directory is not known yet waits in ``plan_revisions``: the directory, when it comes, completes it.
    Raises Transient when ClickHouse goes away; doing it again is right then. Blocks.
    """
    while True:
        before = _tables(database)
        _store(database, revision)
        # A rebuild reads revisions from where they are kept, which is last: what was written into tables that have been
        # swapped since would be gone with them.
        if _tables(database) == before:
            return


def _tables(database: ClickHouse) -> list[Row]:
    return database.rows(
        "SELECT name, uuid FROM system.tables WHERE database = currentDatabase() AND name IN %(names)s ORDER BY name",
        {"names": rows_of.TABLES},
    )


def _store(database: ClickHouse, revision: AnyRevision) -> None:
    marks: tuple[Mark, ...] = ()
    match revision:
        case PlanRevision(document=plan):
            _insert(database, "definitions", rows_of.definition_rows(plan, revision.revision))
            directories = _directories(database, plan.directory)
            for number, directory in directories.items():
                _insert(database, "scopes", rows_of.scope_rows([plan], directory, number))
            if directories:
                latest = directories[max(directories)]
                _insert(database, "schedule", rows_of.schedule_rows(plan, revision.revision, latest))
            marks = _marks([plan], FIRST_DAY, LAST_DAY)
        case DirectoryRevision(document=directory):
            number = revision.revision
            _insert(database, "agencies", rows_of.agency_rows(directory, number))
            _insert(database, "agency_codes", rows_of.code_rows(directory, number))
            _insert(database, "feeds", rows_of.feed_rows(directory, number))
            plans = _plans(database, directory.directory)
            _insert(database, "scopes", rows_of.scope_rows([plan for _, plan in plans], directory, number))
            if number >= max(_directories(database, directory.directory), default=0):
                for plan_number, plan in plans:
                    _insert(database, "schedule", rows_of.schedule_rows(plan, plan_number, directory))
            marks = _marks((plan for _, plan in plans), *_reign(database, revision))
        case SourcesRevision() | PolicyRevision():
            pass
    # Marks stand before the revision can be seen, so that nobody judges by it yet, and after it, because a recomputation
    # between the two still works by the revision before.
    insert_marks(database, marks)
    _keep(database, revision)
    insert_marks(database, marks)


def _keep(database: ClickHouse, revision: AnyRevision) -> None:
    row = (
        revision.kind,
        revision.id,
        revision.revision,
        revision.in_force_from,
        revision.published,
        revision.document.model_dump_json(by_alias=True),
    )
    database.insert("plan_revisions", _REVISION, [[value] for value in row])


def _reign(database: ClickHouse, revision: DirectoryRevision) -> tuple[date, date]:
    """Return the days on which *revision* counts beside those held; figures of other days stay as they are."""
    issues = {
        int(number): Issue(int(number), in_force_from, published)
        for number, in_force_from, published in database.rows(
            "SELECT revision, in_force_from, published FROM plan_revisions FINAL "
            "WHERE kind = 'directory' AND id = %(name)s",
            {"name": revision.document.directory},
        )
    }
    issues[revision.revision] = Issue(revision.revision, revision.in_force_from, revision.published)
    return next(
        ((reign.first, reign.last) for reign in reigns_of(issues.values()) if reign.revision == revision.revision),
        (LAST_DAY, FIRST_DAY),
    )


def _marks(plans: Iterable[Plan], first: date, last: date) -> tuple[Mark, ...]:
    marks = {
        Mark(f"definition:{definition.hash}", "", max(definition.first_day, first), last)
        for plan in plans
        for definition in definitions_in(plan).values()
    }
    return tuple(sorted(mark for mark in marks if mark.from_day <= mark.to_day))


def _plans(database: ClickHouse, directory: str) -> list[tuple[int, Plan]]:
    held = database.rows(
        "SELECT revision, document FROM plan_revisions FINAL WHERE kind = 'plan' ORDER BY id, revision"
    )
    plans = [(int(number), Plan.model_validate_json(document)) for number, document in held]
    return [(number, plan) for number, plan in plans if plan.directory == directory]


def _directories(database: ClickHouse, name: str) -> dict[int, Directory]:
    held = database.rows(
        "SELECT revision, document FROM plan_revisions FINAL WHERE kind = 'directory' AND id = %(name)s", {"name": name}
    )
    return {int(number): Directory.model_validate_json(document) for number, document in held}


def _insert(database: ClickHouse, table: str, rows: Iterable[NamedTuple]) -> None:
    left = iter(rows)
    while part := list(islice(left, _ROWS_AT_ONCE)):
        columns: list[Any] = list(zip(*part, strict=True))
        database.insert(table, part[0]._fields, columns)
