"""``tiendo up``: the embedded stack in the foreground."""

from __future__ import annotations

import os
import shlex
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event

import typer
from rich.console import Console
from rich.table import Table

from deploy.local.ports import HOST, Ports, free_ports, taken
from deploy.local.stack import Stack, running, shared_clock

console = Console(stderr=True, highlight=False)


def choose_ports(kind: str) -> Ports:
    """Return ``default`` or ``auto`` ports; end with a clear message where the default ones are taken."""
    if kind == "auto":
        return free_ports()
    ports = Ports()
    busy = taken(ports)
    if busy:
        console.print(f"[red]in use:[/] {', '.join(busy)}. Stop what listens there, or add --ports auto.")
        raise typer.Exit(1)
    return ports


def write_environment(stack: Stack, clock: dict[str, str]) -> Path:
    """Write the variables that reach *stack*, and its clock, to ``<data>/env`` (its owner's alone) and return the path."""
    path = stack.data / "env"
    path.touch(mode=0o600, exist_ok=True)
    path.chmod(0o600)
    lines = [f"export {name}={shlex.quote(value)}" for name, value in (stack.environment() | clock).items()]
    lines.append(f"export PATH={shlex.quote(str(Path(sys.executable).parent))}:$PATH")
    path.write_text("\n".join(lines) + "\n")
    return path


def print_addresses(stack: Stack, env_file: Path) -> None:
    """Print what runs where."""
    table = Table(title=f"Tiến Độ runs on {stack.data}", title_justify="left", box=None, pad_edge=False)
    table.add_column("part")
    table.add_column("address")
    table.add_row("gateway", f"{stack.gateway}  (its calls: {stack.gateway}/docs)")
    table.add_row("board", f"{stack.board}  (its calls: {stack.board}/docs)")
    table.add_row("broker (Kafka's protocol)", stack.kafka.bootstrap)
    table.add_row("database (ClickHouse's protocol)", f"{HOST}:{stack.ports.database}")
    table.add_row("aggregator, health and metrics", f"http://{HOST}:{stack.ports.aggregator}/metrics")
    table.add_row("alerts, health and metrics", f"http://{HOST}:{stack.ports.alerts}/metrics")
    table.add_row("mail catcher (SMTP)", f"{HOST}:{stack.ports.mail}  → {stack.mails}")
    table.add_row("logs", f"{stack.data / 'logs'}")
    console.print(table)
    console.print(
        f"In another terminal: [bold]. {env_file}[/] and then [bold]tiendo --help[/]. Ctrl-C stops everything."
    )


@contextmanager
def until_stopped() -> Iterator[Event]:
    """Yield an event that SIGINT and SIGTERM set instead of ending the process."""
    stop = Event()
    before = {sign: signal.signal(sign, lambda *_: stop.set()) for sign in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for sign, handler in before.items():
            signal.signal(sign, handler)


def up(
    data: Path = typer.Option(Path(".data/tiendo"), help="Where everything is kept."),
    ports: str = typer.Option("default", help="`default`, or `auto` for free ones."),
    broker: str | None = typer.Option(None, help="host:port of a Kafka of your own, instead of the embedded broker."),
) -> None:
    """Run the whole embedded stack in the foreground.

    Example: tiendo up --data ./data
    """
    stack = Stack(data=data.resolve(), ports=choose_ports(ports), external=broker)
    with until_stopped() as stop:
        console.print("starting the database, the broker, the mail catcher, ingest, aggregator, alerts and board …")
        clock = shared_clock(dict(os.environ))
        with running(stack, clock, lambda line: console.print(f"[yellow]{line}[/]")):
            print_addresses(stack, write_environment(stack, clock))
            stop.wait()
            console.print("stopping …")
    console.print("stopped")
