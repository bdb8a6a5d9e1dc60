"""Types shared by several contracts."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

AGENCY_PATTERN = r"^[a-z0-9]+(?:[-.][a-z0-9]+)*$"
EVENT_PREFIX = "vn.tiendo."
EVENT_SUFFIX = ".v1"

#: An identifier of an agency, group, indicator, plan, feed or scheme: lower-case ASCII words joined by ``-`` or ``.``.
Slug = Annotated[str, StringConstraints(pattern=AGENCY_PATTERN, min_length=1, max_length=64)]
#: A key in some other system: printable, not empty, bounded.
ForeignKey = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
#: A short text for people.
Text = Annotated[str, StringConstraints(min_length=1, max_length=300, strip_whitespace=True)]
#: A civil day that the database can hold: 1900 to 2299.
Day = Annotated[date, Field(ge=date(1900, 1, 1), le=date(2299, 12, 31))]
#: A moment with a zone that the database can hold: 1970 to 2298, as those of events.
Moment = Annotated[AwareDatetime, Field(ge=datetime(1970, 1, 1, tzinfo=UTC), lt=datetime(2299, 1, 1, tzinfo=UTC))]
#: The number of a revision, from 1 to the greatest that the database can hold.
Number = Annotated[int, Field(ge=1, lt=1 << 32)]


class Contract(BaseModel):
    """Base of all contracts: immutable, unknown fields are faults."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Bilingual(Contract):
    """A text in Vietnamese and, where given, in English."""

    vi: Text
    en: Text | None = None

    def text(self, language: str) -> str:
        """Return the text in *language* (``vi`` or ``en``); Vietnamese where there is no English."""
        return self.en if language == "en" and self.en is not None else self.vi


def full_type(short: str) -> str:
    """Return the CloudEvents type of a short name: ``mail.used`` → ``vn.tiendo.mail.used.v1``."""
    return f"{EVENT_PREFIX}{short}{EVENT_SUFFIX}"


def short_type(full: str) -> str:
    """Return the short name of a CloudEvents type; the argument itself where it is not one of ours."""
    if full.startswith(EVENT_PREFIX) and full.endswith(EVENT_SUFFIX):
        return full[len(EVENT_PREFIX) : -len(EVENT_SUFFIX)]
    return full
