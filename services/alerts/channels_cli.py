"""``tiendo channels``: whether the description of channels holds, and whether a channel takes a test."""

from __future__ import annotations

import asyncio
import secrets
from pathlib import Path
from typing import Annotated, Final

import typer

from services.alerts.adapters.channels.gateway import Gateway
from services.alerts.adapters.channels.webhook import Webhook
from services.alerts.channels_file import Channels, ChannelsFault, read_channels
from services.alerts.core.alerts import Alert
from services.alerts.core.webhook import trial_message
from services.core.warnings.warning_records import DeliveryFault
from services.core.warnings.warning_words import warning_words_of
from services.infra.clock import machine_now

_ALERTMANAGER: Final = "alertmanager"
_TITLE: Final = "Tiến Độ"
_TEXT: Final = "Tin thử, không cần trả lời. / A test, no answer is needed."

channels_app = typer.Typer(name="channels", no_args_is_help=True, help="Webhooks, chats and Alertmanager: check, try.")


@channels_app.command("check")
def check(file: Annotated[Path, typer.Argument(help="The description of channels, in YAML.")]) -> None:
    """Say what is wrong with FILE, all at once; exit code 1 where anything is. Sends nothing.

    Example: tiendo channels check channels.yaml
    """
    found = _read(file)
    for name, channel in sorted(found.named.items()):
        typer.echo(f"{name}: {channel.kind}")
    if found.alertmanager is not None:
        typer.echo(f"{_ALERTMANAGER}: every {found.every:g} s")
    typer.echo(f"{file}: can be used")


@channels_app.command("try")
def try_one(
    name: Annotated[str, typer.Argument(help=f"The channel's name in the file, or {_ALERTMANAGER}.")],
    file: Annotated[Path, typer.Option(envvar="TIENDO_ALERTS_CHANNELS", help="The description of channels.")],
) -> None:
    """Send a test over one channel; exit code 1 where it was not taken.

    Alertmanager gets an alert TiendoTest that ends at once.

    Example: tiendo channels try to-van-hanh --file channels.yaml
    """
    found = _read(file)
    if name not in found.named and (name != _ALERTMANAGER or found.alertmanager is None):
        typer.echo(f"{file} has no channel {name}", err=True)
        raise typer.Exit(1)
    fault = asyncio.run(_trial(found, name))
    if fault is None:
        typer.echo(f"{name}: taken")
        return
    words = warning_words_of("en").fault(fault.value)
    typer.echo(f"{name}: {fault}: {words.fault}; {words.remedy}", err=True)
    raise typer.Exit(1)


async def _trial(found: Channels, name: str) -> DeliveryFault | None:
    channel = found.named.get(name)
    if isinstance(channel, Webhook):
        fault = await channel.post(secrets.token_hex(16), trial_message(_TEXT, at=machine_now()))
        await channel.rest()
        return fault
    if isinstance(channel, Gateway):
        return await channel.say(_TITLE, _TEXT)
    assert found.alertmanager is not None
    trial = Alert(labels=(("alertname", "TiendoTest"),), annotations=(("summary", _TEXT),), started=machine_now())
    return await found.alertmanager.post([trial]) or await found.alertmanager.post([])


def _read(file: Path) -> Channels:
    try:
        return read_channels(file)
    except ChannelsFault as wrong:
        for fault in wrong.faults:
            typer.echo(f"{file}: {fault}", err=True)
        raise typer.Exit(1) from None
