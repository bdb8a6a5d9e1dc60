"""Evidence of figures about items: each item with the reason why it counts or does not, and the events about it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from schemas.explanation import EventUsed, ItemReason, ItemsEvidence, ItemUsed
from services.core.item_evidence import (
    Code,
    Exchange,
    ItemEvidence,
    Period,
    Said,
    Why,
    item_evidence,
    of_stage,
    progress_evidence,
    resolve_exchanges,
)
from services.core.scope import FIRST_DAY, LAST_DAY
from services.infra.explain.sources import Inquiry, moment_of
from services.infra.figures.queries import stages_of

_LOW: Final = (1 << 64) - 1  # the part of a version that is the payload's hash
_ALWAYS: Final = (FIRST_DAY, LAST_DAY)

Lives = Mapping[str, tuple[date, date]]
_Received = dict[tuple[str, int], datetime]  # (source, version) → the earliest receipt


def items_evidence(inquiry: Inquiry, lives: Lives, *, limit: int, only: frozenset[str] = frozenset()) -> ItemsEvidence:
    """Return all items by reason, and at most *limit* of each reason (of those in *only*, where any are named).

    *lives*: member agency → its first and last day. Within a reason those that entered last come first. Raises Transient.
    """
    received: _Received = {}
    exchanged = inquiry.asked.measure.get("facts") == "document.exchanged"
    found = list(_exchanges(inquiry, lives, received) if exchanged else _stated(inquiry, lives, received))
    shown = _shown(found, limit, only)
    events = _events(inquiry, shown)
    return ItemsEvidence(
        reasons=_reasons(found),
        items=tuple(_used(one, inquiry.asked.measure["facts"], events, received) for one in shown),
        limit=limit,
    )


def _stated(inquiry: Inquiry, lives: Lives, received: _Received) -> Iterable[ItemEvidence]:
    said: dict[tuple[str, str], list[Said]] = defaultdict(list)
    measure = inquiry.asked.measure
    stages = stages_of(measure)
    for office, item, step, source, version, day, retracted, weight, came in inquiry.rows(
        "items_said", more={"stages": stages}
    ):
        received[source, version] = came
        said[office, item].append(
            Said(source=source, step=step, version=version, day=day, retracted=bool(retracted), weight=weight)
        )
    for (office, item), statements in said.items():
        if measure["kind"] == "progress":
            start = date.fromisoformat(measure["start"])
            if measure["facts"] == "budget.recorded":
                statements = of_stage(item, statements, done=stages[0])
            yield progress_evidence(office, item, statements, day=inquiry.day, start=start, life=lives[office])
        else:
            period = _period(measure["period"])
            yield item_evidence(office, item, statements, day=inquiry.day, period=period, life=lives[office])


def _exchanges(inquiry: Inquiry, lives: Lives, received: _Received) -> Iterable[ItemEvidence]:
    said: dict[Exchange, list[Said]] = defaultdict(list)
    for issuer, year, number, counterpart, step, source, version, day, issued, retracted, came in inquiry.rows(
        "exchanges_said"
    ):
        received[source, version] = came
        said[issuer, year, number, counterpart].append(
            Said(source=source, step=step, version=version, day=day, retracted=bool(retracted), issued=issued)
        )
    named = sorted({code for issuer, _, _, counterpart in said for code in (issuer, counterpart)})
    codes: dict[str, list[Code]] = defaultdict(list)
    for code, agency, leadership, first, last in inquiry.rows("codes", more={"codes": tuple(named) or ("",)}):
        codes[code].append(Code(agency=agency, leadership=bool(leadership), first=first, last=last))
    period = _period(inquiry.asked.measure["period"])
    for (office, document), (statements, why) in resolve_exchanges(said, codes, lives.keys()).items():
        issuer, year, number, counterpart = document
        name = f"{number} ({issuer} → {counterpart}, {year})"
        life = lives.get(office, _ALWAYS)
        found = item_evidence(office, name, statements, day=inquiry.day, period=period, life=life)
        yield found if why is None else _counting_for_nobody(found, why)


def _counting_for_nobody(found: ItemEvidence, why: Why) -> ItemEvidence:
    return ItemEvidence(
        office=found.office,
        item=found.item,
        why=why,
        entered=found.entered,
        numerator=Decimal(0),
        denominator=Decimal(0),
        statements=found.statements,
    )


def _period(period: Mapping[str, object]) -> Period:
    if period["kind"] == "cumulative":
        return Period(start=date.fromisoformat(str(period["start"])))
    return Period(days=int(str(period["days"])))


def _reasons(found: Sequence[ItemEvidence]) -> tuple[ItemReason, ...]:
    counts = Counter(one.why for one in found)
    done: dict[Why, Decimal] = defaultdict(Decimal)
    total: dict[Why, Decimal] = defaultdict(Decimal)
    for one in found:
        done[one.why] += one.numerator
        total[one.why] += one.denominator
    return tuple(
        ItemReason(why=why.value, items=counts[why], numerator=done[why], denominator=total[why])
        for why in Why
        if why in counts
    )


def _shown(found: Sequence[ItemEvidence], limit: int, only: frozenset[str]) -> list[ItemEvidence]:
    shown: list[ItemEvidence] = []
    for why in Why:
        if not only or why.value in only:
            mine = (one for one in found if one.why is why)
            shown += sorted(mine, key=lambda one: (one.entered or FIRST_DAY, one.item), reverse=True)[:limit]
    return shown


def _events(inquiry: Inquiry, shown: Sequence[ItemEvidence]) -> dict[tuple[str, int], tuple[str, str]]:
    """Return (source, payload's hash) → id and type of the event."""
    wanted = {(said.source, said.version & _LOW) for one in shown for said, _ in one.statements}
    if not wanted:
        return {}
    rows = inquiry.rows(
        "events",
        more={
            "sources": tuple(sorted({source for source, _ in wanted})),
            "hashes": tuple(sorted({hashed for _, hashed in wanted})),
        },
    )
    return {(source, hashed): (name, kind) for source, hashed, name, kind in rows}


def _used(
    one: ItemEvidence, kind: str, events: Mapping[tuple[str, int], tuple[str, str]], received: _Received
) -> ItemUsed:
    return ItemUsed(
        agency=one.office or None,
        item=one.item,
        entered=one.entered,
        why=one.why.value,
        numerator=one.numerator,
        denominator=one.denominator,
        events=tuple(
            EventUsed(
                source=said.source,
                id=events.get((said.source, said.version & _LOW), (None, ""))[0],
                type=events.get((said.source, said.version & _LOW), (None, kind))[1],
                step=said.step,
                day=said.day,
                stated=moment_of(said.version),
                received=received[said.source, said.version],
                fate=fate.value,
            )
            for said, fate in one.statements
        ),
    )
