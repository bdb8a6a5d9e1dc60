"""Evidence of figures about people: reasons with their counts, and nobody by name or pseudonym."""

from __future__ import annotations

from typing import Final

from schemas.explanation import PeopleEvidence, PeopleReason, Roster
from services.core.suppression import SMALLEST, Cell, told
from services.infra.explain.sources import Inquiry

#: All reasons of a kind are answered, those that nobody has too: that nobody has one would tell about everybody.
_MEMBERS: Final = ("no-mailbox", "mailbox-elsewhere", "mailbox-not-open")
_ALSO_ON: Final = ("not-on-roster",)
_ACTIVITY: Final = ("no-address", "no-deed", "too-few-days")


def people_evidence(inquiry: Inquiry) -> PeopleEvidence:
    """Return why people on the roster do not count on the inquiry's day. Raises Transient while the database is away."""
    cells = exact_cells(inquiry)
    counting = cells.pop("counts").people
    others = sum(cell.people for cell in cells.values())
    answer = told(cells, people=counting + others, others=others)
    return PeopleEvidence(
        roster=Roster(roster=inquiry.asked.measure["roster"], day=inquiry.day, people=counting + others),
        reasons=tuple(PeopleReason(why=why, people=about) for why, about in answer.items()),
        suppressed=_withheld(counting + others, others),
    )


def exact_cells(inquiry: Inquiry) -> dict[str, Cell]:
    """Return reason → the people who have it, ``counts`` among them; exact, and so not for anybody outside."""
    measure = inquiry.asked.measure
    reasons: tuple[str, ...]
    if measure["kind"] == "activity":
        reasons = _ACTIVITY if measure["days"] > 1 else _ACTIVITY[:2]
        rows = inquiry.rows("why_activity", other="other_activity")
    elif measure["mailbox_domain"] is not None:
        reasons, rows = _MEMBERS, inquiry.rows("why_members")
    else:
        reasons, rows = _ALSO_ON, inquiry.rows("why_also_on", other="other_roster")
    found = {str(why): Cell(int(people), int(key)) for why, people, key in rows}
    return {why: found.get(why, Cell(0, 0)) for why in ("counts", *reasons)}


def _withheld(people: int, others: int) -> str | None:
    if people < SMALLEST:
        return "small-group"
    return "few-others" if others < SMALLEST else None
