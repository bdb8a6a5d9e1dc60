"""Which warnings a silence, a maintenance window or a route means."""

from __future__ import annotations

from schemas.directory import Agency
from schemas.policy import Match
from schemas.warnings import Transition


def matches(match: Match, one: Transition, agency: Agency | None) -> bool:
    """Return whether *match* means the warning of *one*; *agency* is the directory's entry of the agency warned."""
    kind, _, name = one.cause.partition(":")
    if kind == "feed":
        only_lags = match.agencies or match.groups or match.indicators or match.severities
        return name in match.feeds if match.feeds else not only_lags
    groups = agency.groups if agency is not None else ()
    return (
        not match.feeds
        and (not match.agencies or one.agency in match.agencies)
        and (not match.groups or any(group in match.groups for group in groups))
        and (not match.indicators or name in match.indicators)
        and (not match.severities or one.severity in match.severities)
    )
