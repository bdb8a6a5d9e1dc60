"""The process that prepares batches for one worker; not for people to start."""

from __future__ import annotations

import ctypes
import gc
import os
import signal
import sys
from contextlib import suppress
from queue import Queue
from threading import Thread
from typing import IO, Any
from zoneinfo import ZoneInfo

from services.aggregator.adapters.fold_process import receive, send
from services.aggregator.adapters.preparing import prepare

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Answer requests until the worker goes away."""
    # A Ctrl-C reaches the whole group, a service manager's SIGTERM too; the worker decides when it has finished.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    _die_with_worker()
    requests = sys.stdin.buffer
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what is printed by mistake shall not pass for an answer
    try:
        name, kinds = receive(requests)
        zone = ZoneInfo(name)
        gc.freeze()
        gc.set_threshold(100_000, 20, 50)
        waiting: Queue[Any] = Queue(1)
        Thread(target=_read, args=(requests, waiting), daemon=True).start()
        while (request := waiting.get()) is not None:
            send(answers, prepare(request, zone, kinds))
    except (EOFError, BrokenPipeError):
        pass
    os._exit(0)  # the worker has gone, and with it whoever could be told


def _die_with_worker() -> None:
    """Have Linux kill this process with the worker: one that is stopped would not see its input end."""
    if sys.platform == "linux":
        with suppress(OSError):
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _read(requests: IO[bytes], waiting: Queue[Any]) -> None:
    """Read the next request while one is being worked on; None says that there are no more."""
    try:
        while True:
            waiting.put(receive(requests))
    except EOFError:
        waiting.put(None)


if __name__ == "__main__":
    main()
