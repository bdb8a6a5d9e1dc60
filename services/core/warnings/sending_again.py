"""Notices that somebody has sent again by hand: which may be, and the record of it. Pure."""

from __future__ import annotations

from datetime import datetime

from schemas.warnings import Notice
from services.core.errors import Rejected
from services.core.warnings.warning_records import NoticeState


def sent_again(state: NoticeState, *, by: str, at: datetime, though_sent: bool = False) -> Notice:
    """Return the record that has a notice sent again: the next attempt, at once, with the same id and so the same Message-ID.

    Done twice at once it is one attempt. *by*, an office or a duty, stays in the record. Raises Rejected where the notice is
    still being tried, and where it was sent, unless *though_sent* wants it all the same.
    """
    if not 0 < len(by.strip()) <= 300:
        raise Rejected("say who has it sent again, in at most 300 characters")
    if not state.settled:
        raise Rejected(f"notice {state.notice.id} is {state.state} and still being tried")
    if state.sent and not though_sent:
        raise Rejected(f"notice {state.notice.id} was sent at {state.at.isoformat()}; say if it is meant all the same")
    again = {"attempt": state.attempt + 1, "state": "pending", "detail": by, "due": None, "at": at}
    return state.notice.model_copy(update=again)
