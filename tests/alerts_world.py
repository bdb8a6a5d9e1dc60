"""A small province for tests of warnings: one office behind in two indicators, one fine, one whose feed has died."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from schemas.directory import Directory
from schemas.plan import Plan
from schemas.revisions import DirectoryRevision, PlanRevision
from schemas.warnings import Notice, Transition
from services.alerts.core.planning import Desk, plan_notices
from services.core.definition import definition_of
from services.core.schedule.assess import Assessment, assess
from services.core.schedule.coverage import FeedDay
from services.core.warnings.severity import default_policy
from services.core.warnings.transitions import transitions_of
from services.core.warnings.warning_records import fold
from services.infra.clickhouse.client import ClickHouse

START = date(2008, 5, 28)
DAY = date(2008, 9, 30)
DIED = date(2008, 8, 14)
NOW = datetime.fromisoformat("2008-10-01T08:00:00+07:00")
OPERATIONS = {"role": "operations", "name": "Sở Thông tin và Truyền thông", "email": "van-hanh@example.vn"}
OWNER = {"role": "feed-owner", "name": "Tổ quản trị phần mềm", "email": "quan-tri@example.vn"}


def _feed(number: str, vi: str, en: str, source: str, types: list[str], covers: dict[str, Any]) -> dict[str, Any]:
    title = {"vi": vi, "en": en}
    return {"id": number, "title": title, "source": source, "types": types, "covers": covers, "owner": OWNER}


def _agency(number: str, vi: str, en: str, language: str) -> dict[str, Any]:
    boss = f"Giám đốc {vi}" if language == "vi" else f"The Director, {en}"
    return {
        "id": number,
        "name": {"vi": vi, "en": en},
        "groups": ["departments"],
        "contacts": [
            {"role": "contact", "name": f"Văn phòng {vi}", "email": f"vp-{number}@example.vn", "language": language},
            {"role": "head", "name": boss, "email": f"{number}@example.vn", "language": language},
        ],
    }


def directory(language: str = "vi") -> Directory:
    """Return the directory; heads of offices and operations read *language*."""
    return Directory.model_validate(
        {
            "directory": "tinh",
            "in_force_from": "2008-01-01",
            "groups": {"departments": {"vi": "Sở, ban, ngành", "en": "Departments"}},
            "operations": OPERATIONS | {"language": language},
            "agencies": [
                _agency("so-y-te", "Sở Y tế", "Department of Health", language),
                _agency("so-tai-chinh", "Sở Tài chính", "Department of Finance", language),
                _agency("so-xay-dung", "Sở Xây dựng", "Department of Construction", language),
            ],
            "feeds": [
                _feed("mail", "Nhật ký máy chủ thư", "Mail server's log", "/mail/tinh", ["mail.used"], {"all": True}),
                _feed("mailboxes", "Danh sách hộp thư", "Mailboxes", "/mailboxes/tinh",
                      ["mailbox.opened", "mailbox.closed"], {"all": True}),
                _feed("roster", "Danh sách cán bộ", "Roster of officials", "/roster/tinh",
                      ["official.joined", "official.left"], {"all": True}),
                *(
                    _feed(f"{one}.documents", f"Sổ văn bản {one}", f"Register of documents, {one}",
                          f"/office/{one}", ["document.handled"], {"agencies": [one]})
                    for one in ("so-y-te", "so-tai-chinh", "so-xay-dung")
                ),
            ],
        }
    )  # fmt: skip


def plan(**changes: Any) -> Plan:
    """Return the plan."""
    return Plan.model_validate(
        {
            "plan": "tinh-2008",
            "title": {"vi": "Kế hoạch ứng dụng công nghệ thông tin năm 2008", "en": "IT-application plan 2008"},
            "decision": {"number": "1000/QĐ-UBND", "day": START, "signer": "UBND tỉnh"},
            "in_force_from": START,
            "start": START,
            "deadline": "2008-12-31",
            "directory": "tinh",
            "indicators": [
                {
                    "id": "email-use",
                    "objective": 3,
                    "title": {
                        "vi": "Cán bộ sử dụng thư điện tử cho công việc",
                        "en": "Officials using e-mail for work",
                    },
                    "unit": {"vi": "cán bộ", "en": "officials"},
                    "measure": {"kind": "activity"},
                    "targets": [{"group": "departments", "target": "50 %"}],
                },
                {
                    "id": "mailboxes",
                    "objective": 2,
                    "title": {"vi": "Cán bộ có hộp thư công vụ", "en": "Officials with an official mailbox"},
                    "unit": {"vi": "cán bộ", "en": "officials"},
                    "measure": {"kind": "members", "mailbox_domain": "example.vn"},
                    "targets": [{"group": "departments", "target": "100 %"}],
                },
                {
                    "id": "documents",
                    "objective": 4,
                    "title": {"vi": "Văn bản xử lý trên mạng", "en": "Documents handled online"},
                    "unit": {"vi": "văn bản", "en": "documents"},
                    "measure": {"kind": "items", "facts": "document.handled"},
                    "targets": [{"group": "departments", "target": "40 %"}],
                },
            ],
            **changes,
        }
    )


@dataclass(frozen=True)
class Reached:
    """How a figure runs: up by *per_day* from 0, never above *most* (shares of 1), out of *of*."""

    per_day: float
    most: float
    of: int


FINE = Reached(0.01, 1.0, 200)
COURSES = {
    ("email-use", "so-y-te"): Reached(0.003, 0.22, 120),
    ("mailboxes", "so-y-te"): Reached(0.004, 0.45, 120),
    ("documents", "so-xay-dung"): Reached(0.001, 0.05, 300),
}


def days(until: date = DAY) -> list[date]:
    """Return the plan's days up to *until*."""
    return [START + timedelta(days=step) for step in range((until - START).days + 1)]


