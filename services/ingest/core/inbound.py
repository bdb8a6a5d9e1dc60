"""Reading what integrators send: bytes in, validated CloudEvents or refusals out."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, Literal, Union

import msgspec
from pydantic import Field, TypeAdapter, ValidationError, create_model

from schemas.common import full_type, short_type
from schemas.envelope import Envelope
from schemas.events import CATALOGUE, AnyStatement
from schemas.reasons import Reason
from services.ingest.core.attributes import attribute_fault
from services.ingest.core.rejection import Refusal, faults_of, refusal_of

_POSITION: Final = re.compile(r" at line \d+ column \d+$")
_BYTE: Final = re.compile(r"\(byte \d+\)$")


class Inbound(Envelope):
    """A valid event of the catalogue, as sent."""

    data: AnyStatement


def _model(short: str) -> Any:
    fields: dict[str, Any] = {"type": (Literal[full_type(short)], ...), "data": (CATALOGUE[short], ...)}
    return create_model(full_type(short), __base__=Envelope, **fields)


_Event: Any = (
    Annotated[Union[tuple(_model(short) for short in CATALOGUE)], Field(discriminator="type")]  # noqa: UP007  built at run time
)
_EVENT: Final[TypeAdapter[Inbound]] = TypeAdapter(_Event)
_ENVELOPE: Final = TypeAdapter(Envelope)
_SPLIT: Final = msgspec.json.Decoder(list[msgspec.Raw])
_ANY: Final = msgspec.json.Decoder(msgspec.Raw)


class _Named(msgspec.Struct):
    id: Any = None
    type: Any = None


_NAMED: Final = msgspec.json.Decoder(_Named)


def split_batch(body: bytes) -> list[bytes] | Refusal:
    """Return the elements of a JSON array, each as it was sent; a refusal of the whole where *body* is no array."""
    try:
        return [bytes(raw) for raw in _SPLIT.decode(body)]
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        found = _BYTE.search(str(error))
        where = f" {found[0]}" if found else ""
        return Refusal(Reason.MALFORMED, f"the body is not a readable JSON array of events{where}")


def is_one_value(body: bytes) -> bool:
    """Return whether *body* is exactly one JSON value, as far as its structure tells."""
    try:
        _ANY.decode(body)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return False
    return True


def read_event(raw: bytes) -> Inbound | Refusal:
    """Return the event that *raw* states in structured JSON form, or why it cannot be one. Numbers are not read from strings."""
    try:
        event = _EVENT.validate_json(raw, strict=True)
    except ValidationError as error:
        first = faults_of(error)[0]
        if first["type"] == "json_invalid":
            found = _POSITION.search(str(first.get("ctx", {}).get("error", "")))
            return Refusal(Reason.MALFORMED, f"the event is not readable JSON{found[0] if found else ''}")
        if first["type"] == "union_tag_invalid":
            return _unknown_type(raw)
        if first["type"] == "union_tag_not_found":
            return Refusal(Reason.MALFORMED, "`type` is required", "/type")
        if not first["loc"]:
            return Refusal(Reason.MALFORMED, "the event is not a JSON object")
        return refusal_of(error)
    return attribute_fault(raw) or event


def _unknown_type(raw: bytes) -> Refusal:
    """Return the refusal of an event of a type that is not ours; it may be no CloudEvent in the first place."""
    try:
        _ENVELOPE.validate_json(raw, strict=True)
    except ValidationError as error:
        refusal = refusal_of(error)
        if refusal.reason is Reason.MALFORMED:
            return refusal
    fault = attribute_fault(raw)
    if fault is not None:
        return fault
    return Refusal(Reason.UNKNOWN_TYPE, "`type` is not in the catalogue; GET /v1/schemas lists it", "/type")


def id_of(raw: bytes) -> str | None:
    """Return the id that an event claims, for the answer to its sender; None where there is none to be read."""
    named = _named(raw)
    return named.id if isinstance(named.id, str) else None


def type_of(raw: bytes) -> str:
    """Return the short type that an event claims, empty where it is not one of the catalogue."""
    named = _named(raw)
    short = short_type(named.type) if isinstance(named.type, str) else ""
    return short if short in CATALOGUE and named.type == full_type(short) else ""


def _named(raw: bytes) -> _Named:
    try:
        return _NAMED.decode(raw)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return _Named()
