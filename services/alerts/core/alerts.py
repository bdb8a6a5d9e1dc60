"""Open warnings as alerts in Prometheus's sense. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from schemas.directory import Directory
from schemas.plan import Plan
from schemas.warnings import Transition
from services.alerts.core.notices import is_feed
from services.core.schedule.earned import whole_days
from services.core.warnings.lifecycle import is_open
from services.core.warnings.warning_records import Subject
from services.core.warnings.warning_words import warning_words_of

LAG: Final = "TiendoLag"
FEED: Final = "TiendoFeed"


@dataclass(frozen=True, kw_only=True, slots=True)
class Alert:
    """One alert: *labels*, sorted by name, are what it is; *started* is real time."""

    labels: tuple[tuple[str, str], ...]
    annotations: tuple[tuple[str, str], ...]
    started: datetime
    link: str | None = None


def alerts_of(
    states: Mapping[Subject, Transition],
    plan: Plan,
    directory: Directory,
    *,
    started: Callable[[Transition], datetime],
    late: Mapping[Subject, float],
    board_url: str | None = None,
) -> tuple[Alert, ...]:
    """Return an alert for each warning of *states* that is open.

    *started*: when, in real time, the opening was recorded. *late*: days behind of (agency, cause), where there are any.
    """
    names = {one.id: one.name.text for one in directory.agencies}
    titles = {f"lag:{one.id}": one.title.text for one in plan.indicators} | {
        f"feed:{one.id}": one.title.text for one in directory.feeds
    }
    found = []
    for subject, one in sorted(states.items()):
        if not is_open(one):
            continue
        behind = None if is_feed(one) else late.get(subject)
        days = whole_days(behind) if behind is not None and behind > 0 else None
        annotations = {"since": one.since.isoformat(), "reason": one.reason.value}
        if days is not None:
            annotations["days_behind"] = str(days)
        for language in ("vi", "en"):
            title = titles[one.cause](language) if one.cause in titles else one.cause.partition(":")[2]
            name = names[one.agency](language) if one.agency in names else one.agency
            annotations[f"summary_{language}"] = _summary(one, name, title, days, language)
        annotations["summary"] = annotations["summary_vi"]
        found.append(
            Alert(
                labels=tuple(sorted(_labels(one).items())),
                annotations=tuple(sorted(annotations.items())),
                started=started(one),
                link=board_url,
            )
        )
    return tuple(found)


def _labels(one: Transition) -> dict[str, str]:
    kind, _, of = one.cause.partition(":")
    labels = {"alertname": FEED, "plan": one.plan, "feed": of}
    if kind == "lag":
        labels = {"alertname": LAG, "plan": one.plan, "agency": one.agency, "indicator": of}
    if one.severity is not None:
        labels["severity"] = one.severity.value
    if one.level:
        labels["level"] = one.level
    return labels | {"state": one.state.value}


def _summary(one: Transition, name: str, title: str, days: int | None, language: str) -> str:
    said = warning_words_of(language).reasons[one.reason]
    about = title if is_feed(one) else f"{name} – {title}"
    if days is None:
        return f"{about}: {said}"
    english = f"{days} day{'' if days == 1 else 's'} behind"
    return f"{about}: {said}, {english if language == 'en' else f'chậm {days} ngày'}"
