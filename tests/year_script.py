"""What happens in the simulated year of warnings: documents, outages of feeds, answers, a silence, the policy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from ruamel.yaml import YAML

from schemas.directory import Directory
from schemas.plan import Plan
from schemas.policy import Match, Policy
from schemas.revisions import DirectoryRevision, PlanRevision
from schemas.warnings import Answer, AnswerKind, Silence
from services.core.schedule.coverage import FeedDay
from tests.year_figures import DEAD, DEAD_LAST_DAY, NEVER, START, span

EXAMPLE: Final = Path(__file__).parents[1] / "examples" / "thai-nguyen-2008"
ZONE: Final = ZoneInfo("Asia/Ho_Chi_Minh")
_day = date.fromisoformat


@dataclass(frozen=True)
class Outage:
    """A feed's reports of days from *first* on are missing, or short by one event, until it sends what it owes on *back*."""

    source: str
    types: tuple[str, ...]
    first: date
    back: date
    short: int = 0  # so many days are short, and later ones complete; 0: all are missing


OFFICE = ("document.exchanged", "document.handled", "task.directed")
OUTAGES: Final = (
    Outage("/office/so-y-te", OFFICE, _day("2008-09-08"), _day("2008-10-01"), short=2),
    Outage("/mail/thai-nguyen", ("mail.used",), _day("2008-10-18"), _day("2008-10-29")),
    Outage("/office/so-tai-chinh", ("official.joined", "official.left"), _day("2008-10-29"), _day("2008-11-10")),
    Outage("/projects/kho-bac", ("budget.recorded",), _day("2009-01-01"), _day("2009-01-13")),
)
#: (day of the look that finds it, agency, indicator or feed, what is answered)
ANSWERS: Final = (
    ("2008-08-05", "so-tu-phap", "lag:mailboxes", {"answer": AnswerKind.ACKNOWLEDGED}),
    ("2008-07-08", "huyen-vo-nhai.documents", "feed:huyen-vo-nhai.documents", {"answer": AnswerKind.ACKNOWLEDGED}),
    ("2008-08-06", "so-tai-nguyen-moi-truong", "lag:documents-exchanged",
     {"answer": AnswerKind.ACCEPTED, "promised": _day("2008-09-30")}),
    ("2008-08-12", "so-lao-dong-tbxh", "lag:documents-online",
     {"answer": AnswerKind.DISPUTED, "reason": "Sổ công văn giấy chưa được nhập vào phần mềm."}),
    ("2009-01-14", "huyen-dong-hy", "lag:mailboxes", {"answer": AnswerKind.ACCEPTED, "promised": _day("2009-03-31")}),
)  # fmt: skip
SILENCES: Final = (
    Silence.model_validate(
        {"id": "silence-1", "plan": "thai-nguyen-2008", "action": "begun", "match": Match(agencies=("so-xay-dung",)),
         "from": "2008-08-25T00:00:00+07:00", "until": "2008-09-13T00:00:00+07:00", "author": "Văn phòng Sở Xây dựng",
         "reason": "Cơ quan chuyển trụ sở.", "at": "2008-08-22T09:00:00+07:00"}
    ),
)  # fmt: skip
HOLIDAYS_2009: Final = (
    *("2009-01-01", "2009-01-26", "2009-01-27", "2009-01-28", "2009-01-29", "2009-01-30"),
    *("2009-04-06", "2009-04-30", "2009-05-01"),
)


def read(name: str) -> dict[str, Any]:
    """Return a document of the example as it was written."""
    content: dict[str, Any] = YAML(typ="safe").load((EXAMPLE / name).read_text(encoding="utf-8"))
    return content


def plans() -> list[PlanRevision]:
    """Return the plan, and a revision that asks for less e-mail from 1 October on."""
    first = read("plan.yaml")
    second = read("plan.yaml") | {"in_force_from": _day("2008-10-01")}
    mail = next(one for one in second["indicators"] if one["id"] == "email-use")
    mail["targets"] = [{"group": "email-50", "target": "25 %"}, {"group": "email-30", "target": "15 %"}]
    return [
        PlanRevision(id="thai-nguyen-2008", revision=number, in_force_from=one["in_force_from"], published=at,
                     document=Plan.model_validate(one))
        for number, one, at in ((1, first, "2008-05-26T09:00:00+07:00"), (2, second, "2008-09-25T09:00:00+07:00"))
    ]  # fmt: skip


def directories() -> list[DirectoryRevision]:
    """Return the directory, and its revision with the holidays of 2009."""
    content = read("directory.yaml")
    later = content | {"in_force_from": "2009-01-01", "holidays": [*content["holidays"], *HOLIDAYS_2009]}
    return [
        DirectoryRevision(id="thai-nguyen", revision=number, in_force_from=one["in_force_from"], published=at,
                          document=Directory.model_validate(one))
        for number, one, at in ((1, content, "2008-05-26T08:00:00+07:00"), (2, later, "2008-12-22T08:00:00+07:00"))
    ]  # fmt: skip


def policy() -> Policy:
    """Return the example's policy: heads at once, the department in charge each week, the chair each month."""
    return Policy.model_validate(read("policy.yaml"))


def answers_on(today: date, opened: Callable[[str, str], int | None]) -> Iterator[Answer]:
    """Yield what is answered early on *today* to warnings that are open; *opened* tells the sequence of their opening."""
    for number, (day, agency, cause, content) in enumerate(ANSWERS):
        sequence = opened(agency, cause) if date.fromisoformat(day) == today else None
        if sequence is not None:
            yield Answer.model_validate(
                {"id": f"answer-{number}", "plan": "thai-nguyen-2008", "agency": agency, "cause": cause, "by": "head",
                 "opened": sequence, "via": "link", "at": datetime.combine(today, time(5), ZONE)} | content
            )  # fmt: skip


def reports(directory: Directory, day: date, until: date) -> list[FeedDay]:
    """Return what the feeds had reported by the look after *day*, of days up to *until*."""
    away = [one for one in OUTAGES if one.first <= day < one.back]
    rows = []
    for source, short, last in sorted(
        {(f.source, t, _last(f.source, t, until)) for f in directory.feeds for t in f.types}
    ):
        out = [one for one in away if one.source == source and short in one.types]
        for on in span(START, last):
            if any(on >= one.first and not one.short for one in out):
                continue
            lost = any(one.first <= on < one.first + timedelta(days=one.short) for one in out)
            rows.append(FeedDay(source, short, on, 3, 3 - lost))
    return rows


def _last(source: str, short: str, until: date) -> date:
    if short in OFFICE and source == f"/office/{NEVER}":
        return START - timedelta(days=1)
    return min(until, DEAD_LAST_DAY) if short in OFFICE and source == f"/office/{DEAD}" else until
