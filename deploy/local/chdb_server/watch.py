"""Notices what clients send, or that they leave, while their statements run."""

import selectors
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress


class Watch(threading.Thread):
    """One thread for all sockets whose own thread is busy inside chDB."""

    def __init__(self) -> None:
        super().__init__(name="watch", daemon=True)
        self._selector = selectors.DefaultSelector()
        self._lock = threading.Lock()
        self._stopping = False

    @contextmanager
    def readable(self, sock: socket.socket, call: Callable[[], None]) -> Iterator[None]:
        """Inside the block, call *call* once, in this thread, when *sock* has something to read or is at its end."""
        with self._lock:
            self._selector.register(sock, selectors.EVENT_READ, call)
        try:
            yield
        finally:
            with self._lock, suppress(KeyError):
                self._selector.unregister(sock)

    def stop(self) -> None:
        """End the thread soon."""
        self._stopping = True

    def run(self) -> None:
        """Wait for sockets until stopped."""
        while not self._stopping:
            for key, _ in self._selector.select(timeout=0.2):
                with self._lock:
                    # Under the lock the block has not been left, so the call meets the statement it is meant for.
                    if self._selector.get_map().get(key.fd) is not key:
                        continue
                    self._selector.unregister(key.fileobj)
                    with suppress(OSError):
                        key.data()
        self._selector.close()
