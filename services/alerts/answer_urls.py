"""Where the receiver of a notice may answer: the board's answer page, by a signed link."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from schemas.warnings import Notice
from services.core.warnings.answer_link import AnswerLink
from services.infra.answer_links import Signer
from services.infra.clock import Clock

#: Who answers. Operations have the command; who reads digests is told of all agencies, and answers for none.
_ANSWERING: Final = {"agency": frozenset({"contact", "head"}), "feeds": frozenset({"feed-owner"})}


@dataclass(frozen=True, kw_only=True)
class AnswerUrls:
    """Makes links; without a board's address or a key there are none. *lasts*: how long a link may be followed."""

    board: str | None
    signer: Signer | None
    lasts: timedelta
    clock: Clock

    def url(self, notice: Notice) -> str | None:
        """Return the link of *notice*; None where its receiver is not one who answers, or many may read its channel.

        It lasts from when the notice was due, so that a mail tried again is the same mail. One that goes out when half of that
        has passed, as after weeks by hand, gets a link that lasts as much longer.
        """
        if self.board is None or self.signer is None or notice.channel != "email":
            return None
        if notice.recipient not in _ANSWERING.get(notice.about, ()):
            return None
        begins = max(notice.at, notice.due) if notice.due is not None else notice.at
        halves = max(0, (self.clock() - begins) // (self.lasts / 2))
        link = AnswerLink(
            plan=notice.plan,
            agency=notice.agency,
            role=notice.recipient,
            notice=notice.id,
            language=notice.language,
            expires=(begins + self.lasts + halves * self.lasts / 2).replace(microsecond=0),
        )
        return f"{self.board}/answer/{self.signer.link(link)}"
