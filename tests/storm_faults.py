"""What happens to evaluators, broker, database and mail server in a storm, and on which mornings."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Final

from tests.storm import NAMES, Storm
from tests.year_figures import START, span

Fault = Callable[[Storm, random.Random], None]


def kill_leader(storm: Storm, rng: random.Random) -> None:
    """kill -9 of who leads, at any moment of a look."""
    for name in storm.leaders() or [rng.choice(NAMES)]:
        storm.signal(name, signal.SIGKILL)


def kill_both(storm: Storm, rng: random.Random) -> None:
    """kill -9 of both."""
    for name in NAMES:
        storm.signal(name, signal.SIGKILL)


def kill_on_a_mail(storm: Storm, rng: random.Random) -> None:
    """kill -9 of both once the server has taken a mail and not answered yet: sent, and nobody knows."""
    storm.mail.on_next = lambda: kill_both(storm, rng)


def pause_leader(storm: Storm, rng: random.Random) -> None:
    """Stop who leads for longer than its session lasts: the other takes over, and then both believe to lead."""
    names = storm.leaders() or [rng.choice(NAMES)]
    for name in names:
        storm.signal(name, signal.SIGSTOP)

    def go_on() -> None:
        for name in names:
            storm.signal(name, signal.SIGCONT)

    threading.Timer(rng.uniform(8, 12), go_on).start()


def mail_away(storm: Storm, rng: random.Random) -> None:
    """The mail server is away for a while."""
    storm.mail.stop()
    threading.Timer(rng.uniform(2, 6), storm.mail.start).start()


def kill_database(storm: Storm, rng: random.Random) -> None:
    """kill -9 of the database."""
    storm.chdb.restart(kill=True)


def pause_database(storm: Storm, rng: random.Random) -> None:
    """The database gives no answer for a while."""
    os.kill(storm.chdb.pid, signal.SIGSTOP)
    threading.Timer(rng.uniform(1, 5), lambda: os.kill(storm.chdb.pid, signal.SIGCONT)).start()


def kill_broker(storm: Storm, rng: random.Random) -> None:
    """kill -9 of the broker."""
    storm.broker.restart()


FAULTS: Final[tuple[Fault, ...]] = (
    kill_leader,
    kill_on_a_mail,
    pause_leader,
    mail_away,
    kill_database,
    kill_broker,
    kill_both,
    pause_database,
)


def mornings(last: date, step: int) -> list[date]:
    """Return every *step*-th morning up to *last*."""
    return span(START + timedelta(days=1), last)[::step]


def strikes(days: Sequence[date], number: int, rng: random.Random) -> dict[date, Fault]:
    """Return on which of *days* which fault happens: each kind as often as the others."""
    kinds = [FAULTS[at % len(FAULTS)] for at in range(number)]
    rng.shuffle(kinds)
    return dict(zip(sorted(rng.sample(list(days[1:]), number)), kinds, strict=True))


def struck(storm: Storm, faults: dict[date, Fault], rng: random.Random) -> Callable[[date], None]:
    """Return what :meth:`Storm.live` calls each morning: the day's fault, a moment after the clock has gone on."""

    def strike(morning: date) -> None:
        fault = faults.get(morning)
        if fault is None:
            return
        time.sleep(rng.uniform(0, 1.5))
        storm.say(f"{morning}: {fault.__name__}")
        storm.faults[fault.__name__] += 1
        fault(storm, rng)

    return strike
