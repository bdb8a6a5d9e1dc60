"""What a relay may do to a mail, one by one, against a real SMTP server on the loopback interface."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from services.alerts.adapters.email import Mailer, SmtpAddress
from services.core.warnings.warning_records import DeliveryFault
from tests.fixtures.needs import free_port

pytestmark = pytest.mark.integration


class Relay:
    """Answers as told and counts what it took."""

    def __init__(
        self, *, sender: str = "250 ok", recipient: str = "250 ok", data: str = "250 ok", cut: bool = False
    ) -> None:
        self.sender, self.recipient, self.data, self.cut = sender, recipient, data, cut
        self.taken = 0

    async def handle_MAIL(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if self.sender.startswith("250"):
            envelope.mail_from = address
        return self.sender

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if self.recipient.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.recipient

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.taken += 1
        if self.cut:
            server.transport.abort()
        return self.data


@contextmanager
def running(relay: Relay) -> Iterator[int]:
    controller = Controller(relay, hostname="127.0.0.1", port=free_port())
    controller.start()
    try:
        yield int(controller.port)
    finally:
        controller.stop()


def mail() -> EmailMessage:
    message = EmailMessage()
    message["Subject"] = "Tiến Độ"
    message["From"], message["To"] = "tien-do@example.vn", "so-y-te@example.vn"
    message.set_content("chào")
    return message


def send(port: int, times: int = 1, **options: Any) -> list[DeliveryFault | None]:
    async def run() -> list[DeliveryFault | None]:
        mailer = Mailer(SmtpAddress(host="127.0.0.1", port=port, timeout=1.5, **options))
        answers = [
            await mailer.send(mail(), sender="tien-do@example.vn", to="so-y-te@example.vn") for _ in range(times)
        ]
        await mailer.close()
        return answers

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("relay", "fault"),
    [
        pytest.param(Relay(), None, id="taken"),
        pytest.param(Relay(recipient="451 4.7.1 greylisted"), DeliveryFault.TRY_LATER, id="greylisting"),
        pytest.param(Relay(recipient="550 5.1.1 no such box"), DeliveryFault.RECIPIENT_REFUSED, id="no such recipient"),
        pytest.param(Relay(sender="550 5.7.1 not you"), DeliveryFault.SENDER_REFUSED, id="sender refused"),
        pytest.param(Relay(data="452 4.3.1 queue full"), DeliveryFault.TRY_LATER, id="a full queue"),
        pytest.param(Relay(data="554 5.6.0 spam"), DeliveryFault.CONTENT_REFUSED, id="content refused"),
        pytest.param(Relay(cut=True), DeliveryFault.CONNECTION_LOST, id="the connection closed after DATA"),
    ],
)
def test_each_refusal_has_its_name(relay: Relay, fault: DeliveryFault | None) -> None:
    """4xx and lost connections pass, 5xx are final."""
    with running(relay) as port:
        assert send(port) == [fault]

    if fault is not None:
        assert fault.final == (fault not in (DeliveryFault.TRY_LATER, DeliveryFault.CONNECTION_LOST))


def test_nobody_listens() -> None:
    """A relay that is not there is unreachable."""
    assert send(free_port()) == [DeliveryFault.UNREACHABLE]


def test_a_relay_that_says_nothing() -> None:
    """A port that accepts and stays silent is given up after the time-out."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert send(silent.getsockname()[1]) == [DeliveryFault.TIMED_OUT]


def test_starttls_wanted_and_not_offered() -> None:
    """Nothing is sent in the clear where TLS is asked for."""
    relay = Relay()
    with running(relay) as port:
        assert send(port, tls="starttls") == [DeliveryFault.TLS_FAILED]

    assert relay.taken == 0


def test_a_fault_does_not_spoil_the_next_mail() -> None:
    """After a lost connection the next mail goes over a new one."""
    relay = Relay(cut=True)
    with running(relay) as port:
        assert send(port) == [DeliveryFault.CONNECTION_LOST]
        relay.cut = False
        assert send(port, times=2) == [None, None]

    assert relay.taken == 3
