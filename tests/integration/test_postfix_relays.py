"""A real Postfix takes our mails and puts them into a mailbox as we wrote them."""

from __future__ import annotations

import asyncio
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import cast

import pytest

from services.alerts.adapters.channels.email import EmailChannel
from services.alerts.adapters.channels.parcel import Parcel
from services.alerts.adapters.email import Mailer, SmtpAddress
from services.alerts.adapters.letters import Letters
from services.alerts.core.notices import message_id, references
from services.alerts.core.warn import compose
from services.core.warnings.warning_records import DeliveryFault
from tests import alerts_world as world
from tests.fixtures.postfix import HOST, Postfix

pytestmark = [pytest.mark.postfix, pytest.mark.integration]
TO = "chi@so-yt.thainguyen.gov.vn"
SENDER = "tien-do@thainguyen.gov.vn"


def parcels(to: str) -> list[Parcel]:
    """Return the first and the third notice of a thread to *to*."""
    assessment = world.assessed()
    transitions = world.decided(assessment)
    notice = next(one for one in world.planned(assessment, transitions) if one.agency == "so-y-te")
    letter = compose(assessment, notice, transitions, written=world.NOW.date())
    assert letter is not None
    contact = letter.heading.to.model_copy(update={"email": to})
    return [
        Parcel(
            notice=notice.model_copy(update={"number": number, "id": f"{number:032x}"}),
            attempt=0,
            letter=letter,
            told=transitions,
            to=contact,
            operations=assessment.directory.operations,
            at=world.NOW,
        )
        for number in (1, 3)
    ]


def sent(server: Postfix, *some: Parcel) -> list[DeliveryFault | None]:
    async def run() -> list[DeliveryFault | None]:
        channel = EmailChannel(Mailer(SmtpAddress(host=HOST, port=server.port)), Letters(), sender=SENDER)
        try:
            return [await channel.send(one) for one in some]
        finally:
            await channel.rest()

    return asyncio.run(run())


def box(server: Postfix, address: str) -> list[EmailMessage]:
    files = (server.folder / "mail" / address / "new").glob("*")
    return [cast(EmailMessage, message_from_bytes(one.read_bytes(), policy=policy.default)) for one in files]


def test_postfix_relays_our_mails_into_a_mailbox(plain_postfix: Postfix) -> None:
    """Message-ID, References and everything that people read arrive as they were sent; a repetition has the same id."""
    first, third = parcels(TO)
    assert sent(plain_postfix, first, third, first) == [None, None, None]
    plain_postfix.settle()

    mails = box(plain_postfix, TO)
    assert sorted(str(mail["Message-ID"]) for mail in mails) == sorted(
        message_id(one.notice.id, "thainguyen.gov.vn") for one in (first, third, first)
    )
    (last,) = [mail for mail in mails if mail["References"]]
    thread = [message_id(one, "thainguyen.gov.vn") for one in references(third.notice)]
    assert str(last["References"]).split() == thread
    assert str(last["In-Reply-To"]) == thread[-1]
    assert len(thread) == 2
    assert str(last["Subject"]) == "[Tiến Độ] Sở Y tế: 2 chỉ tiêu chậm tiến độ (chậm nhất 31 ngày)"
    text = last.get_body(("plain",))
    assert text is not None
    assert "Cán bộ có hộp thư công vụ" in text.get_content()
    assert {part.get_content_type() for part in last.walk()} >= {"text/plain", "text/html", "image/png"}


def test_postfix_refuses_a_mailbox_that_it_does_not_have(plain_postfix: Postfix) -> None:
    """Its own answer, a 5xx, is final, and the mail after it goes out over the same relay."""
    unknown, _ = parcels("nobody@so-yt.thainguyen.gov.vn")
    known, _ = parcels(TO)

    assert sent(plain_postfix, unknown, known) == [DeliveryFault.RECIPIENT_REFUSED, None]
