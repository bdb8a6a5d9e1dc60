"""Lives of warnings in the small province of ``tests.alerts_world``, and the mails that tell of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time
from typing import Any, Literal

from schemas.directory import Agency
from schemas.policy import Policy
from schemas.warnings import Answer, AnswerKind, Notice, Severity, Transition, TransitionReason, WarningState
from services.alerts.core.warn import Letter, Writer
from services.core.schedule.assess import Assessment
from services.core.schedule.coverage import FeedState
from services.core.warnings.lifecycle import TOLD, transition_id
from tests import alerts_world as world

R, S = TransitionReason, WarningState
URL = "https://tien-do.example.vn/answer/eyJub3RpY2UiOiI0ZjJjIn0.c2lnbmF0dXJl"
POLICY = Policy.model_validate(
    {
        "policy": "tinh-2008",
        "plan": "tinh-2008",
        "in_force_from": world.START,
        "levels": [
            {"to": "head"},
            {"to": "department-in-charge", "after": 30, "digest": "week"},
            {"to": "chair", "after": 60, "digest": "month"},
        ],
    }
)


def province(language: str) -> Assessment:
    """Return the small province's assessment with offices above the agencies, who read *language*."""
    assessment = world.assessed(language)
    names = {
        "department-in-charge": ("Sở Thông tin và Truyền thông", "Department of Information and Communications"),
        "chair": ("Văn phòng Chủ tịch UBND tỉnh", "Office of the Chair"),
    }
    top = Agency.model_validate(
        {
            "id": "tinh",
            "name": {"vi": "Tỉnh Mẫu", "en": "Sample Province"},
            "contacts": [
                {"role": role, "name": name[language == "en"], "email": f"{role}@example.vn", "language": language}
                for role, name in names.items()
            ],
        }
    )
    below = (one.model_copy(update={"parent": "tinh"}) for one in assessment.directory.agencies)
    directory = assessment.directory.model_copy(update={"agencies": (top, *below)})
    incomplete = replace(assessment.feeds["mailboxes"][-1], state=FeedState.PARTIAL, covered=date(2008, 9, 27))
    feeds = dict(assessment.feeds) | {"mailboxes": (*assessment.feeds["mailboxes"][:-1], incomplete)}
    return replace(assessment, directory=directory, feeds=feeds)


@dataclass
class Life:
    """The life of one warning, written down step by step."""

    agency: str
    cause: str
    told: list[Transition] = field(default_factory=list)

    def then(
        self, reason: TransitionReason, state: WarningState, day: str, since: str = "", **changes: Any
    ) -> Transition:
        """Go on by one transition; what *changes* does not name stays as it was."""
        before = self.told[-1] if self.told else None
        opens = state is S.OPEN and (before is None or before.state in (S.RESOLVED, S.PENDING))
        sequence = len(self.told) + 1
        on = date.fromisoformat(day)
        kept = {} if before is None else before.model_dump(exclude={"id", "sequence", "answer"})
        made = Transition.model_validate(
            {
                **{"plan": "tinh-2008", "agency": self.agency, "cause": self.cause, "revision": 1},
                **{"severity": None if self.cause.startswith("feed:") else Severity.WARNING, "level": "head"},
                **kept,
                **{"id": transition_id("tinh-2008", self.agency, self.cause, sequence), "sequence": sequence},
                **{"state": state, "reason": reason, "day": on, "at": datetime.combine(on, time(1), UTC)},
                "since": date.fromisoformat(since) if since else before.since if before is not None else on,
                "opened": sequence if opens else before.opened if before is not None else None,
                "opened_day": on if opens else before.opened_day if before is not None else None,
                "told_day": on if reason in TOLD else before.told_day if before is not None else None,
                **changes,
            }
        )
        self.told.append(made)
        return made


def answer(one: Transition, kind: AnswerKind, day: str, **fields: Any) -> Answer:
    """Return an answer to the warning that *one* belongs to, given by its head on *day*."""
    return Answer(
        id=f"{kind.value}-{one.agency}",
        plan=one.plan,
        agency=one.agency,
        cause=one.cause,
        opened=one.opened or 1,
        answer=kind,
        by="head",
        via="link",
        at=datetime.combine(date.fromisoformat(day), time(2), UTC),
        **fields,
    )


def notice(
    told: Sequence[Transition],
    language: Literal["vi", "en"],
    *,
    agency: str = "so-y-te",
    recipient: str = "head",
    about: Literal["agency", "feeds", "digest"] = "agency",
    period: date | None = None,
) -> Notice:
    """Return the notice that tells *told*."""
    return Notice(
        id="4f2c" * 8,
        plan="tinh-2008",
        agency=agency,
        recipient=recipient,
        about=about,
        number=3,
        period=period,
        language=language,
        transitions=tuple(one.id for one in told),
        state="pending",
        at=world.NOW,
    )


def use() -> Life:
    """Return the life of Sở Y tế's warning about use of e-mail, which opened in September."""
    life = Life("so-y-te", "lag:email-use")
    life.then(R.FALLING_BEHIND, S.PENDING, "2008-09-07", "2008-09-07", level="", told_day=None)
    life.then(R.FELL_BEHIND, S.OPEN, "2008-09-09", "2008-09-07", level="head")
    return life


def boxes() -> Life:
    """Return the life of Sở Y tế's warning about mailboxes, which opened in July."""
    life = Life("so-y-te", "lag:mailboxes")
    life.then(R.FELL_BEHIND, S.OPEN, "2008-07-20", "2008-07-18")
    return life


