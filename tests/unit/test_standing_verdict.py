"""Coverage and the verdict."""

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.common import Bilingual
from schemas.directory import Contact, Feed, Selector
from schemas.plan import LinearTrajectory
from services.core.calendar import last_day_of_grace, working_days
from services.core.schedule.coverage import Coverage, FeedDay, FeedState, Reports
from services.core.schedule.pace import Pace
from services.core.schedule.standing import NO_FIGURE, Case, Figure, Standing, Verdict, figure_of, judge, mean_of
from services.core.schedule.trajectory import Curve, curve_of

START, DEADLINE = date(2008, 5, 28), date(2008, 12, 31)
CASE = Case(plan="p", revision=1, indicator="i", agency="a")
SHARES = st.fractions(0, 1, max_denominator=500)


def line(target: Fraction, *, deadline: date = DEADLINE) -> Curve:
    return curve_of(LinearTrajectory(), start=START, deadline=deadline, baseline=None, target=target)


def covered(day: date, state: FeedState = FeedState.REPORTING) -> Coverage:
    return Coverage(state, day, False)


def standing(figure: Figure, day: date, *, curve: Curve | None = None, pace: Pace | None = None) -> Standing:
    return judge(
        CASE,
        day=day,
        figure=figure,
        curve=curve or line(Fraction(1, 2)),
        behind_after=7,
        pace=pace,
        coverage=covered(day),
    )


def share(percent: int, of: int = 100) -> Figure:
    return figure_of(Decimal(percent), Decimal(of), measured_share=1.0, minimum=10)


@pytest.mark.parametrize(
    ("figure", "day", "pace", "verdict"),
    [
        pytest.param(NO_FIGURE, date(2008, 9, 30), None, Verdict.NO_DATA, id="no figure"),
        pytest.param(share(0, of=0), date(2008, 9, 30), None, Verdict.NO_DATA, id="no denominator"),
        pytest.param(share(3, of=3), date(2008, 9, 30), None, Verdict.TOO_FEW, id="three documents in all"),
        pytest.param(share(60), date(2008, 5, 27), None, Verdict.NOT_STARTED, id="before the start"),
        pytest.param(share(50), date(2008, 9, 30), None, Verdict.ACHIEVED, id="target reached"),
        pytest.param(share(50), date(2009, 3, 1), None, Verdict.ACHIEVED, id="target reached, after the deadline"),
        pytest.param(share(49), date(2008, 12, 31), None, Verdict.MISSED, id="deadline over"),
        pytest.param(share(20), date(2008, 9, 30), None, Verdict.BEHIND, id="39 days behind"),
        pytest.param(share(28), date(2008, 9, 30), Pace(0.0001, 0, 0.001), Verdict.AT_RISK, id="too slow"),
        pytest.param(share(28), date(2008, 9, 30), Pace(-0.001, -0.01, 0), Verdict.AT_RISK, id="falling"),
        pytest.param(share(40), date(2008, 9, 30), Pace(0.01, 0.005, 0.02), Verdict.AHEAD, id="weeks ahead"),
        pytest.param(share(28), date(2008, 9, 30), Pace(0.01, 0.005, 0.02), Verdict.ON_TRACK, id="three days behind"),
        pytest.param(share(28), date(2008, 9, 30), None, Verdict.ON_TRACK, id="pace unknown yet"),
    ],
)
def test_verdicts_in_their_order(figure: Figure, day: date, pace: Pace | None, verdict: Verdict) -> None:
    """The first verdict that holds is given."""
    assert standing(figure, day, pace=pace).verdict is verdict


def test_a_feed_that_never_connected_gives_no_data_and_shows_no_figure() -> None:
    """What a feed never said is not shown as low adoption, even where other feeds supply part of the picture."""
    day = date(2008, 9, 30)

    result = judge(
        CASE,
        day=day,
        figure=share(0),
        curve=line(Fraction(1, 2)),
        behind_after=7,
        pace=None,
        coverage=covered(day, FeedState.NEVER_CONNECTED),
    )

    assert (result.verdict, result.ratio, result.numerator, result.days_behind) == (Verdict.NO_DATA, None, None, None)


def test_an_indicator_without_a_target_is_shown_and_not_judged() -> None:
    """Without a target there is a figure and a pace, and neither verdict nor lag."""
    day = date(2008, 9, 30)

    result = judge(
        CASE, day=day, figure=share(30), curve=None, behind_after=7, pace=Pace(0.01, 0, 0.02), coverage=covered(day)
    )

    assert (result.verdict, result.ratio, result.recent_pace, result.days_behind) == (None, Fraction(3, 10), 0.01, None)


def test_while_a_feed_is_silent_the_standing_is_that_of_the_last_covered_day() -> None:
    """A silent feed freezes verdict, lag and plan value; only the day and the feed's state go on."""
    last, day = date(2008, 8, 15), date(2008, 9, 30)

    then = standing(share(12), last)
    now = judge(
        CASE,
        day=day,
        figure=share(12),
        curve=line(Fraction(1, 2)),
        behind_after=7,
        pace=None,
        coverage=Coverage(FeedState.SILENT, last, True),
    )

    assert (now.verdict, now.days_behind, now.planned) == (then.verdict, then.days_behind, then.planned)
    assert (now.day, now.judged_day, now.feed_state, now.provisional) == (day, last, FeedState.SILENT, True)


