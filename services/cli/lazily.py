"""Commands whose modules are imported when they are asked for: ``tiendo standing`` need not wait for connectors."""

from __future__ import annotations

import importlib
import re
from typing import Any, Final

import typer
from typer.core import TyperGroup

#: Name → module and what in it: a function, or a Typer with commands of its own. In the order of the help.
COMMANDS: Final = {
    "up": ("services.cli.up", "up"),
    "standing": ("services.cli.standing", "standing"),
    "compare": ("services.cli.compare", "compare_agencies"),
    "explain": ("services.cli.explain", "explain_figure"),
    "report": ("services.cli.report", "report"),
    "feeds": ("services.cli.feeds", "feeds"),
    "scorecard": ("services.cli.scorecard", "scorecard"),
    "certify": ("services.cli.certify", "certify_source"),
    "where": ("services.cli.where", "where"),
    "conflicts": ("services.cli.feeds", "conflicts"),
    "contradictions": ("services.cli.contradictions", "contradictions"),
    "discrepancies": ("services.cli.contradictions", "discrepancies"),
    "emit": ("services.cli.connectors", "emit"),
    "rebuild": ("services.cli.rebuild", "rebuild"),
    "connect": ("services.cli.connectors", "connect_app"),
    "plan": ("services.cli.plans", "plan_app"),
    "policy": ("services.cli.policies", "policy_app"),
    "agencies": ("services.cli.plans", "agencies_app"),
    "sources": ("services.cli.plans", "sources_app"),
    "source": ("services.cli.sources", "source_app"),
    "warnings": ("services.cli.warnings", "warnings_app"),
    "channels": ("services.cli.channels", "channels_app"),
    "rejected": ("services.cli.rejected", "rejected_app"),
    "example": ("services.cli.example", "example_app"),
}

_EXAMPLE: Final = re.compile(r"\n\n(Examples?:)")


class LazyGroup(TyperGroup):
    """The commands registered with the Typer, and those of ``COMMANDS``, each imported by the call that needs it."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return every name: the lazy ones first, in their order."""
        return [*COMMANDS, *(name for name in super().list_commands(ctx) if name not in COMMANDS)]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return the command *cmd_name*, None where there is none."""
        if cmd_name in COMMANDS and cmd_name not in self.commands:
            module, name = COMMANDS[cmd_name]
            self.commands[cmd_name] = _command(getattr(importlib.import_module(module), name), cmd_name)
        found = super().get_command(ctx, cmd_name)
        if found is not None:
            _keep_examples(found)
        return found


def _keep_examples(command: Any) -> None:
    """Keep the lines of examples in the help of *command* and of those below it as they are written.

    A paragraph is filled otherwise, which joins two commands to one and breaks ids at their hyphens.
    """
    command.help = _EXAMPLE.sub("\n\n\b\n\\1", command.help or "") or None
    for one in getattr(command, "commands", {}).values():
        _keep_examples(one)


def _command(found: Any, name: str) -> Any:
    if isinstance(found, typer.Typer):
        found.rich_markup_mode = None  # as the whole command has it
        group = typer.main.get_group(found)
        group.name = name
        return group
    alone = typer.Typer(rich_markup_mode=None, pretty_exceptions_show_locals=False, add_completion=False)
    alone.command(name)(found)
    return typer.main.get_command(alone)
