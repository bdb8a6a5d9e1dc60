"""Which marks concern a figure, and for how long a fact counts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

_FOR_EVER: Final = 1_000_000  # days; past every day that the tables hold


def reads_of_measure(measure: dict[str, Any], declared_as: Iterable[str] = ()) -> frozenset[str]:
    """Return the marks (their ``reads``) that concern a figure of this measure, declared under these names."""
    return _facts_of_measure(measure) | {f"declarations:{name}" for name in declared_as}


def _facts_of_measure(measure: dict[str, Any]) -> frozenset[str]:
    match measure["kind"]:
        case "members" if measure["mailbox_domain"] is not None:
            return frozenset({f"memberships:{measure['roster']}", "mailboxes"})
        case "members":
            return frozenset({f"memberships:{measure['roster']}", f"memberships:{measure['also_on']}"})
        case "activity":
            return frozenset({f"memberships:{measure['roster']}", "mailboxes", f"activity:{measure['action']}"})
        case "items" if measure["facts"] == "document.exchanged":
            return frozenset({"exchanges"})
        case "items" | "progress":
            return frozenset({f"items:{measure['facts']}"})
        case other:
            raise ValueError(f"a measure of kind {other!r} has no figures of its own")


def carries(measure: dict[str, Any], reads: str) -> int:
    """Return for how many days after a fact's own span the fact still counts.

    A rolling window decides, and that the first person on a roster ends what is declared for it, for good.
    """
    if reads == f"memberships:{measure.get('roster')}":
        return _FOR_EVER
    return int(measure["window"]) - 1 if measure["kind"] == "activity" and not reads.startswith("declarations:") else 0
