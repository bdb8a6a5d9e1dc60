"""Which range a forecast should have, and which pace: candidates side by side, on courses that the bench does not use.

Not a bench: nothing of it stands in the results. The table of docs/adr/0029-range-of-the-forecast.md comes from here.
Candidates were thought out on seeds 11 to 13; the ones below, never looked at before the choice was made, are printed.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from bench.forecast import AFTER, AHEAD, DEADLINE, SHAPES, TARGET, counted, courses
from services.core.schedule.pace import FLAT, LONG, WINDOW, paces_of_windows

SEEDS: Final = (101, 102, 103, 104, 105)
EACH: Final = 200  # courses of a shape and a seed
OTHERS: Final = ("turns", "batches", "dips")
END: Final = DEADLINE + AFTER  # later days are as late as this
MISSED: Final = 10  # what a day outside of the range costs, in days of width: 2 ÷ 0.2, for a range of 80 %
EARLY: Final = 40  # days after the start: a history shorter than twelve weeks
GAPS: Final = 0.25  # share of days without a figure

Floats = NDArray[np.float64]
Range = tuple[Floats, Floats]


def others(rng: np.random.Generator, shape: str) -> Floats:
    """Return a course of a kind that the bench does not have."""
    days = DEADLINE + AFTER
    mean = float(TARGET) / (rng.uniform(0.55, 1.6) * DEADLINE)
    daily = np.full(days, mean)
    at = 0
    while at < days:
        length = int(rng.integers(14, 70))
        match shape:
            case "turns":  # each span has a pace of its own
                daily[at : at + length] = rng.exponential(mean)
            case "batches":  # trainings: nothing for weeks, then many at once
                daily[at : at + length] = 0
                daily[at : at + 3] = rng.exponential(mean) * length / 3
            case _:  # now and then a fortnight of falling figures
                daily[at : at + 14] = -mean
                daily[at + 14 : at + 28] = 2 * mean
                at += 28
        at += length
    return counted(rng, np.cumsum(daily))


def slopes(windows: Floats) -> Floats:
    """Return Theil and Sen's slope of each row; any length, no gaps."""
    size = windows.shape[1]
    found = []
    for at in range(0, len(windows), 1024):
        some = windows[at : at + 1024]
        pairs = np.concatenate([(some[:, lag:] - some[:, :-lag]) / lag for lag in range(1, size)], axis=1)
        pairs.sort(axis=1)
        found.append((pairs[:, (pairs.shape[1] - 1) // 2] + pairs[:, pairs.shape[1] // 2]) / 2)
    return np.concatenate(found)


def sens_limits(windows: Floats) -> Range:
    """Return Sen's limits at 90 %, with Kendall's variance of S under ties: the range that there was before."""
    size = windows.shape[1]
    pairs = np.concatenate([(windows[:, lag:] - windows[:, :-lag]) / lag for lag in range(1, size)], axis=1)
    pairs.sort(axis=1)
    equal = np.concatenate([(one[:, :, None] == one[:, None, :]).sum(axis=2) for one in np.array_split(windows, 20)])
    variance = (size * (size - 1) * (2 * size + 5) - ((equal - 1) * (2 * equal + 5)).sum(axis=1)) / 18
    reach, number = 1.6448536269514722 * np.sqrt(variance), pairs.shape[1]
    lower = np.clip(np.floor((number - reach) / 2).astype(np.int64) - 1, 0, number - 1)
    upper = np.clip(np.ceil((number + reach) / 2).astype(np.int64), 0, number - 1)
    rows = np.arange(len(windows))
    return pairs[rows, lower], pairs[rows, upper]


def widest(*paces: Floats, factor: float = 1) -> Range:
    """Return slowest and fastest of *paces*, the slowest divided and the fastest multiplied by *factor*."""
    slow, fast = np.minimum.reduce(paces), np.maximum.reduce(paces)
    return np.minimum(slow, slow / factor), np.maximum(fast, fast * factor)


def candidates(until: Floats) -> tuple[dict[str, Range], dict[str, Floats]]:
    """Return name → range and name → pace at the last day of the rows of *until*, 84 days of history or more."""
    last = until.shape[1] - 1

    def recent(ago: int, days: int = WINDOW) -> Floats:
        end = last + 1 - ago
        return slopes(until[:, end - days : end])

    def ends(since: int, until_ago: int = 0) -> Floats:
        gained: Floats = (until[:, last - until_ago] - until[:, last - since]) / (since - until_ago)
        return gained

    four = {ago: recent(ago) for ago in range(0, 57, 7)}
    now, eight, start, twelve = four[0], recent(0, 56), ends(last), ends(LONG - 1)
    fortnights = [ends(ago + 14, ago) for ago in range(0, 71, 14) if ago + 14 <= last]
    ranges = {
        "Sen's limits at 90 %, as before": sens_limits(until[:, -WINDOW:]),
        "three four-week paces apart": widest(*(four[ago] for ago in (0, 28, 56))),
        "four-week paces every 14 days": widest(*(four[ago] for ago in range(0, 57, 14))),
        "four-week paces every 7 days": widest(*four.values()),
        "three apart, and since the start": widest(*(four[ago] for ago in (0, 28, 56)), start),
        "recent pace, and six fortnights": widest(now, *fortnights),
        "recent, eight weeks, since the start": widest(now, eight, start),
        "half … double, recent": widest(now, factor=2),
        "half … double, recent and 8 weeks": widest(now, ends(55), factor=2),
        "half … double, recent and 12 weeks": widest(now, twelve, factor=2),
        "half … double, recent and since the start": widest(now, start, factor=2),
        "half … double, three apart": widest(*(four[ago] for ago in (0, 28, 56)), factor=2),
        "1/1.5 … 1.5, recent and 12 weeks": widest(now, twelve, factor=1.5),
        "1/3 … 3, recent and 12 weeks": widest(now, twelve, factor=3),
    }
    paces = {
        "28 days, as now": now,
        "42 days": recent(0, 42),
        "56 days": eight,
        "84 days": recent(0, 84),
        "28 days, first to last": ends(28),
        "mean of 28 and 56 days": (now + eight) / 2,
        "mean of 28 days and since the start": (now + start) / 2,
        "mean of 28 days and 12 weeks": (now + twelve) / 2,
    }
    return ranges, paces


def arrival(actual: Floats, pace: Floats, day: int) -> Floats:
    """Return the day on which *pace* reaches the target; infinite where it never does."""
    days = np.full(len(actual), np.inf)
    moving = pace > FLAT
    days[moving] = day + np.ceil((float(TARGET) - actual[moving]) / pace[moving] - 1e-6)
    return days


def judged(actual: Floats, found: Range, day: int, true: Floats) -> str:
    """Return: true days in the range / ranges open at the end / median width of the others / interval score, in days.

    The score is the width and ten days for each day by which the true one lies outside (T. Gneiting, A. E. Raftery, JASA
    102, 2007); in it, days after the end of the simulation, and never, are that end.
    """
    first, last = (arrival(actual, pace, day) for pace in (found[1], found[0]))
    arrives = np.isfinite(true)
    inside = ((first <= true) & (true <= last))[arrives].mean()
    closed = np.isfinite(last)
    low, high, then = (np.minimum(one, END) for one in (first, last, true))
    score = high - low + MISSED * (np.maximum(low - then, 0) + np.maximum(then - high, 0))
    width = np.median(last[closed] - first[closed])
    return f"{inside:.0%} / {1 - closed.mean():.0%} / {width:.0f} / {score.mean():.0f}"


def as_built(until: Floats, rng: np.random.Generator, gaps: float) -> Range:
    """Return the range that the services give, where a share of *gaps* of the days before the last has no figure."""
    windows = np.full((len(until), LONG), np.nan)
    seen = until[:, -LONG:]
    windows[:, -seen.shape[1] :] = seen
    windows[:, :-1][rng.random((len(windows), LONG - 1)) < gaps] = np.nan
    _, low, high = paces_of_windows(windows)
    return low, high


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog="example: python -m bench.forecast_trial --seeds 11 12"
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS)
    seeds = parser.parse_args().seeds
    makers: dict[str, tuple[tuple[str, ...], Callable[[np.random.Generator, str], Floats]]] = {
        "the bench's shapes": (SHAPES, courses),
        "other shapes": (OTHERS, others),
    }
    for name, (shapes, make) in makers.items():
        grown = []
        for seed in seeds:
            rng = np.random.default_rng(seed)
            grown += [make(rng, shape) for shape in shapes for _ in range(EACH)]
        whole = np.array(grown)
        over = whole >= float(TARGET)
        reached = np.where(over.any(axis=1), over.argmax(axis=1), np.inf)
        rows: dict[str, dict[int, str]] = {}
        rightly: dict[str, dict[int, str]] = {}
        for ahead in (DEADLINE - EARLY, *AHEAD):
            day = DEADLINE - ahead
            open_ = reached > day
            until, true, actual = whole[open_, : day + 1], reached[open_], whole[open_, day]
            for gaps in (0.0, GAPS):
                found = as_built(until, np.random.default_rng(seeds[0]), gaps)
                rows.setdefault(f"as built, {gaps:.0%} of days missing", {})[ahead] = judged(actual, found, day, true)
            if day < LONG:
                continue
            ranges, paces = candidates(until)
            for candidate, found in ranges.items():
                rows.setdefault(candidate, {})[ahead] = judged(actual, found, day, true)
            now = (arrival(actual, paces["28 days, as now"], day) <= DEADLINE) == (true <= DEADLINE)
            for candidate, pace in paces.items():
                right = (arrival(actual, pace, day) <= DEADLINE) == (true <= DEADLINE)
                gain = right.astype(np.float64) - now
                error = gain.std() / np.sqrt(len(gain))
                text = f"{right.mean():.1%} ({100 * gain.mean():+.1f} ± {100 * error:.1f})"
                rightly.setdefault(candidate, {})[ahead] = text
        _printed(f"{name}: in range / open / median days wide / score", rows)
        _printed(f"{name}: deadlines rightly called (against 28 days, points, standard error)", rightly)


def _printed(title: str, rows: dict[str, dict[int, str]]) -> None:
    aheads = (DEADLINE - EARLY, *AHEAD)
    table = Table(title=title)
    table.add_column("candidate")
    for ahead in aheads:
        table.add_column(f"{ahead} ahead", justify="right")
    for candidate, found in rows.items():
        table.add_row(candidate, *(found.get(ahead, "") for ahead in aheads))
    Console(width=150).print(table)


if __name__ == "__main__":
    main()
