"""A small directory and plan with every kind of measure, for tests of the aggregator."""

from __future__ import annotations

from datetime import date
from typing import Any

from schemas.directory import Directory
from schemas.plan import Plan

START = date(2008, 5, 28)
ZONE = "Asia/Ho_Chi_Minh"
OFFICE = {"role": "operations", "name": "Phòng CNTT", "email": "cntt@example.vn"}


def _text(vi: str) -> dict[str, str]:
    return {"vi": vi}


def world_documents() -> tuple[Plan, Directory]:
    """Return a plan and its directory: offices a and b are judged, a1 is below a, c ends on 31 July, lead leads."""
    agencies: list[dict[str, Any]] = [
        {"id": "root", "name": _text("Tỉnh")},
        {"id": "lead", "name": _text("UBND"), "parent": "root", "groups": ["leadership"],
         "codes": [{"scheme": "edoc", "value": "L"}]},
        {"id": "a", "name": _text("Sở A"), "parent": "root", "groups": ["judged"],
         "codes": [{"scheme": "edoc", "value": "A"}]},
        {"id": "a1", "name": _text("Chi cục A1"), "parent": "a",
         "codes": [{"scheme": "edoc", "value": "A1", "to": "2008-06-30"}]},
        {"id": "b", "name": _text("Sở B"), "parent": "root", "groups": ["judged"],
         "codes": [{"scheme": "edoc", "value": "B"}, {"scheme": "edoc", "value": "A1", "from": "2008-07-01"}]},
        {"id": "c", "name": _text("Sở C"), "parent": "root", "groups": ["judged"], "to": "2008-07-31"},
    ]  # fmt: skip
    directory = Directory.model_validate(
        {
            "directory": "dir",
            "in_force_from": "2008-01-01",
            "groups": {"judged": _text("Các sở"), "leadership": _text("Lãnh đạo")},
            "operations": OFFICE,
            "agencies": agencies,
        }
    )
    measures: dict[str, dict[str, Any]] = {
        "mailboxes": {"kind": "members", "mailbox_domain": "x.gov.vn"},
        "trained": {"kind": "members", "also_on": "trained.it"},
        "use": {"kind": "activity", "window": 7},
        "use-often": {"kind": "activity", "window": 9, "days": 2},
        "exchanged": {"kind": "items", "facts": "document.exchanged"},
        "exchanged-lately": {
            "kind": "items",
            "facts": "document.exchanged",
            "period": {"kind": "rolling", "days": 10},
        },
        "records": {"kind": "items", "facts": "record.filed"},
        "tasks-lately": {"kind": "items", "facts": "task.directed", "period": {"kind": "rolling", "days": 15}},
        "milestones": {"kind": "progress", "facts": "milestone.reached"},
        "money": {"kind": "progress", "facts": "budget.recorded"},
        "approved": {
            "kind": "progress",
            "facts": "budget.recorded",
            "done": "approved",
            "planned": "proposed",
            "start": "2008-05-24",
        },
        "paid": {"kind": "progress", "facts": "budget.recorded", "done": "disbursed", "planned": "delivered"},
    }
    plan = Plan.model_validate(
        {
            "plan": "plan",
            "title": _text("Kế hoạch"),
            "decision": {"number": "1/QĐ", "day": "2008-05-28", "signer": "UBND tỉnh"},
            "in_force_from": START.isoformat(),
            "start": START.isoformat(),
            "deadline": "2008-12-31",
            "directory": "dir",
            "indicators": [
                {
                    "id": name,
                    "title": _text(name),
                    "unit": _text("đơn vị"),
                    "measure": measure,
                    "targets": [{"group": "judged", "target": "50 %"}],
                }
                for name, measure in measures.items()
            ],
        }
    )
    return plan, directory
