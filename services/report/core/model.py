"""What a report says, before anybody writes it down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from schemas.common import Bilingual
from schemas.plan import Indicator, Plan
from services.core.seal import Seal

Row = Mapping[str, Any]
#: Days with shares of 1, in the order of days; None where there is no figure.
Series = tuple[tuple[date, float | None], ...]


@dataclass(frozen=True, kw_only=True)
class Line:
    """One indicator of one agency: its standing, and the planned and the actual line. Planned goes on to the deadline."""

    indicator: Indicator
    row: Row
    planned: Series
    actual: Series

    @property
    def judged(self) -> bool:
        """Whether there is a target to be judged by."""
        return self.row["target"] is not None


@dataclass(frozen=True, kw_only=True)
class AgencyPage:
    """An agency with its lines in the plan's order."""

    agency: str
    name: Bilingual
    lines: tuple[Line, ...]

    @property
    def behind(self) -> tuple[Line, ...]:
        """The lines that are behind or missed, the furthest behind first."""
        late = [line for line in self.lines if line.row["verdict"] in ("behind", "missed")]
        return tuple(sorted(late, key=lambda line: -(line.row["days_behind"] or 0.0)))

    @property
    def worst(self) -> float:
        """Days behind of the line furthest behind; below every number of days where none is."""
        return (self.behind[0].row["days_behind"] or 0.0) if self.behind else float("-inf")

    def line(self, indicator: str) -> Line | None:
        """Return the agency's line of *indicator*, if that concerns it."""
        return next((line for line in self.lines if line.indicator.id == indicator), None)


@dataclass(frozen=True, kw_only=True)
class Report:
    """The report of one plan on one day. ``notes``: language → sentences on moved goalposts. ``pages``: furthest behind first."""

    plan: Plan
    issuer: str
    place: str
    made: date
    day: date
    seal: Seal
    pages: tuple[AgencyPage, ...]
    notes: Mapping[str, tuple[str, ...]]

    @property
    def late(self) -> tuple[AgencyPage, ...]:
        """The agencies that are behind in something."""
        return tuple(page for page in self.pages if page.behind)

    @property
    def indicators(self) -> tuple[Indicator, ...]:
        """The plan's indicators that concern any agency here: those with targets first, in the plan's order."""
        shown = {line.indicator.id for page in self.pages for line in page.lines}
        here = [one for one in self.plan.indicators if one.id in shown]
        return tuple(sorted(here, key=lambda one: not one.targets))
