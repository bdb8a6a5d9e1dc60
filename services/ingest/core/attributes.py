"""Attributes that we do not read must still be such as CloudEvents allows: else what was sent is no CloudEvent."""

from __future__ import annotations

import re
from typing import Final

import msgspec

from schemas.envelope import CloudEvent
from schemas.reasons import Reason
from services.ingest.core.rejection import Refusal

_READ: Final = frozenset(CloudEvent.model_fields)
#: Texts that the specification wants to hold something where they stand at all.
_NOT_EMPTY: Final = frozenset({"subject", "dataschema"})
_NAME: Final = re.compile(r"[a-z0-9]+", re.ASCII)
_NUMBER: Final = re.compile(rb"-?\d+")
_GREATEST: Final = 1 << 31  # its Integer has 32 bits, the sign included
_members: Final = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def attribute_fault(raw: bytes) -> Refusal | None:
    """Return what is wrong with the attributes of the event in *raw* (readable structured JSON) beside those that are read.

    A name is lower-case letters and digits; a value is a text, a whole number of 32 bits, true, false or null; `subject` and
    `dataschema` are not empty; `data` and `data_base64` exclude each other. (CloudEvents 1.0.2, attributes and JSON format.)
    None where all are well.
    """
    others = {name: value for name, value in _members(raw).items() if name not in _READ}
    if "data_base64" in others:
        return Refusal(Reason.MALFORMED, "give either `data` or `data_base64`")
    for name, value in others.items():
        if _NAME.fullmatch(name) is None:
            return Refusal(Reason.MALFORMED, "an attribute's name is lower-case letters and digits alone")
        if not _possible(bytes(value)):
            return Refusal(Reason.MALFORMED, "an attribute is a text, a whole number of 32 bits, true, false or null")
        if name in _NOT_EMPTY and not _text(bytes(value)):
            return Refusal(Reason.MALFORMED, f"`{name}` is a text that is not empty, or left out")
    return None


def _possible(value: bytes) -> bool:
    if _NUMBER.fullmatch(value):
        return len(value) < 12 and -_GREATEST <= int(value) < _GREATEST
    return value[:1] == b'"' or value in (b"true", b"false", b"null")


def _text(value: bytes) -> bool:
    return value == b"null" or (value[:1] == b'"' and value != b'""')
