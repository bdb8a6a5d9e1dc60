"""Keeps the processes of the embedded stack running: start, wait for health, start again with back-off, stop all.

One thread watches one child. A child never outlives this process, however that ends: Linux sends it SIGTERM when the
thread that started it is gone, and a watching thread lives as long as its child.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread

from services.core.errors import Transient

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None

Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Child:
    """A process of the stack. ``healthy`` answers within a few seconds; ``mend`` runs after each healthy start."""

    name: str
    command: tuple[str, ...]
    env: Mapping[str, str]
    healthy: Callable[[], bool]
    mend: Callable[[], None] | None = None
    patience: float = 60.0
    grace: float = 15.0


def back_off(failures: int) -> float:
    """Return the seconds to wait before start number *failures* + 1: 0.5, 1, 2, 4, 8, then 10."""
    return float(min(10, 0.5 * 2 ** min(failures, 10)))


def _die_with_parent() -> None:
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


@dataclass
class _Running:
    child: Child
    process: subprocess.Popen[bytes]
    thread: Thread | None = None
    restarts: int = 0
    starts: list[float] = field(default_factory=list)


class Supervisor:
    """Runs children one after the other and watches them. Logs go to ``<folder>/<name>.log``."""

    def __init__(self, logs: Path, say: Say) -> None:
        self._logs = logs
        self._say = say
        self._stopping = Event()
        self._running: list[_Running] = []
        logs.mkdir(parents=True, exist_ok=True)

    def start(self, child: Child) -> None:
        """Start *child* and return once it is healthy and mended.

        Raises Transient when it ends or is not healthy within its patience; the text says where its log is.
        """
        running = _Running(child, self._launch(child))
        self._running.append(running)
        self._settle(running)
        running.thread = Thread(target=self._watch, args=(running,), name=f"watch {child.name}", daemon=True)
        running.thread.start()

    def pid(self, name: str) -> int:
        """Return the process id of the child called *name*. Raises KeyError for an unknown name."""
        for running in self._running:
            if running.child.name == name:
                return running.process.pid
        raise KeyError(name)

    def restarts(self, name: str) -> int:
        """Return how often the child called *name* has been started again and become healthy."""
        return next(running.restarts for running in self._running if running.child.name == name)

    def stop(self) -> None:
        """End all children, the last started first: SIGTERM, and SIGKILL after the child's grace. Safe to repeat."""
        self._stopping.set()
        for running in reversed(self._running):
            _end(running.process, running.child.grace)
        for running in self._running:
            if running.thread is not None:
                running.thread.join(5)
            _end(running.process, 0.5)  # a restart may have slipped in between

    def _launch(self, child: Child) -> subprocess.Popen[bytes]:
        with (self._logs / f"{child.name}.log").open("ab") as log:
            return subprocess.Popen(
                child.command,
                env=dict(child.env),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_die_with_parent,
            )

    def _settle(self, running: _Running) -> None:
        child, process = running.child, running.process
        until = time.monotonic() + child.patience
        log = self._logs / f"{child.name}.log"
        while not self._stopping.is_set():
            code = process.poll()
            if code is not None:
                raise Transient(f"{child.name} ended with exit code {code}: {_last_line(log)} (all of it in {log})")
            if child.healthy():
                if child.mend is not None:
                    child.mend()
                return
            if time.monotonic() > until:
                raise Transient(f"{child.name} is not healthy after {child.patience:g} s: see {log}")
            self._stopping.wait(0.1)

    def _watch(self, running: _Running) -> None:
        failures = 0
        while not self._stopping.is_set():
            began = time.monotonic()
            code = running.process.wait()
            if self._stopping.is_set():
                return
            failures = 0 if time.monotonic() - began > 60 else failures
            delay = back_off(failures)
            self._say(f"{running.child.name} ended (exit code {code}); starting it again in {delay:g} s")
            failures += 1
            if self._stopping.wait(delay):
                return
            running.process = self._launch(running.child)
            try:
                self._settle(running)
            except Transient as fault:
                self._say(str(fault))
                _end(running.process, 2)
                continue
            if not self._stopping.is_set():
                running.restarts += 1
                self._say(f"{running.child.name} is back")


def _end(process: subprocess.Popen[bytes], grace: float) -> None:
    for sign, patience in ((signal.SIGTERM, grace), (signal.SIGKILL, 10.0)):
        if process.poll() is not None:
            break
        with suppress(ProcessLookupError):
            os.killpg(process.pid, sign)
        with suppress(subprocess.TimeoutExpired):
            process.wait(patience)


def _last_line(log: Path) -> str:
    with suppress(OSError):
        lines = [line for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
        if lines:
            return lines[-1][-300:]
    return "it wrote nothing"
