"""Figures in SQL over the facts: one query per definition and range of days."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from schemas.progress import USUAL_STAGES
from services.core.scope import LAST_DAY, Scope
from services.infra.clickhouse.client import ClickHouse

_FOLDER: Final = Path(__file__).parent / "sql"
_EPOCH: Final = date(1970, 1, 1)
_FOR_EVER: Final = 1_000_000  # days; past every day that the tables hold
_USUAL_QUERY: Final = 200_000  # ClickHouse reads queries of up to 256 kB, unless told otherwise
_LONGEST_QUERY: Final = 1 << 26
_EVERYTHING_KNOWN: Final = f"{LAST_DAY.isoformat()} 00:00:00.000000"


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A definition (hash and canonical form) under a revision of its directory.

    ``scope``: whose figure each agency counts for, of a definition that no published plan asks for; None: the database
    knows it.
    """

    definition: str
    canonical: str
    revision: int
    declared_as: tuple[str, ...] = ()  # under these names declarations count; none leaves them out
    scope: tuple[Scope, ...] | None = None

    @property
    def directory(self) -> str:
        """The directory that the definition's agencies are of."""
        return str(json.loads(self.canonical)["directory"])

    @property
    def measure(self) -> dict[str, Any]:
        """The measure as the canonical form states it."""
        measure: dict[str, Any] = json.loads(self.canonical)["measure"]
        return measure


@dataclass(frozen=True, kw_only=True)
class Figure:
    """Numerator and denominator of an agency on a day, and the share of its cases that were measured."""

    agency: str
    day: date
    numerator: Decimal
    denominator: Decimal
    measured_share: float


def render(
    asked: Asked,
    first: date,
    last: date,
    *,
    agencies: Iterable[str] | None = None,
    known_at: datetime | None = None,
    zone: ZoneInfo,
) -> tuple[str, dict[str, Any]]:
    """Return the query of the figures of *first* … *last* and its parameters.

    It answers agency, day, numerator, denominator, measured_share for every day of every judged agency's life; of all of
    them where *agencies* is None. The directory's revision is one, so all days must lie in its reign. With *known_at* (a
    moment with a zone) only what had been received by then counts, deeds by the end of its local day of *zone*.
    """
    measure = asked.measure
    params = parameters(asked, first, last, agencies=agencies, known_at=known_at, zone=zone)
    since = "since_roster" if "roster" in measure else "since_entries"
    declared = {"declared": "declared", "since": since} if asked.declared_as else {"declared": "undeclared"}
    if asked.scope is not None:
        declared["scope"] = "scope_given"
    match measure["kind"]:
        case "members" if measure["mailbox_domain"] is not None:
            template = filled("people", other="other_mailboxes", **declared)
        case "members":
            template = filled("people", other="other_roster", **declared)
        case "activity":
            template = filled("people", other="other_activity", **declared)
        case "items":
            exchanged = measure["facts"] == "document.exchanged"
            template = filled("items", steps="items_exchanged" if exchanged else "items_stated", **declared)
        case "progress":
            template = filled("progress", **declared)
        case other:
            raise ValueError(f"a measure of kind {other!r} has no figures of its own")
    return template, params


def parameters(
    asked: Asked,
    first: date,
    last: date,
    *,
    agencies: Iterable[str] | None = None,
    known_at: datetime | None = None,
    zone: ZoneInfo,
) -> dict[str, Any]:
    """Return what the queries about a definition take; the arguments are those of :func:`render`."""
    measure = asked.measure
    params: dict[str, Any] = {
        "definition": asked.definition,
        "directory": asked.directory,
        "revision": asked.revision,
        "declared_as": asked.declared_as,
        "everyone": int(agencies is None),
        "judged": tuple(sorted(agencies)) if agencies is not None else ("",),
        "first": (first - _EPOCH).days,
        "last": (last - _EPOCH).days,
        "known_at": _utc(known_at) if known_at is not None else _EVERYTHING_KNOWN,
        "known_day": (known_at.astimezone(zone).date() if known_at is not None else LAST_DAY).isoformat(),
    }
    if asked.scope is not None:
        params["scope"] = [
            (one.agency, one.judged, (one.from_day - _EPOCH).days, (one.to_day - _EPOCH).days) for one in asked.scope
        ]
    match measure["kind"]:
        case "members" if measure["mailbox_domain"] is not None:
            domain = measure["mailbox_domain"]
            params |= {"roster": measure["roster"], "domain": domain, "subdomains": f".{domain}"}
        case "members":
            params |= {"roster": measure["roster"], "also_on": measure["also_on"]}
        case "activity":
            params |= {
                "roster": measure["roster"],
                "action": measure["action"],
                "enough": measure["days"],
                "window": measure["window"],
            }
        case "items":
            params |= {"facts": measure["facts"], **_period(measure["period"])}
        case "progress":
            done, planned = stages_of(measure)
            params |= {"facts": measure["facts"], "start": _number(measure["start"]), "done": done, "planned": planned}
    return params


def figures(database: ClickHouse, query: tuple[str, dict[str, Any]]) -> list[Figure]:
    """Return the figures that a rendered query answers, without those whose denominator is 0."""
    rows = database.rows(
        f"SELECT agency, day, numerator, denominator, measured_share FROM ({query[0]}) WHERE denominator != 0",
        query[1],
        settings=_settings(query[1]),
    )
    return [Figure(agency=a, day=day, numerator=n, denominator=d, measured_share=share) for a, day, n, d, share in rows]


def _settings(params: dict[str, Any]) -> dict[str, Any] | None:
    # Asked for only where needed: a user who may not change settings can still preview a plan of some hundred agencies.
    given = sum(len(agency) + len(judged) + 24 for agency, judged, _, _ in params.get("scope", ()))
    return {"max_query_size": _LONGEST_QUERY} if given > _USUAL_QUERY else None


def stages_of(measure: Mapping[str, Any]) -> tuple[str, str]:
    """Return the stages of money that a measure of progress (canonical) calls done and planned."""
    return str(measure.get("done", USUAL_STAGES[0])), str(measure.get("planned", USUAL_STAGES[1]))


def _period(period: dict[str, Any]) -> dict[str, int]:
    if period["kind"] == "cumulative":
        return {"start": _number(period["start"]), "span": _FOR_EVER}
    return {"start": -_FOR_EVER, "span": int(period["days"])}


def _number(day: str) -> int:
    return (date.fromisoformat(day) - _EPOCH).days


def _utc(moment: datetime) -> str:
    return moment.astimezone(ZoneInfo("UTC")).strftime("%Y-%m-%d %H:%M:%S.%f")


@cache
def _text(name: str, folder: Path = _FOLDER) -> str:
    text = (folder / f"{name}.sql").read_text(encoding="utf-8")
    return re.sub(r"^--[^\n]*\n", "", text, flags=re.MULTILINE).rstrip("\n")


@cache
def filled(name: str, folder: Path = _FOLDER, **parts: str) -> str:
    """Return the template *name* of *folder* with its places filled by templates of figures; *parts* says which."""
    text = _text(name, folder)
    for place, part in {"scope": "scope", "roster": "roster", **parts, "running": "running"}.items():
        text = text.replace(f"{{{place}}}", _text(part))
    return text
