"""Exact histories on demand: computed for the few agencies that somebody is told about, when they are asked for."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from services.core.schedule.standing import Standing

History = tuple[Standing, ...]
_KEPT: Final = 64  # agencies whose histories are held, those asked for last


class Histories(Mapping[tuple[str, str], History]):
    """(indicator, agency) → its standings in the order of days, as :class:`services.core.schedule.assess.Assessment` has them.

    *load* computes those of one agency, by indicator. Asking may block and raise Transient, where *load* does.
    """

    def __init__(self, agencies: Mapping[str, frozenset[str]], load: Callable[[str], Mapping[str, History]]) -> None:
        self._agencies = agencies  # agency → the indicators that concern it on some day
        self._load = load
        self._held: OrderedDict[str, Mapping[str, History]] = OrderedDict()

    def __getitem__(self, key: tuple[str, str]) -> History:
        """Return a history; KeyError where there is none."""
        indicator, agency = key
        if indicator not in self._agencies.get(agency, ()):
            raise KeyError(key)
        if agency not in self._held:
            self._held[agency] = self._load(agency)
            if len(self._held) > _KEPT:
                self._held.popitem(last=False)
        self._held.move_to_end(agency)
        return self._held[agency][indicator]

    def __iter__(self) -> Iterator[tuple[str, str]]:
        """Iterate over all that there are, agency by agency."""
        return (
            (indicator, agency) for agency, indicators in self._agencies.items() for indicator in sorted(indicators)
        )

    def __len__(self) -> int:
        """Return how many there are."""
        return sum(len(indicators) for indicators in self._agencies.values())
