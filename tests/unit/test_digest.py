"""Digests: what they count, what stands first, and that they stay short however much there is to tell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.directory import Agency
from schemas.policy import ROLES
from schemas.warnings import Severity, Transition
from services.alerts.adapters.letters import Letters
from services.alerts.core.book import Book
from services.alerts.core.digest import FEWER, MOST, digest_letter
from services.alerts.core.digest_letter import DigestLetter
from services.alerts.core.digest_records import DigestGround, DigestReader
from services.alerts.core.evidence import Evidence
from services.alerts.core.letter import LagLetter
from services.alerts.core.samples import sample_letters
from services.core.schedule.standing import Standing
from tests import alerts_world as world
from tests.mail_lives import Life, R, S, province

HEADING = sample_letters()[0].heading
FIRST = date(2008, 9, 29)
WEEK = DigestReader(agency="tinh", role="department-in-charge", period="week", first=FIRST)
SAMPLE: Standing = next(one for one in sample_letters() if isinstance(one, LagLetter)).lags[0].standing


class Late(Mapping[tuple[str, str], tuple[Standing, ...]]):
    """Everybody is behind: the agency's number is its days, and no standing is kept."""

    def __getitem__(self, key: tuple[str, str]) -> tuple[Standing, ...]:
        days = int(key[1].rpartition("-")[2]) % 400
        return (replace(SAMPLE, indicator=key[0], agency=key[1], day=world.DAY, days_behind=Fraction(days)),)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        raise AssertionError("nobody walks through all standings")

    def __len__(self) -> int:
        raise AssertionError("nobody counts all standings")


def country(agencies: int, indicators: int) -> Evidence:
    """Return a country of that many agencies under one top, all with a target in every indicator."""
    top = Agency.model_validate({"id": "tinh", "name": {"vi": "Cả nước"}})
    below = tuple(
        Agency.model_validate(
            {"id": f"xa-{at}", "name": {"vi": f"Uỷ ban nhân dân xã số {at}, huyện Phú Lương"}, "parent": "tinh",
             "groups": ["departments"]}
        )
        for at in range(agencies)
    )  # fmt: skip
    plan = world.plan()
    made = tuple(
        plan.indicators[0].model_copy(
            update={"id": f"i{at}", "title": plan.indicators[0].title.model_copy(update={"vi": f"Văn bản trao đổi qua "
                    f"mạng giữa lãnh đạo tỉnh và các sở, ban, ngành, loại {at}"})}
        )
        for at in range(indicators)
    )  # fmt: skip
    return Evidence(
        plan=plan.model_copy(update={"indicators": made}),
        directory=world.directory().model_copy(update={"agencies": (top, *below)}),
        day=world.DAY,
        histories=Late(),
        feeds={},
        plans=(),
    )


def all_behind(evidence: Evidence) -> list[Transition]:
    """Return one opening of everybody's warnings in everything, a week ago, brought to the department in charge."""
    life = Life("so-y-te", "lag:email-use")
    like = life.then(
        R.MISSED, S.OPEN, "2008-09-24", "2008-09-22", severity=Severity.CRITICAL, level="department-in-charge"
    )
    return [
        like.model_copy(
            update={"agency": agency.id, "cause": f"lag:{indicator.id}", "id": f"{agency.id}{indicator.id}"}
        )
        for agency in evidence.directory.agencies[1:]
        for indicator in evidence.plan.indicators
    ]


def test_a_digest_of_a_country_that_is_behind_in_everything_stays_short() -> None:
    """12,000 agencies in ten indicators: twenty rows, the worst first, the rest counted; below 100 kB."""
    evidence = country(12_000, 10)
    transitions = all_behind(evidence)

    letter = digest_letter(DigestGround.of(evidence, Book(transitions)), HEADING, WEEK)
    rendered = Letters().render(letter, key="k")

    assert (letter.counts.agencies, letter.counts.open, letter.counts.critical) == (12_000, 120_000, 120_000)
    assert (letter.reached.of, letter.counts.newly, letter.counts.opened) == (120_000,) * 3
    assert len(letter.reached.rows) == MOST
    assert {one.days_behind for one in letter.reached.rows} == {399.0}
    assert [(one.warned, one.judged, one.worst) for one in letter.indicators.rows] == [(12_000, 12_000, 399.0)] * 10
    assert "119.980" in rendered.text
    assert len(rendered.html.encode()) + len(rendered.text.encode()) < 100_000
    assert all(len(line) <= 78 for line in rendered.text.splitlines())


