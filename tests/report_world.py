"""A report of three agencies and two indicators, the same every time."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from schemas.directory import Directory
from schemas.plan import Plan
from services.core.seal import Part, Seal
from services.report.core.build import report_of
from services.report.core.model import Report

DAY = date(2008, 7, 1)
OFFICE = {"role": "operations", "name": "Trung tâm", "email": "tt@example.vn"}
PLAN = Plan.model_validate(
    {
        "plan": "p",
        "title": {"vi": "Kế hoạch <thử>", "en": "Trial plan"},
        "decision": {"number": "12/QĐ-UBND", "day": "2008-01-01", "signer": "UBND tỉnh"},
        "in_force_from": "2008-01-01",
        "start": "2008-01-01",
        "deadline": "2008-12-31",
        "directory": "d",
        "indicators": [
            {
                "id": "mail", "title": {"vi": "Sử dụng thư điện tử", "en": "E-mail use"},
                "unit": {"vi": "cán bộ", "en": "officials", "en_one": "official"},
                "measure": {"kind": "activity"}, "targets": [{"group": "g", "target": "50 %"}],
            },
            {
                "id": "records", "title": {"vi": "Hồ sơ điện tử", "en": "Digital records"},
                "unit": {"vi": "hồ sơ", "en": "records"},
                "measure": {"kind": "items", "facts": "record.filed"}, "shown_for": ["g"],
            },
        ],
    }
)  # fmt: skip
DIRECTORY = Directory.model_validate(
    {
        "directory": "d",
        "groups": {"g": {"vi": "Các sở"}},
        "operations": OFFICE,
        "in_force_from": "2008-01-01",
        "agencies": [
            {"id": name, "name": {"vi": vi, "en": en}, "groups": ["g"]}
            for name, vi, en in (("a", "Sở Nội vụ", "Home Affairs"), ("b", "Sở Y tế", "Health"), ("c", "Sở Xây dựng", "Building"))
        ],
    }
)  # fmt: skip
SEAL = Seal(
    plan="p", as_of=DAY, known_at=None, revision=1, directory_revision=1,
    parts=(Part(name="items", rows=3, digest="0" * 64), Part(name="activity", rows=9, digest="f" * 64)),
)  # fmt: skip


def row(indicator: str, agency: str, **more: Any) -> dict[str, Any]:
    """Return a standing as the table has it, 20 % of 50 %."""
    none = dict.fromkeys(
        (
            "planned",
            "target",
            "days_behind",
            "spi",
            "needed_pace",
            "recent_pace",
            "forecast",
            "forecast_low",
            "forecast_high",
        )
    )
    values = none | {
        "plan": "p", "revision": 1, "indicator": indicator, "agency": agency, "day": DAY, "numerator": Decimal(20),
        "denominator": Decimal(100), "ratio": 0.2, "measured_share": 1.0, "verdict": "", "feed_state": "reporting",
        "provisional": 0, "judged_day": DAY,
    }  # fmt: skip
    return values | more


def small_report(agencies: str = "abc", notes: tuple[str, ...] = ()) -> Report:
    """Return the report: b is 91 days behind, c 12, a is ahead; records have no target."""
    judged = {
        "planned": 0.25, "target": 0.5, "needed_pace": 0.001, "recent_pace": 0.001, "forecast": date(2009, 2, 3),
        "forecast_low": date(2008, 10, 18),
    }  # fmt: skip
    lags = {"a": ("ahead", -20.4), "b": ("behind", 90.75), "c": ("behind", 12.0)}
    rows = [
        one
        for agency in agencies
        for one in (
            row("mail", agency, verdict=lags[agency][0], days_behind=lags[agency][1], provisional=1, **judged),
            row("records", agency),
        )
    ]
    days = [date(2008, 1, 1) + timedelta(days=n) for n in range((DAY - date(2008, 1, 1)).days + 1)]
    course = [(day, 0.2 * at / len(days), 0.25 * at / len(days)) for at, day in enumerate(days)]
    courses = {(one["indicator"], one["agency"]): course for one in rows}
    return report_of(
        PLAN, DIRECTORY, rows, courses, day=DAY, made=date(2008, 7, 2), seal=SEAL, place="Thái Nguyên",
        notes={"vi": notes, "en": notes},
    )  # fmt: skip