def adoption(
    of: Plan, courses: dict[tuple[str, str], Reached] = COURSES, until: date = DAY
) -> dict[tuple[str, str], dict[date, tuple[Decimal, Decimal, float]]]:
    """Return the figures of every indicator and office."""
    found = {}
    for indicator in of.indicators:
        definition = definition_of(indicator, of)
        assert definition is not None
        for agency in ("so-y-te", "so-tai-chinh", "so-xay-dung"):
            course = courses.get((indicator.id, agency), FINE)
            found[(definition.hash, agency)] = {
                day: (
                    Decimal(int(course.of * min(course.most, course.per_day * (day - START).days))),
                    Decimal(course.of),
                    1.0,
                )
                for day in days(until)
            }
    return found


def reports(until: date = DAY, *, died: date = DIED) -> list[FeedDay]:
    """Return complete reports of every feed up to *until*; those of so-xay-dung's documents end on *died*."""
    rows = []
    for feed in directory().feeds:
        last = min(until, died) if feed.id == "so-xay-dung.documents" else until
        rows += [FeedDay(feed.source, short, day, 3, 3) for short in feed.types for day in days(last)]
    return rows


def revisions(language: str = "vi") -> tuple[PlanRevision, DirectoryRevision]:
    """Return the first revision of plan and directory."""
    head: dict[str, Any] = {"revision": 1, "published": datetime(2008, 5, 28, tzinfo=UTC)}
    return (
        PlanRevision(id="tinh-2008", in_force_from=START, document=plan(), **head),
        DirectoryRevision(id="tinh", in_force_from=date(2008, 1, 1), document=directory(language), **head),
    )


def assessed(
    language: str = "vi",
    *,
    day: date = DAY,
    courses: dict[tuple[str, str], Reached] = COURSES,
    died: date = DIED,
) -> Assessment:
    """Return the assessment of *day*, through the real evaluator."""
    on_plan, on_directory = revisions(language)
    return assess(
        [on_plan],
        [on_directory],
        adoption=adoption(on_plan.document, courses, day),
        feed_days=reports(day, died=died),
        day=day,
    )


def lowered(language: str = "vi") -> Assessment:
    """Return the assessment of the last day where a second revision, since September, asks less of everybody.

    Use of e-mail was to reach 60 % by the end of November; the first revision knows nothing else.
    """
    on_plan, on_directory = revisions(language)
    content = plan(deadline="2008-11-30").model_dump(mode="json", by_alias=True, exclude_none=True)
    content["indicators"][0]["targets"][0]["target"] = "60 %"
    content["indicators"][2]["targets"][0]["target"] = "45 %"
    first = on_plan.model_copy(update={"document": Plan.model_validate(content)})
    since = date(2008, 9, 1)
    decision = {"number": "1655/QĐ-UBND", "day": date(2008, 8, 27), "signer": "UBND tỉnh"}
    second = on_plan.model_copy(
        update={"revision": 2, "in_force_from": since, "document": plan(decision=decision, in_force_from=since)}
    )
    figures = dict(adoption(first.document)) | adoption(second.document)
    return assess([first, second], [on_directory], adoption=figures, feed_days=reports(), day=DAY)


def fill(
    database: ClickHouse,
    *,
    until: date = DAY,
    courses: dict[tuple[str, str], Reached] = COURSES,
    died: date = DIED,
    age: timedelta = timedelta(minutes=10),
) -> None:
    """Write revisions, figures and reports into the tables, as if computed *age* ago."""
    on_plan, on_directory = revisions()
    for one in (on_plan, on_directory):
        database.insert(
            "plan_revisions",
            ["kind", "id", "revision", "in_force_from", "published", "document"],
            [[one.kind], [one.id], [1], [one.in_force_from], [one.published],
             [one.document.model_dump_json(by_alias=True)]],
        )  # fmt: skip
    basis = database.rows("SELECT now64(6, 'UTC')")[0][0] - age
    figures = [
        (definition, agency, day, *values, basis)
        for (definition, agency), by_day in adoption(on_plan.document, courses, until).items()
        for day, values in by_day.items()
    ]
    database.insert(
        "adoption",
        ["definition", "agency", "day", "numerator", "denominator", "measured_share", "basis"],
        [list(column) for column in zip(*figures, strict=True)],
    )
    told = [(one.source, one.type, one.day, one.reported, one.counted, basis) for one in reports(until, died=died)]
    database.insert(
        "feed_days",
        ["source", "type", "day", "reported", "counted", "basis"],
        [list(column) for column in zip(*told, strict=True)],
    )


def decided(assessment: Assessment, **policy: Any) -> tuple[Transition, ...]:
    """Return the transitions of a first look, under the default policy with the changes of *policy*."""
    return transitions_of(assessment, {}, default_policy(assessment.plan).model_copy(update=policy), at=NOW)


def planned(
    assessment: Assessment, transitions: Sequence[Transition], *, at: datetime = NOW, **desk: Any
) -> tuple[Notice, ...]:
    """Return the notices about *transitions*, of which nobody has been told."""
    given = {"policy": default_policy(assessment.plan), "directory": assessment.directory} | desk
    return plan_notices(transitions, fold(transitions), Desk(plan=assessment.plan.plan, now=at, **given))
