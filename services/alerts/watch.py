"""One look: judge every plan, decide about warnings once things are calm, record; beside it, send what is recorded.

Everything here is harmless twice, by one process or by two: what is recorded carries ids that derive from its content.
"""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from functools import partial
from time import monotonic
from typing import Final

from schemas.policy import Policy
from schemas.warnings import Notice, Transition
from services.alerts import metrics
from services.alerts.adapters.day_codes import DayCodes
from services.alerts.adapters.figures import FigureReader
from services.alerts.adapters.standing_store import StandingStore
from services.alerts.adapters.stillness import Stillness
from services.alerts.adapters.warning_log import WarningLog
from services.alerts.blocking import Blocking
from services.alerts.core.notices import AddressBook
from services.alerts.core.planning import Desk, period_of, plan_digests, plan_notices
from services.alerts.core.warn import open_counts
from services.alerts.delivery import Delivery, Ground
from services.alerts.evaluate import NotYet, Round, Waiting, evaluate_round, finish, overtaken
from services.alerts.memory import Heard, PlanMemory
from services.alerts.standing_codes import StandingCodes
from services.core.definition import definition_of
from services.core.in_force import policy_in_force
from services.core.warnings.warning_records import Subject
from services.infra.clock import Clock

log = logging.getLogger(__name__)
_LONGEST_PERIOD: Final = timedelta(days=31)
_LOGGED: Final = 200  # changes of one look, each with a line of its own
_DIGESTS_LOOKED_FOR: Final = timedelta(days=40)  # longer than any period


class Afresh(FigureReader):
    """Takes what has not changed since the last round too, so that mails left over from it can be written."""

    afresh = True


