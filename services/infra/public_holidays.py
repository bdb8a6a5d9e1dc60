"""Vietnam's public holidays, Tết among them, from the `holidays` library: what a plan's calendar is checked against.

A plan states its days off itself, so that a newer library changes no figure of the past.
"""

from __future__ import annotations

from datetime import date

import holidays


def public_holidays(first: date, last: date) -> dict[date, str]:
    """Return the public holidays of *first* … *last* with their Vietnamese names, in order; days off in lieu included."""
    years = range(first.year, last.year + 1)
    found = holidays.country_holidays("VN", years=years, language="vi")
    return {day: name for day, name in sorted(found.items()) if first <= day <= last}
