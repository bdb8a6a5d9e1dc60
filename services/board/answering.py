"""Answers from the answer page: read back, recorded once, counted per link."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Sequence
from datetime import datetime
from threading import Lock
from typing import Final, Protocol

from schemas.warnings import Answer, Notice, Silence, Transition
from services.board.core.answering import Choice
from services.board.core.matter import Matter
from services.board.core.shown import Frame
from services.core.errors import Rejected
from services.core.warnings.answers import answer_to

_log = logging.getLogger(__name__)
_REMEMBERED: Final = 2000  # links


class Publishes(Protocol):
    """What is needed of Kafka: to return once the brokers have acknowledged, else to raise Transient."""

    def publish(self, records: Sequence[Answer | Silence | Notice]) -> None: ...


class Exhausted(Rejected):
    """The link has been used for as many answers as it takes."""


class Answers:
    """Records answers, and remembers for a while those that the database does not show yet."""

    def __init__(self, publisher: Publishes, *, most: int) -> None:
        """*most*: answers that one link takes."""
        self._publisher = publisher
        self._recent: OrderedDict[str, dict[str, Answer]] = OrderedDict()
        self._lock = Lock()
        self.most = most

    def recent(self, notice: str) -> tuple[Answer, ...]:
        """Return what this process has recorded through the link of *notice*; the database may have it by now."""
        with self._lock:
            return tuple(self._recent.get(notice, {}).values())

    def used(self, matter: Matter, notice: str) -> int:
        """Return how many answers were given through the link of *notice*."""
        recorded = {one.id for one in matter.answers if one.notice == notice and one.via == "link"}
        return len(recorded | {one.id for one in self.recent(notice)})

    async def record(self, choices: Sequence[Choice], matter: Matter, frame: Frame, now: datetime) -> int:
        """Record what is chosen and return how many answers are new; the same again makes no second one.

        Raises Rejected where a warning is no longer the one that was answered, Exhausted where the link takes no more, and
        Transient while the brokers are away: nothing is lost then, and repeating is right.
        """
        held = {one.id for one in (*matter.answers, *self.recent(frame.link.notice))}
        last = {one.cause: one for one in matter.open}
        wanted = [self._answer(one, last.get(one.cause), frame, now) for one in choices]
        new = [one for one in wanted if one.id not in held]
        if self.used(matter, frame.link.notice) + len(new) > self.most:
            raise Exhausted(f"a link takes {self.most} answers")
        await asyncio.to_thread(self._publisher.publish, new)
        self._remember(frame.link.notice, new)
        for one in new:
            _log.info("answer %s recorded: %s, %s, by %s, notice %s", one.id, one.cause, one.answer, one.by, one.notice)
        return len(new)

    def _answer(self, choice: Choice, last: Transition | None, frame: Frame, now: datetime) -> Answer:
        if last is None or last.opened != choice.opened:
            raise Rejected("the warning has ended, or is another one by now")
        return answer_to(
            last,
            choice.kind,
            by=frame.link.role,
            via="link",
            at=now,
            today=now.astimezone(frame.zone).date(),
            promised=choice.promised,
            latest=frame.latest,
            reason=choice.reason,
            notice=frame.link.notice,
        )

    def _remember(self, notice: str, answers: Sequence[Answer]) -> None:
        with self._lock:
            self._recent.setdefault(notice, {}).update({one.id: one for one in answers})
            self._recent.move_to_end(notice)
            while len(self._recent) > _REMEMBERED:
                self._recent.popitem(last=False)
