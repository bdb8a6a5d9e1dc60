"""How grave a day of standing is under a policy. Exact; the vectorised form is held to it by a property."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import TYPE_CHECKING, Final

from schemas.plan import Plan
from schemas.policy import Policy, Severity, Threshold

if TYPE_CHECKING:  # standing brings numpy, and who asks for the policy in force may have no use for it
    from services.core.schedule.standing import Standing

#: From 1, the least; 0 is none.
RANK: Final[dict[Severity, int]] = {Severity.INFO: 1, Severity.WARNING: 2, Severity.CRITICAL: 3}
SEVERITY: Final[dict[int, Severity]] = {rank: severity for severity, rank in RANK.items()}
#: Verdicts that a threshold's verdict is met by: its own and the graver ones.
MET_BY: Final[dict[str, frozenset[str]]] = {
    "at-risk": frozenset({"at-risk", "behind", "missed"}),
    "behind": frozenset({"behind", "missed"}),
    "missed": frozenset({"missed"}),
}


def default_policy(plan: Plan) -> Policy:
    """Return the policy of a plan for which none has been published: behind is warned of, missed is critical."""
    return Policy(
        policy=plan.plan,
        plan=plan.plan,
        in_force_from=plan.in_force_from,
        hold=plan.warnings.hold,
        clear=plan.warnings.clear,
    )


def severity_of(standing: Standing, policy: Policy, deadline: date) -> int:
    """Return the rank of the gravest threshold that *standing* meets, 0 where it meets none."""
    return max((RANK[one.severity] for one in policy.thresholds if meets(standing, one, deadline)), default=0)


def meets(standing: Standing, threshold: Threshold, deadline: date) -> bool:
    """Return whether *standing* meets every condition of *threshold*.

    A forecast counts as late where a pace is known and no day of reaching the target is in sight. What a standing does not
    have (no figure, no schedule) meets nothing.
    """
    verdict = standing.verdict.value if standing.verdict is not None else ""
    if threshold.verdict is not None and verdict not in MET_BY[threshold.verdict]:
        return False
    if threshold.days_behind is not None and (
        standing.days_behind is None or standing.days_behind < threshold.days_behind
    ):
        return False
    if threshold.points is not None and _below(standing) < threshold.points:
        return False
    return threshold.forecast_late is None or _days_late(standing, deadline) >= threshold.forecast_late


def _below(standing: Standing) -> Fraction:
    if standing.planned is None or standing.ratio is None:
        return Fraction(-1)  # never below by any share that a threshold can name
    return standing.planned - standing.ratio


def _days_late(standing: Standing, deadline: date) -> float:
    if standing.verdict is None or standing.verdict.value == "achieved" or standing.recent_pace is None:
        return float("-inf")
    return float("inf") if standing.forecast is None else (standing.forecast - deadline).days
