"""What the database knows of an event: its payloads in the archive, its refusals, and the plans that may read it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from typing import Final

from schemas.plan import Plan
from schemas.usage import SandboxedStatement, from_canonical
from services.core.in_force import plan_in_force
from services.core.whereabouts import Stored, Turned, Whereabouts, whereabouts
from services.infra.clickhouse.client import ClickHouse
from services.infra.plan_reader import PlanReader
from services.infra.rejected import RejectedReader, Wanted

_PAYLOADS: Final = (
    "SELECT any(type), any(agency), any(occurred) AS time, min(received), min(stored), any(payload) FROM events "
    "WHERE source = %(source)s AND id IN %(ids)s GROUP BY id, payload_hash ORDER BY time DESC, payload_hash DESC"
)
_REFUSALS_SHOWN: Final = 20


def read_whereabouts(
    database: ClickHouse, source: str, ids: Collection[str], pseudonym: str, day: date, *, taken_lately: bool
) -> Whereabouts:
    """Return where an event is: *ids* are those under which the log may name it, *pseudonym* the one under which refusals do.

    *day*: plans in force on it are asked. Blocks. Raises Transient while the database is away.
    """
    rows = database.rows(_PAYLOADS, {"source": source, "ids": tuple(ids)})
    stored = [_stored(*row, wins=place == 0) for place, row in enumerate(rows)]
    refused = RejectedReader(database).listed(Wanted(source=source, event_id=pseudonym), limit=_REFUSALS_SHOWN)
    refusals = [
        Turned(
            rejection=one.rejection, reason=one.reason, detail=one.detail, pointer=one.pointer, last=one.last,
            replayed=one.replayed,
        )
        for one in refused
    ]  # fmt: skip
    return whereabouts(stored, refusals, _plans(database, day), taken_lately=taken_lately)


def _stored(
    type: str, agency: str, occurred: datetime, received: datetime, stored: datetime, payload: str, *, wins: bool
) -> Stored:
    data = from_canonical(payload.encode(), received).data
    return Stored(
        type=data.type if isinstance(data, SandboxedStatement) else type,
        agency=agency,
        occurred=occurred,
        received=received,
        stored=stored,
        retracted=data.retracted,
        wins=wins,
        sandbox=isinstance(data, SandboxedStatement),
    )


def _plans(database: ClickHouse, day: date) -> list[Plan]:
    reader = PlanReader(database)
    found = (plan_in_force(reader.plans(name), day) for name in reader.plan_ids())
    return [one.document for one in found if one is not None]