def test_a_mean_is_exact_and_null_where_a_part_is() -> None:
    """The mean of 1/3 and 1/2 with weights 1 and 3 is 11/24; a part without cases leaves none; one too few, all too few."""
    third, half = share(100, of=300), share(50)

    mean = mean_of([(third, Decimal(1)), (half, Decimal(3))])

    assert (mean.ratio, mean.numerator, mean.denominator) == (Fraction(11, 24), None, None)
    assert mean_of([(third, Decimal(1)), (share(0, of=0), Decimal(1))]).ratio is None
    assert mean_of([(third, Decimal(1)), (share(1, of=3), Decimal(1))]).too_few


@given(
    st.none() | SHARES,
    st.booleans(),
    st.integers(-30, 400),
    SHARES,
    st.none() | st.floats(-1, 1),
    st.sampled_from(list(FeedState)),
    st.integers(0, 30),
)
def test_every_case_has_one_verdict(
    ratio: Fraction | None, few: bool, day: int, target: Fraction, slope: float | None, state: FeedState, after: int
) -> None:
    """Judging is total and deterministic: any figure on any day has a verdict, twice the same."""
    at = START + timedelta(days=day)
    figure = Figure(numerator=None, denominator=None, ratio=ratio, measured_share=None, too_few=few)
    pace = None if slope is None else Pace(slope, slope, slope)

    def result() -> Standing:
        return judge(
            CASE, day=at, figure=figure, curve=line(target), behind_after=after, pace=pace, coverage=covered(at, state)
        )

    assert result().verdict in Verdict
    assert result() == result()


def feed(**changes: object) -> Feed:
    return Feed.model_validate(
        {
            "id": "mail",
            "title": Bilingual(vi="Thư"),
            "source": "/mail",
            "types": ["mail.used"],
            "covers": Selector(all=True),
            "owner": Contact(role="feed-owner", name="Phòng máy", email="x@example.vn"),
        }
        | changes
    )


def reports(days: list[tuple[date, int, int]], kind: str = "mail.used") -> list[FeedDay]:
    return [FeedDay("/mail", kind, day, reported, counted) for day, reported, counted in days]


FRIDAY = date(2008, 9, 26)


@pytest.mark.parametrize(
    ("day", "state"),
    [
        pytest.param(FRIDAY - timedelta(days=1), FeedState.NEVER_CONNECTED, id="before its first day"),
        pytest.param(FRIDAY, FeedState.REPORTING, id="covered"),
        pytest.param(date(2008, 9, 28), FeedState.REPORTING, id="a week-end costs nothing"),
        pytest.param(date(2008, 9, 30), FeedState.REPORTING, id="two working days: the limit"),
        pytest.param(date(2008, 10, 1), FeedState.SILENT, id="three working days"),
    ],
)
def test_a_feed_is_silent_beyond_rhythm_and_limit(day: date, state: FeedState) -> None:
    """A daily feed with 16 working hours that last covered a Friday is silent from Wednesday on."""
    assert Reports(reports([(FRIDAY, 5, 5)])).state(feed(), day).state is state


def test_holidays_are_no_working_days() -> None:
    """A holiday after the last covered day gives the feed one more day."""
    assert Reports(reports([(FRIDAY, 5, 5)]), {date(2008, 9, 29)}).state(feed(), date(2008, 10, 1)).state is (
        FeedState.REPORTING
    )
    assert working_days(FRIDAY, date(2008, 10, 1), {date(2008, 9, 29)}) == 2


def test_an_incomplete_day_is_partial_and_does_not_count_as_covered() -> None:
    """Fewer events counted than reported: partial for 28 days, and the day before is the last covered one."""
    rows = Reports(reports([(FRIDAY, 5, 5), (FRIDAY + timedelta(days=1), 5, 4)]))

    found = rows.state(feed(), FRIDAY + timedelta(days=1))

    assert (found.state, found.covered) == (FeedState.PARTIAL, FRIDAY)


def test_zero_reported_is_covered() -> None:
    """A day on which a feed says that it sent nothing is known, not missing."""
    assert Reports(reports([(FRIDAY, 0, 0)])).state(feed(), FRIDAY).covered == FRIDAY


def test_coverage_takes_the_worst_feed() -> None:
    """A figure that reads two feeds is frozen by the one that fell silent, on the last day that both cover."""
    roster = feed(id="roster", source="/office", types=["official.joined", "official.left"])
    office = [FeedDay("/office", kind, date(2008, 8, 1), 3, 3) for kind in roster.types]
    rows = Reports([*reports([(FRIDAY, 5, 5)]), *office])
    needed = {"mail.used": [feed()], "official.joined": [roster], "official.left": [roster]}

    assert rows.coverage(needed, FRIDAY) == Coverage(FeedState.SILENT, date(2008, 8, 1), True)
    assert rows.coverage({"mail.used": [feed()]}, FRIDAY) == Coverage(FeedState.REPORTING, FRIDAY, False)
    assert rows.coverage(needed | {"task.directed": []}, FRIDAY).state is FeedState.NEVER_CONNECTED


@given(st.integers(0, 60), st.sampled_from(["daily", "weekly", "monthly"]), st.integers(0, 200))
def test_grace_ends_when_more_than_the_limit_has_passed(shift: int, rhythm: str, limit: int) -> None:
    """On the last day of grace the limit is kept, on the next it is not."""
    covered_day = date(2008, 9, 1) + timedelta(days=shift)
    after = covered_day + timedelta(days={"daily": 1, "weekly": 7, "monthly": 31}[rhythm])

    last = last_day_of_grace(covered_day, rhythm=rhythm, limit_hours=limit, holidays=())  # type: ignore[arg-type]

    assert working_days(after, last) * 8 <= limit < working_days(after, last + timedelta(days=1)) * 8
