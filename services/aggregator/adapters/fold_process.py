"""A process that prepares batches, so that decoding and folding do not hold up fetching and writing.

Parent and child speak over the child's standard input and output: pickles of our own types, each with its length before
it. The child ends when its input does, so it never outlives a worker that was killed.
"""

from __future__ import annotations

import fcntl
import pickle
import struct
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from threading import Lock
from typing import IO, Any, Final

from services.aggregator.adapters.decoding import Run
from services.aggregator.adapters.preparing import Kinds, Prepared

_LENGTH: Final = struct.Struct("<Q")


class FoldProcess:
    """The parent's side. Any fault of the child is a RuntimeError, for good.

    To be made in a thread that lives as long as the worker: on Linux the child is killed when that thread has gone.
    """

    def __init__(self, zone: str, kinds: Kinds) -> None:
        self._child = subprocess.Popen(
            [sys.executable, "-m", "services.aggregator.fold"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=-1,
        )
        self._sending = Lock()
        self._receiving = Lock()
        for pipe in (self._stdin, self._stdout):
            _widen(pipe)
        send(self._stdin, (zone, {table: dict(columns) for table, columns in kinds.items()}))

    @property
    def pid(self) -> int:
        """The child's process id."""
        return self._child.pid

    def ended(self) -> int | None:
        """Return the child's exit code, None while it lives. Does not block."""
        return self._child.poll()

    def prepare(self, runs: Sequence[Run]) -> Prepared:
        """Return what *runs* lead to. Blocks; RuntimeError once the child has ended.

        A second thread may send its request while the first one's is being worked on.
        """
        try:
            with self._sending:
                send(self._stdin, runs)
                self._receiving.acquire()  # before the next request is sent: answers come in order
            try:
                prepared = receive(self._stdout)
            finally:
                self._receiving.release()
        except (BrokenPipeError, EOFError) as fault:
            raise RuntimeError(f"the process that folds has ended (code {self._child.poll()})") from fault
        assert isinstance(prepared, Prepared)
        return prepared

    def close(self) -> None:
        """End the child; what it is doing is lost."""
        self._child.kill()
        self._child.wait()
        self._stdout.close()
        with suppress(BrokenPipeError):  # of what had not been sent
            self._stdin.close()

    @property
    def _stdin(self) -> IO[bytes]:
        assert self._child.stdin is not None
        return self._child.stdin

    @property
    def _stdout(self) -> IO[bytes]:
        assert self._child.stdout is not None
        return self._child.stdout


def _widen(pipe: IO[bytes]) -> None:
    with suppress(OSError):  # more than this user may have; it goes without
        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, 1 << 20)


def send(pipe: IO[bytes], value: Any) -> None:
    """Write *value*. Blocks until the other side has taken it, but for what the pipe holds."""
    data = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
    pipe.write(_LENGTH.pack(len(data)))
    pipe.write(data)
    pipe.flush()


def receive(pipe: IO[bytes]) -> Any:
    """Return the next value; EOFError where the other side has ended. Blocks."""
    head = pipe.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        raise EOFError
    (size,) = _LENGTH.unpack(head)
    data = pipe.read(size)
    if len(data) < size:
        raise EOFError
    return pickle.loads(data)  # noqa: S301 - the other end is our own process
