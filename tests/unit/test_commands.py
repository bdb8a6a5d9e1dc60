"""The command's own commands are imported when they are asked for, and all of them are there."""

import subprocess
import sys
from datetime import date
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from services.cli.__main__ import app
from services.cli.asked import over
from services.cli.lazily import COMMANDS
from services.core.errors import Rejected


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_that_is_named_can_be_loaded(name: str) -> None:
    """A name in the catalogue leads to a command, so that the help lists nothing that is not there."""
    group = typer.main.get_command(app)

    command = group.get_command(None, name)  # type: ignore[attr-defined]  # a group, as the application has commands

    assert command.name == name


@pytest.mark.parametrize(
    "words",
    [["standing"], ["report"], ["plan", "preview"], ["rejected", "replay"], ["warnings", "silence"], ["ingest"]],
    ids=" ".join,
)
def test_examples_in_the_help_can_be_copied(words: list[str]) -> None:
    """Each example keeps its line: filled like other text, two commands would join and an id break at its hyphen."""
    help_lines = CliRunner().invoke(app, [*words, "--help"]).output.splitlines()
    command: Any = typer.main.get_command(app)
    for word in words:
        command = command.get_command(None, word)

    _, _, examples = command.help.partition("Example")

    written = [line.removeprefix(":").removeprefix("s:").strip() for line in examples.splitlines()]
    assert any(written)
    assert all(any(shown.strip().endswith(line) for shown in help_lines) for line in written if line)


def test_standing_waits_for_no_broker_client() -> None:
    """What reads a table imports neither Kafka's clients nor numpy, which take longer to import than the answer takes."""
    asked = "import sys, services.cli.__main__, services.cli.standing; print(*{'kafka', 'aiokafka', 'numpy'} & set(sys.modules))"

    found = subprocess.run([sys.executable, "-c", asked], check=True, capture_output=True, text=True)

    assert found.stdout.strip() == ""


def test_a_day_that_is_not_over_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Feeds that have not reported tomorrow are not silent."""
    monkeypatch.delenv("TIENDO_CLOCK_OFFSET", raising=False)
    monkeypatch.setenv("TIENDO_CLOCK", "2008-10-01T08:00:00+07:00")

    assert over(date(2008, 9, 30), "Asia/Ho_Chi_Minh") == date(2008, 9, 30)
    with pytest.raises(Rejected, match="2008-10-01 is not over yet; the last day that is: 2008-09-30"):
        over(date(2008, 10, 1), "Asia/Ho_Chi_Minh")
