"""What keeps a late append of one leader from winning over what another has found unchanged.

A round appends only what differs from the figures held. That comparison does not see what another round has read and not
yet appended; were that to land later, an older figure would stay. So every round announces its appends, and a round that
finds another's announcement standing appends everything that it computes, changed or not: its greater basis wins. Nothing
waits for anybody, and a worker that was killed or stalled hinders nobody. See docs/adr/0011.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from services.infra.clickhouse.client import ClickHouse

_BEGIN_WITHIN: Final = timedelta(seconds=60)  # of the announcement; ClickHouse refuses an append that begins later
_RENEW_AFTER: Final = timedelta(seconds=20)
_LONGEST_APPEND: Final = timedelta(seconds=600)  # ClickHouse ends one that takes longer


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What an append statement carries along; moments are the database's, as text.

    *basis* was read before the statement was sent, so that it is never later than what the statement reads. The statement
    fails where it begins after *begin_by* or runs longer than *longest* seconds. *whole* is 1 where unchanged values are
    appended too.
    """

    basis: str
    begin_by: str
    longest: int
    whole: int


class Claim:
    """A round's announcement. Made before the round's first append and after the marks were read."""

    def __init__(self, database: ClickHouse) -> None:
        self._database = database
        self._round = uuid.uuid4().hex
        self._announced = self._announce()
        self._whole = self._others()

    def terms(self) -> Terms:
        """Return the terms of the next append, which must follow at once. Blocks for a query or two."""
        basis = self._now()
        if basis > self._announced + _RENEW_AFTER:
            basis = self._announced = self._announce()
        return Terms(
            basis=_text(basis),
            begin_by=_text(self._announced + _BEGIN_WITHIN),
            longest=int(_LONGEST_APPEND.total_seconds()),
            whole=int(self._whole),
        )

    def end(self) -> None:
        """Take the announcement back. Only when no append can still be under way, so never after a fault."""
        self._say(timedelta())

    def _announce(self) -> datetime:
        now = self._now()
        self._say(_BEGIN_WITHIN + _LONGEST_APPEND)
        return now

    def _others(self) -> bool:
        rows = self._database.rows(
            "SELECT round FROM recomputations WHERE round != %(round)s AND said > now64(6) - toIntervalSecond(%(past)s) "
            "GROUP BY round HAVING argMax(until, said) > now64(6) LIMIT 1",
            {"round": self._round, "past": int((_BEGIN_WITHIN + _LONGEST_APPEND).total_seconds())},
        )
        return bool(rows)

    def _say(self, ahead: timedelta) -> None:
        self._database.run(
            "INSERT INTO recomputations (round, until, said) "
            "SELECT %(round)s, now64(6) + toIntervalMillisecond(%(ahead)s), now64(6)",
            {"round": self._round, "ahead": int(ahead.total_seconds() * 1000)},
        )

    def _now(self) -> datetime:
        moment: datetime = self._database.rows("SELECT now64(6, 'UTC')")[0][0]
        return moment


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S.%f")
