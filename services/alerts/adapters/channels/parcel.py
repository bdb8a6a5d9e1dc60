"""What a channel is given and what it promises. One file beside this per kind of channel."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from schemas.directory import Contact
from schemas.warnings import Notice, Transition
from services.alerts.core.warn import Letter
from services.core.warnings.warning_records import DeliveryFault


@dataclass(frozen=True, kw_only=True)
class Parcel:
    """A notice with everything that a channel may want to say of it; *at* is the notice's moment in the directory's zone."""

    notice: Notice
    attempt: int
    letter: Letter
    told: tuple[Transition, ...]
    to: Contact
    operations: Contact
    at: datetime


class Channel(Protocol):
    """One way out of the house. Used by one caller at a time."""

    @property
    def kind(self) -> str:
        """What it is, for metrics: ``email``, ``webhook`` or ``apprise``."""

    async def send(self, parcel: Parcel) -> DeliveryFault | None:
        """Hand *parcel* over; None once it was taken, else why not. Raises nothing that the other side can cause.

        Twice the same parcel carries the same id, so that whoever takes it can tell.
        """

    async def rest(self) -> None:
        """Let go of what need not be held while nothing is sent. The next parcel may follow at once."""
