"""``tiendo channels`` against a receiver of the test's own."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fixtures.receiver import Receiver, receiving

pytestmark = pytest.mark.integration
ROOT = Path(__file__).resolve().parents[2]
SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "services.cli", "channels", *arguments],
        cwd=ROOT, env=os.environ | {"HOOK_SECRET": SECRET}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def described(folder: Path, url: str) -> str:
    path = folder / "channels.yaml"
    path.write_text(
        f"channels:\n  mot-cua: {{kind: webhook, url: '{url}/h00k', secrets: [{{env: HOOK_SECRET}}]}}\n"
        f"  chat: {{kind: apprise, url: {{clear: 'json://127.0.0.1:{url.rpartition(':')[2]}/t0ken'}}}}\n"
        f"alertmanager: {{url: '{url}'}}\n"
    )
    return str(path)


def test_a_test_goes_over_each_channel(tmp_path: Path) -> None:
    """A webhook gets a signed test, a gateway a text, Alertmanager an alert that ends; each says that it was taken."""
    with receiving(Receiver([200])) as receiver:
        file = described(tmp_path, receiver.url)
        checked = run("check", file)
        taken = [run("try", name, "--file", file) for name in ("mot-cua", "chat", "alertmanager")]

    assert checked.stdout.splitlines()[:3] == ["chat: apprise", "mot-cua: webhook", "alertmanager: every 60 s"]
    assert [one.stdout.strip() for one in taken] == ["mot-cua: taken", "chat: taken", "alertmanager: taken"]
    paths = [path for path, _, _ in receiver.requests]
    assert paths == ["/h00k", "/t0ken", "/api/v2/alerts", "/api/v2/alerts"]
    assert json.loads(receiver.requests[0][2])["type"] == "channel.test.v1"
    assert "no answer is needed" in json.loads(receiver.requests[1][2])["message"]


def test_what_is_not_taken_says_why_without_the_address(tmp_path: Path) -> None:
    """Exit code 1, the fault, what to mend; no address and no token."""
    with receiving(Receiver([500])) as receiver:
        file = described(tmp_path, receiver.url)
        refused = [run("try", name, "--file", file) for name in ("mot-cua", "chat", "alertmanager", "nobody")]

    assert [one.returncode for one in refused] == [1, 1, 1, 1]
    assert [one.stderr.split(":")[1].strip() for one in refused[:3]] == [
        "http-try-later",
        "gateway-failed",
        "http-try-later",
    ]
    said = "".join(one.stdout + one.stderr for one in refused)
    assert "t0ken" not in said
    assert "h00k" not in said


def test_a_file_that_cannot_be_used(tmp_path: Path) -> None:
    """Exit code 1 and every fault."""
    path = tmp_path / "channels.yaml"
    path.write_text("channels:\n  a: {kind: apprise, url: {env: UNSET}}\n  b: {kind: apprise, url: {clear: x}}\n")
    done = run("check", str(path))

    assert done.returncode == 1
    assert [line.partition(": ")[2] for line in done.stderr.splitlines()] == [
        "channels.a.url: UNSET is not set",
        "channels.b.url: not an address that Apprise knows",
    ]
