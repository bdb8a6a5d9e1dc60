"""Files of CloudEvents, sent as they are: a JSON array, one object, or an object per line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from services.ingest.connectors.base import Meter, keep_rejected
from services.ingest.connectors.client import BATCH, Answer, Sender
from services.ingest.connectors.errors import CannotGoOn


@dataclass
class Emitted:
    """What came of a file. *refused*: (place in the file from 1, reason, pointer), the first hundred."""

    events: int
    accepted: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    retries: int = 0
    refused: list[tuple[int, str, str]] = field(default_factory=list)


def read_events(content: bytes, name: str) -> list[bytes]:
    """Return the events in *content*, each as JSON. Raises CannotGoOn naming the first line that is not JSON."""
    text = content.removeprefix(b"\xef\xbb\xbf").strip()
    if text.startswith(b"["):
        try:
            return [bytes(raw) for raw in msgspec.json.decode(text, type=list[msgspec.Raw])]
        except msgspec.DecodeError as error:
            raise CannotGoOn(f"{name} starts like a JSON array and is none: {error}") from error
    try:
        return [bytes(msgspec.json.encode(msgspec.json.decode(text, type=dict)))]
    except msgspec.DecodeError:
        pass  # more than one line, each an object of its own
    events = []
    for number, line in enumerate(text.split(b"\n"), start=1):
        if line.strip():
            try:
                events.append(msgspec.json.encode(msgspec.json.decode(line, type=dict)))
            except msgspec.DecodeError as error:
                raise CannotGoOn(
                    f"{name}, line {number}: not a JSON object ({error}). Give a JSON array, one object, or one per line"
                ) from error
    return events


def emit_events(events: Sequence[bytes], sender: Sender, meter: Meter, rejected: Path | None) -> Emitted:
    """Send *events* in their order, batch by batch; refused ones are appended to *rejected*. Raises CannotGoOn and Stopped."""
    result = Emitted(len(events))
    meter.total = sum(map(len, events))
    for start in range(0, len(events), BATCH):
        batch = list(events[start : start + BATCH])
        answer = sender.send(batch)
        _count(result, answer, start)
        if rejected is not None and answer.rejected:
            keep_rejected(rejected, batch, answer)
        meter.read += len(batch)
        meter.sent += len(batch)
        meter.done += sum(map(len, batch))
    return result


def _count(result: Emitted, answer: Answer, start: int) -> None:
    result.accepted += answer.accepted
    result.retries += answer.retries
    for one in answer.rejected:
        result.rejected[one.reason] += 1
        if len(result.refused) < 100:
            result.refused.append((start + one.index + 1, one.reason, one.pointer or ""))
