"""Hands recorded notices to their channels: recorded before (pending) and after (sent, failed, dead), under one id every time."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property, partial
from typing import Final, Literal
from zoneinfo import ZoneInfo

from schemas.policy import Policy
from schemas.warnings import Answer, Notice, Transition
from services.alerts import metrics
from services.alerts.adapters.channels.parcel import Channel, Parcel
from services.alerts.adapters.warning_log import WarningLog
from services.alerts.blocking import Blocking
from services.alerts.core.digest_records import Lateness
from services.alerts.core.notices import contact_of
from services.alerts.core.planning import CHANNEL
from services.alerts.core.warn import Writer
from services.alerts.waits import Waits
from services.core.errors import Transient
from services.core.schedule.assess import Assessment
from services.core.warnings.warning_records import DeliveryFault, NoticeState, counted
from services.infra.clock import Clock

log = logging.getLogger(__name__)
#: Faults that the next notice would meet as well, so the channel as a whole is left alone for a while.
_OF_THE_CHANNEL: Final = frozenset(
    {
        DeliveryFault.UNREACHABLE,
        DeliveryFault.TIMED_OUT,
        DeliveryFault.TLS_FAILED,
        DeliveryFault.NOT_AUTHENTICATED,
        DeliveryFault.HTTP_UNREACHABLE,
        DeliveryFault.HTTP_TIMED_OUT,
        DeliveryFault.HTTP_TRY_LATER,
        DeliveryFault.GATEWAY_FAILED,
    }
)
_ENOUGH: Final = 20  # passing faults in a row that each might concern one notice: a full queue says so to every mail
_TURN: Final = 5.0  # seconds until new notices are looked for while a channel is still busy


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
    """Sends what is recorded and not yet sent: channels side by side, each at its own pace, the notices of one in a row."""

    def __init__(
        self,
        *,
        warnings: WarningLog,
        channels: Mapping[str, Channel],
        clock: Clock,
        waits: Waits,
        blocking: Blocking,
        too_old: timedelta,
        answer_url: Callable[[Notice], str | None] = lambda _: None,
        turn: float = _TURN,
    ) -> None:
        """*channels*: by the name that notices give them. *too_old*: how long a notice is tried, by the clock.

        *answer_url*: where the receiver of a notice may answer it.
        """
        self._log = warnings
        self._channels = channels
        self._clock = clock
        self._waits = waits
        self._blocking = blocking
        self._too_old = too_old
        self._answer_url = answer_url
        self._turn = turn
        self._lanes: dict[str, asyncio.Task[None]] = {}
        self._unrecorded: dict[str, Notice] = {}  # sent, but broker or database were away when that was to be recorded
        self._settled: dict[str, tuple[str, int]] = {}  # id → plan and attempt: lists read before that still have it
        self._flushing = asyncio.Lock()

    async def flush(self) -> None:
        """Record what was sent and could not be recorded then. Raises Transient while broker or database are away."""
        async with self._flushing:
            for notice in list(self._unrecorded.values()):
                await self._blocking(partial(self._log.append, [notice]))
                self._unrecorded.pop(notice.id, None)

    def anything_due(self, states: Sequence[NoticeState]) -> bool:
        """Return whether some of *states* may be tried now."""
        return any(self._may_be_tried(one) and self._idle(one.notice.channel) for one in states)

    async def send_all(self, unsettled: Sequence[NoticeState], ground: Ground) -> int:
        """Try every notice of *unsettled* (the oldest first) that may be tried; return how many stay unsettled.

        *unsettled*: all of one plan. A channel that takes longer than a turn goes on by itself; what waits for it is left
        to a later call. Raises Transient while broker or database are away; what was sent by then is not sent again by
        this process.
        """
        await self.flush()
        still = {one.notice.id for one in unsettled}
        plan = ground.assessment.plan.plan
        self._settled = {one: held for one, held in self._settled.items() if held[0] != plan or one in still}
        for channel in sorted({one.notice.channel for one in unsettled}):
            mine = [one for one in unsettled if one.notice.channel == channel and self._may_be_tried(one)]
            if mine and self._idle(channel):
                self._lanes[channel] = asyncio.create_task(self._run(channel, mine, ground), name=f"channel {channel}")
        if self._lanes:
            await asyncio.wait(self._lanes.values(), timeout=self._turn)
        over = [self._lanes.pop(name) for name, lane in list(self._lanes.items()) if lane.done()]
        faults = [fault for lane in over if (fault := lane.exception()) is not None]
        if faults:
            raise faults[0]
        return sum(one.notice.id not in self._settled for one in unsettled)

    async def close(self) -> None:
        """Stop sending. What was handed over and is not recorded may be sent again by whoever comes next."""
        lanes, self._lanes = list(self._lanes.values()), {}
        for lane in lanes:
            lane.cancel()
        await asyncio.gather(*lanes, return_exceptions=True)

    def _idle(self, channel: str) -> bool:
        lane = self._lanes.get(channel)
        return (lane is None or lane.done()) and self._waits.due(_key(channel))

    def _may_be_tried(self, state: NoticeState) -> bool:
        notice = state.notice
        if state.settled or notice.id in self._unrecorded:
            return False
        if self._settled.get(notice.id, ("", -1))[1] >= state.attempt:
            return False
        return self._waits.due(_tried(state)) and (notice.due is None or notice.due <= self._clock())

    async def _run(self, name: str, states: Sequence[NoticeState], ground: Ground) -> None:
        channel, in_a_row = self._channels.get(name), 0
        try:
            for state in states:
                fault = await self._try(state, channel, ground)
                in_a_row = 0 if fault is None or fault.final else in_a_row + 1
                if fault in _OF_THE_CHANNEL or in_a_row >= _ENOUGH:
                    self._waits.failed(_key(name))
                    return
                if fault is None:
                    self._waits.succeeded(_key(name))
        finally:
            if channel is not None:
                await channel.rest()

    async def _try(self, state: NoticeState, channel: Channel | None, ground: Ground) -> DeliveryFault | None:
        """Try one notice and record what came of it."""
        kind = channel.kind if channel is not None else "none"
        fault = await self._send(state, channel, ground)
        now = self._clock()
        if fault is None:
            metrics.NOTICES.labels(kind, "sent").inc()
            self._waits.succeeded(_tried(state))
            self._unrecorded[state.notice.id] = _became(state, "sent", now)
            self._settled[state.notice.id] = (state.notice.plan, state.attempt)
            await self.flush()
            return None
        metrics.NOTICES.labels(kind, fault.value).inc()
        notice = state.notice
        log.warning(
            "notice %s to the %s of %s over %s: %s", notice.id, notice.recipient, notice.agency, notice.channel, fault
        )
        self._waits.failed(_tried(state))
        given_up = fault if fault.final else DeliveryFault.TOO_OLD if now - _since(state) > self._too_old else None
        if fault.value != state.fault and not fault.final:  # the same fault again would fill the log with nothing new
            await self._record(_became(state, "failed", now, fault))
        if given_up is not None:
            log.error("notice %s is given up: %s", notice.id, given_up)
            metrics.NOTICES.labels(kind, "dead").inc()
            await self._record(_became(state, "dead", now, given_up))
            self._settled[notice.id] = (notice.plan, state.attempt)
            self._waits.succeeded(_tried(state))
        return fault

    async def _record(self, notice: Notice) -> None:
        await self._blocking(partial(self._log.append, [notice]))

    async def _send(self, state: NoticeState, channel: Channel | None, ground: Ground) -> DeliveryFault | None:
        if channel is None:
            return DeliveryFault.NO_CHANNEL
        try:
            parcel = await self._blocking(partial(self._pack, state, ground))  # which reads the histories that it tells
            return DeliveryFault.NO_RECIPIENT if parcel is None else await channel.send(parcel)
        except Transient:
            raise
        except Exception as fault:  # a defect in one letter keeps no other back
            log.error("notice %s cannot be written: %s", state.notice.id, _where(fault))
            return DeliveryFault.NOT_WRITTEN

    def _pack(self, state: NoticeState, ground: Ground) -> Parcel | None:
        """Return what goes out, composed anew each time; None where the directory no longer names a receiver. Blocks."""
        notice, directory = state.notice, ground.assessment.directory
        at = notice.at.astimezone(ZoneInfo(directory.zone)).replace(microsecond=0)
        to = directory.operations if notice.recipient == CHANNEL else contact_of(directory, notice)
        life = ground.life(notice)
        letter = ground.writer.compose(
            notice, life, ground.answers(notice), written=at.date(), answer_url=self._answer_url(notice)
        )
        if letter is None or to is None:
            return None
        told = set(notice.transitions)
        return Parcel(
            notice=notice,
            attempt=state.attempt,
            letter=letter,
            told=tuple(one for one in counted(life) if one.id in told),
            to=to,
            operations=directory.operations,
            at=at,
        )


def _where(fault: Exception) -> str:
    """Return the kind of *fault* and its place in the code; its text may hold an address."""
    frames = traceback.extract_tb(fault.__traceback__)
    return f"{type(fault).__name__}, " + " < ".join(f"{one.name}:{one.lineno}" for one in reversed(frames[-6:]))


def _key(channel: str) -> str:
    return f"channel {channel}"


def _tried(state: NoticeState) -> str:
    """Return the key of the waits of one attempt: an attempt by hand waits for nothing that an earlier one has met."""
    return f"{state.notice.id} {state.attempt}"


def _since(state: NoticeState) -> datetime:
    due = state.notice.due
    return state.begun if due is None else max(state.begun, due)


def _became(
    state: NoticeState, became: Literal["sent", "failed", "dead"], at: datetime, fault: DeliveryFault | None = None
) -> Notice:
    detail = fault.value if fault is not None else ""
    return state.notice.model_copy(update={"state": became, "attempt": state.attempt, "detail": detail, "at": at})
