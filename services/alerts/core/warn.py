"""From a notice to its letter. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from schemas.policy import Period, Policy
from schemas.warnings import Answer, Notice, Transition, TransitionReason
from services.alerts.core.book import Book
from services.alerts.core.digest import digest_letter
from services.alerts.core.digest_letter import DigestLetter
from services.alerts.core.digest_records import DigestGround, DigestReader, Lateness
from services.alerts.core.evidence import Evidence
from services.alerts.core.feed_letter import FeedLetter
from services.alerts.core.feed_message import feed_letter
from services.alerts.core.letter import DisputeLetter, Heading, LagLetter
from services.alerts.core.message import dispute_letter, lag_letter
from services.alerts.core.notices import contact_of, is_feed
from services.alerts.core.planning import CHANNEL
from services.core.schedule.assess import Assessment
from services.core.warnings.lifecycle import is_open
from services.core.warnings.transitions import feed_standing

#: Everything that can be sent as a mail.
Letter = LagLetter | FeedLetter | DisputeLetter | DigestLetter


class Writer:
    """Writes the letters of one plan on one day. Made once for many notices: each costs what it tells.

    *policy*: the one in force, which says how often who reads digests. *late*: indicator → days behind of every agency on the
    day judged; without it digests ask for each agency's standing.
    """

    def __init__(
        self,
        assessment: Assessment,
        *,
        policy: Policy | None = None,
        late: Lateness | None = None,
    ) -> None:
        self._policy = policy
        self._late = late
        self._evidence = Evidence(
            plan=assessment.plan,
            directory=assessment.directory,
            day=assessment.day,
            histories=assessment.histories,
            feeds={
                feed: feed_standing(feed, states[-1], assessment.plan.start)
                for feed, states in assessment.feeds.items()
                if states and states[-1].day == assessment.day
            },
            plans=assessment.plans,
        )

    def compose(
        self,
        notice: Notice,
        life: Iterable[Transition],
        answers: Iterable[Answer] = (),
        *,
        written: date,
        answer_url: str | None = None,
    ) -> Letter | None:
        """Return the letter of *notice*, *written* on that local day; None where the directory no longer knows whom to write to.

        *life*: all transitions of the agency's warnings, or of the owner's feeds', in the order of the log; for a digest those
        of the period told and the last one of every warning. *answers*: what is recorded of the answers taken up.
        *answer_url*: where the receiver may answer. Raises ValueError where nothing that the notice tells is in *life*.
        """
        evidence, book = self._evidence, Book(life, answers)
        told = book.told(notice.transitions)
        if not told and notice.about != "digest":
            raise ValueError(f"notice {notice.id} speaks of transitions that nobody recorded")
        heading = self._heading(notice, written, answer_url)
        if heading is None:
            return None
        if notice.about == "digest":
            return digest_letter(DigestGround.of(evidence, book, self._late), heading, self._reader(notice))
        if all(one.reason is TransitionReason.DISPUTED for one in told):
            return dispute_letter(evidence, heading, told[0].agency, told, book)
        if any(is_feed(one) for one in told):
            return feed_letter(evidence, heading, told, book)
        return lag_letter(evidence, heading, notice.agency, told, book)

    def _heading(self, notice: Notice, written: date, answer_url: str | None) -> Heading | None:
        plan, directory = self._evidence.plan, self._evidence.directory
        to = directory.operations if notice.recipient == CHANNEL else contact_of(directory, notice)
        if to is None:
            return None
        return Heading(
            language=notice.language,
            plan_title=plan.title.text(notice.language),
            decision_number=plan.decision.number,
            decision_day=plan.decision.day,
            signer=plan.decision.signer,
            start=plan.start,
            deadline=plan.deadline,
            day=self._evidence.day,
            written=written,
            operations=directory.operations,
            to=to,
            plan=plan.plan,
            recipient=notice.recipient,
            answer_url=answer_url,
        )

    def _reader(self, notice: Notice) -> DigestReader:
        first = notice.period or self._evidence.day
        guess: Period = "week" if first.weekday() == 0 else "month"
        levels = self._policy.levels if self._policy is not None else ()
        period = next((one.digest for one in levels if one.to == notice.recipient and one.digest), guess)
        return DigestReader(agency=notice.agency, role=notice.recipient, period=period, first=first)


def compose(assessment: Assessment, notice: Notice, life: Iterable[Transition], *, written: date) -> Letter | None:
    """Return the letter of one *notice*. Who writes several makes a :class:`Writer`."""
    return Writer(assessment).compose(notice, life, written=written)


def open_counts(states: Iterable[Transition]) -> dict[str, int]:
    """Return how many warnings are open, of lags and of feeds."""
    counts = {"lag": 0, "feed": 0}
    for one in states:
        if is_open(one):
            counts["feed" if is_feed(one) else "lag"] += 1
    return counts
