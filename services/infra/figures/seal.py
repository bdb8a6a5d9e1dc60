"""The seal of a report, read from the facts: what currently holds of every fact that bears on the day, in any order.

The current value of each register is taken (the greatest version received by the known-at moment) and rows taken back are
left out, so duplicates, replays, reordering and the same thing said again give the same seal. Values that cannot bear on the
day are left out: facts of later days, and whether a stint ended after it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from schemas.plan import MeanMeasure, Plan
from schemas.revisions import DirectoryRevision, PlanRevision
from services.core.definition import reads_of
from services.core.in_force import directory_in_force, plan_in_force
from services.core.seal import Part, Seal, documents_part
from services.infra.clickhouse.client import ClickHouse
from services.infra.figures.afresh import CannotJudge, not_known_yet
from services.infra.plan_reader import PlanReader

_RECEIVED: Final = "received <= toDateTime64(%(known_at)s, 6, 'UTC')"
_ALWAYS: Final = "2299-12-31 23:59:59.000000"

#: Part → (table, key, values beside the key, which current rows bear on the day).
_REGISTERS: Final[dict[str, tuple[str, str, str, str]]] = {
    "memberships": (
        "memberships",
        "person, roster, agency, stint, source",
        "from_day, least(to_day, toDate32(%(day)s))",
        "from_day <= toDate32(%(day)s)",
    ),
    "mailboxes": (
        "mailboxes",
        "address, stint, source",
        "owner, domain, from_day, least(to_day, toDate32(%(day)s))",
        "from_day <= toDate32(%(day)s)",
    ),
    "exchanges": (
        "exchanges",
        "issuer, year, number, counterpart, step, source",
        "day, issued_on",
        "least(day, issued_on) <= toDate32(%(day)s)",
    ),
    "items": (
        "items",
        "type, agency, id, step, source",
        "day, weight",
        "day <= toDate32(%(day)s) AND type IN %(types)s",
    ),
    "declarations": (
        "declarations",
        "agency, indicator, from_day, to_day, source",
        "numerator, denominator",
        "from_day <= toDate32(%(day)s)",
    ),
    "feed reports": ("feed_reports", "source, type, day", "count", "day <= toDate32(%(day)s)"),
}

_CURRENT: Final = """
SELECT count(), lower(leftPad(hex(sum(reinterpretAsUInt256(SHA256(toJSONString(tuple({key}, {values})))))), 64, '0'))
FROM (
    SELECT {key}, {latest}, argMax(retracted, version) AS gone
    FROM (SELECT * FROM {table} WHERE {received}) GROUP BY {key}
)
WHERE gone = 0 AND {bears}
"""

_ACTIVITY: Final = """
SELECT count(),
    lower(leftPad(hex(sum(reinterpretAsUInt256(SHA256(toJSONString(tuple(actor, kind, day, action, source)))))), 64, '0'))
FROM (
    SELECT actor, kind, day, action, source, argMax(retracted, version) AS gone
    FROM activity WHERE received_day <= toDate32(%(known_day)s) AND day <= toDate32(%(day)s)
    GROUP BY actor, kind, day, action, source
)
WHERE gone = 0
"""


def seal_of(
    database: ClickHouse, plan: str, day: date, *, zone: str, known_at: datetime | None = None
) -> tuple[Seal, PlanRevision, DirectoryRevision]:
    """Return the seal of the facts behind *plan* on *day*, received by *known_at* (None: by now), and who is in force.

    Reads each table of facts once. Raises CannotJudge where no revision is in force, Transient while the database is away.
    """
    reader = PlanReader(database)
    everything = reader.plans(plan)
    plans = [one for one in everything if known_at is None or one.published <= known_at]
    if everything and not plans:
        raise CannotJudge(not_known_yet(everything, ZoneInfo(zone)))
    if not plans:
        raise CannotJudge(f"there is no plan {plan!r}; published are: {', '.join(reader.plan_ids()) or 'none'}")
    directories = [
        one for one in reader.directories(plans[-1].document.directory) if known_at is None or one.published <= known_at
    ]
    in_force, directory = plan_in_force(plans, day), directory_in_force(directories, day)
    if in_force is None or directory is None:
        raise CannotJudge(f"no revision of plan {plan!r} and its directory was in force on {day}")
    counting = [one for one in plans if one.in_force_from <= day]
    seal = Seal(
        plan=plan,
        as_of=day,
        known_at=known_at,
        revision=in_force.revision,
        directory_revision=directory.revision,
        parts=(
            *_facts(database, [one.document for one in counting], day, zone, known_at),
            documents_part("plan revisions", (one.model_dump_json(by_alias=True) for one in counting)),
            documents_part(
                "directory revisions",
                (
                    one.model_dump_json(by_alias=True)
                    for one in directories
                    if one.in_force_from <= day or one is directory
                ),
            ),
        ),
    )
    return seal, in_force, directory


def _facts(database: ClickHouse, plans: Sequence[Plan], day: date, zone: str, known_at: datetime | None) -> list[Part]:
    measured = [one for plan in plans for one in plan.indicators if not isinstance(one.measure, MeanMeasure)]
    types = {name for one in measured for name in reads_of(one)}
    params = {
        "day": day.isoformat(),
        "types": tuple(sorted(types)) or ("",),
        "known_at": known_at.astimezone(ZoneInfo("UTC")).strftime("%Y-%m-%d %H:%M:%S.%f") if known_at else _ALWAYS,
        "known_day": known_at.astimezone(ZoneInfo(zone)).date().isoformat() if known_at else _ALWAYS[:10],
    }
    found = []
    for name, (table, key, values, bears) in _REGISTERS.items():
        held = set(database.types(table)) - {*key.split(", "), "version", "retracted", "received"}
        latest = ", ".join(f"argMax({one}, version) AS {one}" for one in sorted(held))
        query = _CURRENT.format(key=key, values=values, latest=latest, table=table, received=_RECEIVED, bears=bears)
        found.append((name, database.rows(query, params)[0]))
    found.append(("activity", database.rows(_ACTIVITY, params)[0]))
    return [Part(name=name, rows=rows, digest=digest) for name, (rows, digest) in found]
