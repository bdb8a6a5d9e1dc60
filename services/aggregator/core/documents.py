"""Revisions of plans and directories as rows of the tables that are read off them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import Final, NamedTuple

from schemas.directory import Directory
from schemas.plan import Plan, Target
from services.core.definition import definitions_in
from services.core.schedule.trajectory import curve_for
from services.core.scope import FIRST_DAY, LAST_DAY, LEADERSHIP, life_of, scopes_of, selected, targets_of

TABLES: Final = ("agencies", "agency_codes", "definitions", "feeds", "schedule", "scopes")


class AgencyRow(NamedTuple):
    """An agency as a directory's revision has it."""

    directory: str
    revision: int
    agency: str
    parent: str
    name_vi: str
    name_en: str
    groups: list[str]
    from_day: date
    to_day: date


class CodeRow(NamedTuple):
    """What an agency is called (``scheme:value``), both days included."""

    directory: str
    revision: int
    code: str
    agency: str
    leadership: int
    from_day: date
    to_day: date


class FeedRow(NamedTuple):
    """A feed; *silence_limit* in working hours."""

    directory: str
    revision: int
    feed: str
    source: str
    types: list[str]
    rhythm: str
    silence_limit: int
    agencies: list[str]


class DefinitionRow(NamedTuple):
    """A definition that an indicator of a plan's revision asks for, from *first_day* on."""

    definition: str
    canonical: str
    kind: str
    first_day: date
    plan: str
    revision: int
    indicator: str


class ScopeRow(NamedTuple):
    """Whose figure a member agency counts for, both days included."""

    definition: str
    directory: str
    revision: int
    agency: str
    judged: str
    from_day: date
    to_day: date


class ScheduleRow(NamedTuple):
    """The planned value (a share of 1) of a day."""

    plan: str
    revision: int
    indicator: str
    agency: str
    day: date
    planned: float


def agency_rows(directory: Directory, revision: int) -> Iterator[AgencyRow]:
    """Yield the agencies of a directory's revision."""
    for agency in directory.agencies:
        first, last = life_of(agency)
        yield AgencyRow(
            directory.directory, revision, agency.id, agency.parent or "", agency.name.vi, agency.name.en or "",
            list(agency.groups), first, last,
        )  # fmt: skip


def code_rows(directory: Directory, revision: int) -> Iterator[CodeRow]:
    """Yield what agencies are called; everyone also answers to ``agency:<id>``, at any time."""
    for agency in directory.agencies:
        leads = int(LEADERSHIP in agency.groups)
        name = directory.directory
        yield CodeRow(name, revision, f"agency:{agency.id}", agency.id, leads, FIRST_DAY, LAST_DAY)
        for code in agency.codes:
            yield CodeRow(
                name, revision, f"{code.scheme}:{code.value}", agency.id, leads,
                code.from_ or FIRST_DAY, code.to or LAST_DAY,
            )  # fmt: skip


def feed_rows(directory: Directory, revision: int) -> Iterator[FeedRow]:
    """Yield the feeds with the agencies that each covers."""
    for feed in directory.feeds:
        yield FeedRow(
            directory.directory, revision, feed.id, feed.source, list(feed.types), feed.rhythm, feed.silence_limit,
            sorted(selected(directory, feed.covers)),
        )  # fmt: skip


def definition_rows(plan: Plan, revision: int) -> Iterator[DefinitionRow]:
    """Yield the definitions that a plan's revision asks for."""
    for indicator, definition in definitions_in(plan).items():
        yield DefinitionRow(
            definition.hash, definition.canonical, definition.kind, definition.first_day, plan.plan, revision, indicator
        )


def scope_rows(plans: Iterable[Plan], directory: Directory, revision: int) -> Iterator[ScopeRow]:
    """Yield whose figure each agency counts for, under every definition of *plans*, each once."""
    done: set[str] = set()
    for plan in plans:
        definitions = definitions_in(plan)
        for indicator in plan.indicators:
            definition = definitions.get(indicator.id)
            if definition is None or definition.hash in done or plan.directory != directory.directory:
                continue
            done.add(definition.hash)
            for scope in scopes_of(directory, targets_of(directory, indicator)):
                yield ScopeRow(
                    definition.hash, directory.directory, revision,
                    scope.agency, scope.judged, scope.from_day, scope.to_day,
                )  # fmt: skip


def schedule_rows(plan: Plan, revision: int, directory: Directory) -> Iterator[ScheduleRow]:
    """Yield the planned value of every day from start to deadline, for every agency with a target."""
    days = [plan.start + timedelta(days=n) for n in range((plan.deadline - plan.start).days + 1)]
    values: dict[Target, list[float]] = {}
    for indicator in plan.indicators:
        for agency, target in sorted(targets_of(directory, indicator).items()):
            if target is None:
                continue
            if target not in values:
                curve = curve_for(target, plan)
                values[target] = [float(curve.planned_at(day)) for day in days]
            for day, planned in zip(days, values[target], strict=True):
                yield ScheduleRow(plan.plan, revision, indicator.id, agency, day, planned)
