"""``tiendo connect`` and ``tiendo emit``.

Exit codes: 0 all is well; 1 finished, but events were refused or rows were faulty; 2 a wrong option or an unreadable file;
3 stopped, and the message says what to do; 130 interrupted in its work (the next start goes on).
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from datetime import date, datetime
from pathlib import Path
from threading import Event
from typing import Annotated, Final, Literal, NoReturn

import msgspec
import typer
from rich.console import Console

from services.infra.clock import open_clock
from services.ingest.connectors.base import Meter, Summary
from services.ingest.connectors.build import Printing, csv_job, jobs_of_file, postfix_job
from services.ingest.connectors.client import Gateway, Sender, open_http
from services.ingest.connectors.display import print_summary, watched
from services.ingest.connectors.emit import emit_events, read_events
from services.ingest.connectors.errors import CannotGoOn, Stopped
from services.ingest.connectors.mapping import load_mapping
from services.ingest.connectors.postfix import PostfixConnector
from services.ingest.connectors.run_file import CsvEntry, PostfixEntry, read_token
from services.ingest.connectors.runs import Job, run_job, run_jobs, state_folder, stopping
from services.ingest.core.postfix_mail import SYSTEM_SENDERS

_PARTLY: Final = 1
_USAGE: Final = 2
_STOPPED: Final = 3
_INTERRUPTED: Final = 130

connect_app = typer.Typer(
    help="Connectors: read what systems already write and send it to the gateway.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Source = Annotated[str, typer.Option(help="The registered source, such as /mail/thai-nguyen.")]
Agency = Annotated[str, typer.Option(help="The agency that reports, often a parent.")]
Url = Annotated[str, typer.Option("--gateway", envvar="TIENDO_GATEWAY", help="The gateway's address.")]
Token = Annotated[str, typer.Option(envvar="TIENDO_TOKEN", show_envvar=True, help="Better in the variable than here.")]
TokenFile = Annotated[Path | None, typer.Option(help="A file with the source's token, in place of the variable.")]
State = Annotated[Path | None, typer.Option(help="Folder of the durable position; needed unless --dry-run.")]
Zone = Annotated[str, typer.Option(envvar="TIENDO_ZONE", help="Civil days are days of this zone.")]
Since = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], metavar="YYYY-MM-DD", help="The first day.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Print the events, send and remember nothing.")]
Form = Annotated[Literal["table", "json"], typer.Option("--format", help="Form of the summary.")]


def _fail(message: str, code: int) -> NoReturn:
    Console(stderr=True, highlight=False).print(message, markup=False, style="red", soft_wrap=True)
    raise typer.Exit(code)


def _sender(dry_run: bool, url: str, token: str, token_file: Path | None) -> Callable[[Event], Sender]:
    if dry_run:
        return lambda _stop: Printing()
    try:
        secret = read_token(token_file) if token_file is not None else token
    except CannotGoOn as error:
        _fail(str(error), _USAGE)
    if not secret:
        _fail("no token: set TIENDO_TOKEN or give --token-file", _USAGE)
    http = open_http()  # lives as long as the process
    return lambda stop: Gateway(http, url, secret, stop)


def _finish(summaries: Sequence[Summary], jobs: Sequence[Job], form: str) -> None:
    print_summary(summaries, jobs, form)
    if any(summary.interrupted for summary in summaries):
        raise typer.Exit(_INTERRUPTED)
    if any(summary.stopped for summary in summaries):
        raise typer.Exit(_STOPPED)
    if any(summary.rejected or summary.read["faulty rows"] for summary in summaries):
        raise typer.Exit(_PARTLY)


def _run_one(job: Job, state: Path | None, *, dry_run: bool, form: str, quiet: bool = False) -> None:
    if state is None and not dry_run:
        _fail("give --state FOLDER, where the position is kept (or --dry-run)", _USAGE)
    with state_folder(state) as folder, stopping([job.stop]):
        summary = watched([job.meter], lambda: run_job(job, folder, dry_run=dry_run), quiet=quiet or dry_run)
    _finish([summary], [job], form)


@connect_app.command("postfix")
def postfix(
    log: Annotated[list[Path], typer.Option(help="A live log; its rotated files are found. Once per server.")],
    source: Source,
    agency: Agency,
    domain: Annotated[list[str], typer.Option(help="Whose senders count, subdomains included.")],
    state: State = None,
    since: Since = None,
    gateway: Url = "http://127.0.0.1:8080",
    token: Token = "",
    token_file: TokenFile = None,
    zone: Zone = "Asia/Ho_Chi_Minh",
    log_zone: Annotated[str | None, typer.Option(help="Zone of heads without an offset, if not --zone.")] = None,
    system_sender: Annotated[
        list[str] | None, typer.Option(help="A local part that is no person; adds to the known.")
    ] = None,
    follow: Annotated[bool, typer.Option("--follow/--once", help="Go on with what is written later.")] = False,
    dry_run: DryRun = False,
    list_unparsed: Annotated[bool, typer.Option("--list-unparsed", help="Print the lines not understood.")] = False,
    form: Form = "table",
) -> None:
    """Read Postfix logs: who sent mail on which day.

    Example: tiendo connect postfix --log /var/log/mail.log --source /mail/thai-nguyen --agency tinh-thai-nguyen
    --domain thainguyen.gov.vn --state /var/lib/tiendo --token-file /etc/tiendo/mail.token --follow
    """
    entry = PostfixEntry(
        kind="postfix",
        name="postfix",
        source=source,
        agency=agency,
        logs=tuple(str(path) for path in log),
        domains=tuple(domain),
        system_senders=tuple(sorted(SYSTEM_SENDERS | set(system_sender or ()))),
        log_zone=log_zone,
        since=_day(since),
    )
    sender = _sender(dry_run, gateway, token, token_file)
    job = postfix_job(entry, root=Path(), zone=zone, clock=open_clock(), sender=sender, follow=follow)
    try:
        _run_one(job, state, dry_run=dry_run, form=form, quiet=follow)
    finally:
        if list_unparsed and isinstance(job.connector, PostfixConnector):
            for line in job.connector.not_understood:
                sys.stderr.write(line.encode("latin-1", "replace").decode("utf-8", "replace") + "\n")


@connect_app.command("csv")
def csv(
    mapping: Annotated[Path, typer.Option(help="YAML: which columns give which events.")],
    file: Annotated[str, typer.Option(help="Glob of the exports, in quotes.")],
    source: Source,
    agency: Agency,
    state: State = None,
    since: Since = None,
    gateway: Url = "http://127.0.0.1:8080",
    token: Token = "",
    token_file: TokenFile = None,
    zone: Zone = "Asia/Ho_Chi_Minh",
    dry_run: DryRun = False,
    form: Form = "table",
) -> None:
    """Read a register's CSV exports: rosters, mailboxes, documents, records. --since is the first day reported.

    Example: tiendo connect csv --mapping mappings/roster.yaml --file 'exports/roster-*.csv' --source /office/so-y-te
    --agency so-y-te --state /var/lib/tiendo --token-file /etc/tiendo/so-y-te.token
    """
    try:
        content = load_mapping(mapping)
    except CannotGoOn as error:
        _fail(str(error), _USAGE)
    entry = CsvEntry(
        kind="csv",
        name=f"csv-{content.register_}",
        source=source,
        agency=agency,
        mapping=str(mapping),
        files=file,
        since=_day(since),
    )
    sender = _sender(dry_run, gateway, token, token_file)
    job = csv_job(entry, content, root=Path(), zone=zone, clock=open_clock(), sender=sender)
    _run_one(job, state, dry_run=dry_run, form=form)


@connect_app.command("run")
def run(
    file: Annotated[Path, typer.Argument(help="connectors.yaml")],
    systems: Annotated[Path, typer.Option(help="Folder below which the systems write.")],
    state: Annotated[Path, typer.Option(help="Folder of the durable positions.")],
    tokens: Annotated[Path, typer.Option(help="Folder with <source, / as _>.token files.")],
    gateway: Url = "http://127.0.0.1:8080",
    threads: Annotated[int, typer.Option(min=1, max=16, help="Connectors at a time.")] = 3,
    form: Form = "table",
) -> None:
    """Run all connectors of a file once, a few at a time.

    Example: tiendo connect run examples/thai-nguyen-2008/connectors.yaml --systems .data/systems --state .data/connectors
    --tokens .data/tokens
    """
    with open_http() as http:
        try:
            jobs = jobs_of_file(file, systems=systems, tokens=tokens, gateway=gateway, http=http, clock=open_clock())
        except CannotGoOn as error:
            _fail(str(error), _USAGE)
        with stopping([job.stop for job in jobs]):
            summaries = watched([job.meter for job in jobs], lambda: run_jobs(jobs, state, threads=threads))
    _finish(summaries, jobs, form)


def emit(
    file: Annotated[Path, typer.Argument(help="CloudEvents: a JSON array, one object, or one per line; - for stdin.")],
    gateway: Url = "http://127.0.0.1:8080",
    token: Token = "",
    token_file: TokenFile = None,
    rejected: Annotated[Path | None, typer.Option(help="Where refused events are kept with their reasons.")] = None,
    form: Form = "table",
) -> None:
    """Send a file of CloudEvents, and wait for as long as the gateway is away.

    Example: TIENDO_TOKEN=… tiendo emit events.ndjson --gateway http://127.0.0.1:8080 --rejected refused.jsonl
    """
    try:
        content = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
        events = read_events(content, str(file))
    except OSError as error:
        _fail(f"cannot read {file}: {error.strerror}", _USAGE)
    except CannotGoOn as error:
        _fail(str(error), _USAGE)
    sender, stop, meter = _sender(False, gateway, token, token_file), Event(), Meter()
    try:
        with stopping([stop]):
            result = watched([meter], lambda: emit_events(events, sender(stop), meter, rejected))
    except Stopped:
        _fail(f"interrupted after {meter.sent:,} events; sending the file again is harmless", _INTERRUPTED)
    except CannotGoOn as error:
        _fail(str(error), _STOPPED)
    if form == "json":
        sys.stdout.write(msgspec.json.encode(result).decode() + "\n")
    else:
        console = Console(stderr=True, highlight=False)
        noun = "event" if result.events == 1 else "events"
        console.print(f"{result.events:,} {noun}: {result.accepted:,} accepted, {result.rejected.total():,} refused")
        for reason, count in result.rejected.most_common():
            console.print(f"  {count:,} {reason}")
        for place, reason, pointer in result.refused[:20]:
            console.print(f"  event {place}: {reason} {pointer}", markup=False, soft_wrap=True)
    if result.rejected:
        raise typer.Exit(_PARTLY)


def _day(moment: datetime | None) -> date | None:
    return moment.date() if moment is not None else None
