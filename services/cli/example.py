"""``tiendo example``: Thái Nguyên province, 2008, on the embedded stack."""

from __future__ import annotations

import email
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from email.header import decode_header, make_header
from pathlib import Path

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from deploy.local.stack import Stack, running, shared_clock
from services.cli.up import choose_ports, print_addresses, until_stopped, write_environment
from services.infra.clock import CLOCK_VARIABLE
from services.infra.settled import Progress as Settling
from services.infra.settled import wait_until_settled

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "thai-nguyen-2008"
CLOCK = "2008-10-01T08:00:00+07:00"
UNTIL = "2008-09-30"
PLAN = "thai-nguyen-2008"

example_app = typer.Typer(
    name="example", no_args_is_help=True, help="The example: Thái Nguyên province, 2008, with simulated systems."
)
console = Console(stderr=True, highlight=False)


class _Steps:
    """Says what is being done and how long it took."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    @contextmanager
    def step(self, what: str) -> Iterator[None]:
        began = time.monotonic()
        console.print(f"[bold]▸ {what}[/]")
        yield
        console.print(f"  [dim]{time.monotonic() - began:.1f} s[/]")

    def total(self) -> float:
        return time.monotonic() - self._began


def _tiendo(environment: dict[str, str], *arguments: str) -> None:
    """Run one ``tiendo`` command as a user would. Ends this command with its exit code where it fails."""
    done = subprocess.run([sys.executable, "-m", "services.cli", *arguments], env=environment, check=False)
    if done.returncode != 0:
        console.print(f"[red]tiendo {' '.join(arguments[:2])} ended with exit code {done.returncode}[/]")
        raise typer.Exit(done.returncode)


def _simulate(systems: Path, seed: int, until: str) -> None:
    done = subprocess.run(
        [sys.executable, str(EXAMPLE / "simulator"), "--seed", str(seed), "--until", until, "--out", str(systems)],
        check=False,
    )
    if done.returncode != 0:
        raise typer.Exit(done.returncode)


def _fill(stack: Stack, environment: dict[str, str], steps: _Steps) -> None:
    """Publish the documents, let the connectors read, wait until everything is judged."""
    tokens = stack.data / "secrets" / "tokens"
    with steps.step("publish the directory, the sources, the plan and the policy of warnings"):
        _tiendo(environment, "agencies", "publish", str(EXAMPLE / "directory.yaml"))
        _tiendo(environment, "sources", "publish", str(EXAMPLE / "sources.yaml"), "--issue-tokens", str(tokens))
        _tiendo(environment, "plan", "publish", str(EXAMPLE / "plan.yaml"))
        _tiendo(environment, "policy", "publish", str(EXAMPLE / "policy.yaml"))
    with steps.step("connectors read the systems: one Postfix log, registers and rosters"):
        _tiendo(
            environment,
            *("connect", "run", str(EXAMPLE / "connectors.yaml")),
            *("--systems", str(stack.data / "systems"), "--state", str(stack.data / "connectors")),
            *("--tokens", str(tokens), "--gateway", stack.gateway),
        )
    with (
        steps.step("events become figures, figures become standing"),
        Progress(SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), console=console) as bar,
    ):
        task = bar.add_task("…", total=None)

        def tell(settling: Settling) -> None:
            judged = "judged" if settling.evaluated else "not yet judged"
            waiting = f"records waiting {settling.lag}, marks {settling.marks}, mails {settling.notices}"
            bar.update(task, description=f"{waiting}, {judged}")

        wait_until_settled(stack.kafka, stack.clickhouse, tell=tell)


def _environment(stack: Stack, clock: dict[str, str]) -> dict[str, str]:
    return dict(os.environ) | stack.environment() | clock


_DATA_FOLDER = ".data/thai-nguyen-2008"
_DATA = typer.Option(Path(_DATA_FOLDER), help="Where everything is kept; a second run goes on with it.")
_SEED = typer.Option(2008, help="Seed of the simulated systems.")
_BROKER = typer.Option(None, help="host:port of a Kafka of your own, instead of the embedded broker.")
_CLOCK = typer.Option(CLOCK, help="When the run's clock starts; the day judged is the day before.")


@example_app.command()
def run(
    data: Path = _DATA,
    seed: int = _SEED,
    until: str = typer.Option(UNTIL, help="Last day of the simulated systems."),
    clock: str = _CLOCK,
    ports: str = typer.Option("auto", help="`default`, or `auto` for free ones."),
    broker: str | None = _BROKER,
) -> None:
    """Simulate the systems, run the whole stack on them, print the standing and the warnings, stop.

    Example: tiendo example run --data .data/thai-nguyen-2008
    """
    steps = _Steps()
    stack = Stack(data=data.resolve(), ports=choose_ports(ports), external=broker)
    shift = shared_clock({CLOCK_VARIABLE: clock})
    environment = _environment(stack, shift)
    with steps.step(f"simulate what the province's systems wrote up to {until}"):
        _simulate(stack.data / "systems", seed, until)
    with running_quietly(stack, shift, steps):
        _fill(stack, environment, steps)
        _report(stack, environment)
    console.print(f"done in {steps.total():.0f} s; the stack is stopped.")
    console.print(f"The mails lie in {stack.mails}, figures and logs in {stack.data}.", soft_wrap=True)
    shown = os.path.relpath(stack.data)
    up = "make up" if shown == _DATA_FOLDER else f"tiendo example up --data {shown}"
    console.print(f"To ask more, keep it running with [bold]{up}[/] in one terminal; in another:", soft_wrap=True)
    console.print(f"  . {shown}/env", markup=False, soft_wrap=True)
    console.print(f"  tiendo standing --plan {PLAN}", markup=False, soft_wrap=True)
    console.print("And beside last year, which is simulated too, not real:", soft_wrap=True)
    file = os.path.relpath(EXAMPLE / "last-year.csv")
    console.print(f"  tiendo compare --plan {PLAN} --against {file}", markup=False, soft_wrap=True)


@contextmanager
def running_quietly(stack: Stack, clock: dict[str, str], steps: _Steps) -> Iterator[None]:
    """Run the stack, saying only when it starts and stops and what goes wrong."""
    with until_stopped() as stop, ExitStack() as closing:
        with steps.step("start the database, the broker, the mail catcher, ingest, aggregator, alerts and board"):
            closing.enter_context(running(stack, clock, lambda line: console.print(f"  [yellow]{line}[/]")))
        try:
            yield
            if stop.is_set():
                raise typer.Exit(130)
        finally:
            with steps.step("stop the stack"):
                closing.close()


def _report(stack: Stack, environment: dict[str, str]) -> None:
    _tiendo(environment, "standing", "--plan", PLAN)
    _tiendo(environment, "warnings", "list", "--plan", PLAN)
    mails = sorted(stack.mails.glob("*.eml"))
    console.print(f"{len(mails)} mails were sent:")
    for mail in mails:
        message = email.message_from_bytes(mail.read_bytes())
        to, subject = (str(make_header(decode_header(message[name]))) for name in ("To", "Subject"))
        console.print(f"  {to}: {subject}", markup=False, soft_wrap=True)


@example_app.command()
def up(
    data: Path = _DATA,
    seed: int = _SEED,
    clock: str = _CLOCK,
    ports: str = typer.Option("default", help="`default`, or `auto` for free ones."),
    broker: str | None = _BROKER,
) -> None:
    """Keep the example's stack running in the foreground, its clock at 1 October 2008.

    Example: tiendo example up
    """
    steps = _Steps()
    stack = Stack(data=data.resolve(), ports=choose_ports(ports), external=broker)
    shift = shared_clock({CLOCK_VARIABLE: clock})
    with steps.step("simulate what the province's systems wrote"):
        _simulate(stack.data / "systems", seed, UNTIL)
    with until_stopped() as stop, running(stack, shift, lambda line: console.print(f"[yellow]{line}[/]")):
        env_file = write_environment(stack, shift)
        _fill(stack, _environment(stack, shift), steps)
        print_addresses(stack, env_file)
        stop.wait()
        console.print("stopping …")
    console.print("stopped")
