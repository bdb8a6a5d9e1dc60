"""Mail: from a rendered letter to a message, and over SMTP. Addresses and what servers answer never reach a log."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Literal

import aiosmtplib

from schemas.directory import Contact
from schemas.warnings import Notice
from services.alerts.adapters.letters import Rendered
from services.alerts.adapters.wire import WIRE
from services.alerts.core.notices import message_id
from services.core.warnings.warning_records import DeliveryFault


@dataclass(frozen=True, kw_only=True)
class SmtpAddress:
    """The relay that takes our mail. The password stays out of the representation."""

    host: str
    port: int
    tls: Literal["none", "starttls", "tls"] = "none"
    ca_file: str | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    timeout: float = 20.0


def build_message(
    rendered: Rendered,
    notice: Notice,
    *,
    sender: str,
    operations: Contact,
    to: Contact,
    at: datetime,
    thread: Sequence[str] = (),
) -> EmailMessage:
    """Return the mail. *at* becomes its Date, in its own zone; *thread* holds the ids of earlier notices, oldest first.

    The same arguments give the same bytes. Raises ValueError where an address cannot stand in a header.
    """
    domain = sender.rpartition("@")[2]
    mail = EmailMessage(policy=WIRE)
    mail["Subject"] = rendered.subject
    mail["From"] = Address(f"{operations.name} (Tiến Độ)", addr_spec=sender)
    mail["To"] = Address(to.name, addr_spec=to.email)
    mail["Reply-To"] = Address(operations.name, addr_spec=operations.email)
    mail["Date"] = format_datetime(at)
    mail["Message-ID"] = message_id(notice.id, domain)
    if thread:
        mail["In-Reply-To"] = message_id(thread[-1], domain)
        mail["References"] = " ".join(message_id(one, domain) for one in thread)
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Tiendo-Plan"] = notice.plan
    mail["X-Tiendo-Agency"] = notice.agency
    mail["X-Tiendo-Notice"] = notice.id
    mail.set_content(rendered.text, cte="quoted-printable")
    mail.add_alternative(rendered.html, subtype="html", cte="quoted-printable")
    page = mail.get_payload(1)
    assert isinstance(page, EmailMessage)
    for picture in rendered.pictures:
        name = f"{picture.cid.split('.')[0]}.png"
        page.add_related(picture.png, "image", "png", cid=f"<{picture.cid}>", disposition="inline", filename=name)
    mail["Content-Language"] = notice.language  # only now: setting the content removes all Content- headers
    mail.set_boundary(f"tiendo-{notice.id}-1")
    if rendered.pictures:
        page.set_boundary(f"tiendo-{notice.id}-2")
    return mail


class Mailer:
    """Sends over one connection, which a fault closes and the next mail opens anew."""

    def __init__(self, relay: SmtpAddress) -> None:
        self._relay = relay
        self._client: aiosmtplib.SMTP | None = None

    async def send(self, mail: EmailMessage, *, sender: str, to: str) -> DeliveryFault | None:
        """Hand *mail* over; None once the relay has taken it, else why it has not. Raises nothing that a relay can cause."""
        try:
            client = await self._connected()
        except (aiosmtplib.SMTPException, OSError, ssl.SSLError, ValueError) as fault:
            await self.close()
            return _fault_of(fault, connecting=True)
        try:
            await client.sendmail(sender, [to], mail.as_bytes())
        except (aiosmtplib.SMTPException, OSError, ValueError) as fault:
            await self.close()
            return _fault_of(fault, connecting=False)
        return None

    async def close(self) -> None:
        """Close the connection, if there is one."""
        client, self._client = self._client, None
        if client is not None:
            client.close()

    async def _connected(self) -> aiosmtplib.SMTP:
        if self._client is not None and self._client.is_connected:
            return self._client
        relay = self._relay
        context = ssl.create_default_context(cafile=relay.ca_file) if relay.tls != "none" else None
        self._client = aiosmtplib.SMTP(
            hostname=relay.host,
            port=relay.port,
            use_tls=relay.tls == "tls",
            start_tls=relay.tls == "starttls",
            tls_context=context,
            username=relay.username,
            password=relay.password,
            timeout=relay.timeout,
            local_hostname="tiendo",
        )
        await self._client.connect()
        return self._client


@asynccontextmanager
async def open_mailer(relay: SmtpAddress) -> AsyncIterator[Mailer]:
    """Yield a mailer; nothing is connected before the first mail."""
    mailer = Mailer(relay)
    try:
        yield mailer
    finally:
        await mailer.close()


def _fault_of(fault: Exception, *, connecting: bool) -> DeliveryFault:
    match fault:
        case aiosmtplib.SMTPAuthenticationError():
            return DeliveryFault.NOT_AUTHENTICATED
        case aiosmtplib.SMTPTimeoutError() | TimeoutError():
            return DeliveryFault.TIMED_OUT
        case ssl.SSLError():
            return DeliveryFault.TLS_FAILED
        case aiosmtplib.SMTPRecipientsRefused(recipients=[first, *_]):
            return _by_code(first.code, DeliveryFault.RECIPIENT_REFUSED)
        case aiosmtplib.SMTPRecipientRefused():
            return _by_code(fault.code, DeliveryFault.RECIPIENT_REFUSED)
        case aiosmtplib.SMTPSenderRefused():
            return _by_code(fault.code, DeliveryFault.SENDER_REFUSED)
        case aiosmtplib.SMTPResponseException():
            return _by_code(fault.code, DeliveryFault.TRY_LATER if connecting else DeliveryFault.CONTENT_REFUSED)
        case aiosmtplib.SMTPServerDisconnected():
            return DeliveryFault.UNREACHABLE if connecting else DeliveryFault.CONNECTION_LOST
        case aiosmtplib.SMTPConnectError() | OSError():
            if isinstance(fault.__cause__, ssl.SSLError):
                return DeliveryFault.TLS_FAILED
            return DeliveryFault.UNREACHABLE if connecting else DeliveryFault.CONNECTION_LOST
        case aiosmtplib.SMTPException() if connecting:
            return DeliveryFault.TLS_FAILED  # STARTTLS is wanted and not offered
        case _:
            return DeliveryFault.CONTENT_REFUSED


def _by_code(code: int, refused: DeliveryFault) -> DeliveryFault:
    """Tell 4xx, which pass, from 5xx."""
    return DeliveryFault.TRY_LATER if 400 <= code < 500 else refused
