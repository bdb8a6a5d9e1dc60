"""The read API: standing, and the evidence behind a figure."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field

from schemas.explanation import Explanation, StandingRecord
from services.board.http.answers import RESPONSES
from services.core.item_evidence import Why
from services.infra.clickhouse.asking import Database
from services.infra.clickhouse.client import ClickHouse
from services.infra.explain.reader import Explain, NotThere, explain
from services.infra.plan_reader import PlanReader
from services.infra.standing_reader import read_standing

_MOST_ITEMS = 1000

Plan = Annotated[str, Query(description="The plan's id.", max_length=64)]
Day = Annotated[date | None, Query(description="The day judged, YYYY-MM-DD; the last one, unless given.")]


class Standings(BaseModel):
    """Who stands where on a day."""

    plan: str
    day: date
    standing: list[StandingRecord] = Field(description="By indicator and agency.")


def read_api(database: Database, zone: str) -> APIRouter:
    """Return the routes. What is asked about and is not there raises NotThere, a database that is away Transient."""
    router = APIRouter(prefix="/v1", tags=["read"], responses=RESPONSES, dependencies=[Depends(only_known_parameters)])

    @router.get("/standing", summary="Who stands where")
    async def standing(
        plan: Plan,
        day: Day = None,
        indicator: Annotated[list[str] | None, Query(description="Only this one; may be repeated.")] = None,
        agency: Annotated[list[str] | None, Query(description="Only this one; may be repeated.")] = None,
    ) -> Standings:
        return await database.ask(lambda it: _standings(it, plan, day, indicator or [], agency or []))

    @router.get("/explain", summary="Why a figure is what it is, down to the events")
    async def explained(
        plan: Plan,
        indicator: Annotated[str, Query(description="The indicator's id.", max_length=64)],
        agency: Annotated[str, Query(description="The agency's id.", max_length=64)],
        day: Day = None,
        known_at: Annotated[
            date | None, Query(description="By what had been received by the end of this day; by now, unless given.")
        ] = None,
        why: Annotated[list[Why] | None, Query(description="Items with this reason only; may be repeated.")] = None,
        limit: Annotated[int, Query(ge=0, le=_MOST_ITEMS, description="Items shown of each reason.")] = 10,
    ) -> Explanation:
        wanted = Explain(
            plan=plan,
            indicator=indicator,
            agency=agency,
            day=day,
            known_at=known_at,
            limit=limit,
            only=frozenset(one.value for one in why or ()),
        )
        return await database.ask(lambda it: explain(it, wanted, zone=zone))

    return router


def only_known_parameters(request: Request) -> None:
    """Raise RequestValidationError for a parameter that the route does not have."""
    # A misspelt `day` would otherwise be answered with another day's figures, which look just as right.
    known = [parameter.alias for parameter in request.scope["route"].dependant.query_params]
    unknown = dict.fromkeys(name for name in request.query_params if name not in known)
    if unknown:
        there = f"there is no such parameter; there are {', '.join(known)}"
        raise RequestValidationError([{"loc": ("query", name), "msg": there} for name in unknown])


def _standings(
    database: ClickHouse, plan: str, day: date | None, indicators: list[str], agencies: list[str]
) -> Standings:
    reader = PlanReader(database)
    judged = reader.last_evaluation(plan)
    if judged is None:
        there = ", ".join(reader.plan_ids()) or "none"
        raise NotThere(f"plan {plan!r} has not been judged yet; published are: {there}")
    wanted = day or judged.day
    rows = read_standing(database, plan, wanted, indicators=indicators, agencies=agencies)
    if not rows:
        raise NotThere(f"nothing was judged on {wanted} that fits; the last day judged is {judged.day}")
    return Standings(plan=plan, day=wanted, standing=[_record(row) for row in rows])


def _record(row: dict[str, Any]) -> StandingRecord:
    fields = {name: row[name] for name in StandingRecord.model_fields}
    return StandingRecord.model_validate(fields | {"verdict": row["verdict"] or None})
