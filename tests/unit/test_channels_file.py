"""``channels.yaml``: what is read, and that every fault is named at once, without a secret in it."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from services.alerts.channels_file import ChannelsFault, read_channels
from services.alerts.core.webhook import secret_of

SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()


def written(folder: Path, text: str) -> Path:
    path = folder / "channels.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def faults(folder: Path, text: str, **environment: str) -> list[str]:
    with pytest.raises(ChannelsFault) as wrong:
        read_channels(written(folder, text), environment)
    return list(wrong.value.faults)


def test_secrets_come_from_files_and_variables(tmp_path: Path) -> None:
    """Files beside the description, variables of the environment, and nothing is connected by reading."""
    (tmp_path / "hook.secret").write_text(f"{SECRET}\n")
    found = read_channels(
        written(
            tmp_path,
            """
channels:
  doi-truc:
    kind: webhook
    url: https://receiver.example.vn/hook
    secrets: [{file: hook.secret}, {env: OLD_SECRET}]
  nhom-chat:
    kind: apprise
    url: {env: CHAT}
alertmanager:
  url: http://127.0.0.1:9093
  every: 30
""",
        ),
        {"OLD_SECRET": SECRET, "CHAT": "json://127.0.0.1:9/"},
    )

    assert {name: one.kind for name, one in found.named.items()} == {"doi-truc": "webhook", "nhom-chat": "apprise"}
    assert found.alertmanager is not None
    assert found.every == 30


def test_an_empty_file_describes_no_channels(tmp_path: Path) -> None:
    """Nothing is named, nothing is posted."""
    found = read_channels(written(tmp_path, "# nothing yet\n"), {})

    assert not found.named
    assert found.alertmanager is None


def test_every_fault_of_places_and_addresses_is_named_at_once(tmp_path: Path) -> None:
    """Unset variables, missing files, secrets that are none, addresses that are none: one line each, no secret in it."""
    found = faults(
        tmp_path,
        """
channels:
  email:
    kind: webhook
    url: http://receiver.example.vn/s3cret
    secrets: [{clear: whsec_s3cret}]
  a:
    kind: webhook
    url: https://me:s3cret@receiver.example.vn/
    secrets: [{file: nowhere}, {env: UNSET}]
    ca_file: nowhere.pem
  b:
    kind: webhook
    url: {env: EMPTY}
    secrets: [{clear: "s3cret"}]
  c:
    kind: apprise
    url: {clear: "s3cret://"}
alertmanager:
  url: not an address with s3cret
  token: {env: UNSET}
""",
        EMPTY=" ",
    )

    assert found == [
        "channels.email: mail is always there; call this one otherwise",
        "channels.email.url: https, or `insecure: true` for plain http",
        "channels.email.secrets.0: after whsec_ a secret is Base64",
        "channels.a.url: no user or password in an address",
        "channels.a.secrets.0: nowhere cannot be read: No such file or directory",
        "channels.a.secrets.1: UNSET is not set",
        "channels.a.ca_file: nowhere.pem is no readable PEM",
        "channels.b.url: is empty",
        "channels.b.secrets.0: a secret begins with whsec_",
        "channels.c.url: not an address that Apprise knows",
        "alertmanager.url: an address such as https://receiver.example.vn/hook",
        "alertmanager.token: UNSET is not set",
    ]


def test_every_fault_of_the_form_is_named_at_once(tmp_path: Path) -> None:
    """Unknown kinds and fields, missing ones, two places for one secret."""
    found = faults(
        tmp_path,
        """
channels:
  Đội trực: {kind: apprise, url: {env: A}}
  b: {kind: pigeon, url: x}
  c: {kind: webhook, url: "https://x.example.vn", secrets: [{env: A, clear: s3cret}], colour: red}
  d: {kind: apprise, url: "slack://s3cret"}
alertmanager: {url: "https://x.example.vn", username: me}
""",
    )
    text = "\n".join(found)

    assert "s3cret" not in text
    for part in ("b: ", "give one of `env`, `file` and `clear`", "colour", "channels.d", "go together"):
        assert part in text


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        pytest.param(b"channels: [s3cret", "line", id="not YAML"),
        pytest.param(b"\xff\xfe\x00", "is not UTF-8", id="not UTF-8"),
        pytest.param(b"- s3cret", "the file: ", id="a list"),
    ],
)
def test_what_is_no_such_file(content: bytes, fault: str, tmp_path: Path) -> None:
    """One line, without what stands in the file."""
    path = tmp_path / "channels.yaml"
    path.write_bytes(content)
    with pytest.raises(ChannelsFault) as wrong:
        read_channels(path, {})

    assert len(wrong.value.faults) == 1
    assert wrong.value.faults[0].startswith(fault)
    assert "s3cret" not in str(wrong.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """Says so."""
    with pytest.raises(ChannelsFault, match="cannot be read: No such file"):
        read_channels(tmp_path / "none.yaml", {})


@pytest.mark.parametrize("size", [23, 65])
def test_secrets_that_are_too_short_or_too_long(size: int) -> None:
    """Between 24 and 64 bytes, as the conventions have it."""
    with pytest.raises(ValueError, match=f"not {size}"):
        secret_of("whsec_" + base64.b64encode(b"k" * size).decode())
    assert secret_of(SECRET) == b"k" * 32
