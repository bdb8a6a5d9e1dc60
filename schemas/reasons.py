"""Why an event was refused: the typed reasons of the gateway, of the rejected topic and of the scorecards."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """A reason that an integrator can act on. The value is a metric label, a column value and part of the answer."""

    MALFORMED = "malformed"  # not JSON, or not a CloudEvent at all
    SCHEMA = "schema"  # a field is missing, of the wrong type, or not known
    UNKNOWN_TYPE = "unknown-type"
    UNKNOWN_AGENCY = "unknown-agency"
    FUTURE_DATED = "future-dated"  # `time` lies ahead of the gateway's clock, beyond the tolerance
    NOT_PERMITTED = "not-permitted"  # this source may not send this type, or for this agency
    TOO_LARGE = "too-large"
