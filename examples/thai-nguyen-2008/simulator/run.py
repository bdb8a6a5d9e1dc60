"""One run of the simulator: builds the year, writes what is new on disk, leaves the truth in the world."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

from simulator.days import YEAR_END, YEAR_START, span
from simulator.exports import write_all
from simulator.logfile import RotatedLog
from simulator.papers import Papers
from simulator.people import Staff
from simulator.postfix import Postfix
from simulator.projects import Projects
from simulator.registers import write_registers
from simulator.training import Training
from simulator.truth import World

STATE: Final = ".simulator.json"


class NotThisFolderError(ValueError):
    """The folder holds the world of another seed, or a later day than the one asked for."""


def build(seed: int) -> World:
    """Return the year's people, papers, courses and projects as *seed* has them; mails come with :func:`write`."""
    world = World()
    Staff(world, seed).build()
    Papers(world, seed).build()
    Training(world, seed).build()
    Projects(world, seed).build()
    return world


def write(seed: int, until: date, out: Path, progress: Callable[[int, int], None] = lambda done, of: None) -> World:
    """Write everything up to the end of *until* below *out* and return the truth.

    What an earlier run with the same seed left is kept: the log is appended to, exports are added. Calling it again with
    the same day changes nothing. Raises NotThisFolderError if *out* belongs to another seed or is further on, ValueError
    if *until* is not in 2008.
    """
    if not YEAR_START <= until <= YEAR_END:
        raise ValueError(f"{until} is not a day of 2008")
    state = out / STATE
    past: dict[str, Any] = json.loads(state.read_text()) if state.exists() else {"seed": seed, "until": "", "lines": 0}
    if past["seed"] != seed or past["until"] > until.isoformat():
        raise NotThisFolderError(f"{out} holds seed {past['seed']} up to {past['until']}")
    if not state.exists() and (out / "mail" / "mail.log").exists():
        raise NotThisFolderError(f"{out} holds a mail log that no finished run of the simulator wrote")
    world = build(seed)
    (out / "mail").mkdir(parents=True, exist_ok=True)
    log, server = RotatedLog(out / "mail", past["lines"]), Postfix(world, seed)
    days = span(YEAR_START, until)
    for number, day in enumerate(days, start=1):
        if day.day == 1:
            log.rotate()
        log.append(server.day(day))
        progress(number, len(days))
    after = until + timedelta(days=1)
    if after.day == 1:
        log.rotate()
    log.append([next(server.day(after))])  # the night's first line shows that the day is over
    write_all(world, out, until)
    write_registers(world, out, until)
    state.write_text(json.dumps({"seed": seed, "until": until.isoformat(), "lines": log.lines}) + "\n")
    return world
