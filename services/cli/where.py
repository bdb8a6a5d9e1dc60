"""``tiendo where``: what became of one event."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from services.cli.documents import Format
from services.cli.operations import open_operations
from services.cli.output import console, print_json
from services.infra.settings import SharedSettings

_STATES = {
    "pending": "pending: acknowledged, and not stored yet; look again in a moment",
    "counted": "counted: stored, and read by",
    "kept": "kept, and counts nowhere",
    "rejected": "rejected",
    "unknown": "unknown: no event of this id has been seen; was it answered 202?",
}
_REASONS = {
    "sandbox": "its source is trying out; it would be read by what `--format json` lists",
    "taken-back": "it takes an earlier statement back",
    "unread": "no indicator of a plan in force reads statements of its type",
}


def where(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="The event's source, such as /office/so-y-te.")],
    id: Annotated[str, typer.Argument(metavar="ID", help="The event's id, as it was sent.")],
    gateway: Annotated[str, typer.Option(envvar="TIENDO_GATEWAY", help="The gateway's address.")],
    token: Annotated[
        str,
        typer.Option(
            envvar=["TIENDO_OPERATIONS_TOKEN", "TIENDO_TOKEN"],
            show_envvar=True,
            help="Operations', or the source's own.",
        ),
    ] = "",
    token_file: Annotated[Path | None, typer.Option(help="A file with the token, in place of the variable.")] = None,
    form: Annotated[Format, typer.Option("--format", help="table or json.")] = Format.TABLE,
) -> None:
    """Say what became of an event: pending, counted and in which figures, kept, rejected and why, or unknown.

    Example: tiendo where /office/so-y-te handling/1205/entered/1
    """
    with open_operations(gateway, token, token_file) as operations:
        found = operations.where(source, id)
    if form is Format.JSON:
        print_json(found)
    else:
        _print(found, ZoneInfo(SharedSettings().zone))
    if found["state"] in ("rejected", "unknown"):
        raise typer.Exit(1)


def _print(found: dict[str, Any], zone: ZoneInfo) -> None:
    out = console()

    def say(line: str) -> None:
        out.print(line, markup=False, soft_wrap=True)

    def at(moment: str) -> str:
        return f"{datetime.fromisoformat(moment).astimezone(zone):%Y-%m-%d %H:%M:%S}"

    say(_STATES[found["state"]] + (f": {_REASONS[found['reason']]}" if found["reason"] else ""))
    for figure in found["figures"] if found["state"] == "counted" else []:
        say(f"  {figure['plan']}: {figure['indicator']}")
    for one in found["stored"]:
        times = f"stated {at(one['occurred'])}, received {at(one['received'])}, stored {at(one['stored'])}"
        other = "" if one["wins"] else "; another payload under this id counts"
        say(f"{one['type']} of {one['agency']}: {times}{', takes back' if one['retracted'] else ''}{other}")
    for one in found["refusals"]:
        say(f"refused {at(one['last'])}: {one['reason']} at {one['pointer'] or '/'}: {one['detail']}")
        if one["replayed"] is not None:
            say(f"  and taken {at(one['replayed'])}, in a replay")
    if found["state"] == "rejected":
        say("mend it and send it again under the same id; docs/integrators.md says what each reason asks for")
