"""What a certification looks at, read from archive and facts."""

from __future__ import annotations

from datetime import date, datetime
from typing import Final

from services.core.certification import Measured
from services.infra.clickhouse.client import ClickHouse
from services.infra.scorecard import SPAN, read_scorecard

# The canonical payload is a JSON array; its sixth element is the data.
_TIMES: Final = """
SELECT count(), countIf(day > toDate32(toTimeZone(occurred, %(zone)s))),
       countIf(occurred = toStartOfDay(toTimeZone(occurred, %(zone)s))), countIf(occurred > received)
FROM (
    SELECT occurred, received, toDate32OrNull(JSONExtractString(payload, 6, 'day')) AS day FROM events
    WHERE source = %(source)s AND received >= %(since)s AND type != 'feed.reported'
)
"""
_PEOPLE: Final = """
SELECT count(), countIf(name IN (SELECT person FROM memberships) OR name IN (SELECT address FROM mailboxes))
FROM (SELECT DISTINCT actor AS name FROM activity WHERE source = %(source)s AND received_day >= toDate32(%(since)s))
"""
_CORRECTED: Final = """
SELECT sum(found) FROM (
    SELECT count() AS found FROM (SELECT 1 FROM items WHERE source = %(source)s GROUP BY type, agency, id, step
                                  HAVING uniqExact(version) > 1)
    UNION ALL
    SELECT count() FROM (SELECT 1 FROM exchanges WHERE source = %(source)s GROUP BY issuer, year, number, counterpart, step
                         HAVING uniqExact(version) > 1)
    UNION ALL
    SELECT count() FROM (SELECT 1 FROM memberships WHERE source = %(source)s GROUP BY person, roster, agency, stint
                         HAVING uniqExact(version) > 1)
    UNION ALL
    SELECT count() FROM (SELECT 1 FROM mailboxes WHERE source = %(source)s GROUP BY address, stint HAVING uniqExact(version) > 1)
    UNION ALL
    SELECT count() FROM (SELECT 1 FROM activity WHERE source = %(source)s GROUP BY actor, kind, day, action
                         HAVING max(retracted) = 1)
)
"""


def measure(database: ClickHouse, source: str, day: date, now: datetime, zone: str) -> Measured:
    """Return what *source* has sent in the four weeks before *now*, and its feeds on *day*. Blocks. Raises Transient."""
    card = read_scorecard(database, source, day, now)
    asked = {"source": source, "since": now - SPAN, "zone": zone}
    ((events, early, midnight, ahead),) = database.rows(_TIMES, asked)
    ((people, known),) = database.rows(_PEOPLE, asked)
    ((corrected,),) = database.rows(_CORRECTED, asked)
    refused: dict[str, int] = {}
    for one in card.refusals:
        if one.open:
            refused[one.reason] = refused.get(one.reason, 0) + one.open
    return Measured(
        events=events,
        early=early,
        midnight=midnight,
        ahead=ahead,
        people=people,
        known=known,
        corrected=int(corrected or 0),
        conflicts=sum(one.conflicts for one in card.arrivals),
        refused=refused,
        feeds=card.feeds,
    )
