"""What the bench of standing judges: a plan, its agencies, and synthetic figures in ``adoption``."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Final

from schemas.directory import Directory
from schemas.plan import Plan
from services.infra.clickhouse.client import ClickHouse

AGENCIES: Final = 12_000
INDICATORS: Final = 10
START, DEADLINE, DAY = date(2008, 1, 1), date(2008, 12, 31), date(2008, 9, 30)
EPOCH: Final = datetime(2008, 10, 1, tzinfo=UTC)


def plan() -> Plan:
    """Return a plan of ten indicators, each with a definition of its own."""
    facts = ("document.handled", "task.directed", "record.filed")
    indicators = [
        {
            "id": f"i{n}",
            "title": {"vi": f"Chỉ tiêu {n}"},
            "unit": {"vi": "văn bản"},
            # Different periods make ten definitions of three types.
            "measure": {"kind": "items", "facts": facts[n % 3]}
            | ({"period": {"kind": "rolling", "days": 10 + n}} if n > 2 else {}),
            "targets": [{"group": "offices", "target": f"{40 + n} %"}],
        }
        for n in range(INDICATORS)
    ]
    return Plan.model_validate(
        {
            "plan": "p",
            "title": {"vi": "Kế hoạch"},
            "decision": {"number": "1", "day": START, "signer": "UBND"},
            "in_force_from": START,
            "start": START,
            "deadline": DEADLINE,
            "directory": "d",
            "indicators": indicators,
        }
    )


def directory(agencies: int = AGENCIES, *, heads: bool = False) -> Directory:
    """Return the agencies, all in one group and supplied by one feed; with *heads* each names whom to write to."""
    owner = {"role": "feed-owner", "name": "Trung tâm", "email": "tt@example.vn"}
    return Directory.model_validate(
        {
            "directory": "d",
            "in_force_from": START,
            "groups": {"offices": {"vi": "Các cơ quan"}},
            "operations": owner | {"role": "operations"},
            "agencies": [
                {"id": f"a{n:05}", "name": {"vi": f"Đơn vị {n}"}, "groups": ["offices"]}
                | ({"contacts": [owner | {"role": "head", "email": f"a{n:05}@example.vn"}]} if heads else {})
                for n in range(agencies)
            ],
            "feeds": [
                {
                    "id": "docs",
                    "title": {"vi": "Sổ"},
                    "source": "/office",
                    "types": ["document.handled", "task.directed", "record.filed"],
                    "covers": {"all": True},
                    "owner": owner,
                }
            ],
        }
    )


def publish(database: ClickHouse, plan: Plan, directory: Directory, *, evaluated: bool = True) -> None:
    """Put both revisions, and with *evaluated* an evaluation up to the last day, into the database."""
    for kind, name, document in (("plan", "p", plan), ("directory", "d", directory)):
        database.insert(
            "plan_revisions",
            ["kind", "id", "revision", "in_force_from", "published", "document"],
            [[kind], [name], [1], [START], [EPOCH], [document.model_dump_json(by_alias=True)]],
        )
    if evaluated:
        database.insert(
            "evaluations", ["plan", "revision", "day", "basis", "inputs"], [["p"], [1], [DAY], [EPOCH], [""]]
        )


def fill(database: ClickHouse, hashes: list[str], days: int) -> None:
    """Put *days* days of figures up to the last into ``adoption``: each agency at a pace of its own, with odd days."""
    for hash_ in hashes:
        database.run(
            "INSERT INTO adoption SELECT %(hash)s, concat('a', leftPad(toString(agency), 5, '0')), "
            "toDate32(%(day)s) - ago, least(of, intDiv((274 - ago) * pace, 10) + cityHash64(agency, ago, %(hash)s) %% 3), "
            "of, 1, now64(6) FROM (SELECT intDiv(number, %(days)s) AS agency, number %% %(days)s AS ago, "
            "100 + cityHash64(agency) %% 900 AS of, 1 + cityHash64(agency, %(hash)s) %% 20 AS pace "
            "FROM numbers(%(rows)s))",
            {"hash": hash_, "day": DAY.isoformat(), "days": days, "rows": AGENCIES * days},
        )
