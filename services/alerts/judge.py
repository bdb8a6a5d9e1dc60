"""Judges pieces: reads what they need, in arrays, and writes what differs."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Final

import numpy as np

from schemas.directory import Feed
from schemas.plan import Indicator, MeanMeasure, Target
from services.alerts.adapters.figures import FigureReader
from services.alerts.adapters.standing_store import Rows, Saved, StandingStore
from services.core.definition import definition_of
from services.core.schedule.coverage import WORST_FIRST, FeedState, Reports
from services.core.schedule.figures_many import Figures, Ints, figures_of_many, mean_of_many, no_figures
from services.core.schedule.judged_block import Block, rows_of
from services.core.schedule.judging import Changes, Needed, Piece, Spell, pieces_of
from services.core.schedule.pace import LONG, WINDOW
from services.core.schedule.trajectory import Curve

log = logging.getLogger(__name__)

CELLS: Final = 50_000  # agencies × days judged at a time: what a round holds in memory
_LOOKED_BACK: Final = timedelta(days=40)  # longer than a feed's incomplete days are remembered
_STATE: Final = {state: code for code, state in enumerate(WORST_FIRST)}


class Judge:
    """Judges one plan up to *day*. Blocks; raises Transient while the database is away; harmless when repeated."""

    def __init__(self, reader: FigureReader, store: StandingStore, *, day: date, basis: datetime) -> None:
        self._reader = reader
        self._store = store
        self._day = day
        self._basis = basis
        self._told: tuple[object, Reports] | None = None

    def judge(self, spell: Spell, changes: Changes, *, held_until: date | None) -> Iterator[Saved]:
        """Judge what of *spell* is to be judged; the table holds nothing after *held_until*."""
        for whole in pieces_of(spell, changes, CELLS):
            for piece in self._apart(whole):
                block = self._block(piece)
                rows = Rows(
                    plan=block.plan,
                    indicator=block.indicator,
                    agencies=block.agencies,
                    first=piece.first,
                    last=spell.last,
                    columns=rows_of(block),
                )
                yield self._store.save(rows, self._basis, fresh=held_until is None or held_until < piece.first)

    def reports(self, spell: Spell, first: date, needed: Sequence[Needed]) -> Reports:
        """Return the reports that decide the states from *first* on of the feeds in *needed*."""
        feeds: dict[tuple[str, frozenset[str]], tuple[Feed, frozenset[str]]] = {}
        for one in {id(one): one for one in needed}.values():
            types = frozenset(one)
            feeds |= {(feed.id, types): (feed, types) for several in one.values() for feed in several}
        sources = frozenset(feed.source for feed, _ in feeds.values())
        holidays = frozenset(spell.directory.document.holidays)
        key = (sources, frozenset(feeds), holidays, first)
        if self._told is None or self._told[0] != key:
            rows = self._reader.feed_days(sources, self._day, first - _LOOKED_BACK) if sources else []
            told = Reports(rows, holidays)
            # Who has covered no day lately may have covered one long ago.
            dead = {
                feed.source
                for feed, types in feeds.values()
                if told.state(feed, first, types).state is FeedState.NEVER_CONNECTED
            }
            if dead:
                rows = [one for one in rows if one.source not in dead] + self._reader.feed_days(dead, self._day)
                told = Reports(rows, holidays)
            self._told = key, told
        return self._told[1]

    def _apart(self, piece: Piece) -> Iterator[Piece]:
        """Split off whose feeds have been silent for long: their figures lie far back, and are read apart."""
        told = self.reports(piece.spell, piece.first, piece.needed)
        far = []
        known: dict[int, bool] = {}
        for needed in piece.needed:
            if id(needed) not in known:
                judged = told.coverage(needed, piece.first).judged_day
                known[id(needed)] = judged < piece.first - timedelta(days=WINDOW)
            far.append(known[id(needed)])
        for apart in (False, True):
            some = [at for at, one in enumerate(far) if one is apart]
            if some:
                yield replace(
                    piece,
                    agencies=tuple(piece.agencies[at] for at in some),
                    needed=tuple(piece.needed[at] for at in some),
                )

    def _block(self, piece: Piece) -> Block:
        spell, plan = piece.spell, piece.spell.plan.document
        days = [piece.first + timedelta(days=step) for step in range(piece.days)]
        told = self.reports(spell, piece.first, piece.needed)
        places: dict[int, int] = {}
        covers: list[Needed] = []
        for needed in piece.needed:
            if id(needed) not in places:
                places[id(needed)] = len(covers)
                covers.append(needed)
        coverages = [[told.coverage(needed, day) for day in days] for needed in covers]
        judged = np.array([[(one.judged_day - plan.start).days for one in row] for row in coverages], dtype=np.int64)
        exists = np.zeros((len(piece.agencies), len(days)), dtype=np.bool_)
        for at, agency in enumerate(piece.agencies):
            begins, ends = spell.lives[agency]
            exists[at, max(0, (begins - piece.first).days) : max(0, (ends - piece.first).days + 1)] = True
        curves, curve = _curves(spell, piece.indicator, piece.agencies)
        least = int(judged.min())
        origin = max(0, least - LONG + 1)
        steady = len(days) == 1 and least == int(judged.max())
        return Block(
            plan=plan.plan,
            revision=spell.plan.revision,
            indicator=piece.indicator.id,
            behind_after=plan.behind_after,
            start=plan.start,
            first=(piece.first - plan.start).days,
            agencies=piece.agencies,
            curves=curves,
            curve=curve,
            exists=exists,
            cover=np.array([places[id(needed)] for needed in piece.needed], dtype=np.int64),
            state=np.array([[_STATE[one.state] for one in row] for row in coverages], dtype=np.int8),
            judged=judged,
            provisional=np.array([[one.provisional for one in row] for row in coverages], dtype=np.bool_),
            figures=self._figures(piece, origin, dense=least - WINDOW + 1 if steady else None),
            origin=origin,
        )

    def _figures(self, piece: Piece, origin: int, *, dense: int | None) -> Figures:
        """Return the figures from day *origin* of the plan on; between it and *dense* only what paces ask for."""
        spell, plan = piece.spell, piece.spell.plan.document
        first = plan.start + timedelta(days=origin)
        last = max(first, spell.last)
        shape = (len(piece.agencies), (last - first).days + 1)
        parts = spell.parts(piece.indicator)
        if parts is None:
            return no_figures(*shape)
        found = []
        for part in parts:
            definition, minimum = definition_of(part, plan), plan.minimum_of(part)
            if definition is None:
                return no_figures(*shape)
            whole = dense is None or dense <= origin or isinstance(piece.indicator.measure, MeanMeasure)
            thin = None if whole or dense is None else (plan.start + timedelta(days=dense), max(minimum, 0))
            counts = self._reader.figures(definition.hash, piece.agencies, (first, last), thin)
            found.append(figures_of_many(counts.done, counts.of, counts.share, minimum=minimum))
        if not isinstance(piece.indicator.measure, MeanMeasure):
            return found[0]
        weights = [part.weight for part in piece.indicator.measure.of]
        return mean_of_many(list(zip(found, weights, strict=True)))


def _curves(spell: Spell, indicator: Indicator, agencies: Sequence[str]) -> tuple[list[Curve], Ints]:
    """Return the curves of *agencies*, and the place of each one's, -1 where it has no target."""
    concerned = spell.concerned(indicator)
    places: dict[int, int] = {}
    targets: list[Target] = []
    curve = np.full(len(agencies), -1, dtype=np.int64)
    for at, agency in enumerate(agencies):
        target = concerned[agency]
        if target is not None:
            if id(target) not in places:
                places[id(target)] = len(targets)
                targets.append(target)
            curve[at] = places[id(target)]
    return [spell.curve(target) for target in targets], curve
