"""What a mail about feeds says."""

from __future__ import annotations

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from schemas.warnings import Transition, TransitionReason
from services.alerts.core.book import Book
from services.alerts.core.evidence import Evidence
from services.alerts.core.feed_letter import DeadFeed, FeedLetter
from services.alerts.core.letter import Heading, Resolved
from services.alerts.core.news import news_of
from services.alerts.core.notices import is_feed
from services.core.warnings.lifecycle import is_open


def feed_letter(evidence: Evidence, heading: Heading, told: Sequence[Transition], book: Book) -> FeedLetter:
    """Return the mail about *told*, transitions of feeds: what is out still, what is new of it first, and what has returned."""
    by_feed: dict[tuple[str, str], list[Transition]] = {}
    for one in told:
        if is_feed(one):
            by_feed.setdefault((one.agency, one.cause), []).append(one)
    out: list[DeadFeed] = []
    returned: list[Resolved] = []
    for subject, ones in sorted(by_feed.items()):
        last, feed = book.last(subject) or ones[-1], evidence.feed(subject[0])
        title = feed.title.text(heading.language) if feed else subject[0]
        if not is_open(last) or feed is None:
            reason = last.reason if not is_open(last) else TransitionReason.NO_LONGER_JUDGED
            returned.append(Resolved(title=title, reason=reason.value, since=last.since))
            continue
        known = evidence.feeds.get(feed.id)
        agencies, indicators = evidence.held_back(feed, heading.language)
        news = news_of(ones, book, lambda _: None)
        out.append(
            DeadFeed(
                feed=feed.id,
                title=title,
                source=feed.source,
                types=feed.types,
                state=known.state if known else "silent",
                last_covered=known.last_covered if known else None,
                since=last.since,
                rhythm=feed.rhythm,
                news=news[0] if news else None,
                answered=book.answered(subject, ZoneInfo(evidence.directory.zone)),
                indicators=indicators,
                agencies=agencies,
            )
        )
    out.sort(key=lambda one: one.reminder)
    return FeedLetter(heading=heading, feeds=tuple(out), returned=tuple(returned))
