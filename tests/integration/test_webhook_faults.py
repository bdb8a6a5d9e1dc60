"""What the other side may do to a webhook, one by one, over real sockets of the loopback interface."""

from __future__ import annotations

import asyncio
import base64
import logging
import shutil
import ssl
import subprocess
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from standardwebhooks.webhooks import Webhook as Verifier
from standardwebhooks.webhooks import WebhookVerificationError

from services.alerts.adapters.channels.webhook import Webhook
from services.alerts.core.webhook import trial_message
from services.core.warnings.warning_records import DeliveryFault
from tests.fixtures.needs import free_port
from tests.fixtures.receiver import Receiver, certificate, receiving

pytestmark = pytest.mark.integration
OLD, NEW = b"o" * 32, b"n" * 32
BODY = trial_message("Tiến Độ thử kênh", at=datetime(2008, 10, 1, 1, tzinfo=UTC))


def written(secret: bytes) -> str:
    return "whsec_" + base64.b64encode(secret).decode()


def post(
    url: str, *, secrets: tuple[bytes, ...] = (NEW,), times: int = 1, timeout: float = 5.0, ca: Path | None = None
) -> list[DeliveryFault | None]:
    async def run() -> list[DeliveryFault | None]:
        tls = ssl.create_default_context(cafile=str(ca)) if ca is not None else None
        channel = Webhook(name="thu", url=url, secrets=secrets, timeout=timeout, now=lambda: datetime.now(UTC), tls=tls)
        try:
            return [await channel.post("a" * 32, BODY) for _ in range(times)]
        finally:
            await channel.rest()

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("status", "fault"),
    [
        (200, None),
        (204, None),
        (301, DeliveryFault.HTTP_REFUSED),
        (400, DeliveryFault.HTTP_REFUSED),
        (401, DeliveryFault.HTTP_REFUSED),
        (408, DeliveryFault.HTTP_TRY_LATER),
        (410, DeliveryFault.HTTP_REFUSED),
        (425, DeliveryFault.HTTP_TRY_LATER),
        (429, DeliveryFault.HTTP_TRY_LATER),
        (500, DeliveryFault.HTTP_TRY_LATER),
        (503, DeliveryFault.HTTP_TRY_LATER),
    ],
)
def test_each_answer_has_its_fault(status: int, fault: DeliveryFault | None) -> None:
    """2xx is taken, what may pass is tried again, everything else is final."""
    with receiving(Receiver([status])) as receiver:
        assert post(receiver.url) == [fault]

    assert len(receiver.requests) == 1


def test_a_receiver_that_hangs_is_given_up_after_the_time_out() -> None:
    """And the next post goes over a new connection."""
    with receiving(Receiver(hangs=threading.Event())) as receiver:
        assert post(receiver.url, timeout=0.3) == [DeliveryFault.HTTP_TIMED_OUT]


def test_nobody_listens() -> None:
    """A receiver that is not there is unreachable."""
    assert post(f"http://127.0.0.1:{free_port()}") == [DeliveryFault.HTTP_UNREACHABLE]


def test_redirects_are_not_followed() -> None:
    """What is signed for one address never goes to another."""
    with receiving(Receiver()) as elsewhere, receiving(Receiver([307], location=elsewhere.url)) as receiver:
        assert post(receiver.url) == [DeliveryFault.HTTP_REFUSED]

    assert elsewhere.requests == []


def test_a_long_answer_is_not_read() -> None:
    """The status is all that counts: a hundred megabytes behind it cost nothing."""
    with receiving(Receiver([200], body=b"x" * 100_000_000)) as receiver:
        assert post(receiver.url, times=2, timeout=3) == [None, None]


def test_a_wrong_certificate_is_unreachable_and_nothing_is_sent(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Signed by nobody we trust, or for another address; with the right authority it is taken. The log names no address."""
    own, others = certificate(tmp_path), certificate(tmp_path, "127.0.0.2")
    with (
        receiving(Receiver(), own) as receiver,
        receiving(Receiver(), others) as stranger,
        caplog.at_level(logging.INFO),
    ):
        assert post(receiver.url + "/s3cret") == [DeliveryFault.HTTP_UNREACHABLE]
        assert post(stranger.url, ca=others[0]) == [DeliveryFault.HTTP_UNREACHABLE]
        assert receiver.requests == stranger.requests == []
        assert post(receiver.url, ca=own[0]) == [None]

    assert "certificate is not accepted" in caplog.text
    assert "s3cret" not in caplog.text


def test_the_public_verifier_takes_what_we_sign() -> None:
    """Whoever holds the old or the new secret, while both sign; not with another secret, nor with a body changed."""
    with receiving(Receiver()) as receiver:
        post(receiver.url, secrets=(NEW, OLD))
    ((_, headers, body),) = receiver.requests

    assert body == BODY
    assert Verifier(written(OLD)).verify(body, headers)["type"] == "channel.test.v1"
    assert Verifier(written(NEW)).verify(body, headers)["data"]["text"] == "Tiến Độ thử kênh"
    for secret, tampered in ((b"x" * 32, body), (NEW, body.replace(b"2008", b"2009"))):
        with pytest.raises(WebhookVerificationError):
            Verifier(written(secret)).verify(tampered, headers)


def test_a_repetition_has_the_same_id() -> None:
    """So that a receiver that has seen it can leave it."""
    with receiving(Receiver([500, 200])) as receiver:
        assert post(receiver.url, times=2) == [DeliveryFault.HTTP_TRY_LATER, None]

    assert {headers["webhook-id"] for _, headers, _ in receiver.requests} == {"a" * 32}
    assert {body for _, _, body in receiver.requests} == {BODY}


def guide(language: str) -> str:
    """Return the check that the guide gives in *language*."""
    text = (Path(__file__).parents[2] / "docs" / "webhooks.md").read_text(encoding="utf-8")
    return text.split(f"```{language}\n")[1].split("```")[0]


def test_the_checks_of_the_guide_hold(tmp_path: Path) -> None:
    """In Python and in the shell: yes to what we send, no to a body changed."""
    with receiving(Receiver()) as receiver:
        post(receiver.url, secrets=(OLD, NEW))
    ((_, headers, body),) = receiver.requests
    changed = body.replace(b"2008", b"2009")

    found: dict[str, object] = {}
    exec(guide("python"), found)
    check = found["is_ours"]
    assert callable(check)
    assert check([written(NEW)], headers, body)
    assert not check([written(NEW)], headers, changed)
    assert not check([written(b"x" * 32)], headers, body)
    assert not check([written(NEW)], headers | {"webhook-timestamp": "1222822800"}, body)

    assert shutil.which("openssl")
    for content, expected in ((body, 0), (changed, 1)):
        (tmp_path / "body").write_bytes(content)
        done = subprocess.run(
            ["bash", "-c", guide("bash")],
            cwd=tmp_path,
            env={
                "PATH": "/usr/bin:/bin",
                "SECRET": written(NEW),
                "WEBHOOK_ID": headers["webhook-id"],
                "WEBHOOK_TIMESTAMP": headers["webhook-timestamp"],
                "WEBHOOK_SIGNATURE": headers["webhook-signature"],
            },
            timeout=20,
            check=False,
        )
        assert done.returncode == expected
