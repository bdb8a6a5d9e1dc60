"""The definitions that plans ask for, with the days for which they do and the directory revisions in force meanwhile."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from schemas.plan import Plan
from services.core.definition import definition_of, definitions_in
from services.core.reigns import Issue, Reign, reigns_of
from services.core.scope import FIRST_DAY, LAST_DAY, Scope, scopes_of, targets_of
from services.infra.clickhouse.client import ClickHouse
from services.infra.figures.queries import Asked, render
from services.infra.plan_reader import PlanReader


@dataclass(frozen=True, kw_only=True)
class Definition:
    """A definition (hash and canonical form) that plans ask for, on the days *first_day* … *last_day*.

    ``reigns``: which directory revision counts on which days; neighbours that say the same to this definition are one.
    ``declared_as``: the names under which somebody has declared figures or headcounts for it. ``scopes``: whose figure each
    agency counts for, per directory revision, of a definition that no published plan asks for; empty: the database knows it.
    """

    definition: str
    canonical: str
    first_day: date
    last_day: date
    reigns: tuple[Reign, ...]
    declared_as: tuple[str, ...]
    scopes: Mapping[int, tuple[Scope, ...]] = field(default_factory=dict, hash=False)

    @property
    def directory(self) -> str:
        """The directory that the definition's agencies are of."""
        return str(json.loads(self.canonical)["directory"])

    @property
    def measure(self) -> dict[str, Any]:
        """The measure as the canonical form states it."""
        measure: dict[str, Any] = json.loads(self.canonical)["measure"]
        return measure

    def asked(self, reign: Reign) -> Asked:
        """Return the definition under the directory revision of *reign*."""
        return Asked(
            definition=self.definition,
            canonical=self.canonical,
            revision=reign.revision,
            declared_as=self.declared_as,
            scope=self.scopes.get(reign.revision, ()) if self.scopes else None,
        )


