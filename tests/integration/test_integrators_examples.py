"""The examples for integrators, run as they are, against the running gateway."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fixtures.chdb import ROOT
from tests.fixtures.gateway import OTHER_TOKEN, Gateway, Growth

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]
FOLDER = ROOT / "examples" / "integrators"
RUNS = {
    "send.sh": ("sh", "send.sh"),
    "send.py": (sys.executable, "send.py"),
    "Send.java": ("java", "Send.java"),
    "Send.cs": ("dotnet", "run", "Send.cs"),
    "send.ps1": ("pwsh", "-NoProfile", "-File", "send.ps1"),
}


def run(name: str, gateway: Gateway, token: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = RUNS[name]
    if shutil.which(command[0]) is None:
        pytest.skip(f"install {command[0]} to run {name}")
    if name == "Send.java" and "jdk.compiler" not in _modules():
        pytest.skip("install a JDK (Debian: default-jdk-headless) to run Send.java")
    environment = os.environ | {
        "TIENDO_GATEWAY": str(gateway.client.base_url), "TIENDO_TOKEN": token, "PYTHONPATH": str(ROOT),
        "TIENDO_SPOOL": str(folder / "events.db"),
    }  # fmt: skip
    return subprocess.run(
        command, cwd=FOLDER, env=environment, capture_output=True, text=True, timeout=120, check=False
    )


def _modules() -> str:
    return subprocess.run(["java", "--list-modules"], capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("name", RUNS)
def test_an_example_sends_what_it_says(gateway: Gateway, growth: Growth, tmp_path: Path, name: str) -> None:
    """Both statements are in the log under their ids, and the example ends well."""
    done = run(name, gateway, OTHER_TOKEN, tmp_path)

    assert done.returncode == 0, done.stdout + done.stderr
    assert sorted(one.id for one in growth.events()) == ["handling/1205/adopted/1", "handling/1205/entered/1"]
    assert OTHER_TOKEN not in done.stdout + done.stderr


@pytest.mark.parametrize("name", ["send.sh", "Send.java", "Send.cs", "send.ps1"])
def test_an_example_tells_what_is_wrong(gateway: Gateway, tmp_path: Path, name: str) -> None:
    """With a token that nobody knows it ends with 1 and says so, and not what the token was."""
    done = run(name, gateway, "nobodys-token", tmp_path)

    assert done.returncode == 1, done.stdout + done.stderr
    assert "401" in done.stdout + done.stderr or "unauthorized" in done.stdout
    assert "nobodys-token" not in done.stdout + done.stderr
