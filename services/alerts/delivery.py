"""Hands recorded notices to the relay: recorded before (pending) and after (sent, failed), the same Message-ID every time."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property, partial
from time import monotonic
from zoneinfo import ZoneInfo

from schemas.policy import Policy
from schemas.warnings import Answer, Notice, Transition
from services.alerts import metrics
from services.alerts.adapters.email import Mailer, build_message
from services.alerts.adapters.letters import Letters
from services.alerts.adapters.warning_log import WarningLog
from services.alerts.blocking import Blocking
from services.alerts.core.digest_records import Lateness
from services.alerts.core.notices import backoff, contact_of, references
from services.alerts.core.warn import Writer
from services.core.assess import Assessment
from services.core.warning_records import DeliveryFault, NoticeState
from services.infra.clock import Clock

log = logging.getLogger(__name__)
_RELAY = ""  # the key of waits that concern every mail
_OF_THE_RELAY = frozenset(
    {
        DeliveryFault.UNREACHABLE,
        DeliveryFault.TIMED_OUT,
        DeliveryFault.TLS_FAILED,
        DeliveryFault.NOT_AUTHENTICATED,
    }
)


class Waits:
    """How long to leave a notice, or the relay as a whole, alone. In real time and in memory: a restart tries at once."""

    def __init__(self, *, first: timedelta, longest: timedelta) -> None:
        self._first = first
        self._longest = longest
        self._failures: dict[str, int] = {}
        self._until: dict[str, float] = {}

    def due(self, key: str) -> bool:
        """Return whether *key* may be tried now."""
        return monotonic() >= self._until.get(key, 0.0)

    def failed(self, key: str) -> None:
        """Leave *key* alone for longer than the last time."""
        self._failures[key] = self._failures.get(key, 0) + 1
        wait = backoff(self._failures[key], first=self._first, longest=self._longest)
        self._until[key] = monotonic() + wait.total_seconds()

    def succeeded(self, key: str) -> None:
        """Forget the failures of *key*."""
        self._failures.pop(key, None)
        self._until.pop(key, None)


@dataclass(frozen=True, kw_only=True)
class Ground:
    """What a notice is written from: the assessment, and how to read the life of the warnings that it speaks of (blocks)."""

    assessment: Assessment
    life: Callable[[Notice], Sequence[Transition]]
    answers: Callable[[Notice], Sequence[Answer]] = lambda _: ()
    policy: Policy | None = None
    late: Lateness | None = None

    @cached_property
    def writer(self) -> Writer:
        """Who writes its letters."""
        return Writer(self.assessment, policy=self.policy, late=self.late)


class Delivery:
    """Sends what is recorded and not yet sent."""

    def __init__(
        self,
        *,
        warnings: WarningLog,
        mailer: Mailer,
        letters: Letters,
        sender: str,
        clock: Clock,
        waits: Waits,
        blocking: Blocking,
        answer_url: Callable[[Notice], str | None] = lambda _: None,
    ) -> None:
        """*answer_url*: where the receiver of a notice may answer it."""
        self._answer_url = answer_url
        self._log = warnings
        self._mailer = mailer
        self._letters = letters
        self._sender = sender
        self._clock = clock
        self._waits = waits
        self._blocking = blocking
        self._unrecorded: dict[str, Notice] = {}  # sent, but broker or database were away when that was to be recorded

    async def flush(self) -> None:
        """Record what was sent and could not be recorded then. Raises Transient while broker or database are away."""
        for notice in list(self._unrecorded.values()):
            await self._blocking(partial(self._log.append, [notice]))
            del self._unrecorded[notice.id]

    def anything_due(self, states: Sequence[NoticeState]) -> bool:
        """Return whether some of *states* may be tried now."""
        return self._waits.due(_RELAY) and any(not state.settled and self._may_be_tried(state) for state in states)

    def _may_be_tried(self, state: NoticeState) -> bool:
        due = state.notice.due
        return state.notice.id not in self._unrecorded and (
            self._waits.due(state.notice.id) and (due is None or due <= self._clock())
        )

    async def send_all(self, unsettled: Sequence[NoticeState], ground: Ground) -> int:
        """Try every notice of *unsettled* (the oldest first) that may be tried; return how many stay unsettled.

        Raises Transient while broker or database are away; what was sent by then is not sent again by this process.
        """
        await self.flush()
        left = 0
        try:
            for state in unsettled:
                if not (self._waits.due(_RELAY) and self._may_be_tried(state)) or not await self._try(state, ground):
                    left += 1
        finally:
            await self._mailer.close()
        return left

    async def _try(self, state: NoticeState, ground: Ground) -> bool:
        """Return whether the notice is settled now."""
        fault = await self._send(state.notice, ground)
        now = self._clock()
        if fault is None:
            metrics.NOTICES.labels("sent").inc()
            self._waits.succeeded(_RELAY)
            self._waits.succeeded(state.notice.id)
            self._unrecorded[state.notice.id] = state.notice.model_copy(
                update={"state": "sent", "attempt": state.attempt, "at": now}
            )
            await self.flush()
            return True
        metrics.NOTICES.labels(fault.value).inc()
        log.warning(
            "notice %s to the %s of %s: %s", state.notice.id, state.notice.recipient, state.notice.agency, fault
        )
        self._waits.failed(state.notice.id)
        if fault in _OF_THE_RELAY:
            self._waits.failed(_RELAY)
        if fault != state.fault:  # the same fault again would fill the log with nothing new
            failed = state.notice.model_copy(
                update={"state": "failed", "attempt": state.attempt, "detail": fault.value, "at": now}
            )
            await self._blocking(lambda: self._log.append([failed]))
        return fault.final

    async def _send(self, notice: Notice, ground: Ground) -> DeliveryFault | None:
        directory = ground.assessment.directory
        zone = ZoneInfo(directory.zone)
        to = contact_of(directory, notice)
        life = await self._blocking(partial(ground.life, notice))
        answers = await self._blocking(partial(ground.answers, notice))
        compose = partial(
            ground.writer.compose,
            notice,
            life,
            answers,
            written=_local(notice.at, zone).date(),
            answer_url=self._answer_url(notice),
        )
        letter = await self._blocking(compose)  # which reads the histories that it tells
        if letter is None or to is None:
            return DeliveryFault.NO_RECIPIENT
        try:
            mail = build_message(
                self._letters.render(letter, key=notice.id[:12]),
                notice,
                sender=self._sender,
                operations=directory.operations,
                to=to,
                at=_local(notice.at, zone),
                thread=references(notice),
            )
        except ValueError:
            return DeliveryFault.RECIPIENT_REFUSED
        return await self._mailer.send(mail, sender=self._sender, to=to.email)


def _local(moment: datetime, zone: ZoneInfo) -> datetime:
    return moment.astimezone(zone).replace(microsecond=0)
