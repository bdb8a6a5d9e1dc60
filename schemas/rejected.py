"""What ``usage.rejected.v1`` carries: an input that could not be used, whole, with the reason; and that it was taken later."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, TypeAdapter

from schemas.common import Contract, Moment
from schemas.reasons import Reason


class Rejection(Contract):
    """One refused event. ``detail`` and ``pointer`` say what is wrong and where, never what the value was."""

    rejection: str = Field(
        description="Keyed hash of source and original bytes: the same input has the same rejection."
    )
    source: str = Field(description="The authenticated source; empty where there was none.")
    reason: Reason
    detail: str
    pointer: str = Field(default="", description="JSON pointer into the event.")
    where: Literal["http", "inbox", "aggregator"]
    type: str = Field(default="", description="The event's type, where it is one of the catalogue.")
    event_id: str = Field(default="", description="HMAC of the event's id, where it had one.")
    received: Moment
    key_id: str = Field(description="Which gateway key encrypted the body.")
    body: str = Field(description="The original bytes, AES-256-GCM under the gateway's key, nonce first, base64.")


class Replayed(Contract):
    """A refused input was sent again and taken; what it states is in the log of events from then on.

    It settles the refusals of that name up to its moment; the same input refused once more later stands open again.
    """

    kind: Literal["replayed"] = Field(
        default="replayed", description="Tells this record from a refusal, which has none."
    )
    rejection: str
    source: str
    replayed: Moment


RejectedRecord = Rejection | Replayed
#: Reads records of ``usage.rejected.v1``; ``validate_json`` raises ``pydantic.ValidationError``.
REJECTED_RECORD: TypeAdapter[Rejection | Replayed] = TypeAdapter(RejectedRecord)
