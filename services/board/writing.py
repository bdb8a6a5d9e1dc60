"""What the board needs to record what somebody says: who may, how often, by which clock, and where it goes."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Protocol

from schemas.warnings import Answer, Notice, Silence
from services.board.tokens import Tokens
from services.infra.clock import Clock, machine_now


class Publishes(Protocol):
    """What is needed of the publisher: to return once the brokers have acknowledged, else to raise Transient."""

    def publish(self, records: Sequence[Answer | Silence | Notice]) -> None: ...


class Allowance:
    """So many writes a minute for each holder of a token; what was not used is saved up for a minute, no longer."""

    def __init__(self, per_minute: int) -> None:
        self._per_minute = per_minute
        self._left: dict[str, tuple[float, float]] = {}  # name → how many, when

    def take(self, name: str, now: float) -> bool:
        """Return whether *name* may write at *now* (seconds of a steady clock), and count it."""
        left, since = self._left.get(name, (float(self._per_minute), now))
        left = min(float(self._per_minute), left + (now - since) * self._per_minute / 60)
        self._left[name] = (left - 1 if left >= 1 else left, now)
        return left >= 1


class NobodyPublishes:
    """A publisher for a board that takes nothing; it is never asked."""

    def publish(self, records: Sequence[Answer | Silence | Notice]) -> None:
        """Raise RuntimeError."""
        raise RuntimeError("this board has no publisher")


@dataclass(frozen=True, kw_only=True)
class Writing:
    """Everything that writing needs."""

    tokens: Tokens = field(default_factory=Tokens)
    publisher: Publishes = field(default_factory=NobodyPublishes)
    clock: Clock = machine_now
    allowance: Allowance = field(default_factory=lambda: Allowance(120))

    def allowed(self, name: str) -> bool:
        """Return whether *name* may write now, and count it."""
        return self.allowance.take(name, monotonic())

    async def publish(self, record: Answer | Silence | Notice) -> None:
        """Return once the brokers have *record*. Raises Transient while they are away."""
        await asyncio.to_thread(self.publisher.publish, [record])
