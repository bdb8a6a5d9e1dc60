"""The simulated year in the tables that the evaluator reads, as the aggregator would have written them."""

from __future__ import annotations

from datetime import date, timedelta

from services.infra.clickhouse.client import ClickHouse
from tests.year_figures import START, figures
from tests.year_script import OUTAGES, directories, plans, policy, reports


def fill(database: ClickHouse, until: date) -> None:
    """Write revisions, policy, figures and reports of the year up to *until*, as the aggregator would have by then."""
    on_plans, on_directories, judged_by = plans(), directories(), policy()
    documents = [
        (one.kind, one.id, one.revision, one.in_force_from, one.published, one.document)
        for one in (*on_plans, *on_directories)
    ]
    documents.append(("policy", judged_by.policy, 1, judged_by.in_force_from, on_plans[0].published, judged_by))
    rows = [(*about, document.model_dump_json(by_alias=True)) for *about, document in documents]
    names = ["kind", "id", "revision", "in_force_from", "published", "document"]
    database.insert("plan_revisions", names, [list(column) for column in zip(*rows, strict=True)])
    basis = database.rows("SELECT now64(6, 'UTC') - INTERVAL 10 MINUTE")[0][0]
    made = {key: days for one in on_plans for key, days in figures(one.document, until).items()}
    found = [(*key, day, *values, basis) for key, days in made.items() for day, values in days.items()]
    names = ["definition", "agency", "day", "numerator", "denominator", "measured_share", "basis"]
    database.insert("adoption", names, [list(column) for column in zip(*found, strict=True)])
    write_reports(database, START, until, age=timedelta(minutes=10))


def write_reports(database: ClickHouse, day: date, until: date, *, age: timedelta = timedelta()) -> None:
    """Write what feeds report up to *until* once *day* has come; what is owed then is written when it comes."""
    basis = database.rows("SELECT now64(6, 'UTC')")[0][0] - age
    later = {(one.source, short): one for one in OUTAGES if one.back > day for short in one.types}
    rows = []
    for one in reports(directories()[-1].document, until, until):
        outage = later.get((one.source, one.type))
        if outage is not None and one.day >= outage.first and not outage.short:
            continue
        lost = outage is not None and outage.first <= one.day < outage.first + timedelta(days=outage.short)
        rows.append((one.source, one.type, one.day, one.reported, one.counted - lost, basis))
    names = ["source", "type", "day", "reported", "counted", "basis"]
    database.insert("feed_days", names, [list(column) for column in zip(*rows, strict=True)])
