"""What is recorded about a plan's warnings, arranged so that many letters can be written from it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from zoneinfo import ZoneInfo

from schemas.warnings import Answer, AnswerKind, Transition, TransitionReason, WarningState
from services.alerts.core.letter import Answered
from services.core.warnings.lifecycle import is_open
from services.core.warnings.warning_records import Subject

_ANSWERS = frozenset({TransitionReason.ACKNOWLEDGED, TransitionReason.ACCEPTED, TransitionReason.DISPUTED})


class Book:
    """Transitions and answers of one plan. Reading it costs nothing that grows with the plan."""

    def __init__(self, transitions: Iterable[Transition], answers: Iterable[Answer] = ()) -> None:
        """Take them in the order of the log; of two records of one place in a warning's life the first counts."""
        self._lives: dict[Subject, dict[int, Transition]] = {}
        self._places: dict[str, tuple[Subject, int]] = {}
        for one in transitions:
            life = self._lives.setdefault((one.agency, one.cause), {})
            if one.sequence not in life:
                life[one.sequence] = one
                self._places[one.id] = (one.agency, one.cause), one.sequence
        self._answers = {one.id: one for one in reversed(tuple(answers))}

    def told(self, ids: Iterable[str]) -> tuple[Transition, ...]:
        """Return the transitions with these ids, those of one warning in their order; unknown ids are left out."""
        found = sorted(place for one in ids if (place := self._places.get(one)) is not None)
        return tuple(self._lives[subject][sequence] for subject, sequence in found)

    def last(self, subject: Subject) -> Transition | None:
        """Return the last transition: the state. None where nothing was ever recorded."""
        life = self._lives.get(subject)
        return life[max(life)] if life else None

    def before(self, one: Transition) -> Transition | None:
        """Return the transition that *one* followed."""
        return self._lives.get((one.agency, one.cause), {}).get(one.sequence - 1)

    def life(self, subject: Subject) -> Sequence[Transition]:
        """Return every transition of *subject*, in their order."""
        return [one for _, one in sorted(self._lives.get(subject, {}).items())]

    def subjects(self) -> Iterable[Subject]:
        """Return every subject that something was recorded of."""
        return self._lives

    def answered(self, subject: Subject, zone: ZoneInfo) -> Answered | None:
        """Return the last answer that was taken up of the warning that is open now; None without one.

        Where the transition that took it up is not at hand, what is known of it is its kind, and the date if it still holds.
        """
        last = self.last(subject)
        if last is None or not is_open(last):
            return None
        taken = [one for one in self.life(subject) if one.reason in _ANSWERS and one.sequence >= (last.opened or 1)]
        if taken:
            return self.answer_of(taken[-1], zone, passed=last.promised is None)
        if last.answer is None and not last.acknowledged:
            return None
        if last.state is WarningState.ANSWERED:
            kind = AnswerKind.DISPUTED if last.promised is None else AnswerKind.ACCEPTED
        else:
            kind = AnswerKind.ACKNOWLEDGED if last.state is WarningState.ACKNOWLEDGED else AnswerKind.ACCEPTED
        overdue = kind is AnswerKind.ACCEPTED and last.promised is None
        return Answered(answer=kind.value, day=None, promised=last.promised, passed=overdue)

    def answer_of(self, one: Transition, zone: ZoneInfo, *, passed: bool = False) -> Answered:
        """Return the answer that made *one*. *passed*: nothing is promised any more, so the day accepted has passed."""
        answer = self._answers.get(one.answer or "")
        at = answer.at if answer is not None else one.at
        return Answered(
            answer=one.reason.value,
            day=at.astimezone(zone).date(),
            by=answer.by if answer is not None else "",
            promised=one.promised,
            passed=passed and one.promised is not None,
            reason=(answer.reason or "") if answer is not None else "",
        )


def caught_up_before(book: Book, opening: Transition) -> date | None:
    """Return the first day without the fault before *opening*, of the last time that the warning was resolved."""
    ended = {TransitionReason.CAUGHT_UP, TransitionReason.NO_LONGER_JUDGED}
    subject = (opening.agency, opening.cause)
    earlier = [one for one in book.life(subject) if one.sequence < opening.sequence and one.reason in ended]
    return earlier[-1].since if earlier else None
