"""``python -m services.board``: the board as a process of its own."""

from __future__ import annotations

from services.board.app import build
from services.board.settings import BoardSettings
from services.infra.http.server import serve
from services.infra.logs import set_up_logs
from services.infra.settings import read_settings


def main() -> None:
    """Serve until SIGTERM or SIGINT, then end with exit code 0; exit code 2 and every fault at once for bad settings."""
    settings = read_settings(BoardSettings)
    set_up_logs("board", settings.log_level)
    serve(build(settings), host=settings.host, port=settings.board_port, shutdown_s=settings.board_shutdown_timeout)


if __name__ == "__main__":
    main()
