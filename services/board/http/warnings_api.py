"""Reading warnings: how they stand, their whole life, the notices about them, silences."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from fastapi import APIRouter, Depends, Path, Query

from schemas.policy import Severity
from schemas.warning_views import NoticePage, NoticeStateName, SilencePage, WarningHistory, WarningPage
from schemas.warnings import WarningState
from services.board.http.answers import RESPONSES
from services.board.http.api import only_known_parameters
from services.core.warnings.warning_words import warning_words_of
from services.infra.clickhouse.asking import Database
from services.infra.clickhouse.client import ClickHouse
from services.infra.clock import Clock
from services.infra.warnings_names import PlanNames, plan_ids, read_names
from services.infra.warnings_queries import MOST
from services.infra.warnings_reader import WarningsReader
from services.infra.warnings_views import history, notice_view, silence_view, wanted_of, warning_view

_FARTHEST: Final = 1_000_000

OfPlan = Annotated[str | None, Query(description="Only of this plan.", max_length=64)]
Language = Annotated[Literal["vi", "en"], Query(description="Language of names and words.")]
Limit = Annotated[int, Query(ge=1, le=MOST, description="So many at most.")]
Offset = Annotated[int, Query(ge=0, le=_FARTHEST, description="So many are passed over.")]
Level = Literal["contact", "head", "department-in-charge", "chair", "feed-owner"]


def warnings_api(database: Database, clock: Clock) -> APIRouter:
    """Return the routes. What is asked about and is not there raises Unknown, a database that is away Transient."""
    router = APIRouter(
        prefix="/v1", tags=["warnings"], responses=RESPONSES, dependencies=[Depends(only_known_parameters)]
    )

    @router.get("/warnings", summary="Warnings: open ones first, the gravest first, the longest behind first")
    async def warnings(
        plan: OfPlan = None,
        agency: Annotated[list[str] | None, Query(description="Only of this one, or feed; may be repeated.")] = None,
        indicator: Annotated[list[str] | None, Query(description="Only about this one; may be repeated.")] = None,
        state: Annotated[list[WarningState] | None, Query(description="May be repeated.")] = None,
        severity: Annotated[list[Severity] | None, Query(description="May be repeated.")] = None,
        level: Annotated[list[Level] | None, Query(description="Brought up to this role; may be repeated.")] = None,
        open: Annotated[bool, Query(description="Only open ones, unless a state is named.")] = True,
        lang: Language = "vi",
        limit: Limit = 100,
        offset: Offset = 0,
    ) -> WarningPage:
        def read(it: ClickHouse) -> WarningPage:
            names, reader = names_of(it, plan), WarningsReader(it)
            wanted = wanted_of(
                names,
                agencies=agency or (),
                indicators=indicator or (),
                states=[one.value for one in state or ()],
                severities=[one.value for one in severity or ()],
                levels=level or (),
                only_open=open,
            )
            states = reader.states(wanted)
            found = reader.listed(wanted, limit=limit, offset=offset)
            views = tuple(warning_view(one, names.get(one.last.plan), lang) for one in found)
            return WarningPage(total=sum(states.values()), states=states, warnings=views)

        return await database.ask(read)

    @router.get("/warnings/{plan}/{agency}/{cause}", summary="The whole life of a warning")
    async def life(
        plan: Annotated[str, Path(max_length=64)],
        agency: Annotated[str, Path(max_length=64, description="Of a feed's warning, the feed.")],
        cause: Annotated[str, Path(max_length=80, description="`lag:<indicator>` or `feed:<feed>`.")],
        lang: Language = "vi",
    ) -> WarningHistory:
        def read(it: ClickHouse) -> WarningHistory:
            names = read_names(it, plan)
            of, about = names.subject(agency, cause)
            return history(WarningsReader(it), names, of, about, words=warning_words_of(lang), now=clock())

        return await database.ask(read)

    @router.get("/notices", summary="Notices, such as those that were given up")
    async def notices(
        plan: OfPlan = None,
        state: Annotated[list[NoticeStateName] | None, Query(description="May be repeated.")] = None,
        lang: Language = "vi",
        limit: Limit = 100,
        offset: Offset = 0,
    ) -> NoticePage:
        def read(it: ClickHouse) -> NoticePage:
            names, reader, words = names_of(it, plan), WarningsReader(it), warning_words_of(lang)
            plans = list(names) or [""]
            counts = reader.notice_states(plans)
            found = reader.notices_in(plans, state or (), limit=limit, offset=offset)
            causes = reader.causes_told(found)
            views = (notice_view(one, names[one.notice.plan], words, causes.get(one.notice.id, ())) for one in found)
            total = sum(count for name, count in counts.items() if not state or name in state)
            return NoticePage(total=total, notices=tuple(views))

        return await database.ask(read)

    @router.get("/silences", summary="Silences that are in force or have not begun; all of them with `all`")
    async def silences(
        plan: OfPlan = None,
        all: Annotated[bool, Query(description="Those that are over, too.")] = False,
    ) -> SilencePage:
        def read(it: ClickHouse) -> SilencePage:
            plans, now = list(names_of(it, plan)) or [""], clock()
            found = (silence_view(life, now) for life in WarningsReader(it).silences(plans))
            return SilencePage(silences=tuple(one for one in found if all or one.state in ("waiting", "in-force")))

        return await database.ask(read)

    return router


def names_of(database: ClickHouse, plan: str | None) -> dict[str, PlanNames]:
    """Return the names of *plan*, or of every plan. Raises Unknown for a plan that was never published."""
    return {one: read_names(database, one) for one in ([plan] if plan is not None else plan_ids(database))}
