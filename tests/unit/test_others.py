"""We beside other places and beside the year before: values, days, bounds, ranks."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction

import pytest

from services.core.others import Ours, Outcome, Why, against
from services.core.others_course import Basis, Kind, Published, lead, value_on, year_before

DAY = date(2008, 9, 30)
YEAR_BEFORE = date(2007, 9, 30)


def figure(day: date, percent: int | Fraction | None, who: str = "x", kind: Kind = Kind.OTHER, **more) -> Published:
    ratio = None if percent is None else Fraction(percent, 100)
    return Published(indicator="i", who=who, kind=kind, day=day, ratio=ratio, source=f"s{day:%m%d}", **more)


def ours(percent: int | None, low: int | None = None, high: int | None = None) -> Ours:
    share, least, most = (
        None if one is None else Fraction(one, 100)
        for one in (percent, percent if low is None else low, percent if high is None else high)
    )
    return Ours(ratio=share, low=least, high=most)


def last_year(*course: tuple[date, int]) -> list[Published]:
    return [figure(day, percent, "2007", Kind.LAST_YEAR) for day, percent in course]


def test_last_year_reached_todays_figure_on_a_day():
    """20 % on 30 September 2007, 40 % on 30 December 2007: 30 % is half the way, 45.5 days, reached on 15 November."""
    found = against(ours(30), last_year((date(2007, 9, 30), 20), (date(2007, 12, 30), 40)), DAY).besides[0]

    assert found.compared == YEAR_BEFORE
    assert (found.value.ratio, found.value.basis, found.value.age) == (Fraction(1, 5), Basis.PUBLISHED, 0)
    assert (found.lead.days, found.lead.reached, found.lead.at_least) == (Fraction(91, 2), date(2007, 11, 15), False)
    assert found.judged.outcome is Outcome.AHEAD
    assert found.sources == ("s0930", "s1230")


def test_between_two_figures_of_last_year_the_value_goes_straight():
    """A third of the way from 10 to 40 % is 20 %; both figures' sources are told."""
    course = last_year((date(2007, 9, 20), 10), (date(2007, 10, 20), 40))
    value = value_on(course, YEAR_BEFORE, DAY)

    assert (value.ratio, value.basis, value.day, value.age) == (
        Fraction(1, 5),
        Basis.INTERPOLATED,
        date(2007, 9, 20),
        10,
    )
    assert value.sources == ("s0920", "s1020")


def test_another_place_is_compared_by_its_last_figure_not_after_the_day():
    """What is published for a later day is no part of the comparison, nor of the days."""
    course = [figure(date(2008, 8, 31), 20), figure(date(2008, 10, 1), 90)]
    found = against(ours(30), course, DAY).besides[0]

    assert (found.value.ratio, found.value.basis, found.value.age) == (Fraction(1, 5), Basis.HELD, 30)
    assert found.gap == Fraction(1, 10)
    assert found.lead is None


def test_behind_another_place_by_the_days_since_it_stood_here():
    """It passed our 20 % half-way between 10 % on 1 June and 30 % on 1 August: 90.5 days before the day."""
    course = [figure(date(2008, 6, 1), 10), figure(date(2008, 8, 1), 30)]
    found = against(ours(20), course, DAY).besides[0]

    assert (found.lead.days, found.lead.reached) == (Fraction(-181, 2), date(2008, 7, 2))
    assert found.judged.outcome is Outcome.BEHIND


@pytest.mark.parametrize(
    ("percent", "days"),
    [
        pytest.param(50, 92, id="never reached by 31 December, 92 days after the day"),
        pytest.param(5, -122, id="above it since the first figure, 31 May, 122 days before"),
    ],
)
def test_what_the_course_does_not_hold_is_at_least_so_far_off(percent, days):
    """The day lies beyond the file's first or last figure."""
    course = last_year((date(2007, 5, 31), 10), (date(2007, 12, 31), 40))
    found = lead(course, Fraction(percent, 100), YEAR_BEFORE, DAY)

    assert (found.days, found.at_least, found.reached) == (days, True, None)


def test_a_single_figure_of_the_day_tells_no_days_unless_it_is_ours():
    """One figure is no course."""
    course = [figure(DAY, 20)]

    assert lead(course, Fraction(1, 4), DAY, DAY) is None
    assert lead(course, Fraction(1, 10), DAY, DAY) is None
    assert lead(course, Fraction(1, 5), DAY, DAY).days == 0


def test_on_a_level_stretch_the_days_end_where_it_ends_nearest_to_the_day():
    """Where they stood still at our figure: ahead to its first day, behind since its last."""
    course = last_year(
        (date(2007, 8, 1), 10), (date(2007, 9, 10), 20), (date(2007, 9, 20), 20), (YEAR_BEFORE, 30),
        (date(2007, 10, 10), 40), (date(2007, 10, 20), 40), (date(2007, 10, 30), 50),
    )  # fmt: skip

    assert lead(course, Fraction(2, 5), YEAR_BEFORE, DAY).days == 10
    assert lead(course, Fraction(1, 5), YEAR_BEFORE, DAY).days == -10


def test_beside_an_older_last_figure_like_ours_no_days_are_told():
    """They stood here 30 days ago, and nobody knows how far they are today: level, and no "0 days"."""
    found = against(ours(20), [figure(date(2008, 7, 31), 10), figure(date(2008, 8, 31), 20)], DAY).besides[0]

    assert (found.judged.outcome, found.lead) == (Outcome.LEVEL, None)


