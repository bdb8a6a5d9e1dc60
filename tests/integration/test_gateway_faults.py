"""What a chat or SMS gateway gets, and what it may do, over real sockets: Apprise's plain JSON gateway stands for all."""

from __future__ import annotations

import asyncio
import json
import logging

import pytest

from services.alerts.adapters.channels.gateway import Gateway
from services.core.warnings.warning_records import DeliveryFault
from tests.fixtures.needs import free_port
from tests.fixtures.receiver import Receiver, receiving

pytestmark = pytest.mark.integration


def say(port: str | int, times: int = 1) -> list[DeliveryFault | None]:
    async def run() -> list[DeliveryFault | None]:
        channel = Gateway(f"json://127.0.0.1:{port}/t0ken")
        return [await channel.say("Tiến Độ – Sở Y tế", "Hộp thư: chậm 31 ngày\nThư: chậm 2 ngày") for _ in range(times)]

    return asyncio.run(run())


def test_title_and_text_arrive_as_they_are() -> None:
    """Diacritics and lines, and nothing that has anybody fetch a picture from elsewhere."""
    with receiving(Receiver([200])) as receiver:
        assert say(receiver.url.rpartition(":")[2]) == [None]

    ((_, _, body),) = receiver.requests
    said = json.loads(body)
    assert (said["title"], said["message"]) == ("Tiến Độ – Sở Y tế", "Hộp thư: chậm 31 ngày\nThư: chậm 2 ngày")
    assert b"http" not in body


@pytest.mark.parametrize("status", [400, 403, 429, 500])
def test_what_a_gateway_refuses_passes(status: int, caplog: pytest.LogCaptureFixture) -> None:
    """Apprise does not tell a passing fault from a final one, so it is tried again; nothing of the address is logged."""
    with receiving(Receiver([status, 200])) as receiver, caplog.at_level(logging.DEBUG):
        assert say(receiver.url.rpartition(":")[2], times=2) == [DeliveryFault.GATEWAY_FAILED, None]

    assert "t0ken" not in caplog.text


def test_a_gateway_that_is_not_there(caplog: pytest.LogCaptureFixture) -> None:
    """Nobody listens: said, nothing raised, nothing logged."""
    with caplog.at_level(logging.DEBUG):
        assert say(free_port()) == [DeliveryFault.GATEWAY_FAILED]

    assert "t0ken" not in caplog.text


@pytest.mark.parametrize("url", ["", "x", "nothing://x", "json://"])
def test_what_is_no_address(url: str) -> None:
    """Is refused at once, without being repeated."""
    with pytest.raises(ValueError, match="not an address that Apprise knows"):
        Gateway(url)
