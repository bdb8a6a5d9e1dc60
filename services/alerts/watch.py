"""One look: judge every plan, decide about warnings once things are calm, record, send.

Everything here is harmless twice, by one process or by two: what is recorded carries ids that derive from its content.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from datetime import timedelta
from time import monotonic

from services.alerts import metrics
from services.alerts.adapters.figures import FigureReader
from services.alerts.adapters.standing_store import StandingStore
from services.alerts.adapters.stillness import Stillness
from services.alerts.adapters.warning_log import Records, WarningLog
from services.alerts.blocking import Blocking
from services.alerts.core.notices import plan_notices
from services.alerts.core.warn import open_counts
from services.alerts.delivery import Delivery, Ground
from services.alerts.evaluate import NotYet, Round, Waiting, evaluate_round, finish
from services.core.definition import definition_of
from services.core.in_force import policy_in_force
from services.core.transitions import transitions_of
from services.core.warning_records import fold, fold_notices, waiting_answers
from services.infra.clock import Clock
from services.infra.plan_reader import Evaluation

log = logging.getLogger(__name__)


class Afresh(FigureReader):
    """Reads as if no round had ever been finished, so that mails left over from one can be written again."""

    def last_evaluation(self, plan: str) -> Evaluation | None:
        return None


@dataclass
class _Plan:
    """What this process remembers of a plan between looks; losing it costs time, nothing else."""

    inputs: str = ""
    inputs_since: float = 0.0
    look_again: float = 0.0
    waiting: bool = True  # notices may be unsettled: after a start nobody knows
    last: Round | None = None


class Watch:
    """Looks at all plans. One look at a time."""

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
        self._plans: dict[str, _Plan] = {}

    async def look(self) -> None:
        """Do everything that can be done now. Raises Transient while broker or database are away."""
        await self._delivery.flush()
        for plan in await self._run(self._reader.plan_ids):
            await self._look_at(plan, self._plans.setdefault(plan, _Plan()))

    async def _look_at(self, plan: str, memory: _Plan) -> None:
        if monotonic() < memory.look_again:
            return
        began = monotonic()
        judged = await self._judge(plan, self._reader)
        if isinstance(judged, NotYet):
            metrics.ROUNDS.labels(judged.reason.value).inc()
            if memory.waiting and (judged.reason is Waiting.UNCHANGED or memory.last is not None):
                await self._send_left_over(plan, memory)
            return
        if judged.inputs != memory.inputs:
            memory.inputs, memory.inputs_since = judged.inputs, monotonic()
        still = min(await self._run(lambda: self._still_for(judged)), monotonic() - memory.inputs_since)
        if still < self._settle:
            # While data stream in, an agency would get one mail per feed, and feeds not yet read would pass for dead.
            memory.look_again = monotonic() + min(self._settle - still, self._settle) + 0.1
            metrics.ROUNDS.labels("settling").inc()
            return
        await self._act(plan, judged, memory)
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

    async def _act(self, plan: str, judged: Round, memory: _Plan) -> None:
        """Numbered by what survives a failure after each step.

        1. transitions are recorded; 2. so are their notices, as pending (a crash after 1 leaves transitions that no notice
        speaks of, and the next look makes it); 3. mails are tried; 4. the round is finished, until when it is done again.
        """
        now = self._clock()
        records = await self._run(lambda: self._log.load(plan))
        past = fold(records.transitions)
        policy = policy_in_force(
            await self._run(lambda: self._reader.policies(plan)), judged.assessment.plan, judged.assessment.day
        )
        changes = transitions_of(
            judged.assessment, past, policy, at=now, answers=waiting_answers(records.answers, records.transitions)
        )
        await self._run(lambda: self._log.append(changes))
        for one in changes:
            metrics.TRANSITIONS.labels(plan, one.reason.value).inc()
            log.info("%s of %s is %s: %s since %s", one.cause, one.agency, one.state, one.reason, one.since)
        transitions = (*records.transitions, *changes)
        planned = plan_notices(transitions, records.notices, judged.assessment.directory, at=now)
        await self._run(lambda: self._log.append(planned))
        memory.last = judged
        for kind, count in open_counts(fold(transitions).values()).items():
            metrics.WARNINGS_OPEN.labels(plan, kind).set(count)
        await self._send(
            plan, judged, replace(records, transitions=transitions, notices=(*records.notices, *planned)), memory
        )
        await self._run(lambda: finish(self._store, judged))

    async def _send(self, plan: str, judged: Round, records: Records, memory: _Plan) -> None:
        memory.waiting = True
        left = await self._delivery.send_all(Ground(assessment=judged.assessment, records=records))
        metrics.NOTICES_WAITING.labels(plan).set(left)
        memory.waiting = left > 0

    async def _send_left_over(self, plan: str, memory: _Plan) -> None:
        """Send what an earlier round, perhaps of a process that is dead, has recorded and not sent."""
        records = await self._run(lambda: self._log.load(plan))
        states = tuple(fold_notices(records.notices).values())
        if all(state.settled for state in states):
            memory.waiting = False
            metrics.NOTICES_WAITING.labels(plan).set(0)
            return
        if not self._delivery.anything_due(states):
            return
        if memory.last is None:
            judged = await self._judge(plan, self._afresh)
            if isinstance(judged, NotYet):
                return
            memory.last = judged
        await self._send(plan, memory.last, records, memory)
