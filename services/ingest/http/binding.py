"""The HTTP binding of CloudEvents 1.0: which mode a request is in, and binary mode as structured JSON."""

from __future__ import annotations

import base64
import re
from enum import Enum
from typing import Any, Final
from urllib.parse import unquote_to_bytes

import msgspec
from starlette.datastructures import Headers

from services.ingest.core.inbound import is_one_value

BATCH_TYPE: Final = "application/cloudevents-batch+json"
STRUCTURED_TYPE: Final = "application/cloudevents+json"
_JSON_TYPE: Final = "application/json"
_ATTRIBUTE: Final = re.compile(r"[a-z0-9]{1,20}", re.ASCII)
# These say what the body is; as attributes they would overwrite it.
_OF_THE_BODY: Final = frozenset({"data", "datacontenttype"})


class Mode(Enum):
    """How a request carries events."""

    STRUCTURED = STRUCTURED_TYPE
    BATCH = BATCH_TYPE
    BINARY = "ce- headers"


def mode_of(headers: Headers) -> Mode | None:
    """Return the mode that the content type and the ``ce-`` headers say; None where it is none that is taken here."""
    kind, _, parameters = headers.get("content-type", "").partition(";")
    kind = kind.strip().lower()
    if not _utf8(parameters):
        return None
    if kind == BATCH_TYPE:
        return Mode.BATCH
    if kind == STRUCTURED_TYPE:
        return Mode.STRUCTURED
    if kind == _JSON_TYPE and any(name.startswith("ce-") for name in headers):
        return Mode.BINARY
    return None


def _utf8(parameters: str) -> bool:
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            return value.strip().strip('"').lower() in {"utf-8", "utf8", "us-ascii"}
    return True


def structured(headers: Headers, body: bytes) -> bytes:
    """Return an event in binary mode as structured JSON, extension attributes included.

    A body that is not one JSON value becomes ``data_base64``, a repeated or undecodable attribute null: both are then
    refused like any other event, and kept whole.
    """
    event: dict[str, Any] = {}
    for name, value in headers.items():
        attribute = name.removeprefix("ce-")
        if attribute != name and _ATTRIBUTE.fullmatch(attribute) and attribute not in _OF_THE_BODY:
            event[attribute] = None if attribute in event else _decoded(value)
    event["datacontenttype"] = _JSON_TYPE
    if is_one_value(body):
        event["data"] = msgspec.Raw(body)
    elif body:
        event["data_base64"] = base64.b64encode(body).decode("ascii")
    return msgspec.json.encode(event)


def _decoded(value: str) -> str | None:
    """Return a header's text: quoted strings unquoted, percent-encoding undone; None where it is not UTF-8."""
    if len(value) > 1 and value.startswith('"') and value.endswith('"'):
        value = re.sub(r"\\(.)", r"\1", value[1:-1])
    try:
        return unquote_to_bytes(value.encode("latin-1")).decode("utf-8")
    except UnicodeDecodeError:
        return None
