"""What plans, agencies, indicators and feeds are called, and which there are, by the documents last published."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from services.core.errors import Rejected
from services.core.findings import meant
from services.core.warnings.answers import latest_promise
from services.infra.clickhouse.client import ClickHouse

_FEW: Final = 12  # so few are named where nothing resembles what was asked for


class Unknown(Rejected):
    """What is asked about does not exist; the message says what was probably meant."""


@dataclass(frozen=True, kw_only=True)
class PlanNames:
    """Id → name in both languages. ``groups`` has the groups that agencies are in, ``members`` group → its agencies."""

    plan: str
    title: Mapping[str, str]
    deadline: date
    indicators: Mapping[str, Mapping[str, str]]
    agencies: Mapping[str, Mapping[str, str]]
    feeds: Mapping[str, Mapping[str, str]]
    groups: Mapping[str, Mapping[str, str]]
    members: Mapping[str, frozenset[str]]

    @property
    def latest_promise(self) -> date:
        """The last day that may be promised for having caught up: a year after the deadline."""
        return latest_promise(self.deadline)

    def name(self, agency: str, cause: str, language: str) -> str:
        """Return the name of who is warned, empty where the documents have it no more."""
        return text(self.feeds if cause.startswith("feed:") else self.agencies, agency, language)

    def title_of(self, cause: str, language: str) -> str:
        """Return the title of an indicator or a feed."""
        kind, _, name = cause.partition(":")
        return text(self.feeds if kind == "feed" else self.indicators, name, language)

    def subject(self, agency: str, cause: str) -> tuple[str, str]:
        """Return (agency, cause) as records have them; the cause may be an indicator's or a feed's id alone.

        Raises Unknown where plan and directory have no such agency, feed or indicator.
        """
        kind, separator, name = cause.partition(":")
        if not separator:
            kind, name = ("feed" if cause in self.feeds and cause not in self.indicators else "lag"), cause
        if kind == "feed":
            self.known("feed", [name], self.feeds)
            if agency not in ("", name):
                raise Unknown(f"a feed's warning is the feed's own: give {name!r} as the agency, not {agency!r}")
            return name, f"feed:{name}"
        if kind != "lag":
            raise Unknown(f"a cause is `lag:<indicator>` or `feed:<feed>`, not {cause!r}")
        self.known("agency", [agency], self.agencies)
        self.known("indicator", [name], self.indicators)
        return agency, f"lag:{name}"

    def known(self, what: str, names: Collection[str], among: Mapping[str, Any]) -> None:
        """Raise Unknown for the first of *names* that is not *among* those there are."""
        must_be_known(f"plan {self.plan!r} has no {what}", names, among)


def must_be_known(otherwise: str, names: Collection[str], among: Collection[str]) -> None:
    """Raise Unknown, beginning with *otherwise*, for the first of *names* that is not *among* those there are."""
    for name in names:
        if name not in among:
            few = f"there are: {', '.join(sorted(among)) or 'none'}" if len(among) <= _FEW else ""
            hint = meant(name, among) or few
            raise Unknown(f"{otherwise} {name!r}" + (f"; {hint}" if hint else ""))


def text(names: Mapping[str, Mapping[str, str]], number: str, language: str) -> str:
    """Return the name of *number* in *language*; Vietnamese where there is no English, empty where there is no name."""
    found = names.get(number, {})
    return found.get(language) or found.get("vi") or ""


def plan_ids(database: ClickHouse) -> list[str]:
    """Return the ids of all plans ever published."""
    rows = database.rows("SELECT DISTINCT id FROM plan_revisions WHERE kind = 'plan' ORDER BY id")
    return [row[0] for row in rows]


def read_names(database: ClickHouse, plan: str) -> PlanNames:
    """Return the names of *plan* and its directory. Raises Unknown for a plan that was never published."""
    content = _latest(database, "plan", plan) if plan.isascii() else None  # ids are; the driver encodes nothing else
    if content is None:
        there = plan_ids(database)
        hint = meant(plan, there) or f"published are: {', '.join(there) or 'none'}"
        raise Unknown(f"there is no plan {plan!r}; {hint}")
    directory = _latest(database, "directory", content["directory"]) or {}
    agencies = directory.get("agencies", ())
    members: dict[str, set[str]] = {group: set() for group in directory.get("groups", {})}
    for one in agencies:
        for group in one.get("groups", ()):
            members.setdefault(group, set()).add(one["id"])
    return PlanNames(
        plan=plan,
        title=content["title"],
        deadline=date.fromisoformat(content["deadline"]),
        indicators={one["id"]: one["title"] for one in content["indicators"]},
        agencies={one["id"]: one["name"] for one in agencies},
        feeds={one["id"]: one["title"] for one in directory.get("feeds", ())},
        groups=directory.get("groups", {}),
        members={group: frozenset(found) for group, found in members.items()},
    )


def _latest(database: ClickHouse, kind: str, document: str) -> dict[str, Any] | None:
    # As JSON alone: a directory of 12,000 agencies was checked when it was published.
    rows = database.rows(
        "SELECT document FROM plan_revisions FINAL WHERE kind = %(kind)s AND id = %(id)s ORDER BY revision DESC LIMIT 1",
        {"kind": kind, "id": document},
    )
    found: dict[str, Any] | None = json.loads(rows[0][0]) if rows else None
    return found
