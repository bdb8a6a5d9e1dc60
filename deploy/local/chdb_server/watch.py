"""Notices what clients send, or that they leave, while their statements run."""

import selectors
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

_TICK_SECONDS = 0.1


class Watch(threading.Thread):
    """One thread for all sockets whose own thread is busy inside chDB."""

    def __init__(self) -> None:
        super().__init__(name="watch", daemon=True)
        self._selector = selectors.DefaultSelector()
        self._due: dict[socket.socket, Callable[[], bool]] = {}
        self._lock = threading.Lock()
        self._stopping = False

    @contextmanager
    def readable(self, sock: socket.socket, call: Callable[[], bool]) -> Iterator[None]:
        """Inside the block, once *sock* has something to read or is at its end, call *call*, in the watch's thread.

        It is called again and again until it returns False or the block ends: what it is to cancel may not have
        begun yet.
        """
        with self._lock:
            self._selector.register(sock, selectors.EVENT_READ, call)
        try:
            yield
        finally:
            with self._lock:
                self._due.pop(sock, None)
                with suppress(KeyError):
                    self._selector.unregister(sock)

    def stop(self) -> None:
        """End the thread soon."""
        self._stopping = True

    def run(self) -> None:
        """Wait for sockets until stopped."""
        while not self._stopping:
            ready = self._selector.select(timeout=_TICK_SECONDS)
            with self._lock:  # under it no block is left, so a call meets the statement that it is meant for
                for key, _ in ready:
                    if isinstance(key.fileobj, socket.socket) and self._selector.get_map().get(key.fd) is key:
                        self._selector.unregister(key.fileobj)
                        self._due[key.fileobj] = key.data
                self._due = {sock: call for sock, call in self._due.items() if call()}
        self._selector.close()
