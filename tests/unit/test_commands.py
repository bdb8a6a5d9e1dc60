"""The command's own commands are imported when they are asked for, and all of them are there."""

import subprocess
import sys

import pytest
import typer

from services.cli.__main__ import app
from services.cli.lazily import COMMANDS


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_that_is_named_can_be_loaded(name: str) -> None:
    """A name in the catalogue leads to a command, so that the help lists nothing that is not there."""
    group = typer.main.get_command(app)

    command = group.get_command(None, name)  # type: ignore[attr-defined]  # a group, as the application has commands

    assert command.name == name


def test_standing_waits_for_no_broker_client() -> None:
    """What reads a table imports neither Kafka's clients nor numpy, which take longer to import than the answer takes."""
    asked = "import sys, services.cli.__main__, services.cli.standing; print(*{'kafka', 'aiokafka', 'numpy'} & set(sys.modules))"

    found = subprocess.run([sys.executable, "-c", asked], check=True, capture_output=True, text=True)

    assert found.stdout.strip() == ""
