"""What the evaluator remembers of a plan between two looks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from schemas.policy import Policy
from services.alerts.evaluate import Round


@dataclass(frozen=True, kw_only=True)
class Heard:
    """What beside figures decides whether somebody is to be told something, at one moment."""

    word: tuple[int, datetime | None]  # answers, silences, notices given up or sent again: how many, and the last
    policy: Policy
    silences: tuple[str, ...]
    maintenance: tuple[int, ...]
    at_work: bool
    periods: tuple[date, ...]


@dataclass
class PlanMemory:
    """What this process remembers of a plan between looks; losing it costs time, nothing else."""

    inputs: str = ""
    inputs_since: float = 0.0
    look_again: float = 0.0
    waiting: bool = True  # notices may be unsettled: after a start nobody knows
    last: Round | None = None
    heard: Heard | None = None
    gone_on: date | None = None  # complained about
