"""A figure counted again from the facts: what was measured, what was declared, and whether the standing says the same."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from schemas.explanation import Counted, Declared, Part, Recount
from services.core.schedule.standing import figure_of, mean_of
from services.infra.explain.sources import Inquiry, moment_of


def recount(inquiry: Inquiry) -> Recount:
    """Return the figure counted again from the facts; ``agrees`` is for :func:`agreeing` to say."""
    whole, measured = inquiry.figure(declared=True), inquiry.figure(declared=False)
    nothing = Decimal(0)
    done, total = (whole.numerator, whole.denominator) if whole else (nothing, nothing)
    own_done, own_total = (measured.numerator, measured.denominator) if measured else (nothing, nothing)
    return Recount(
        measured=Part(numerator=own_done, denominator=own_total),
        declared=Part(numerator=done - own_done, denominator=total - own_total),
        agrees=None,
    )


def counts(part: Counted) -> tuple[Decimal | None, Decimal | None]:
    """Return numerator and denominator of the recount, declared ones included; None without cases."""
    of = part.recount
    total = of.measured.denominator + of.declared.denominator
    return (of.measured.numerator + of.declared.numerator, total) if total else (None, None)


def mean_ratio(parts: Sequence[Counted]) -> float | None:
    """Return the weighted mean of the recounted parts; None where one has no cases."""
    figures = [(figure_of(*counts(part), measured_share=None, minimum=0), part.weight or Decimal(1)) for part in parts]
    ratio = mean_of(figures).ratio
    return None if ratio is None else float(ratio)


def agreeing(part: Counted, agrees: bool | None) -> Counted:
    """Return *part*, saying whether its recount agrees with the standing."""
    return part.model_copy(update={"recount": part.recount.model_copy(update={"agrees": agrees})})


def declared(inquiry: Inquiry) -> tuple[Declared, ...]:
    """Return the declarations about the day that stand, under the names by which the figure takes them."""
    if not inquiry.asked.declared_as:
        return ()
    return tuple(
        Declared(
            agency=agency,
            indicator=name,
            source=source,
            first=first,
            last=last,
            numerator=value[0],
            denominator=value[1],
            stated=moment_of(version),
        )
        for agency, name, first, last, source, version, value, _ in inquiry.rows("declarations")
    )
