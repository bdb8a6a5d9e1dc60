"""From a notice to its letter. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from schemas.warnings import Notice, Transition
from services.alerts.core.letter import FeedLetter, Heading, LagLetter
from services.alerts.core.message import Evidence, feed_letter, lag_letter
from services.alerts.core.notices import contact_of, is_feed
from services.core.assess import Assessment
from services.core.lifecycle import is_open
from services.core.transitions import feed_standings
from services.core.warning_records import fold


def compose(
    assessment: Assessment, notice: Notice, transitions: Iterable[Transition], *, written: date
) -> LagLetter | FeedLetter | None:
    """Return the letter of *notice*, *written* on that local day; None where the directory no longer knows whom to write to.

    *transitions* are all of the agency's, or of the owner's feeds', in the order of the log. Raises ValueError where those of
    the notice are not among them.
    """
    every = tuple(transitions)
    told = [one for one in every if one.id in set(notice.transitions)]
    if not told:
        raise ValueError(f"notice {notice.id} speaks of transitions that nobody recorded")
    to = contact_of(assessment.directory, notice)
    if to is None:
        return None
    plan, language = assessment.plan, notice.language
    heading = Heading(
        language=language,
        plan_title=plan.title.text(language),
        decision_number=plan.decision.number,
        decision_day=plan.decision.day,
        signer=plan.decision.signer,
        start=plan.start,
        deadline=plan.deadline,
        day=assessment.day,
        written=written,
        operations=assessment.directory.operations,
        to=to,
    )
    evidence = Evidence(
        plan=plan,
        directory=assessment.directory,
        day=assessment.day,
        histories=assessment.histories,
        feeds=feed_standings(assessment),
        plans=assessment.plans,
    )
    states = fold(every)
    if any(is_feed(one) for one in told):
        return feed_letter(evidence, heading, told, states)
    return lag_letter(evidence, heading, notice.agency, told, states)


def open_counts(states: Iterable[Transition]) -> dict[str, int]:
    """Return how many warnings are open, of lags and of feeds."""
    counts = {"lag": 0, "feed": 0}
    for one in states:
        if is_open(one):
            counts["feed" if is_feed(one) else "lag"] += 1
    return counts