def queries(
    definition: Definition,
    first: date,
    last: date,
    *,
    agencies: Iterable[str] | None = None,
    known_at: datetime | None = None,
    zone: ZoneInfo,
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the queries of the figures of *first* … *last*, one per directory revision in force on some of these days.

    A figure of a day is computed as if the directory in force on that day were the only one there has ever been.
    """
    named = None if agencies is None else tuple(agencies)
    for reign in definition.reigns:
        start, end = max(first, reign.first), min(last, reign.last)
        if start <= end and definition.asked(reign).scope != ():  # nobody is judged, and an empty list has no type
            yield render(definition.asked(reign), start, end, agencies=named, known_at=known_at, zone=zone)


def definitions(
    database: ClickHouse,
    *,
    known_at: datetime | None = None,
    under: tuple[str, int] | None = None,
    proposed: Plan | None = None,
) -> list[Definition]:
    """Return every definition that a plan's revision in force on some day asks for, and whose directory is known.

    A definition is asked for from its plan's start, whenever the revision came into force, to the last day on which a
    revision that asks for it is in force: what was dropped is still corrected for its own days, and costs nothing later.
    With *known_at* only revisions published by then exist. With *under* (a plan's id and a revision of it) that revision
    alone asks, on all days, whenever it was published. A *proposed* plan asks too, on all days, without being published.
    """
    issues = _issues(database)
    reigns = {about: reigns_of(of_one, known_at=known_at) for about, of_one in issues.items()}
    ends = {(about, reign.revision): reign.last for about, found in reigns.items() for reign in found}
    stored = database.rows("SELECT definition, canonical, first_day, plan, revision, indicator FROM definitions FINAL")
    asking: list[tuple[str, str, date, date, str]] = []
    for hashed, form, first_day, plan, revision, indicator in stored:
        asks = (plan, int(revision))
        end = ends.get((("plan", plan), int(revision))) if under is None else LAST_DAY if asks == under else None
        if end is not None:
            asking.append((hashed, form, first_day, end, indicator))
    unpublished: dict[str, Mapping[int, tuple[Scope, ...]]] = {}
    if proposed is not None:
        unpublished = _unpublished(database, proposed, {row[0] for row in stored})
        asking += [
            (definition.hash, definition.canonical, definition.first_day, LAST_DAY, indicator)
            for indicator, definition in definitions_in(proposed).items()
        ]
    canonical: dict[str, str] = {}
    firsts: dict[str, date] = {}
    lasts: dict[str, date] = {}
    names: dict[str, set[str]] = defaultdict(set)
    for hashed, form, first_day, end, indicator in asking:
        canonical[hashed] = form
        firsts[hashed] = min(first_day, firsts.get(hashed, first_day))
        lasts[hashed] = max(end, lasts.get(hashed, FIRST_DAY))
        names[hashed].add(indicator)
    declared = {str(row[0]) for row in database.rows("SELECT DISTINCT indicator FROM declarations")}
    shapes = _Shapes(database, unpublished)
    found = []
    for hashed, form in sorted(canonical.items()):
        content = json.loads(form)
        headcount = {f"headcount.{content['measure']['roster']}"} if "roster" in content["measure"] else set()
        of_directory = reigns.get(("directory", content["directory"]), ())
        if of_directory:
            found.append(
                Definition(
                    definition=hashed,
                    canonical=form,
                    first_day=firsts[hashed],
                    last_day=lasts[hashed],
                    reigns=shapes.joined(hashed, content, of_directory),
                    declared_as=tuple(sorted((names[hashed] | headcount) & declared)),
                    scopes=unpublished.get(hashed, {}),
                )
            )
    return found


def _unpublished(
    database: ClickHouse, plan: Plan, stored: Collection[str]
) -> dict[str, Mapping[int, tuple[Scope, ...]]]:
    """Return, for each definition of *plan* that is not *stored*, whose figure each agency counts for, per revision."""
    found = {
        definition.hash: indicator
        for indicator in plan.indicators
        if (definition := definition_of(indicator, plan)) is not None and definition.hash not in stored
    }
    directories = PlanReader(database).directories(plan.directory) if found else []
    return {
        hashed: {one.revision: scopes_of(one.document, targets_of(one.document, indicator)) for one in directories}
        for hashed, indicator in found.items()
    }


def _issues(database: ClickHouse) -> Mapping[tuple[str, str], list[Issue]]:
    found: dict[tuple[str, str], list[Issue]] = defaultdict(list)
    for kind, document, revision, in_force_from, published in database.rows(
        "SELECT kind, id, revision, in_force_from, published FROM plan_revisions FINAL WHERE kind IN ('plan', 'directory')"
    ):
        found[(kind, document)].append(Issue(int(revision), in_force_from, published))
    return found


class _Shapes:
    """Tells which directory revisions say the same to a definition: most change a contact, and none needs a query more."""

    def __init__(self, database: ClickHouse, unpublished: Mapping[str, Mapping[int, tuple[Scope, ...]]]) -> None:
        self._database = database
        self._unpublished = unpublished
        self._scopes: dict[tuple[str, int], int] | None = None
        self._codes: dict[tuple[str, int], int] | None = None

    def joined(self, definition: str, content: dict[str, Any], reigns: tuple[Reign, ...]) -> tuple[Reign, ...]:
        if len(reigns) < 2:
            return reigns
        directory = content["directory"]
        exchanged = content["measure"].get("facts") == "document.exchanged"
        result: list[Reign] = []
        held: tuple[Hashable, ...] | None = None
        for reign in reigns:
            shape = self._shape(definition, directory, reign.revision, with_codes=exchanged)
            if shape == held:
                result[-1] = Reign(result[-1].revision, result[-1].first, reign.last)
            else:
                result.append(reign)
            held = shape
        return tuple(result)

    def _shape(self, definition: str, directory: str, revision: int, *, with_codes: bool) -> tuple[Hashable, ...]:
        if self._scopes is None:
            # Rows that stand twice until they are merged are alike; DISTINCT is cheaper than FINAL.
            self._scopes = self._read(
                "SELECT definition, revision, sum(DISTINCT cityHash64(agency, judged, from_day, to_day)) FROM scopes "
                "GROUP BY definition, revision"
            )
        if with_codes and self._codes is None:
            self._codes = self._read(
                "SELECT directory, revision, sum(DISTINCT cityHash64(code, agency, leadership, from_day, to_day)) "
                "FROM agency_codes GROUP BY directory, revision"
            )
        of_codes = self._codes.get((directory, revision)) if with_codes and self._codes is not None else None
        if definition in self._unpublished:
            return self._unpublished[definition].get(revision), of_codes
        return self._scopes.get((definition, revision)), of_codes

    def _read(self, query: str) -> dict[tuple[str, int], int]:
        return {(key, int(revision)): int(shape) for key, revision, shape in self._database.rows(query)}
