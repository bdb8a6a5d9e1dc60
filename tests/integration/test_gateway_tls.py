"""TLS at the gateway itself, and certificates that clients must show."""

from __future__ import annotations

import ssl
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.fixtures.chdb import ROOT
from tests.fixtures.gateway import KEY, TOKEN, Gateway, encoded, event, prepare
from tests.fixtures.receiver import certificate
from tests.fixtures.tansu import Tansu

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]


def speaking(gateway: Gateway, server: Path, client: tuple[Path, Path] | None) -> httpx.Client:
    """Return a client that trusts *server*'s certificate and shows its own, if it has one."""
    context = ssl.create_default_context(cafile=str(server))
    if client is not None:
        context.load_cert_chain(*client)
    return httpx.Client(
        base_url=f"https://127.0.0.1:{gateway.port}", verify=context, headers={"Authorization": f"Bearer {TOKEN}"}
    )


def test_only_clients_with_a_certificate_get_a_connection(shared_tansu: Tansu, tmp_path: Path) -> None:
    """One of the authority's gets through and needs its token all the same; none, and another's, do not get to asking."""
    folders = [tmp_path / name for name in ("server", "client", "stranger")]
    for folder in folders:
        folder.mkdir()
    server, client, stranger = (certificate(folder) for folder in folders)
    prepare(shared_tansu.address)
    gateway = Gateway(
        shared_tansu.address, tmp_path,
        TIENDO_INGEST_TLS_CERTIFICATE=str(server[0]), TIENDO_INGEST_TLS_KEY=str(server[1]),
        TIENDO_INGEST_TLS_CLIENT_CA=str(client[0]),
    )  # fmt: skip
    gateway.client = speaking(gateway, server[0], client)
    try:
        gateway.start()
        assert gateway.post(encoded(event())).status_code == 202
        assert gateway.client.get("/v1/rejected", headers={"Authorization": "Bearer nobody"}).status_code == 401
        for other in (None, stranger):
            with pytest.raises((httpx.TransportError, ssl.SSLError)):
                speaking(gateway, server[0], other).get("/healthz")
        with pytest.raises(httpx.TransportError):
            httpx.get(f"http://127.0.0.1:{gateway.port}/healthz")
        assert gateway.client.get("/healthz").status_code == 200
    finally:
        gateway.stop()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"TIENDO_INGEST_TLS_CERTIFICATE": "pyproject.toml"}, "TIENDO_INGEST_TLS_KEY together"),
        ({"TIENDO_INGEST_TLS_CLIENT_CA": "pyproject.toml"}, "needs TIENDO_INGEST_TLS_CERTIFICATE"),
        (
            {"TIENDO_INGEST_TLS_CERTIFICATE": "nowhere.pem", "TIENDO_INGEST_TLS_KEY": "nowhere.key"},
            "does not point to a file",
        ),
    ],
)
def test_half_a_setting_is_told(given: dict[str, str], said: str) -> None:
    """The process ends at once, and says what is missing."""
    done = subprocess.run(
        [sys.executable, "-m", "services.ingest"], cwd=ROOT, env={"PATH": "/usr/bin", "TIENDO_INGEST_KEY": KEY, **given},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert said in done.stderr
