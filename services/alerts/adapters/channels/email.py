"""Mail, the channel that every deployment has: a letter in full, over SMTP."""

from __future__ import annotations

from services.alerts.adapters.channels.parcel import Parcel
from services.alerts.adapters.email import Mailer, build_message
from services.alerts.adapters.letters import Letters
from services.alerts.core.notices import references
from services.core.warnings.warning_records import DeliveryFault


class EmailChannel:
    """Sends letters by one mailer, whose connection it keeps for as long as there is something to send."""

    kind = "email"

    def __init__(self, mailer: Mailer, letters: Letters, *, sender: str) -> None:
        self._mailer = mailer
        self._letters = letters
        self._sender = sender

    async def send(self, parcel: Parcel) -> DeliveryFault | None:
        """Send the mail: twice the same parcel is twice the same mail, Message-ID and all."""
        notice = parcel.notice
        try:
            mail = build_message(
                self._letters.render(parcel.letter, key=notice.id[:12]),
                notice,
                sender=self._sender,
                operations=parcel.operations,
                to=parcel.to,
                at=parcel.at,
                thread=references(notice),
            )
        except ValueError:
            return DeliveryFault.RECIPIENT_REFUSED
        return await self._mailer.send(mail, sender=self._sender, to=parcel.to.email)

    async def rest(self) -> None:
        """Close the connection."""
        await self._mailer.close()