def test_of_everything_else_ten_rows_are_shown() -> None:
    """Answers, endings and feeds without end make the letter no longer."""
    evidence = country(300, 2)
    lives: list[Life] = []
    for at in range(300):
        life = Life(f"xa-{at}", "lag:i0")
        life.then(R.FELL_BEHIND, S.OPEN, "2008-09-10", "2008-09-08")
        life.then(R.ACKNOWLEDGED, S.ACKNOWLEDGED, "2008-09-23", acknowledged=True, answer=f"a{at}")
        life.then(R.CAUGHT_UP, S.RESOLVED, "2008-09-26")
        lives.append(life)
    letter = digest_letter(DigestGround.of(evidence, Book(one for life in lives for one in life.told)), HEADING, WEEK)

    assert (letter.answers.of, len(letter.answers.rows), letter.answers.more) == (300, FEWER, 300 - FEWER)
    assert (letter.ended.of, len(letter.ended.rows)) == (300, FEWER)
    assert (letter.reached.of, letter.counts.open, letter.counts.resolved) == (0, 0, 300)
    assert "… và 290 dòng khác" in Letters().render(letter, key="k").text


steps = st.lists(
    st.tuples(
        st.sampled_from([R.WORSENED, R.UNANSWERED, R.ACKNOWLEDGED, R.ACCEPTED, R.DISPUTED, R.STILL_BEHIND, R.CAUGHT_UP]),
        st.integers(0, 10),
    ),
    max_size=5,
)  # fmt: skip


def lived(agency: str, rows: list[tuple[Any, int]]) -> Life:
    """Return a life that follows *rows*: what happens, and how many days later."""
    life, day = Life(agency, "lag:email-use"), date(2008, 9, 1)
    life.then(R.FELL_BEHIND, S.OPEN, day.isoformat(), "2008-08-30")
    states = {R.ACKNOWLEDGED: S.ACKNOWLEDGED, R.ACCEPTED: S.ANSWERED, R.DISPUTED: S.ANSWERED, R.CAUGHT_UP: S.RESOLVED}
    for reason, later in rows:
        day = min(day + timedelta(days=later), world.DAY)
        last = life.told[-1]
        if last.state is S.RESOLVED:
            break
        answered = reason in (R.ACKNOWLEDGED, R.ACCEPTED, R.DISPUTED)
        life.then(
            reason,
            states.get(reason, last.state),
            day.isoformat(),
            **({"acknowledged": True, "answer": f"x{day}"} if answered else {}),
            **({"promised": "2008-12-01" if reason is R.ACCEPTED else None} if answered else {}),
            **({"level": ROLES[min(ROLES.index(last.level) + 1, 3)]} if reason is R.UNANSWERED else {}),
            **({"severity": Severity.CRITICAL} if reason is R.WORSENED else {}),
        )
    return life


