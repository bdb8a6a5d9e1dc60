"""A register read again: what a row newly says, compared with what it was last said to say.

A changed cell is the same statement with a later ``time``. What changes the statement's natural key (an item's agency, a
document's number) takes the wrong one back and states the right one; a step whose columns were emptied is taken back. A row
that is gone from the register stays as it was stated: exports lose rows for many reasons, and archiving is one of them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from schemas.common import full_type
from services.ingest.core.mapping_rows import Row, RowStatement, short_hash

_LONGEST_KEY: Final = 120  # of a row's key inside an event id, which holds 256 characters
_SPAN: Final = ("person", "roster", "agency", "stint")
#: Short type → the fields of its natural key; types that are one register entry share a first word.
_KEYS: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "official.joined": ("official", _SPAN),
    "official.left": ("official", _SPAN),
    "headcount.declared": ("headcount", ("agency", "roster", "day")),
    "mailbox.opened": ("mailbox", ("address", "stint")),
    "mailbox.closed": ("mailbox", ("address", "stint")),
    "mail.used": ("mail", ("address", "person", "day", "action")),
    "document.exchanged": ("exchange", ("issuer", "number", "counterpart", "step")),
    "document.handled": ("document", ("agency", "id", "step")),
    "task.directed": ("task", ("agency", "id", "step")),
    "record.filed": ("record", ("agency", "id", "step")),
    "training.completed": ("training", ("person", "agency", "course", "stint")),
    "milestone.reached": ("milestone", ("agency", "project", "milestone", "step")),
    "budget.recorded": ("budget", ("agency", "project", "id", "stage")),
    "figure.declared": ("figure", ("agency", "indicator", "from", "to")),
}


class Known(msgspec.Struct, frozen=True):
    """What a row was last stated to say under one step. *time* is the event's, in ISO form."""

    type: str
    data: dict[str, Any]
    time: str
    retracted: bool = False

    @property
    def key(self) -> str:
        """The natural key of the statement."""
        return natural_key(self.type, self.data)


@dataclass(frozen=True, slots=True)
class Change:
    """One event to send. *after* is what the row's step is known to say once it is sent; None for the taking back of an
    older key whose place a new statement has taken."""

    step: str
    type: str
    data: dict[str, Any]
    time: datetime
    after: Known | None

    def event(self, *, register: str, row: str, source: str, agency: str) -> dict[str, Any]:
        """Return the CloudEvent. Its id follows from register, row, step and the statement with its time."""
        moment = self.time.isoformat()
        said = json.dumps([self.type, self.data, moment], sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        key = row if len(row) <= _LONGEST_KEY else "#" + short_hash(row)
        return {
            "specversion": "1.0",
            "id": f"{register}:{key}:{self.step}:{short_hash(said)}",
            "source": source,
            "type": full_type(self.type),
            "time": moment,
            "agency": agency,
            "data": self.data,
        }


def natural_key(type_: str, data: Mapping[str, Any]) -> str:
    """Return the key under which statements of *type_* correct one another, as a text."""
    family, fields = _KEYS[type_]
    parts: list[Any] = [family, *(data.get(name) for name in fields)]
    if type_ == "document.exchanged":
        parts.append(str(data.get("issued_on"))[:4])
    return json.dumps(parts, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def changes(row: Row, known: Mapping[str, Known], stamp: datetime) -> tuple[Change, ...]:
    """Return what *row*, read from an export made at *stamp*, says beyond *known* (step → its last statement).

    A change never carries a time at or before that of the statement it corrects: where the row's own time did not advance,
    the export's stamp is its time, because that is when the register said so.
    """
    found: list[Change] = []
    stated = {statement.step: statement for statement in row.statements}
    for step, before in known.items():
        if before.retracted:
            continue
        statement = stated.get(step)
        if statement is None or natural_key(statement.type, statement.data) != before.key:
            found.append(_taking_back(step, before, _later(row.time or stamp, before, stamp), gone=statement is None))
    for step, statement in stated.items():
        before_ = known.get(step)
        if before_ is None:
            found.append(_stating(statement, row.time or stamp))
        elif _differs(statement, before_) or (before_.retracted and not statement.data.get("retracted")):
            found.append(_stating(statement, _later(row.time or stamp, before_, stamp)))
    return tuple(found)


def _differs(statement: RowStatement, before: Known) -> bool:
    return statement.type != before.type or statement.data != before.data


def _later(time: datetime, before: Known, stamp: datetime) -> datetime:
    last = datetime.fromisoformat(before.time)
    if time > last:
        return time
    return max(stamp, last + timedelta(microseconds=1))


def _stating(statement: RowStatement, time: datetime) -> Change:
    gone = bool(statement.data.get("retracted"))  # a mapping may say so itself, of a row that is marked as void
    after = Known(statement.type, statement.data, time.isoformat(), retracted=gone)
    return Change(statement.step, statement.type, statement.data, time, after)


def _taking_back(step: str, before: Known, time: datetime, *, gone: bool) -> Change:
    after = Known(before.type, before.data, time.isoformat(), retracted=True) if gone else None
    return Change(step, before.type, {**before.data, "retracted": True}, time, after)
