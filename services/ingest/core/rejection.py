"""Refusals: a typed reason, a sentence for the integrator, a place in the event; never a value that was sent.

One event gets one reason, the first that applies in this order: malformed, unknown-type, schema, unknown-agency,
not-permitted, future-dated. A whole request is refused as malformed or too-large before any event is looked at. The order
goes from what the sender must mend first to what may mend itself: until the shape is right nothing else can be judged,
whether an agency exists is public, permission is between the source and operations, and a clock ahead passes by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from schemas.common import full_type
from schemas.envelope import REQUIRED_BY_CLOUDEVENTS, Envelope
from schemas.events import CATALOGUE, Party, Person
from schemas.reasons import Reason


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an input was refused. *pointer* is a JSON pointer into the event, empty for the whole of it."""

    reason: Reason
    detail: str
    pointer: str = ""


def _names(model: type[BaseModel]) -> frozenset[str]:
    return frozenset(field.alias or name for name, field in model.model_fields.items())


_TYPES: Final = {full_type(short): model for short, model in CATALOGUE.items()}
# pydantic's locations also hold labels of unions and names that the sender made up; only names of ours may be repeated.
_OURS: Final = frozenset({"data"}).union(
    _names(Envelope), _names(Person), _names(Party), *(_names(model) for model in CATALOGUE.values())
)

_WORDS: Final[Mapping[str, str]] = {
    "missing": "is required",
    "literal_error": "must be {expected}",
    "string_type": "must be a string",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
    "string_pattern_mismatch": "must match {pattern}",
    "date_type": "must be a day, written YYYY-MM-DD",
    "datetime_type": "must be a moment, written as RFC 3339 with an offset",
    "timezone_aware": "must carry an offset",
    "int_type": "must be a whole number",
    "bool_type": "must be true or false",
    "decimal_type": "must be a number",
    "decimal_parsing": "must be a number",
    "finite_number": "must be a finite number",
    "decimal_max_digits": "must have at most {max_digits} digits",
    "decimal_max_places": "must have at most {decimal_places} decimal places",
    "decimal_whole_digits": "must have at most {whole_digits} digits before the point",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "dict_type": "must be an object",
    "value_error": "is not possible: {error}",  # the texts of our own validators, which are constant
}


def faults_of(error: ValidationError) -> list[Mapping[str, Any]]:
    """Return pydantic's faults without what was sent."""
    return [dict(fault) for fault in error.errors(include_url=False, include_input=False)]


def pointer_of(location: tuple[int | str, ...]) -> str:
    """Return the JSON pointer of a pydantic location, cut down to names of the contract."""
    steps: list[str] = []
    for part in location:
        # The labels of a union's branches come after the field; what follows them still belongs to it.
        if isinstance(part, int) or part in _OURS:
            steps.append(str(part))
    return "".join(f"/{step}" for step in steps)


def refusal_of(error: ValidationError) -> Refusal:
    """Return the refusal for an event that does not fit its schema, or is no CloudEvent at all.

    The first fault is told, and how many more there are. Where an attribute is at fault that CloudEvents itself requires,
    the reason is malformed, otherwise schema.
    """
    faults = faults_of(error)
    outer = [fault for fault in faults if _attribute(fault) in REQUIRED_BY_CLOUDEVENTS]
    fault = (outer or faults)[0]
    located = tuple(part for part in fault["loc"] if part not in _TYPES)
    if fault["type"] == "extra_forbidden":
        located = located[:-1]
    pointer = pointer_of(located)
    return Refusal(Reason.MALFORMED if outer else Reason.SCHEMA, _sentence(fault, pointer, len(faults)), pointer)


def _attribute(fault: Mapping[str, Any]) -> str:
    parts = [part for part in fault["loc"] if part not in _TYPES]
    return str(parts[0]) if parts else ""


def _sentence(fault: Mapping[str, Any], pointer: str, count: int) -> str:
    subject = f"`{pointer.rpartition('/')[2]}`" if pointer else "the event"
    if fault["type"] == "extra_forbidden":
        model = _TYPES.get(str(fault["loc"][0])) if len(fault["loc"]) == 3 else None
        known = f"; known are {', '.join(sorted(_names(model)))}" if model else ""
        text = f"{subject} has a field that the schema does not know{known}"
    elif str(fault.get("ctx", {})).find("datetime.date(") >= 0:
        text = f"{subject} must lie between 1900-01-01 and 2299-12-31"
    else:
        words = _WORDS.get(fault["type"], "is not valid")
        text = f"{subject} {words.format(**fault.get('ctx', {}))}"
    # A union reports each of its branches, so the count of faults is told only as «more».
    return f"{text} (and more)" if count > 1 else text