@settings(deadline=None, max_examples=40)  # the machine may be busy
@given(st.lists(steps, min_size=3, max_size=3))
def test_a_digest_counts_what_was_recorded(lives: list[list[tuple[Any, int]]]) -> None:
    """Open by severity and by answer, and the period's events, against plain counting; states and recent ones suffice."""
    made = [lived(agency, rows) for agency, rows in zip(("so-y-te", "so-tai-chinh", "so-xay-dung"), lives, strict=True)]
    every = [one for life in made for one in life.told]
    last = [life.told[-1] for life in made]
    recent = [one for one in every if one.day >= FIRST - timedelta(days=31)]
    opened = [one for one in last if one.state is not S.RESOLVED]
    period = Counter(one.reason for one in every if WEEK.since <= one.day < FIRST)

    letter, again = (digest(records) for records in (every, [*recent, *last]))

    assert letter == again
    counts = letter.counts
    assert counts.open == len(opened) == counts.info + counts.warning + counts.critical
    assert counts.open == counts.unanswered + counts.seen + counts.promising + counts.overdue + counts.disputing
    assert counts.critical == sum(one.severity is Severity.CRITICAL for one in opened)
    assert (counts.acknowledged, counts.accepted, counts.disputed, counts.resolved) == tuple(
        period[reason] for reason in (R.ACKNOWLEDGED, R.ACCEPTED, R.DISPUTED, R.CAUGHT_UP)
    )
    there = [life for life in made if any(one.level in ROLES[2:] and one.day < FIRST for one in life.told)]
    assert counts.reached == sum(life.told[-1] in opened for life in there) == letter.reached.of
    assert counts.newly == sum(row.newly for row in letter.reached.rows)
    assert [row.newly for row in letter.reached.rows] == sorted(
        (row.newly for row in letter.reached.rows), reverse=True
    )


def digest(records: list[Transition], agency: str = "tinh") -> DigestLetter:
    """Return the digest of the small province's department in charge."""
    assessment = province("vi")
    evidence = Evidence(
        plan=assessment.plan,
        directory=assessment.directory,
        day=assessment.day,
        histories=assessment.histories,
        feeds={},
        plans=(),
    )
    return digest_letter(DigestGround.of(evidence, Book(records)), HEADING, replace(WEEK, agency=agency))


def test_a_digest_is_about_what_lies_below_its_reader() -> None:
    """The department in charge of one office reads of that office alone, its feeds included."""
    lives = [lived("so-y-te", [(R.UNANSWERED, 3)]), lived("so-xay-dung", [(R.UNANSWERED, 3)])]
    feed = Life("so-xay-dung.documents", "feed:so-xay-dung.documents")
    feed.then(R.FEED_SILENT, S.OPEN, "2008-08-19", "2008-08-15", level="feed-owner")
    records = [one for life in (*lives, feed) for one in life.told]

    everything, one = digest(records), digest(records, "so-y-te")

    assert (everything.counts.open, everything.counts.judged, everything.feeds.of) == (2, 3, 1)
    assert (one.counts.open, one.counts.judged, one.feeds.of) == (1, 1, 0)
    assert one.area == "Sở Y tế"


@pytest.mark.parametrize(
    ("period", "first", "since", "last"),
    [
        pytest.param("week", date(2008, 9, 29), date(2008, 9, 22), date(2008, 9, 28), id="a week"),
        pytest.param("month", date(2009, 1, 1), date(2008, 12, 1), date(2008, 12, 31), id="over the new year"),
        pytest.param("month", date(2008, 3, 1), date(2008, 2, 1), date(2008, 2, 29), id="a leap February"),
    ],
)
def test_a_digest_tells_the_period_before(period: Any, first: date, since: date, last: date) -> None:
    """Written when a week or month begins, about the one that has ended."""
    reader = DigestReader(agency="tinh", role="chair", period=period, first=first)

    assert reader.since == since
    assert reader.tells(last)
    assert not reader.tells(first)
    assert not reader.tells(since - timedelta(days=1))


def test_verdicts_that_are_no_lag_are_not_told_as_one() -> None:
    """Missed is called missed, ahead is not "behind by −3 days"."""
    rows = digest([one for life in [lived("so-y-te", [(R.UNANSWERED, 3)])] for one in life.told]).reached.rows
    letter = digest([])
    said = [
        Letters().render(replace(letter, reached=replace(letter.reached, rows=(row,), of=1)), key="k").text
        for row in (
            replace(rows[0], missed=True),
            replace(rows[0], days_behind=-3.0),
            replace(rows[0], days_behind=None),
        )
    ]

    assert "không đạt;" in said[0]
    assert "không chậm;" in said[1]
    assert "chưa đánh giá được;" in said[2]
