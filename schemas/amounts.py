"""Amounts as the tables hold them."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

_LARGEST: Final = Decimal(10**18)


def check_amounts(*amounts: Decimal | None) -> None:
    """Raise ValueError for an amount that no table holds; None is no amount.

    To be called when a record is read: a reader that failed later, on packing, would fail on the same record for ever.
    """
    for amount in amounts:
        if amount is not None and not (amount.is_finite() and 0 <= amount < _LARGEST):
            raise ValueError("an amount is finite, not negative, and below 10^18")
