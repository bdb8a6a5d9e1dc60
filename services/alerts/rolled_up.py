"""Roll-ups of the days on which some standing has changed, from what the table holds."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from schemas.directory import Directory
from schemas.plan import Plan
from services.core.schedule.coverage import FeedState
from services.core.schedule.judging import Spell
from services.core.schedule.rollup import Over, Rollup, overs_of, rollups_on
from services.core.schedule.standing import Standing


class RollingUp:
    """Rolls up days over the groups and parents of *directory*, for the indicators of *plan*: those in force on the last day."""

    def __init__(self, plan: Plan, directory: Directory, spells: Sequence[Spell]) -> None:
        self._plan = plan
        self._overs: tuple[Over, ...] = overs_of(directory)
        self._spells = spells

    def on(self, day: date, rows: Sequence[tuple[Any, ...]]) -> tuple[Rollup, ...]:
        """Return the roll-ups of *day*, of which the table ``standing`` holds *rows* (``StandingStore.on_day``)."""
        spell = next((one for one in self._spells if one.first <= day <= one.last), None)
        if spell is None:
            return ()
        found: dict[str, dict[str, Standing]] = {}
        for row in rows:
            indicator, agency = row[0], row[1]
            if indicator in spell.indicators:
                found.setdefault(indicator, {})[agency] = self._standing(spell, day, row)
        return tuple(rollups_on(self._plan.indicators, self._overs, found))

    def _standing(self, spell: Spell, day: date, row: tuple[Any, ...]) -> Standing:
        indicator, agency, revision, numerator, denominator, share, ratio, feed_state, judged_day = row
        target = spell.concerned(spell.indicators[indicator]).get(agency)
        curve = spell.curve(target) if target is not None else None
        return Standing(
            plan=self._plan.plan,
            revision=revision,
            indicator=indicator,
            agency=agency,
            day=day,
            numerator=numerator,
            denominator=denominator,
            ratio=ratio,  # a float here: roll-ups ask whether it is above zero, and add up counts
            measured_share=share,
            planned=curve.planned_at(judged_day) if curve else None,
            target=curve.target if curve else None,
            verdict=None,
            days_behind=None,
            spi=None,
            needed_pace=None,
            recent_pace=None,
            forecast=None,
            forecast_low=None,
            forecast_high=None,
            feed_state=FeedState(feed_state),
            provisional=False,
            judged_day=judged_day,
        )
