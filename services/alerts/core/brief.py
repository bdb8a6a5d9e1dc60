"""A letter in a few lines, for where there is little room: chats, short messages, webhooks. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, assert_never

from schemas.policy import Severity
from schemas.warnings import TransitionReason
from services.alerts.core.digest_letter import DigestLetter
from services.alerts.core.feed_letter import DeadFeed, FeedLetter
from services.alerts.core.letter import Dispute, DisputeLetter, Lag, LagLetter, Resolved
from services.alerts.core.warn import Letter
from services.core.schedule.earned import whole_days
from services.core.warnings.warning_words import WarningWords, warning_words_of

_LINES: Final = 8
_LONGEST: Final = 200  # of one line
_FEEDS: Final = {"vi": "luồng dữ liệu", "en": "data feeds"}
_MORE: Final = {"vi": "và {} việc khác", "en": "and {} more"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Brief:
    """*title*: one line; *body*: at most nine, without markup."""

    title: str
    body: str


def brief(letter: Letter) -> Brief:
    """Return what *letter* tells that is new, in its language, the gravest first."""
    language = letter.heading.language
    words = warning_words_of(language)
    match letter:
        case LagLetter():
            about = letter.agency
            lines = [_lag(one, words) for one in letter.lags if one.news]
            lines += [_ended(one, words) for one in letter.resolved]
        case FeedLetter():
            about = _FEEDS[words.language]
            lines = [_feed(one, words) for one in letter.feeds if one.news is not None]
            lines += [_ended(one, words) for one in letter.returned]
        case DisputeLetter():
            about = letter.agency
            lines = [_dispute(one, words) for one in letter.disputes]
        case DigestLetter():
            about, lines = letter.heading.plan_title, []
        case _:
            assert_never(letter)
    shown = [_clip(line) for line in lines[:_LINES]]
    if len(lines) > _LINES:
        shown.append(_MORE[words.language].format(len(lines) - _LINES))
    return Brief(title=_clip(f"Tiến Độ – {about}"), body="\n".join(shown))


def _lag(lag: Lag, words: WarningWords) -> str:
    parts = [_said(lag.news[0].reason, words)]
    if lag.late and lag.standing.days_behind is not None:
        days = whole_days(lag.standing.days_behind)
        vietnamese, english = f"{days} ngày", f"{days} day{'' if days == 1 else 's'} behind"
        parts.append(english if words.language == "en" else f"chậm {vietnamese}")
    severity = words.severities[Severity(lag.severity)]
    parts.append(severity if words.language == "en" else f"mức {severity}")
    return f"{lag.title}: {'; '.join(parts)}"


def _feed(feed: DeadFeed, words: WarningWords) -> str:
    assert feed.news is not None
    return f"{feed.title}: {_said(feed.news.reason, words)}"


def _ended(one: Resolved, words: WarningWords) -> str:
    return f"{one.title}: {_said(one.reason, words)}"


def _dispute(one: Dispute, words: WarningWords) -> str:
    said = f": “{one.answered.reason}”" if one.answered.reason else ""
    return f"{one.title}: {words.reasons[TransitionReason.DISPUTED]}{said}"


def _said(reason: str, words: WarningWords) -> str:
    return words.reasons[TransitionReason(reason)] if reason in set(TransitionReason) else reason


def _clip(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1].rstrip() + "…"
