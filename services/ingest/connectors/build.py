"""From entries of a run file, or options of a command, to jobs."""

from __future__ import annotations

import glob
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event

import httpx

from services.infra.clock import Clock
from services.ingest.connectors.client import Answer, Gateway, Sender
from services.ingest.connectors.csv_register import CsvConnector
from services.ingest.connectors.errors import CannotGoOn
from services.ingest.connectors.mapping import load_mapping
from services.ingest.connectors.postfix import PostfixConnector
from services.ingest.connectors.run_file import CsvEntry, PostfixEntry, read_run_file, spread, token_of
from services.ingest.connectors.runs import Job
from services.ingest.core.mapping import Mapping
from services.ingest.core.postfix_mail import Senders


class Printing:
    """Takes the gateway's place in a dry run: prints each event on a line of its own and accepts it."""

    def send(self, events: Sequence[bytes]) -> Answer:
        """Print the events."""
        sys.stdout.write("".join(event.decode() + "\n" for event in events))
        return Answer(len(events))


def postfix_job(
    entry: PostfixEntry,
    *,
    root: Path,
    zone: str,
    clock: Clock,
    sender: Callable[[Event], Sender],
    follow: bool = False,
    group: str = "",
) -> Job:
    """Return the job of a mail log; paths are relative to *root*."""
    stop = Event()
    connector = PostfixConnector(
        logs=tuple((root / log).absolute() for log in entry.logs),
        source=entry.source,
        agency=entry.agency,
        senders=Senders(
            domains=tuple(domain.lower().strip(".@") for domain in entry.domains),
            system=frozenset(name.lower() for name in entry.system_senders),
        ),
        zone=zone,
        log_zone=entry.log_zone,
        clock=clock,
        stop=stop,
        since=entry.since,
        follow=follow,
    )
    return Job(entry.name, "postfix", entry.source, entry.agency, group or entry.name, connector, sender, stop)


def csv_job(
    entry: CsvEntry,
    mapping: Mapping,
    *,
    root: Path,
    zone: str,
    clock: Clock,
    sender: Callable[[Event], Sender],
    group: str = "",
) -> Job:
    """Return the job of a register; the glob is relative to *root*."""
    stop = Event()
    connector = CsvConnector(
        mapping=mapping,
        pattern=str((root / entry.files).absolute()),
        source=entry.source,
        agency=entry.agency,
        zone=zone,
        clock=clock,
        since=entry.since,
    )
    kind = f"csv {mapping.register_}"
    return Job(entry.name, kind, entry.source, entry.agency, group or entry.name, connector, sender, stop)


def jobs_of_file(
    path: Path, *, systems: Path, tokens: Path, gateway: str, http: httpx.Client, clock: Clock
) -> list[Job]:
    """Return the jobs of the run file *path*. An agency whose systems have written nothing yet has none.

    Raises CannotGoOn on a faulty file or mapping, or where a token is missing.
    """
    run = read_run_file(path)
    mappings: dict[str, Mapping] = {}
    jobs: list[Job] = []
    for template in run.connectors:
        group = template.name.replace("{agency}", "*")
        for entry in spread(template, systems):
            patterns = entry.logs if isinstance(entry, PostfixEntry) else (entry.files,)
            if not any(glob.glob(str(systems / pattern) + "*") for pattern in patterns):  # noqa: PTH207 - as given
                continue
            token = token_of(tokens, entry.source)

            def sender(stop: Event, token: str = token) -> Sender:
                return Gateway(http, gateway, token, stop)

            if isinstance(entry, PostfixEntry):
                job = postfix_job(entry, root=systems, zone=run.zone, clock=clock, sender=sender, group=group)
            else:
                if entry.mapping not in mappings:
                    mappings[entry.mapping] = load_mapping(path.parent / entry.mapping)
                mapping = mappings[entry.mapping]
                job = csv_job(entry, mapping, root=systems, zone=run.zone, clock=clock, sender=sender, group=group)
            jobs.append(job)
    names = [job.name for job in jobs]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise CannotGoOn(f"{path}: two connectors are named {', '.join(twice)}; each needs a name of its own")
    return jobs
