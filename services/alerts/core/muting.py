"""Whom nobody is told about for the time being: silences, maintenance, and children for whom a late parent stands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property

from schemas.directory import Agency, Directory
from schemas.policy import Match, Policy
from schemas.warnings import Silence, Transition
from services.core.warnings.lifecycle import is_open
from services.core.warnings.matching import matches
from services.core.warnings.warning_records import Subject


class Mute(StrEnum):
    """Why somebody is not told yet. Nothing here acknowledges or resolves; what still holds afterwards is told then."""

    SILENCED = "silenced"
    MAINTENANCE = "maintenance"
    PARENT_STANDS_FOR_IT = "parent-stands-for-it"


@dataclass(frozen=True)
class Muting:
    """What mutes at *now*. *silences* are those in force, *states* the last transition of every warning."""

    directory: Directory
    policy: Policy
    silences: Sequence[Silence]
    states: Mapping[Subject, Transition]
    now: datetime

    def why(self, one: Transition) -> Mute | None:
        """Return why nobody is told of the warning whose last transition is *one*; None where nothing keeps from it."""
        if any(self._meant(silence.match, one) for silence in self.silences):
            return Mute.SILENCED
        windows = (window for window in self.policy.maintenance if window.from_ <= self.now < window.until)
        if any(self._meant(window.match, one) for window in windows):
            return Mute.MAINTENANCE
        if self.policy.stand_for_children and is_open(one) and self._late_above(one):
            return Mute.PARENT_STANDS_FOR_IT
        return None

    def _meant(self, match: Match, one: Transition) -> bool:
        return matches(match, one, self._agencies.get(one.agency))

    def _late_above(self, one: Transition) -> bool:
        return any(is_open(self.states.get((parent, one.cause))) for parent in ancestors(self._agencies, one.agency))

    @cached_property
    def _agencies(self) -> dict[str, Agency]:
        return {agency.id: agency for agency in self.directory.agencies}


def ancestors(agencies: Mapping[str, Agency], agency: str) -> Iterator[str]:
    """Yield the parents of *agency*, the nearest first; a circle ends where it would begin again."""
    seen = {agency}
    known = agencies.get(agency)
    while known is not None and known.parent is not None and known.parent not in seen:
        seen.add(known.parent)
        yield known.parent
        known = agencies.get(known.parent)
