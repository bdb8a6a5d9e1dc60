"""The same year, undisturbed and in a storm: what went out must be the same."""

from __future__ import annotations

import random
from collections import Counter
from datetime import date, timedelta
from pathlib import Path

from tests.fixtures.chdb import ChdbServer
from tests.fixtures.kafka import Kafka
from tests.fixtures.tansu import Tansu
from tests.storm import Storm
from tests.storm_faults import mornings, strikes, struck


def compared(
    kafka: Kafka, tansu: Tansu, chdb: ChdbServer, folder: Path, *, until: date, step: int, faults: int, seed: int
) -> dict[str, int]:
    """Live through the year up to *until* undisturbed and with *faults*, and compare what went out; return figures."""
    days = mornings(until, step)
    calm = Storm(tansu, chdb, folder / "calm", "calm")
    try:
        calm.start(until)
        calm.live(days)
        calm.settle(days[-1] + timedelta(days=7))
        wanted = calm.notices()
    finally:
        calm.stop()
    sent = Counter(calm.mail.taken)
    calm.say(f"undisturbed: {len(sent)} notices, {sent.total()} mails")
    assert sent.total() == len(sent), "undisturbed, every notice comes once"

    rng = random.Random(seed)
    storm = Storm(kafka, chdb, folder / "storm", "storm")
    try:
        storm.start(until)
        storm.live(days, struck(storm, strikes(days, faults, rng), rng))
        storm.settle(days[-1] + timedelta(days=7))
        made = storm.notices()
    finally:
        storm.stop()
    found = Counter(storm.mail.taken)
    repeats = found.total() - len(found)
    storm.say(f"seed {seed}, {dict(storm.faults)}: {len(found)} notices, {repeats} repeats")
    assert made.keys() == wanted.keys(), _differences(wanted, made)
    assert found.keys() == sent.keys(), "a notice was recorded and not sent"
    return {"notices": len(found), "repeats": repeats, "faults": faults}


def _differences(wanted: dict[str, str], made: dict[str, str]) -> str:
    lost = [f"lost: {wanted[one]}" for one in wanted.keys() - made.keys()]
    new = [f"not in the undisturbed year: {made[one]}" for one in made.keys() - wanted.keys()]
    return "\n".join(["", *sorted(lost), *sorted(new)])
