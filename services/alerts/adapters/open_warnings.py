"""Reads what is open now, for those who want the state and not its changes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Final

from schemas.warnings import WARNING_RECORD, Transition
from services.alerts.adapters.standing_store import StandingStore
from services.alerts.core.alerts import Alert, alerts_of
from services.alerts.core.notices import is_feed
from services.core.in_force import directory_in_force, plan_in_force
from services.core.warnings.warning_records import Subject
from services.infra.clickhouse.client import ClickHouse
from services.infra.plan_reader import PlanReader

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LAST: Final = (
    "SELECT record FROM (SELECT record, state FROM warnings FINAL WHERE plan = %(plan)s "
    "ORDER BY sequence DESC LIMIT 1 BY agency, cause) WHERE state NOT IN ('pending', 'resolved')"
)
_OPENED: Final = (
    "SELECT agency, cause, sequence, toUnixTimestamp64Micro(recorded) FROM warnings FINAL "
    "WHERE plan = %(plan)s AND JSONExtractUInt(record, 'opened') = sequence"
)


class OpenWarnings:
    """Reads the open warnings of every plan as alerts. Blocks; raises Transient while the database is away."""

    def __init__(self, database: ClickHouse, *, board_url: str | None = None) -> None:
        self._database = database
        self._reader = PlanReader(database)
        self._store = StandingStore(database)
        self._board_url = board_url

    def alerts(self) -> tuple[Alert, ...]:
        """Return an alert for each warning that is open."""
        return tuple(alert for plan in self._reader.plan_ids() for alert in self._of(plan))

    def _of(self, plan: str) -> tuple[Alert, ...]:
        judged = self._reader.last_evaluation(plan)
        states = self._open(plan)
        if judged is None or not states:
            return ()
        document = plan_in_force(self._reader.plans(plan), judged.day)
        directory = None
        if document is not None:
            directory = directory_in_force(self._reader.directories(document.document.directory), judged.day)
        if document is None or directory is None:
            return ()
        began = self._began(plan)
        return alerts_of(
            states,
            document.document,
            directory.document,
            started=lambda one: began.get((one.agency, one.cause, one.opened or 0), one.at),
            late=self._late(plan, judged.day, states),
            board_url=self._board_url,
        )

    def _open(self, plan: str) -> dict[Subject, Transition]:
        records = (WARNING_RECORD.validate_json(row[0]) for row in self._database.rows(_LAST, {"plan": plan}))
        return {(one.agency, one.cause): one for one in records if isinstance(one, Transition)}

    def _began(self, plan: str) -> dict[tuple[str, str, int], datetime]:
        rows = self._database.rows(_OPENED, {"plan": plan})
        return {
            (agency, cause, int(sequence)): _EPOCH + timedelta(microseconds=int(micros))
            for agency, cause, sequence, micros in rows
        }

    def _late(self, plan: str, day: date, states: Mapping[Subject, Transition]) -> dict[Subject, float]:
        causes = sorted({one.cause for one in states.values() if not is_feed(one)})
        behind = {cause: self._store.days_behind(plan, cause.partition(":")[2], day) for cause in causes}
        return {(agency, cause): days for cause, some in behind.items() for agency, days in some.items()}