def register(feed: str, reason: TransitionReason, day: str, since: str) -> Life:
    """Return the life of a feed's warning."""
    life = Life(feed, f"feed:{feed}")
    life.then(reason, S.OPEN, day, since, level="feed-owner")
    return life


def letters(language: Literal["vi", "en"]) -> dict[str, Letter]:
    """Return name → letter, one for everything that may become of a warning."""
    writer = Writer(province(language), policy=POLICY)
    made: dict[str, Letter | None] = {}

    def write(name: str, told: Sequence[Transition], lives: Sequence[Life], *answers: Answer, **fields: Any) -> None:
        link = fields.pop("link", None)
        every = [one for life in lives for one in life.told]
        made[name] = writer.compose(
            notice(told, language, **fields), every, answers, written=world.NOW.date(), answer_url=link
        )

    again, old = use(), boxes()
    again.then(R.CAUGHT_UP, S.RESOLVED, "2008-09-16", "2008-09-14", level="head")
    news = again.then(R.BEHIND_AGAIN, S.OPEN, "2008-09-28", "2008-09-26")
    seen = answer(old.told[0], AnswerKind.ACKNOWLEDGED, "2008-08-01")
    old.then(R.ACKNOWLEDGED, S.ACKNOWLEDGED, "2008-08-01", acknowledged=True, answer=seen.id)
    write("again", [news], [again, old], seen, link=URL)

    fresh, grave = use(), boxes()
    above = {"level": "department-in-charge"}
    news = grave.then(R.WORSENED, S.ESCALATED, "2008-09-27", severity=Severity.CRITICAL, **above)
    write("worse", [news, fresh.told[1]], [fresh, grave], link=URL)

    late, waiting = use(), boxes()
    promise = answer(late.told[1], AnswerKind.ACCEPTED, "2008-09-11", promised=date(2008, 9, 25))
    late.then(R.ACCEPTED, S.ANSWERED, "2008-09-11", acknowledged=True, answer=promise.id, promised=date(2008, 9, 25))
    passed = late.then(R.PROMISE_PASSED, S.ESCALATED, "2008-09-26", promised=None, answer=promise.id, **above)
    unanswered = waiting.then(R.UNANSWERED, S.ESCALATED, "2008-09-29", level="chair")
    write("higher", [passed, unanswered], [late, waiting], promise, link=URL)

    reminded = waiting.then(R.STILL_BEHIND, S.ESCALATED, "2008-09-30")
    write("reminder", [reminded], [waiting])

    over, left = use(), boxes()
    ended = over.then(R.CAUGHT_UP, S.RESOLVED, "2008-09-30", "2008-09-28")
    dated = answer(left.told[0], AnswerKind.ACCEPTED, "2008-09-20", promised=date(2008, 10, 31))
    left.then(R.ACCEPTED, S.ANSWERED, "2008-09-20", acknowledged=True, answer=dated.id, promised=date(2008, 10, 31))
    write("ended", [ended], [over, left], dated)

    disputed = use()
    why = "Danh sách cán bộ còn tính 14 người đã nghỉ hưu từ tháng 6; đề nghị đối chiếu với Sở Nội vụ."
    objection = answer(disputed.told[1], AnswerKind.DISPUTED, "2008-09-30", reason=why)
    doubt = disputed.then(R.DISPUTED, S.ANSWERED, "2008-09-30", acknowledged=True, answer=objection.id)
    write("dispute", [doubt], [disputed], objection, recipient="operations")

    dead = register("so-xay-dung.documents", R.FEED_SILENT, "2008-08-19", "2008-08-15")
    still = dead.then(R.FEED_STILL_OUT, S.OPEN, "2008-09-30")
    part = register("mailboxes", R.FEED_PARTIAL, "2008-09-30", "2008-09-28")
    back = register("roster", R.FEED_SILENT, "2008-09-20", "2008-09-18")
    returned = back.then(R.FEED_RETURNED, S.RESOLVED, "2008-09-30", "2008-09-30")
    write(
        "feeds", [still, part.told[0], returned], [dead, part, back],
        agency="mail", recipient="feed-owner", about="feeds", link=URL,
    )  # fmt: skip

    finance = Life("so-tai-chinh", "lag:email-use")
    finance.then(R.FELL_BEHIND, S.OPEN, "2008-08-10", "2008-08-08")
    finance.then(R.UNANSWERED, S.ESCALATED, "2008-09-12", **above)
    finance.then(R.CAUGHT_UP, S.RESOLVED, "2008-09-27", "2008-09-25")
    lives = [late, grave, disputed_elsewhere(), finance, dead]
    write("week", [], lives, agency="tinh", recipient="department-in-charge", about="digest", period=date(2008, 9, 29))
    write("month", [], lives, agency="tinh", recipient="chair", about="digest", period=date(2008, 9, 1))
    return {name: letter for name, letter in made.items() if letter is not None}


def disputed_elsewhere() -> Life:
    """Return the life of a warning that another office disputed, and that went to the department in charge by its gravity."""
    life = Life("so-xay-dung", "lag:documents")
    life.then(R.FELL_BEHIND, S.OPEN, "2008-07-10", "2008-07-08", severity=Severity.WARNING)
    life.then(R.WORSENED, S.ESCALATED, "2008-08-10", severity=Severity.CRITICAL, level="department-in-charge")
    life.then(R.DISPUTED, S.ANSWERED, "2008-09-25", acknowledged=True, answer="x")
    return life
