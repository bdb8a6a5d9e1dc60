"""`python -m deploy.local.chdb_server`: serve one folder until SIGTERM or SIGINT.

Environment: TIENDO_CHDB_PASSWORD is the password of the user `default` (none: the empty one);
TIENDO_CHDB_READONLY_PASSWORD that of the user named with --readonly-user.
Exit codes: 0 stopped, 1 the address cannot be listened on, 2 another process serves the folder (or bad arguments).
"""

import argparse
import logging
import os
import signal
import socket
import sys
import time
from pathlib import Path


def main(arguments: list[str] | None = None) -> int:
    """Serve until a signal; return the exit code."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s", stream=sys.stderr)
    # Before chDB is loaded: columns without a zone are in UTC on every machine, as in production.
    os.environ["TZ"] = "UTC"
    time.tzset()
    from deploy.local.chdb_server.engine import Engine, FolderTaken
    from deploy.local.chdb_server.server import Server
    from deploy.local.chdb_server.session import Users

    try:
        engine = Engine(options.path)
    except FolderTaken as taken:
        print(f"chdb_server: {taken}", file=sys.stderr)
        return 2
    try:
        listener = socket.create_server((options.host, options.port), backlog=128)
    except OSError as error:
        print(f"chdb_server: cannot listen on {options.host}:{options.port}: {error.strerror}", file=sys.stderr)
        engine.close()
        return 1
    users = Users(
        password=os.environ.pop("TIENDO_CHDB_PASSWORD", ""),
        read_only_name=options.readonly_user,
        read_only_password=os.environ.pop("TIENDO_CHDB_READONLY_PASSWORD", ""),
    )
    server = Server(listener, engine, users, max_insert_bytes=options.max_insert_bytes)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: server.stop())
    print(f"chdb_server: ready on {options.host}:{listener.getsockname()[1]}", flush=True)
    server.serve(grace_seconds=options.grace)
    engine.close()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m deploy.local.chdb_server",
        description="ClickHouse's native protocol over chDB, for one folder.",
        epilog="example: python -m deploy.local.chdb_server --path data/clickhouse --port 9000 --readonly-user reader",
    )
    parser.add_argument("--path", type=Path, required=True, help="folder of the database; made when missing")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=9000, help="0 chooses a free one (default: %(default)s)")
    parser.add_argument("--readonly-user", metavar="NAME", help="a user that may only read")
    parser.add_argument(
        "--max-insert-bytes", type=int, default=1 << 30, help="largest insert statement (default: %(default)s)"
    )
    parser.add_argument(
        "--grace", type=float, default=30, help="seconds that running statements get at the end (default: %(default)s)"
    )
    return parser


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # a thread that is still inside chDB must not be met by the interpreter's own end
