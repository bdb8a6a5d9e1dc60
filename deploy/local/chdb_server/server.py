"""Accepts clients and ends in good order."""

import logging
import socket
import threading
import time

from deploy.local.chdb_server.engine import Engine
from deploy.local.chdb_server.errors import TOO_MANY_CONNECTIONS, ClientGone, DatabaseError
from deploy.local.chdb_server.protocol import Wire
from deploy.local.chdb_server.session import Session, Users
from deploy.local.chdb_server.watch import Watch

log = logging.getLogger("chdb_server")
MAX_CLIENTS = 200
_ACCEPT_SECONDS = 0.2


class Server:
    """Serves *engine* to the clients of *listener*, one thread each, until `stop`."""

    def __init__(self, listener: socket.socket, engine: Engine, users: Users, *, max_insert_bytes: int) -> None:
        self._listener, self._engine, self._users = listener, engine, users
        self._max_insert_bytes = max_insert_bytes
        self._watch = Watch()
        self._sessions: set[Session] = set()
        self._lock = threading.Lock()
        self._stopping = False

    def stop(self) -> None:
        """Let `serve` return soon; safe to call from a signal handler."""
        self._stopping = True

    def serve(self, *, grace_seconds: float) -> None:
        """Accept clients until stopped; then let what runs end, for *grace_seconds* at most, and cancel the rest."""
        self._watch.start()
        self._listener.settimeout(_ACCEPT_SECONDS)
        number = 0
        while not self._stopping:
            try:
                sock, _ = self._listener.accept()
            except TimeoutError:
                continue
            except OSError:  # a client gone before it was accepted, or no descriptor left
                time.sleep(_ACCEPT_SECONDS)
                continue
            number += 1
            self._start(number, sock)
        self._listener.close()
        self._finish(grace_seconds)

    def _start(self, number: int, sock: socket.socket) -> None:
        with self._lock:
            full = len(self._sessions) >= MAX_CLIENTS
        if full:
            refusal = DatabaseError(TOO_MANY_CONNECTIONS, f"More than {MAX_CLIENTS} clients.")
            sock.settimeout(1)
            with sock:
                try:
                    Wire(sock, max_insert_bytes=0).send_exception(refusal)
                except ClientGone:
                    log.info("a client too many, already gone")
            return
        session = Session(
            number,
            sock,
            self._engine,
            self._users,
            self._watch,
            max_insert_bytes=self._max_insert_bytes,
            on_end=self._forget,
        )
        with self._lock:
            self._sessions.add(session)
        session.start()

    def _forget(self, session: Session) -> None:
        with self._lock:
            self._sessions.discard(session)

    def _finish(self, grace_seconds: float) -> None:
        with self._lock:
            sessions = list(self._sessions)
        for session in sessions:
            session.stop()
        deadline = time.monotonic() + grace_seconds
        for session in sessions:
            session.join(max(0.0, deadline - time.monotonic()))
        if any(session.is_alive() for session in sessions):
            log.warning("cancelling what still runs after %s s", grace_seconds)
            self._engine.cancel_all()
            for session in sessions:
                session.join(2)
        self._watch.stop()
        self._watch.join()
