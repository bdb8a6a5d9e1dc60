"""What the commands below ``tiendo warnings`` share: options, names, the moment, and publishing what somebody says."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Annotated, Final
from zoneinfo import ZoneInfo

import typer

from schemas.warnings import Answer, Notice, Silence
from services.cli.harmless import plain
from services.cli.output import Format, console
from services.core.errors import Rejected
from services.core.warnings.warning_words import WarningWords, warning_words_of
from services.infra.clickhouse.client import ClickHouse, open_clickhouse
from services.infra.clock import open_clock
from services.infra.settings import SharedSettings
from services.infra.warnings_names import PlanNames, plan_ids, read_names
from services.infra.warnings_reader import WarningsReader

_SPAN: Final = re.compile(r"^(\d{1,4})([mhdw])$", re.ASCII)
_UNITS: Final = {
    "m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1),
}  # fmt: skip


class Language(StrEnum):
    """Language of the words."""

    VI = "vi"
    EN = "en"


PlanArgument = Annotated[str, typer.Argument(metavar="PLAN", help="The plan's id.")]
AgencyArgument = Annotated[
    str, typer.Argument(metavar="AGENCY", help="The agency warned; of a feed's warning, the feed.")
]
CauseArgument = Annotated[
    str, typer.Argument(metavar="CAUSE", help="lag:INDICATOR or feed:FEED; the id alone is enough.")
]
By = Annotated[
    str,
    typer.Option("--by", "--author", envvar="TIENDO_AUTHOR", help="Who says so: an office or a duty, no person."),
]
Because = Annotated[str, typer.Option("--reason", help="Why; it is kept for ever, so name no person.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be recorded, and record nothing.")]
Lang = Annotated[Language, typer.Option("--lang", help="Words of the table: vi or en.")]
Form = Annotated[Format, typer.Option("--format", help="table, json or csv.")]
OfPlan = Annotated[str | None, typer.Option("--plan", help="Only of this plan.")]


@dataclass(frozen=True, kw_only=True)
class Desk:
    """What a command works with."""

    settings: SharedSettings
    database: ClickHouse
    now: datetime

    @property
    def reader(self) -> WarningsReader:
        """Who reads warnings."""
        return WarningsReader(self.database)

    @property
    def zone(self) -> ZoneInfo:
        """The zone that moments are told in."""
        return ZoneInfo(self.settings.zone)

    def names(self, plan: str | None) -> dict[str, PlanNames]:
        """Return the names of *plan*, or of every plan. Raises Rejected for a plan that was never published."""
        plans = [plan] if plan is not None else plan_ids(self.database)
        return {one: read_names(self.database, one) for one in plans}

    def moment(self, moment: datetime) -> str:
        """Return *moment* for people, in the zone."""
        return f"{moment.astimezone(self.zone):%Y-%m-%d %H:%M}"

    def publish(self, records: Sequence[Answer | Silence | Notice]) -> None:
        """Publish *records*. Raises Transient, with what to do, while the brokers are away."""
        from services.infra.warnings_publishing import open_warnings_publisher  # Kafka's client takes long to import

        address = self.settings.kafka()
        with open_warnings_publisher(address, replication=self.settings.kafka_replication) as publisher:
            publisher.publish(records)


@contextmanager
def open_desk() -> Iterator[Desk]:
    """Open the database for the time of a ``with`` block."""
    settings = SharedSettings()
    with open_clickhouse(settings.clickhouse()) as database:
        yield Desk(settings=settings, database=database, now=open_clock()())


def words_for(lang: Language) -> WarningWords:
    """Return the words of *lang*."""
    return warning_words_of(lang.value)


def say(text: str) -> None:
    """Print one line for people, on as many lines of the terminal as it needs."""
    console().print(plain(text), markup=False, soft_wrap=True)


def moment_of(text: str, zone: ZoneInfo) -> datetime:
    """Return the moment that *text* states: a day (its end), or a time of day in the zone unless it has an offset.

    Raises Rejected where it states none.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Rejected(f"{text!r} is no moment: write 2008-10-03, 2008-10-03T17:00 or 2008-10-03T17:00+07:00") from None
    if not 1970 <= moment.year < 2299:
        raise Rejected(f"{text!r} is beyond what the database can hold: 1970 to 2298")
    if len(text) == len("2008-10-03") and moment.time() == time():
        moment += timedelta(days=1)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)


def span_of(text: str) -> timedelta:
    """Return the span that *text* states: 90m, 12h, 3d or 2w. Raises Rejected where it states none."""
    found = _SPAN.match(text)
    if found is None or int(found[1]) == 0:
        raise Rejected(f"{text!r} is no span: write 90m, 12h, 3d or 2w")
    span: timedelta = int(found[1]) * _UNITS[found[2]]
    return span
