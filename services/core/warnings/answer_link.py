"""What a link to the answer page stands for: who may answer for whom, and until when. Pure; signing is done elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal, TypeGuard

_VERSION: Final = 1
_TEXTS: Final = 4  # plan, agency, role, notice


@dataclass(frozen=True, kw_only=True, slots=True)
class AnswerLink:
    """The right to answer, in the name of a *role*, the warnings that *notice* is about.

    Of a notice about feeds *agency* is the owner's first feed. *expires* counts in whole seconds.
    """

    plan: str
    agency: str
    role: str
    notice: str
    language: Literal["vi", "en"]
    expires: datetime

    def valid(self, now: datetime) -> bool:
        """Return whether the link may still be followed."""
        return now < self.expires


def content_of(link: AnswerLink) -> list[str | int]:
    """Return what is signed: short, for it stands in a URL."""
    texts = (link.plan, link.agency, link.role, link.notice)
    return [_VERSION, *texts, link.language, int(link.expires.timestamp())]


def link_of(content: Any) -> AnswerLink | None:
    """Return the link that *content* stands for; None where it is none, as that of another version."""
    if not isinstance(content, list) or len(content) != _TEXTS + 3 or content[0] != _VERSION:
        return None
    *texts, language, expires = content[1:]
    if not all(isinstance(one, str) for one in texts) or not _is_language(language) or type(expires) is not int:
        return None
    plan, agency, role, notice = texts
    try:
        until = datetime.fromtimestamp(expires, UTC)
    except (OverflowError, OSError, ValueError):
        return None
    return AnswerLink(plan=plan, agency=agency, role=role, notice=notice, language=language, expires=until)


def _is_language(value: Any) -> TypeGuard[Literal["vi", "en"]]:
    return value in ("vi", "en")
