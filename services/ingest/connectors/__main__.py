"""``python -m services.ingest.connectors``: the connectors alone, for a machine that runs nothing else."""

from __future__ import annotations

import typer

from services.infra.logs import set_up_logs
from services.ingest.connectors.cli import connect_app, emit


def main() -> None:
    """Run ``connect …`` or ``emit``."""
    set_up_logs("connectors", "WARNING")
    app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_show_locals=False)
    app.add_typer(connect_app, name="connect")
    app.command()(emit)
    app()


if __name__ == "__main__":
    main()
