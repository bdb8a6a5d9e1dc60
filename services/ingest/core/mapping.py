"""The mapping of a register, as its YAML states it: which columns of a row give which events. Checked as a whole."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, field_validator, model_validator

from schemas.events import CATALOGUE

_PARTS: Final = {"yyyy": "%Y", "mm": "%m", "dd": "%d", "HH": "%H", "MM": "%M", "SS": "%S", "yy": "%y"}
_PART: Final = re.compile("yyyy|yy|mm|dd|HH|MM|SS")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class FromColumn(_Strict):
    """The cell's text."""

    column: str
    optional: bool = Field(default=False, description="True: an empty cell gives null instead of a fault.")


class FromDay(_Strict):
    """A day, written as *format* says (``dd/mm/yyyy``)."""

    day: str
    format: str | None = None
    optional: bool = False


class FromNumber(_Strict):
    """A number; *decimal* is the sign before its fractions."""

    number: str
    decimal: Literal[".", ","] = "."
    optional: bool = False


class FromSetting(_Strict):
    """Something that the connector was told: its agency or its source."""

    setting: Literal["agency", "source"]


def _shape(value: Any) -> str:
    if isinstance(value, FromColumn | FromDay | FromNumber | FromSetting):
        return next(iter(type(value).model_fields))
    if isinstance(value, dict):
        return next(
            (key for key in ("column", "day", "number", "setting") if isinstance(value.get(key), str)), "object"
        )
    return "constant"


Cell = Annotated[
    Annotated[FromColumn, Tag("column")]
    | Annotated[FromDay, Tag("day")]
    | Annotated[FromNumber, Tag("number")]
    | Annotated[FromSetting, Tag("setting")]
    | Annotated[str | int | bool | date, Tag("constant")],
    Discriminator(_shape),
]
#: A field of an event: one cell (or constant), or an object of such, as `person` is.
Value = Annotated[
    Annotated[FromColumn, Tag("column")]
    | Annotated[FromDay, Tag("day")]
    | Annotated[FromNumber, Tag("number")]
    | Annotated[FromSetting, Tag("setting")]
    | Annotated[str | int | bool | date, Tag("constant")]
    | Annotated[dict[str, Cell], Tag("object")],
    Discriminator(_shape),
]


class When(_Strict):
    """All of it must hold for a row to give the event."""

    filled: tuple[str, ...] = ()
    empty: tuple[str, ...] = ()
    equals: dict[str, str] = Field(default_factory=dict)


class EventRule(_Strict):
    """One event that a row may give. Rules of the same *step* state the same thing: of them the first that holds counts."""

    step: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,30}$")]
    type: str
    when: When = When()
    data: dict[str, Value]

    @field_validator("type")
    @classmethod
    def _known(cls, value: str) -> str:
        if value not in CATALOGUE or value == "feed.reported":
            raise ValueError(f"unknown event type {value}; known are {', '.join(CATALOGUE)}")
        return value


class Updated(_Strict):
    """The column that holds the row's own time, local to the deployment."""

    column: str
    format: str = "dd/mm/yyyy HH:MM:SS"


class Stamp(_Strict):
    """Where an export's file name says when it was made: *pattern* with a group ``stamp``, read by *format* (strptime)."""

    pattern: str = r"-(?P<stamp>\d{8}T\d{6}[+-]\d{4})\.csv$"
    format: str = "%Y%m%dT%H%M%S%z"

    @field_validator("pattern")
    @classmethod
    def _has_group(cls, value: str) -> str:
        try:
            groups = re.compile(value).groupindex
        except re.error as error:
            raise ValueError(f"not a regular expression: {error}") from None
        if "stamp" not in groups:
            raise ValueError("name the part that is the time: (?P<stamp>…)")
        return value


class Mapping(_Strict):
    """How to read one register."""

    register_: str = Field(alias="register", pattern=r"^[a-z0-9]+(?:[-.][a-z0-9]+)*$")
    encoding: str = "utf-8-sig"
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ","
    key: str
    updated: Updated | None = None
    stamp: Stamp = Stamp()
    days: str = "dd/mm/yyyy"
    events: tuple[EventRule, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _formats(self) -> Self:
        for text in self._formats_used():
            strptime_format(text)
        return self

    def _formats_used(self) -> Iterable[str]:
        yield self.days
        if self.updated:
            yield self.updated.format
        for value in self._values():
            if isinstance(value, FromDay) and value.format:
                yield value.format

    def _values(self) -> Iterable[Any]:
        waiting: list[Any] = [value for rule in self.events for value in rule.data.values()]
        while waiting:
            value = waiting.pop()
            if isinstance(value, dict):
                waiting.extend(value.values())
            else:
                yield value

    @property
    def types(self) -> tuple[str, ...]:
        """The short event types that this register gives, each once."""
        return tuple(dict.fromkeys(rule.type for rule in self.events))

    def columns(self) -> tuple[str, ...]:
        """Return every heading that the mapping reads, each once."""
        found = [self.key] + ([self.updated.column] if self.updated else [])
        for rule in self.events:
            found += [*rule.when.filled, *rule.when.empty, *rule.when.equals]
        for value in self._values():
            match value:
                case FromColumn(column=name) | FromDay(day=name) | FromNumber(number=name):
                    found.append(name)
                case _:
                    pass
        return tuple(dict.fromkeys(found))

    def export_time(self, file_name: str) -> datetime | None:
        """Return when the export named *file_name* was made; None where its name does not say."""
        match = re.search(self.stamp.pattern, file_name)
        if match is None:
            return None
        try:
            moment = datetime.strptime(match["stamp"], self.stamp.format)  # noqa: DTZ007 - a missing zone is refused below
        except ValueError:
            return None
        return moment if moment.tzinfo is not None else None


def strptime_format(text: str) -> str:
    """Return what ``dd/mm/yyyy HH:MM:SS`` is to strptime; a text with ``%`` stays. Raises ValueError where no part is known."""
    if "%" in text:
        return text
    if not _PART.search(text):
        raise ValueError(f"`{text}` is no form of a date; write dd/mm/yyyy, yyyy-mm-dd or dd/mm/yyyy HH:MM:SS")
    return _PART.sub(lambda part: _PARTS[part[0]], text)
