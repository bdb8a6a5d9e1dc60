"""Levels: who stands above whom, and how high a warning has come."""

from __future__ import annotations

from schemas.policy import ROLES, Policy, Step
from services.core.warnings.severity import RANK


def level_reached(policy: Policy, held: str, *, age: int | None, severity: int) -> str:
    """Return the highest level reached, never below *held*; *age* in days of standing, None where age no longer counts."""

    def reached(step: Step) -> bool:
        if step.after is None and step.severity is None:
            return True
        grave = step.severity is not None and severity >= RANK[step.severity]
        return grave or (step.after is not None and age is not None and age >= step.after)

    return max([held, *(one.to for one in policy.levels if reached(one))], key=_rank)


def level_above(policy: Policy, held: str) -> str:
    """Return the next level above *held* that *policy* has; *held* where there is none."""
    return next((one.to for one in policy.levels if _rank(one.to) > _rank(held)), held)


def _rank(level: str) -> int:
    return next((rank for rank, role in enumerate(ROLES) if role == level), -1)
