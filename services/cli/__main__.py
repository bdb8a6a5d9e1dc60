"""The ``tiendo`` command."""

from __future__ import annotations

import logging
import sys
from typing import Final, NoReturn

import typer
from clickhouse_driver.errors import ServerException
from rich.console import Console

from services.cli.compare import compare_agencies
from services.cli.contradictions import contradictions, discrepancies
from services.cli.example import example_app
from services.cli.explain import explain_figure
from services.cli.feeds import conflicts, feeds
from services.cli.goalposts import moved
from services.cli.plan_calendar import baseline, holidays
from services.cli.plans import agencies_app, plan_app, sources_app
from services.cli.rebuild import rebuild
from services.cli.rejected import rejected_app
from services.cli.standing import standing
from services.cli.up import up
from services.cli.warnings import warnings_app
from services.core.errors import Rejected, Transient
from services.infra.logs import quiet_libraries
from services.ingest.connectors.cli import connect_app, emit

_NOT_AUTHENTICATED: Final = 516  # ClickHouse's own code
_ENV_HINT: Final = "For a stack of `tiendo up`: `. DATA/env`, such as `. .data/thai-nguyen-2008/env`."

app = typer.Typer(
    name="tiendo",
    help="Which agencies are behind an IT-application plan, by how many days, and what it takes to catch up.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_show_locals=False,  # locals may hold tokens and addresses
)
app.command()(up)
app.command()(standing)
app.command("compare")(compare_agencies)
app.command("explain")(explain_figure)
app.command()(feeds)
app.command()(conflicts)
app.command()(contradictions)
app.command()(discrepancies)
app.command()(emit)
app.command()(rebuild)
plan_app.command()(moved)
plan_app.command("holidays")(holidays)
plan_app.command("baseline")(baseline)
app.add_typer(connect_app, name="connect")
app.add_typer(plan_app, name="plan")
app.add_typer(agencies_app, name="agencies")
app.add_typer(sources_app, name="sources")
app.add_typer(warnings_app, name="warnings")
app.add_typer(rejected_app, name="rejected")
app.add_typer(example_app, name="example")


@app.command()
def ingest() -> None:
    """Run the gateway, configured by TIENDO_… variables.

    Example: TIENDO_INGEST_KEY=$(openssl rand -hex 32) tiendo ingest
    """
    from services.ingest.__main__ import main as run

    run()


@app.command()
def aggregator() -> None:
    """Run one aggregator worker, configured by TIENDO_… variables.

    Example: TIENDO_KAFKA_BOOTSTRAP=kafka:9092 TIENDO_CLICKHOUSE_HOST=clickhouse tiendo aggregator
    """
    from services.aggregator.__main__ import main as run

    run()


@app.command()
def alerts() -> None:
    """Run one evaluator of standing and warnings, configured by TIENDO_… variables.

    Example: TIENDO_ALERTS_SMTP_HOST=mail.example.vn tiendo alerts
    """
    from services.alerts.__main__ import main as run

    run()


@app.command()
def board() -> None:
    """Run the board, which answers questions about standing and evidence, configured by TIENDO_… variables.

    Example: TIENDO_CLICKHOUSE_USER=reader TIENDO_BOARD_PORT=8090 tiendo board
    """
    from services.board.__main__ import main as run

    run()


def main() -> None:
    """Run the command; expected faults end it with one line and exit code 1."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s %(message)s")
    quiet_libraries()
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    try:
        app()
    except Transient as fault:
        _tell(f"{fault}\n  Does the stack run, and do the TIENDO_… variables point to it? {_ENV_HINT}")
    except Rejected as fault:
        _tell(str(fault))
    except ServerException as fault:
        if fault.code != _NOT_AUTHENTICATED:
            raise
        _tell(f"ClickHouse does not take this user and password: set TIENDO_CLICKHOUSE_PASSWORD. {_ENV_HINT}")


def _tell(fault: str) -> NoReturn:
    err = Console(stderr=True, highlight=False)
    err.print("tiendo:", style="red", end=" ")
    err.print(fault, markup=False, soft_wrap=True)
    sys.exit(1)


if __name__ == "__main__":
    main()