def test_a_course_that_fell_is_read_on_the_side_of_the_difference():
    """30 % in June, 10 % in August, 20 % today: at 25 % we are ahead, though they stood there on their way down."""
    course = last_year((date(2007, 6, 30), 30), (date(2007, 8, 31), 10), (YEAR_BEFORE, 20), (date(2007, 10, 30), 30))

    assert lead(course, Fraction(1, 4), YEAR_BEFORE, DAY).days == 15
    assert lead(course, Fraction(3, 20), YEAR_BEFORE, DAY).days == -15


def test_null_is_never_nought():
    """Nothing published and nothing of ours are no 0 %: no gap, no days, no rank."""
    nothing = against(ours(0), [figure(DAY, None)], DAY)
    not_ours = against(ours(None), [figure(DAY, 0)], DAY)

    assert nothing.besides[0].value is None
    assert nothing.besides[0].judged.why is Why.NOT_THEIRS
    assert not_ours.besides[0].judged.why is Why.NOT_OURS
    assert not_ours.besides[0].gap is None
    assert nothing.ranking is not_ours.ranking is None


def test_an_unpublished_day_leaves_the_last_published_one():
    """A row that says "none published" hides no earlier figure."""
    value = value_on([figure(date(2008, 8, 31), 20), figure(DAY, None)], DAY, DAY)

    assert (value.ratio, value.age) == (Fraction(1, 5), 30)


def test_a_figure_older_than_allowed_decides_nothing():
    """It is shown, with its age, and has neither verdict nor rank; on the last day allowed it has both."""
    course = [figure(DAY - timedelta(days=93), 20)]
    old, just = against(ours(30), course, DAY, oldest=92), against(ours(30), course, DAY, oldest=93)

    assert (old.besides[0].judged.why, old.besides[0].value.age, old.ranking) == (Why.TOO_OLD, 93, None)
    assert (just.besides[0].judged.outcome, just.ranking.rank) == (Outcome.AHEAD, 1)


@pytest.mark.parametrize(
    ("percent", "outcome"),
    [(42, Outcome.AHEAD), (41, Outcome.LEVEL), (40, Outcome.LEVEL), (39, Outcome.LEVEL), (38, Outcome.BEHIND)],
)
def test_within_the_margin_both_are_level(percent, outcome):
    """One point more or less is level, included."""
    assert against(ours(percent), [figure(DAY, 40)], DAY).besides[0].judged.outcome is outcome


def test_silent_agencies_that_could_turn_it_are_told():
    """38 to 52 % around 45 %: beside 40 % from behind to ahead, so nothing can be told; beside 30 % ahead in any case."""
    wide = ours(45, 38, 52)
    unsure, sure, open_ = (against(wide, [figure(DAY, percent)], DAY).besides[0].judged for percent in (40, 30, 45))

    assert (unsure.outcome, unsure.why) == (Outcome.UNKNOWN, Why.COVERAGE)
    assert (unsure.at_low, unsure.at_high) == (Outcome.BEHIND, Outcome.AHEAD)
    assert (sure.outcome, sure.settled) == (Outcome.AHEAD, True)
    assert (open_.why, open_.settled) == (Why.COVERAGE, False)


def test_one_sided_bounds_leave_a_verdict_and_say_what_else_it_could_be():
    """Ahead, and level if the silent were at 0 %."""
    judged = against(ours(45, 41, 52), [figure(DAY, 40)], DAY).besides[0].judged

    assert (judged.outcome, judged.at_low, judged.at_high) == (Outcome.AHEAD, Outcome.LEVEL, Outcome.AHEAD)
    assert not judged.settled


def test_rank_median_and_the_best_comparable():
    """Among 50, 40, 40 and 20 % our 40 % is second of five; the one marked not comparable is shown, and moves nothing."""
    others = [
        figure(DAY, 50, "a"), figure(DAY, 40, "b"), figure(DAY, 40, "c"), figure(DAY, 20, "d"),
        figure(DAY, 99, "e", comparable=False, note="departments only"), *last_year((YEAR_BEFORE, 95)),
    ]  # fmt: skip
    found = against(ours(40, 30, 60), others, DAY)
    ranking = found.ranking

    assert (ranking.rank, ranking.of, ranking.best, ranking.worst) == (2, 5, 1, 4)
    assert (ranking.lower, ranking.median, ranking.upper) == (Fraction(35, 100), Fraction(2, 5), Fraction(425, 1000))
    assert (ranking.leader, ranking.leader_ratio) == ("a", Fraction(1, 2))
    assert [one.who for one in found.besides] == ["e", "2007", "a", "b", "c", "d"]
    assert (found.besides[0].judged.why, found.besides[0].note) == (Why.NOT_COMPARABLE, "departments only")


def test_a_figure_that_is_not_comparable_gives_way_to_one_that_is():
    """A later figure that counts differently hides no comparable one, and is no part of the course."""
    course = [
        figure(date(2008, 8, 1), 10), figure(date(2008, 9, 1), 30), figure(date(2008, 9, 20), 5, comparable=False),
    ]  # fmt: skip
    found = against(ours(20), course, DAY).besides[0]

    assert (found.value.ratio, found.value.age, found.comparable) == (Fraction(3, 10), 29, True)
    assert found.lead.days == Fraction(-89, 2)


def test_the_year_before_a_leap_day():
    """29 February 2008 is compared with 28 February 2007."""
    assert year_before(date(2008, 2, 29)) == date(2007, 2, 28)
    assert year_before(date(2009, 2, 28)) == date(2008, 2, 28)
