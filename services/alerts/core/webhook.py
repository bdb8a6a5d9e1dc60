"""The bodies of webhooks and their signatures: https://www.standardwebhooks.com. Pure."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from schemas.warnings import Notice, Transition
from schemas.webhook import WEBHOOK_MESSAGE, NoticeMessage, ToldNotice, ToldWarning, TrialData, TrialMessage
from services.alerts.core.brief import brief
from services.alerts.core.warn import Letter

CONTENT_TYPE: Final = "application/json"
_PREFIX: Final = "whsec_"
_LEAST, _MOST = 24, 64  # bytes, as the conventions have it


def secret_of(text: str) -> bytes:
    """Return the key that *text* (``whsec_`` and Base64 of 24 to 64 bytes) stands for. Raises ValueError, never with the text."""
    written = text.strip()
    if not written.startswith(_PREFIX):
        raise ValueError("a secret begins with whsec_")
    try:
        key = base64.b64decode(written.removeprefix(_PREFIX), validate=True)
    except binascii.Error:
        raise ValueError("after whsec_ a secret is Base64") from None
    if not _LEAST <= len(key) <= _MOST:
        raise ValueError(f"a secret holds {_LEAST} to {_MOST} bytes, not {len(key)}")
    return key


def signatures(secrets: Iterable[bytes], number: str, stamp: int, body: bytes) -> str:
    """Return the header `webhook-signature`: ``v1,`` and Base64 of HMAC-SHA256 over ``id.stamp.body``, one per secret."""
    signed = f"{number}.{stamp}.".encode() + body
    return " ".join(
        f"v1,{base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()}" for secret in secrets
    )


def message(notice: Notice, letter: Letter, told: Sequence[Transition], *, attempt: int) -> bytes:
    """Return the body that tells *notice*; the same arguments give the same bytes. Digests go by mail alone (ValueError)."""
    if notice.about == "digest":
        raise ValueError("a digest goes by mail")
    short = brief(letter)
    data = ToldNotice(
        id=notice.id,
        plan=notice.plan,
        agency=notice.agency,
        about=notice.about,
        number=notice.number,
        attempt=attempt,
        language=notice.language,
        title=short.title,
        text=short.body,
        warnings=tuple(_told(one) for one in told),
    )
    return WEBHOOK_MESSAGE.dump_json(NoticeMessage(timestamp=notice.at, data=data))


def trial_message(text: str, *, at: datetime) -> bytes:
    """Return the body of a test."""
    return WEBHOOK_MESSAGE.dump_json(TrialMessage(timestamp=at, data=TrialData(text=text)))


def _told(one: Transition) -> ToldWarning:
    return ToldWarning(
        id=one.id,
        agency=one.agency,
        cause=one.cause,
        state=one.state,
        reason=one.reason,
        severity=one.severity,
        level=one.level,
        day=one.day,
        since=one.since,
        opened_day=one.opened_day,
        acknowledged=one.acknowledged,
        promised=one.promised,
    )
