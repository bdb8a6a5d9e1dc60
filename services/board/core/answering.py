"""From the fields of the answer page to answers: what was chosen, and what is wrong with it. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from typing import Any, Final

from schemas.warnings import AnswerKind

LONGEST: Final = 2000  # characters of a reason
ALL: Final = "all"  # in place of a cause: for every warning that has no answer of its own
_KINDS: Final = {kind.value: kind for kind in AnswerKind}
_KEPT: Final = frozenset("\n\t")
_VIETNAMESE_DAY: Final = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})")


class Fault(StrEnum):
    """What is wrong with a field."""

    NOTHING_CHOSEN = "nothing-chosen"
    KIND_MISSING = "kind-missing"  # a day or a text without an answer
    DAY_MISSING = "day-missing"
    DAY_UNREADABLE = "day-unreadable"
    DAY_TOO_EARLY = "day-too-early"
    DAY_TOO_LATE = "day-too-late"
    REASON_MISSING = "reason-missing"
    REASON_TOO_LONG = "reason-too-long"
    CHANGED = "changed"  # the warning was resolved, or is another one by now


@dataclass(frozen=True, kw_only=True, slots=True)
class Answerable:
    """A warning that is open: its cause, the transition that opened it, and whether an answer already keeps it quiet."""

    cause: str
    opened: int
    heard: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """What is to be answered to one warning."""

    cause: str
    opened: int
    kind: AnswerKind
    promised: date | None = None
    reason: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Filled:
    """The fields of one warning as they were sent, cleaned, so that they can be shown again."""

    kind: str = ""
    day: str = ""
    reason: str = ""

    @property
    def empty(self) -> bool:
        """Whether nothing was filled in."""
        return not (self.kind or self.day or self.reason)


@dataclass(frozen=True, kw_only=True, slots=True)
class Submission:
    """What was sent: choices where there are no faults. Faults are keyed by (cause, field); ("", "") concerns the whole page."""

    choices: tuple[Choice, ...] = ()
    faults: Mapping[tuple[str, str], Fault] = field(default_factory=dict)
    filled: Mapping[str, Filled] = field(default_factory=dict)


def read_fields(fields: Mapping[str, str], there: Sequence[Answerable], *, earliest: date, latest: date) -> Submission:
    """Return what *fields* answer to the warnings that are *there*. Days lie between *earliest* and *latest*.

    Fields are ``answer[CAUSE]``, ``day[CAUSE]``, ``reason[CAUSE]`` and ``opened[CAUSE]``, the same with ``all`` in place of a
    cause; others are not looked at. What is chosen for all is skipped where it would say nothing: acknowledging again.
    """
    filled = {cause: _filled(fields, cause) for cause in (ALL, *(one.cause for one in there))}
    faults: dict[tuple[str, str], Fault] = {}
    choices: list[Choice] = []
    common = None
    if not filled[ALL].empty:
        common = _choice(Answerable(cause=ALL, opened=0, heard=False), filled[ALL], earliest, latest, faults)
    for one in there:
        sent = filled[one.cause]
        if not sent.empty:
            if fields.get(f"opened[{one.cause}]", "") != str(one.opened):
                faults[(one.cause, "answer")] = Fault.CHANGED
                continue
            choice = _choice(one, sent, earliest, latest, faults)
        else:
            choice = replace(common, cause=one.cause, opened=one.opened) if common is not None else None
            if choice is not None and choice.kind is AnswerKind.ACKNOWLEDGED and one.heard:
                continue
        if choice is not None:
            choices.append(choice)
    if not choices and not faults:
        gone = any(value in _KINDS for name, value in fields.items() if name.startswith("answer["))
        faults[("", "")] = Fault.CHANGED if gone and not there else Fault.NOTHING_CHOSEN
    return Submission(choices=() if faults else tuple(choices), faults=faults, filled=filled)


def _filled(fields: Mapping[str, str], cause: str) -> Filled:
    kind = fields.get(f"answer[{cause}]", "")
    return Filled(
        kind=kind if kind in _KINDS else "",
        day=cleaned(fields.get(f"day[{cause}]", ""))[:40],
        reason=cleaned(fields.get(f"reason[{cause}]", "")),
    )


def _choice(
    one: Answerable, sent: Filled, earliest: date, latest: date, faults: dict[tuple[str, str], Fault]
) -> Choice | None:
    before = len(faults)
    kind = _KINDS.get(sent.kind)
    promised = None
    if kind is None:
        faults[(one.cause, "answer")] = Fault.KIND_MISSING
    if kind is AnswerKind.ACCEPTED:
        promised = read_day(sent.day)
        if promised is None:
            faults[(one.cause, "day")] = Fault.DAY_UNREADABLE if sent.day else Fault.DAY_MISSING
        elif promised < earliest:
            faults[(one.cause, "day")] = Fault.DAY_TOO_EARLY
        elif promised > latest:
            faults[(one.cause, "day")] = Fault.DAY_TOO_LATE
    if kind is AnswerKind.DISPUTED and not sent.reason:
        faults[(one.cause, "reason")] = Fault.REASON_MISSING
    if len(sent.reason) > LONGEST:
        faults[(one.cause, "reason")] = Fault.REASON_TOO_LONG
    if kind is None or len(faults) > before:
        return None
    return Choice(cause=one.cause, opened=one.opened, kind=kind, promised=promised, reason=sent.reason or None)


def cleaned(text: str) -> str:
    """Return *text* composed (NFC), with plain line ends, without control characters, and without those that turn its order."""
    lines = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
    return "".join(one for one in lines if one in _KEPT or unicodedata.category(one) not in ("Cc", "Cf", "Cs")).strip()


def read_day(text: str) -> date | None:
    """Return the day that *text* names, ``2008-12-31`` or ``31/12/2008``; None where it names none."""
    local = _VIETNAMESE_DAY.fullmatch(text)
    try:
        if local is not None:
            return date(int(local[3]), int(local[2]), int(local[1]))
        return date.fromisoformat(text) if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text) else None
    except ValueError:
        return None


def packed(choices: Sequence[Choice]) -> list[list[Any]]:
    """Return *choices* as JSON takes them."""
    return [
        [one.cause, one.opened, one.kind.value, one.promised.isoformat() if one.promised else None, one.reason]
        for one in choices
    ]


def unpacked(content: Any) -> tuple[Choice, ...]:
    """Return the choices that :func:`packed` made *content* of. Raises ValueError for anything else."""
    try:
        return tuple(
            Choice(
                cause=cause,
                opened=opened,
                kind=AnswerKind(kind),
                promised=date.fromisoformat(day) if day is not None else None,
                reason=reason,
            )
            for cause, opened, kind, day, reason in content
        )
    except TypeError as fault:
        raise ValueError("no choices") from fault
