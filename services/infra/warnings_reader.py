"""Warnings with what was told and answered, read from the tables that alerts writes. Bounded by limits and filters in SQL."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from schemas.warnings import WARNING_RECORD, Answer, Notice, Record, Silence, Transition, TransitionReason
from services.core.warnings.lifecycle import transition_id
from services.core.warnings.silences import SilenceLife, lives_of
from services.core.warnings.warning_records import NoticeState, fold_notices
from services.infra.clickhouse.client import ClickHouse
from services.infra.warnings_queries import (
    FINAL_FAULTS,
    GRAVEST_FIRST,
    MOST,
    NOTICE_STATES,
    PLACES,
    WantedWarnings,
    among,
)

_LAST_OF_EACH: Final = "ORDER BY sequence DESC LIMIT 1 BY plan, agency, cause"
_NEVER_TOLD: Final = frozenset({TransitionReason.FALLING_BEHIND, TransitionReason.NOT_HELD})
#: Table → what its records are of: each is read as a whole.
_KEYS: Final = {
    "warnings": "plan, agency, cause",
    "notices": "plan, id",
    "answers": "plan, agency, cause",
    "silences": "plan, id",
}


@dataclass(frozen=True, kw_only=True)
class Listed:
    """A warning: its last transition, the days behind of the day last judged, and the notices about it."""

    last: Transition
    days_behind: float | None
    notices: tuple[NoticeState, ...]


class WarningsReader:
    """Reads. Raises Transient while the database is away. Blocks."""

    def __init__(self, database: ClickHouse) -> None:
        self._database = database

    def states(self, wanted: WantedWarnings) -> dict[str, int]:
        """Return how many of those wanted there are by state."""
        query, values = wanted.query()
        rows = self._database.rows(f"SELECT held.1, count() FROM ({query}) GROUP BY held.1 ORDER BY held.1", values)
        return {state: int(count) for state, count in rows}

    def listed(self, wanted: WantedWarnings, *, limit: int, offset: int = 0) -> list[Listed]:
        """Return those wanted: open ones first, the gravest first, the longest behind first; at most :data:`MOST`."""
        return self._listed(wanted, GRAVEST_FIRST, min(limit, MOST), offset)

    def walk(self, wanted: WantedWarnings) -> Iterator[Listed]:
        """Yield all of those wanted by plan, agency and cause, however many they are; memory stays small."""
        after = wanted.after
        while True:
            step = replace(wanted, after=after)
            found = self._listed(step, "plan, agency, cause", MOST, 0)
            yield from found
            if len(found) < MOST:
                return
            after = (found[-1].last.plan, found[-1].last.agency, found[-1].last.cause)

    def last(self, plan: str, agency: str, cause: str) -> Transition | None:
        """Return the last transition of a warning; None: there has never been one."""
        found = self._transitions([(plan, agency, cause)], "ORDER BY sequence DESC LIMIT 1")
        return found[0] if found else None

    def life(self, plan: str, agency: str, cause: str) -> tuple[Transition, ...]:
        """Return every transition of a warning that counts, in their order."""
        return self._transitions([(plan, agency, cause)], "ORDER BY sequence")

    def answers(self, plan: str, agency: str, cause: str) -> tuple[Answer, ...]:
        """Return the answers to a warning, in the order of the log."""
        rows = self._database.rows(
            "SELECT record FROM answers FINAL WHERE plan = %(plan)s AND agency = %(agency)s AND cause = %(cause)s "
            "ORDER BY recorded, id",
            {"plan": plan, "agency": agency, "cause": cause},
        )
        return tuple(one for one in _parsed(rows) if isinstance(one, Answer))

    def notices_about(self, subjects: Sequence[tuple[str, str, str]]) -> tuple[NoticeState, ...]:
        """Return the notices about the warnings of (plan, agency, cause), the oldest first; no digests."""
        if not subjects:
            return ()
        rows = self._database.rows(
            "SELECT record FROM notices FINAL WHERE plan IN %(plans)s AND id IN ("
            "SELECT id FROM notices ARRAY JOIN transitions AS told WHERE plan IN %(plans)s AND told IN "
            "(SELECT id FROM warnings WHERE (plan, agency, cause) IN %(subjects)s))",
            {"plans": tuple(sorted({plan for plan, _, _ in subjects})), "subjects": tuple(subjects)},
        )
        return _folded(rows)

    def notice_states(self, plans: Collection[str]) -> dict[str, int]:
        """Return how many notices there are by state."""
        values: dict[str, Any] = {"final": FINAL_FAULTS}
        query = NOTICE_STATES.format(plans=among("plan", plans, values), condition="1")
        rows = self._database.rows(f"SELECT became, count() FROM ({query}) GROUP BY became", values)
        return {state: int(count) for state, count in rows}

    def notices_in(
        self, plans: Collection[str], states: Collection[str], *, limit: int, offset: int = 0
    ) -> tuple[NoticeState, ...]:
        """Return the notices in one of *states* (any: none named), the oldest first."""
        values: dict[str, Any] = {"final": FINAL_FAULTS, "limit": min(limit, MOST), "offset": offset}
        query = NOTICE_STATES.format(plans=among("plan", plans, values), condition="1")
        rows = self._database.rows(
            f"SELECT id FROM ({query}) WHERE {among('became', states, values)} ORDER BY first, id "
            "LIMIT %(limit)s OFFSET %(offset)s",
            values,
        )
        return self.notices([row[0] for row in rows])

    def notices(self, ids: Collection[str]) -> tuple[NoticeState, ...]:
        """Return the notices called *ids*, the oldest first; unknown ones are left out."""
        if not ids:
            return ()
        rows = self._database.rows(
            "SELECT record FROM notices FINAL WHERE id IN %(ids)s", {"ids": tuple(sorted(set(ids)))}
        )
        return _folded(rows)

    def notices_called(self, plans: Collection[str], begins: str) -> tuple[NoticeState, ...]:
        """Return the notices whose id begins so, two at most: more need no telling apart."""
        if not begins.isascii():
            return ()
        values: dict[str, Any] = {"begins": begins}
        rows = self._database.rows(
            f"SELECT DISTINCT id FROM notices WHERE {among('plan', plans, values)} AND startsWith(id, %(begins)s) LIMIT 2",
            values,
        )
        return self.notices([row[0] for row in rows])

    def causes_told(self, notices: Collection[NoticeState]) -> dict[str, tuple[str, ...]]:
        """Return id of a notice → the causes of the warnings that it tells."""
        told = {number for one in notices for number in one.notice.transitions}
        if not told:
            return {}
        rows = self._database.rows(
            "SELECT DISTINCT id, cause FROM warnings WHERE plan IN %(plans)s AND id IN "
            "(SELECT arrayJoin(transitions) FROM notices WHERE plan IN %(plans)s AND id IN %(ids)s)",
            {"plans": tuple({one.notice.plan for one in notices}), "ids": tuple(one.notice.id for one in notices)},
        )
        causes: dict[str, str] = dict(rows)
        return {
            one.notice.id: tuple(sorted({causes[number] for number in one.notice.transitions if number in causes}))
            for one in notices
        }

    def silences(self, plans: Collection[str], ids: Collection[str] = ()) -> tuple[SilenceLife, ...]:
        """Return the silences of *plans*, of these ids where any are named, the latest begun first."""
        values: dict[str, Any] = {}
        where = f"{among('plan', plans, values)} AND {among('id', ids, values)}"
        rows = self._database.rows(f"SELECT record FROM silences FINAL WHERE {where}", values)
        return lives_of(one for one in _parsed(rows) if isinstance(one, Silence))

    def records(self, table: str, plans: Collection[str]) -> Iterator[Record]:
        """Yield every record of *table* (``warnings`` for transitions) that counts, each warning's, notice's or silence's
        in the order of the log; however many they are, memory stays small."""
        key = _KEYS[table]
        values: dict[str, Any] = {"limit": MOST}
        where, width = among("plan", plans, values), key.count(",") + 1
        after = ""
        while True:
            rows = self._database.rows(
                f"SELECT record, {key} FROM {table} FINAL WHERE ({key}) IN (SELECT DISTINCT {key} FROM {table} "
                f"WHERE {where} {after} ORDER BY {key} LIMIT %(limit)s) ORDER BY {key}, recorded, at",
                values,
            )
            yield from _parsed(rows)
            if not rows:
                return
            after, values["after"] = f"AND ({key}) > %(after)s", rows[-1][1 : 1 + width]

    def _listed(self, wanted: WantedWarnings, order: str, limit: int, offset: int) -> list[Listed]:
        latest, values = wanted.query()
        plans = among("plan", wanted.plans, values)
        query = PLACES.format(latest=latest, plans=plans, order=order)
        places = self._database.rows(query, values | {"limit": limit, "offset": offset})
        subjects = [(plan, agency, cause) for plan, agency, cause, _, _ in places]
        held = {(one.plan, one.agency, one.cause): one for one in self._transitions(subjects, _LAST_OF_EACH)}
        about: dict[str, list[NoticeState]] = {}
        for state in self.notices_about(subjects):
            for number in state.notice.transitions:
                about.setdefault(number, []).append(state)
        found = []
        for *subject, _, days in places:
            last = held[(subject[0], subject[1], subject[2])]
            told = {state.notice.id: state for number in ids_of(last) for state in about.get(number, ())}
            found.append(Listed(last=last, days_behind=days, notices=tuple(told.values())))
        return found

    def _transitions(self, subjects: Sequence[tuple[str, str, str]], tail: str) -> tuple[Transition, ...]:
        if not subjects:
            return ()
        rows = self._database.rows(
            f"SELECT record FROM warnings FINAL WHERE (plan, agency, cause) IN %(subjects)s {tail}",
            {"subjects": tuple(subjects)},
        )
        return tuple(one for one in _parsed(rows) if isinstance(one, Transition))


def ids_of(last: Transition) -> list[str]:
    """Return the ids of the transitions of the warning whose last one is *last*; none of one that nobody was told of."""
    if last.opened is None and last.reason in _NEVER_TOLD:
        return []
    first = last.opened or 1
    return [transition_id(last.plan, last.agency, last.cause, sequence) for sequence in range(first, last.sequence + 1)]


def _folded(rows: Sequence[tuple[Any, ...]]) -> tuple[NoticeState, ...]:
    states = fold_notices(one for one in _parsed(rows) if isinstance(one, Notice)).values()
    return tuple(sorted(states, key=lambda one: (one.notice.at, one.notice.recipient, one.notice.id)))


def _parsed(rows: Iterable[tuple[Any, ...]]) -> Iterator[Record]:
    return (WARNING_RECORD.validate_json(row[0]) for row in rows)
