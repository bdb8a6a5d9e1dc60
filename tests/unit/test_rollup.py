"""Roll-ups: sums over agencies, counted once, between what the silent agencies could make of them."""

from datetime import date
from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from schemas.directory import Directory
from services.core.schedule.coverage import Coverage, FeedState
from services.core.schedule.rollup import By, Sums, mean_sums, overs_of, sums_of
from services.core.schedule.standing import NO_FIGURE, Case, Standing, figure_of, judge
from tests.fixtures.standing import OWNER
from tests.unit.test_standing_verdict import DEADLINE, START, line

DAY = date(2008, 9, 30)


def standing(agency: int, done: int, of: int, state: FeedState = FeedState.REPORTING, target: int = 50) -> Standing:
    figure = figure_of(Decimal(done), Decimal(of), measured_share=1.0, minimum=10) if of else NO_FIGURE
    return judge(
        Case(plan="p", revision=1, indicator="i", agency=f"a{agency}"),
        day=DAY,
        figure=figure,
        curve=line(Fraction(target, 100)),
        behind_after=7,
        pace=None,
        coverage=Coverage(state, DAY, state is not FeedState.REPORTING),
    )


@st.composite
def standings(draw: st.DrawFn, *, states: tuple[FeedState, ...] = tuple(FeedState)) -> list[Standing]:
    found = []
    for agency in range(draw(st.integers(0, 8))):
        of = draw(st.integers(0, 500))
        found.append(
            standing(agency, draw(st.integers(0, of)), of, draw(st.sampled_from(states)), draw(st.integers(1, 100)))
        )
    return found


def contains(sums: Sums) -> bool:
    if sums.ratio is None:
        return sums.low is None or (sums.low == 0 and sums.high == 1)
    return sums.low is not None and sums.high is not None and 0 <= sums.low <= sums.ratio <= sums.high <= 1


@given(standings(), standings(), st.fractions(Fraction(1, 10), 10))
def test_the_bounds_always_contain_the_figure(some: list[Standing], others: list[Standing], weight: Fraction) -> None:
    """Whatever the silent agencies said before, the figure lies between their being at 0 % and at 100 %; in a mean too."""
    parts = [sums_of(some), sums_of(others)]
    mean = mean_sums([(parts[0], weight), (parts[1], Fraction(1))])

    assert all(contains(sums) for sums in parts)
    if mean.ratio is not None:
        assert mean.low is not None
        assert mean.high is not None
        assert mean.low <= mean.ratio <= mean.high


@given(standings(states=(FeedState.REPORTING, FeedState.PARTIAL)))
def test_full_coverage_makes_the_bounds_the_figure(some: list[Standing]) -> None:
    """Where nobody is silent there is nothing to allow for."""
    sums = sums_of(some)

    assert sums.low == sums.ratio == sums.high


@given(standings(), standings())
def test_sums_do_not_depend_on_how_agencies_are_divided(some: list[Standing], others: list[Standing]) -> None:
    """The sums of two sets of agencies together are the sums of both."""
    both, one, two = sums_of([*some, *others]), sums_of(some), sums_of(others)

    for name in ("numerator", "denominator"):
        total = (getattr(one, name) or 0) + (getattr(two, name) or 0)
        assert (getattr(both, name) or 0) == total


def test_a_silent_agency_is_bounded_by_nothing_and_all() -> None:
    """60 of 100 reporting and 20 of 100 silent: 40 %, at least 30 %, at most 80 %."""
    sums = sums_of([standing(0, 60, 100), standing(1, 20, 100, FeedState.SILENT)])

    assert (sums.ratio, sums.low, sums.high) == (Fraction(40, 100), Fraction(30, 100), Fraction(80, 100))


def test_an_agency_that_never_connected_counts_as_large_as_the_others() -> None:
    """Two of 100 cases each and one unknown: what is known is two thirds of what there may be."""
    never = standing(2, 5, 100, FeedState.NEVER_CONNECTED)
    sums = sums_of([standing(0, 60, 100), standing(1, 30, 100), never])

    assert (sums.numerator, sums.denominator) == (90, 200)
    assert (sums.low, sums.high) == (Fraction(90, 300), Fraction(190, 300))


def test_the_planned_value_is_weighted_by_denominators() -> None:
    """100 people at a plan of 50 % and 300 at one of 30 % are planned to be 35 % together, on the deadline and before."""
    sums = sums_of([standing(0, 0, 100, target=50), standing(1, 0, 300, target=30)])

    assert sums.target == Fraction(35, 100)
    assert sums.planned == Fraction(35, 100) * Fraction((DAY - START).days, (DEADLINE - START).days)


def test_a_parent_is_everything_below_it_once() -> None:
    """A parent's roll-up holds itself and all below; all holds everybody; each agency once."""
    directory = Directory.model_validate(
        {
            "directory": "d",
            "in_force_from": START,
            "groups": {"offices": {"vi": "Các sở"}},
            "operations": OWNER | {"role": "operations"},
            "agencies": [
                {"id": "a0", "name": {"vi": "Tỉnh"}},
                {"id": "a1", "name": {"vi": "Sở"}, "parent": "a0", "groups": ["offices"]},
                {"id": "a2", "name": {"vi": "Phòng"}, "parent": "a1"},
            ],
            "feeds": [],
        }
    )

    found = {(over.by, over.name): over.agencies for over in overs_of(directory)}

    assert found == {
        (By.ALL, ""): {"a0", "a1", "a2"},
        (By.GROUP, "offices"): {"a1"},
        (By.PARENT, "a0"): {"a0", "a1", "a2"},
        (By.PARENT, "a1"): {"a1", "a2"},
    }
