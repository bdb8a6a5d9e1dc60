"""Letters about feeds as values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from services.alerts.core.letter import Answered, Heading, News, Resolved


@dataclass(frozen=True, kw_only=True, slots=True)
class DeadFeed:
    """A feed that is silent, incomplete or was never connected, and what it holds back."""

    feed: str
    title: str
    source: str
    types: tuple[str, ...]
    state: str
    last_covered: date | None
    since: date
    rhythm: str
    news: News | None  # None: nothing new
    answered: Answered | None = None
    indicators: tuple[str, ...]
    agencies: tuple[str, ...]

    @property
    def reminder(self) -> bool:
        """Whether it was told of before."""
        return self.news is None or self.news.reason == "feed-still-out"


@dataclass(frozen=True, kw_only=True, slots=True)
class FeedLetter:
    """The mail to a feed's owner or to operations."""

    heading: Heading
    feeds: tuple[DeadFeed, ...]  # what is new first
    returned: tuple[Resolved, ...]

    @property
    def state(self) -> str:
        """The state that all feeds are in, empty where they differ."""
        states = {one.state for one in self.feeds}
        return states.pop() if len(states) == 1 else ""

    @property
    def mixed(self) -> bool:
        """Whether some are told of for the first time and some are not."""
        return len({one.reminder for one in self.feeds}) == 2

    @property
    def reminder(self) -> bool:
        """Whether no feed is told of for the first time."""
        return bool(self.feeds) and all(one.reminder for one in self.feeds)