class Watch:
    """Looks at all plans, and sends. One look at a time, and beside it one sending."""

    def __init__(
        self,
        *,
        reader: FigureReader,
        afresh: FigureReader,
        store: StandingStore,
        warnings: WarningLog,
        delivery: Delivery,
        clock: Clock,
        zone: str,
        patience: timedelta,
        settle: timedelta,
        blocking: Blocking,
        stillness: Stillness,
        codes: DayCodes,
    ) -> None:
        self._reader = reader
        self._afresh = afresh
        self._store = store
        self._log = warnings
        self._delivery = delivery
        self._clock = clock
        self._zone = zone
        self._patience = patience
        self._settle = settle.total_seconds()
        self._run = blocking
        self._stillness = stillness
        self._codes = codes
        self._standing: dict[str, StandingCodes] = {}
        self._plans: dict[str, PlanMemory] = {}

    async def look(self) -> None:
        """Judge what can be judged now and record what follows. Raises Transient while broker or database are away."""
        for plan in await self._run(self._reader.plan_ids):
            await self._look_at(plan, self._plans.setdefault(plan, PlanMemory()))

    async def post(self) -> None:
        """Send everything that is recorded and can be sent now. Raises Transient while broker or database are away."""
        await self._delivery.flush()
        for plan, memory in list(self._plans.items()):
            await self._post(plan, memory)

    async def _look_at(self, plan: str, memory: PlanMemory) -> None:
        if monotonic() < memory.look_again:
            return
        began = monotonic()
        judged = await self._judge(plan, self._reader)
        if isinstance(judged, NotYet):
            metrics.ROUNDS.labels(judged.reason.value).inc()
            if judged.reason is Waiting.UNCHANGED:
                await self._answer_what_was_said(plan, memory)
            return
        if judged.inputs != memory.inputs:
            memory.inputs, memory.inputs_since = judged.inputs, monotonic()
        still = min(await self._run(lambda: self._still_for(judged)), monotonic() - memory.inputs_since)
        if still < self._settle:
            # While data stream in, an agency would get one mail per feed, and feeds not yet read would pass for dead.
            memory.look_again = monotonic() + min(self._settle - still, self._settle) + 0.1
            metrics.ROUNDS.labels("settling").inc()
            return
        if await self._run(lambda: overtaken(self._reader, judged)):
            metrics.ROUNDS.labels(Waiting.OVERTAKEN.value).inc()
            return
        if not await self._act(plan, judged, memory):
            return
        await self._run(lambda: finish(self._store, judged))
        metrics.ROUNDS.labels("judged").inc()
        metrics.ROUND_SECONDS.observe(monotonic() - began)

    async def _judge(self, plan: str, reader: FigureReader) -> Round | NotYet:
        return await self._run(
            lambda: evaluate_round(
                reader,
                self._store,
                self._clock(),
                plan=plan,
                zone=self._zone,
                patience=self._patience,
                finished=False,
            )
        )

    def _still_for(self, judged: Round) -> float:
        """Return for how many seconds, by the database's clock, nothing has changed that the round reads."""
        plan = judged.assessment.plan
        definitions = [definition_of(indicator, plan) for indicator in plan.indicators]
        return self._stillness.seconds([one.hash for one in definitions if one is not None], judged.assessment.day)

    async def _answer_what_was_said(self, plan: str, memory: PlanMemory) -> None:
        """Act once more on figures that have not changed, where an answer, a silence, a policy or the calendar asks for it."""
        if memory.heard is not None and memory.heard == await self._run(lambda: self._heard(plan, memory.last)):
            return
        judged = await self._last_round(plan, memory)
        if judged is not None:
            await self._act(plan, judged, memory)

    async def _last_round(self, plan: str, memory: PlanMemory) -> Round | None:
        """Return the round last acted on, judged afresh after a start, and where another evaluator has led meanwhile."""
        last = memory.last
        if last is None or await self._run(lambda: overtaken(self._reader, last)):
            judged = await self._judge(plan, self._afresh)
            memory.last = None if isinstance(judged, NotYet) else judged
        return memory.last

    def _heard(self, plan: str, judged: Round | None) -> Heard | None:
        """Return everything beside figures that decides whether somebody is to be told something."""
        if judged is None:
            return None
        assessment = judged.assessment
        policy = policy_in_force(self._reader.policies(plan), assessment.plan, assessment.day)
        desk = self._desk(plan, judged, policy)
        now, today = desk.now, desk.now.astimezone(desk.zone).date()
        return Heard(
            word=self._log.last_word(plan),
            policy=policy,
            silences=tuple(one.id for one in desk.silences),
            maintenance=tuple(number for number, one in enumerate(policy.maintenance) if one.from_ <= now < one.until),
            at_work=desk.at_work,
            periods=tuple(period_of(step.digest, today) for step in policy.levels if step.digest is not None),
        )

    async def _act(self, plan: str, judged: Round, memory: PlanMemory) -> bool:
        """Record what follows from *judged*, unless warnings have gone on beyond its day: return whether it was done.

        Numbered by what survives a failure after each step.

        1. transitions are recorded; 2. so are the notices that follow, as pending (a crash after 1 leaves transitions that no
        notice speaks of, and the next look makes it). What counts is read back in between, so that of two evaluators at
        once both go by what was recorded first. Mails are :meth:`post`'s part.
        """
        heard = await self._run(lambda: self._heard(plan, judged))
        assert heard is not None
        if await self._run(lambda: self._gone_on(plan, judged, memory)):
            metrics.ROUNDS.labels(Waiting.OVERTAKEN.value).inc()
            memory.last = None
            return False
        states = await self._run(lambda: self._decide(plan, judged, heard.policy))
        await self._run(lambda: self._plan_notices(plan, judged, heard.policy, states))
        for kind, count in open_counts(states.values()).items():
            metrics.WARNINGS_OPEN.labels(plan, kind).set(count)
        memory.last, memory.heard, memory.waiting = judged, heard, True
        return True

    def _gone_on(self, plan: str, judged: Round, memory: PlanMemory) -> bool:
        # Of another evaluator whose round is not finished yet; an old picture must not be held against new states.
        last, day = self._log.last_day(plan), judged.assessment.day
        if last is not None and last - day > timedelta(days=1) and memory.gone_on != last:
            memory.gone_on = last
            log.error("%s waits: its warnings have gone on from %s to %s; is a clock wrong?", plan, day, last)
        return last is not None and last > day

    def _decide(self, plan: str, judged: Round, policy: Policy) -> dict[Subject, Transition]:
        """Return the last transition of every warning, with what the day judged and answers have brought."""
        past = self._log.states(plan)
        return self._log.states(plan) if self._record_changes(plan, judged, policy, past) else past

    def _record_changes(self, plan: str, judged: Round, policy: Policy, past: dict[Subject, Transition]) -> int:
        answers = self._log.waiting_answers(plan)
        standing = self._standing.setdefault(plan, StandingCodes(self._codes))
        changes = standing.transitions(
            judged.assessment, past, policy, inputs=judged.inputs, at=self._clock(), answers=answers
        )
        self._log.append(changes)
        for reason, count in Counter(one.reason for one in changes).items():
            metrics.TRANSITIONS.labels(plan, reason.value).inc(count)
            log.info("%s: %d %s", plan, count, reason)
        for one in changes[:_LOGGED]:
            log.info("%s of %s is %s: %s since %s", one.cause, one.agency, one.state, one.reason, one.since)
        return len(changes)

    def _plan_notices(self, plan: str, judged: Round, policy: Policy, states: dict[Subject, Transition]) -> None:
        desk = self._desk(plan, judged, policy)
        planned = plan_notices(
            self._log.untold(plan, states.values()), states, replace(desk, threads=self._log.threads(plan))
        )
        recorded = self._log.digests(plan, desk.now.date() - _DIGESTS_LOOKED_FOR)
        self._log.append((*planned, *plan_digests(states, recorded, desk, day=judged.assessment.day)))

    def _desk(self, plan: str, judged: Round, policy: Policy) -> Desk:
        now, directory = self._clock(), judged.assessment.directory
        return Desk(
            plan=plan,
            directory=directory,
            policy=policy,
            now=now,
            # The directory is that of the day judged; today's may know of a holiday more.
            holidays=self._reader.holidays(directory.directory),
            silences=self._log.silences(plan, now),
        )

    async def _post(self, plan: str, memory: PlanMemory) -> None:
        """Send what this or an earlier process, perhaps one that is dead, has recorded and not sent."""
        if not memory.waiting:
            return
        unsettled = await self._run(lambda: self._log.unsettled(plan))
        metrics.NOTICES_WAITING.labels(plan).set(len(unsettled))
        memory.waiting = bool(unsettled)
        if not self._delivery.anything_due(unsettled):
            return
        judged = await self._last_round(plan, memory)
        if judged is None:
            return
        ground = Ground(
            assessment=judged.assessment,
            life=partial(self._life, plan, judged),
            late=lambda indicator: self._store.days_behind(plan, indicator, judged.assessment.day),
            answers=lambda notice: self._log.answers_of(plan, self._subjects(judged, notice)),
            policy=await self._run(
                lambda: policy_in_force(self._reader.policies(plan), judged.assessment.plan, judged.assessment.day)
            ),
        )
        left = await self._delivery.send_all(unsettled, ground)
        metrics.NOTICES_WAITING.labels(plan).set(left)

    def _life(self, plan: str, judged: Round, notice: Notice) -> tuple[Transition, ...]:
        """Return what *notice* is written from: the life of its agency's or owner's warnings.

        Of a digest: what the days before it brought, and the states of all that nothing mutes.
        """
        if notice.about != "digest" or notice.period is None:
            return self._log.life_of(plan, self._subjects(judged, notice))
        policy = policy_in_force(self._reader.policies(plan), judged.assessment.plan, judged.assessment.day)
        spoken_of = self._desk(plan, judged, policy).spoken_of(self._log.states(plan))
        recent = self._log.recent(plan, notice.period - _LONGEST_PERIOD)
        return (*(one for one in recent if (one.agency, one.cause) in spoken_of), *spoken_of.values())

    def _subjects(self, judged: Round, notice: Notice) -> tuple[str, ...]:
        """Return the agency, or the feeds, that *notice* tells about; of a digest, none."""
        if notice.about == "digest":
            return ()
        book = AddressBook(judged.assessment.directory)
        return book.feeds_of(notice.agency, notice.recipient) if notice.agency in book.feeds else (notice.agency,)
