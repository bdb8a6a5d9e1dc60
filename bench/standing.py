"""Standing of 12,000 agencies × 10 indicators: one day, a year, and what ``tiendo standing`` takes.

The figures are synthetic and stand in ``adoption`` as a worker would have put them there. A day is: read from ClickHouse the
figures of the 28 days that end on it and the earliest of twelve weeks, paces, standing, rows written to ``standing``.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path
from time import perf_counter
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bench.measure import Result
from bench.standing_world import DAY, EPOCH, START, directory, fill, plan, publish
from schemas.plan import Indicator, Plan
from services.core.definition import definition_of
from services.core.schedule.curves_many import Curves
from services.core.schedule.pace import LONG, WINDOW, paces_of_windows
from services.core.schedule.standing_many import NEVER, VERDICTS, Cells, Standings, judge_many
from services.core.schedule.trajectory import curve_for
from services.infra.clickhouse.client import ClickHouse, ClickHouseAddress, open_clickhouse
from services.infra.clickhouse.migrate import migrate
from tests.fixtures.chdb import ChdbServer

YEAR: Final = 366
_BLOCK: Final = 30  # days judged in one reading for the history; the year is scaled from it
_RUNS: Final = 3


def read(
    database: ClickHouse, hashes: list[str], days: int, *, dense: int, fewest: int
) -> tuple[list[tuple[str, str]], NDArray[np.int64], NDArray[np.int64]]:
    """Return (definition, agency) per row, and numerators and denominators in ten-thousandths, a column per day.

    Of the days before the last *dense* ones only the earliest of at least *fewest* cases, which is all that paces ask for.
    """
    names, agencies, found, done, of, first, first_done, first_of = database.columns(
        "SELECT definition, agency, groupArrayIf(dateDiff('day', day, toDate32(%(day)s)), day > toDate32(%(day)s) - %(dense)s), "
        "groupArrayIf(toInt64(numerator * 10000), day > toDate32(%(day)s) - %(dense)s), "
        "groupArrayIf(toInt64(denominator * 10000), day > toDate32(%(day)s) - %(dense)s), "
        "dateDiff('day', minIf(day, denominator >= %(fewest)s), toDate32(%(day)s)), "
        "toInt64(argMinIf(numerator, day, denominator >= %(fewest)s) * 10000), "
        "toInt64(argMinIf(denominator, day, denominator >= %(fewest)s) * 10000) "
        "FROM adoption FINAL WHERE definition IN %(hashes)s "
        "AND day > toDate32(%(day)s) - %(days)s AND day <= toDate32(%(day)s) "
        "GROUP BY definition, agency",
        {"hashes": tuple(hashes), "day": DAY.isoformat(), "days": days, "dense": dense, "fewest": fewest},
    )
    rows = np.repeat(np.arange(len(names)), [len(one) for one in found])
    numerators, denominators = (np.zeros((len(names), days), dtype=np.int64) for _ in range(2))
    columns = days - 1 - np.concatenate([np.asarray(one, dtype=np.int64) for one in found])
    known = np.flatnonzero(np.asarray(first) < days)  # without any such day ClickHouse gives 1970
    for values, earliest, each in ((numerators, first_done, done), (denominators, first_of, of)):
        values[known, days - 1 - np.asarray(first)[known]] = np.asarray(earliest, dtype=np.int64)[known]
        values[rows, columns] = np.concatenate([np.asarray(one, dtype=np.int64) for one in each])
    return list(zip(names, agencies, strict=True)), numerators, denominators


def ratios(plan: Plan, done: NDArray[np.int64], of: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the ratios that paces are taken from: NaN where there are too few cases."""
    few = of < plan.minimum.items * 10_000
    found: NDArray[np.float64] = np.divide(done, of, out=np.full(of.shape, np.nan), where=~few)
    return found


def compute(
    plan: Plan,
    keys: list[tuple[str, str]],
    figures: tuple[NDArray[np.int64], NDArray[np.int64]],
    course: NDArray[np.float64],
    day: date,
) -> Standings:
    """Return the standings of *day*, whose *figures* are, of everything in *keys*; *course*: the ratios of 84 days."""
    places = {
        definition.hash: at
        for at, indicator in enumerate(plan.indicators)
        if (definition := definition_of(indicator, plan)) is not None
    }
    curves = Curves([curve_for(one.targets[0], plan) for one in plan.indicators])
    slope, low, high = paces_of_windows(course)
    size = len(keys)
    now, total = figures
    cells = Cells(
        curve=np.array([places[definition] for definition, _ in keys], dtype=np.int64),
        day=np.full(size, (day - START).days, dtype=np.int64),
        ratio=np.divide(now, total, out=np.full(size, np.nan), where=total > 0),
        too_few=total < plan.minimum.items * 10_000,
        connected=np.ones(size, dtype=np.bool_),
        low=low,
        slope=slope,
        high=high,
        behind_after=plan.behind_after,
    )
    return judge_many(cells, curves, lambda cell: Fraction(int(now[cell]), int(total[cell])))


def write(
    database: ClickHouse,
    keys: list[tuple[str, str]],
    definitions: dict[str, Indicator],
    figures: tuple[NDArray[np.int64], NDArray[np.int64]],
    judged: Standings,
    day: date,
) -> None:
    """Append *judged* to ``standing``."""
    size = len(keys)
    done, of = (column.tolist() for column in figures)
    names = {definition: one.id for definition, one in definitions.items()}
    targets = {definition: float(one.targets[0].target) for definition, one in definitions.items()}
    days = {NEVER: None} | {step: START + timedelta(days=step) for step in range(-1, 366 + 3700)}

    def optional(values: NDArray[np.float64]) -> list[float | None]:
        return [None if value != value else value for value in values.tolist()]

    columns: dict[str, list[Any]] = {
        "plan": ["p"] * size,
        "revision": [1] * size,
        "indicator": [names[definition] for definition, _ in keys],
        "agency": [agency for _, agency in keys],
        "day": [day] * size,
        "numerator": [one // 10_000 for one in done],
        "denominator": [one // 10_000 for one in of],
        "ratio": [a / b for a, b in zip(done, of, strict=True)],
        "measured_share": [1.0] * size,
        "planned": judged.planned.tolist(),
        "target": [targets[definition] for definition, _ in keys],
        "verdict": [str(VERDICTS[code]) for code in judged.verdict.tolist()],
        "days_behind": optional(judged.days_behind),
        "spi": optional(judged.spi),
        "needed_pace": optional(judged.needed_pace),
        "recent_pace": optional(judged.recent_pace),
        "forecast": [days[one] for one in judged.forecast.tolist()],
        "forecast_low": [days[one] for one in judged.forecast_low.tolist()],
        "forecast_high": [days[one] for one in judged.forecast_high.tolist()],
        "feed_state": ["reporting"] * size,
        "provisional": [0] * size,
        "judged_day": [day] * size,
        "basis": [int(EPOCH.timestamp()) * 1_000_000] * size,  # microseconds need no conversion, row by row
    }
    database.insert("standing", list(columns), list(columns.values()))


def _command(port: int, *options: str) -> float:
    """Return how long ``tiendo standing`` takes, the whole process."""
    env = os.environ | {"TIENDO_CLICKHOUSE_PORT": str(port)}
    began = perf_counter()
    subprocess.run(
        [sys.executable, "-m", "services.cli", "standing", "--plan", "p", *options],
        env=env,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return perf_counter() - began


def measure(history: int = YEAR) -> list[Result]:
    """Measure; ``standing`` holds *history* days when the command is asked."""
    judged_by = plan()
    hashes = {definition.hash: one for one in judged_by.indicators if (definition := definition_of(one, judged_by))}
    days, fewest = _BLOCK + LONG - 1, int(judged_by.minimum.items)
    with tempfile.TemporaryDirectory(prefix="tiendo-bench-") as folder:
        server = ChdbServer(Path(folder) / "chdb" / "db")
        server.start()
        try:
            address = ClickHouseAddress(port=server.port)
            migrate(address)
            with open_clickhouse(address) as database:
                publish(database, judged_by, directory())
                fill(database, list(hashes), days)
                one_day = []
                for _ in range(_RUNS):
                    began = perf_counter()
                    keys, done, of = read(database, list(hashes), LONG, dense=WINDOW, fewest=fewest)
                    figures = done[:, -1], of[:, -1]
                    judged = compute(judged_by, keys, figures, ratios(judged_by, done, of), DAY)
                    computed = perf_counter() - began
                    write(database, keys, hashes, figures, judged, DAY)
                    one_day.append((perf_counter() - began, computed))
                began = perf_counter()
                keys, done, of = read(database, list(hashes), days, dense=days, fewest=fewest)
                course = ratios(judged_by, done, of)
                # A day is written while the next one is computed; the thread alone uses the connection meanwhile.
                with ThreadPoolExecutor(1) as writer:
                    written = []
                    for at in range(LONG - 1, days):
                        day = DAY - timedelta(days=days - 1 - at)
                        figures = done[:, at], of[:, at]
                        judged = compute(judged_by, keys, figures, course[:, at - LONG + 1 : at + 1], day)
                        written.append(writer.submit(write, database, keys, hashes, figures, judged, day))
                    for one in written:
                        one.result()
                year = (perf_counter() - began) * YEAR / _BLOCK
                for first in range(_BLOCK, history, 30):
                    database.run(
                        "INSERT INTO standing SELECT * REPLACE(day - back AS day) FROM standing "
                        "ARRAY JOIN range(%(first)s, %(end)s) AS back WHERE day = toDate32(%(day)s)",
                        {"day": DAY.isoformat(), "first": first, "end": min(first + 30, history)},
                    )
            asked = min(_command(server.port, "--agency", "a00017") for _ in range(_RUNS))
            csv = min(_command(server.port, "--format", "csv") for _ in range(_RUNS))
        finally:
            server.stop()
    return [
        Result("standing_12000_units_s", round(min(one_day)[0], 2), "s", _RUNS),
        Result("standing_12000_units_unwritten_s", round(min(one for _, one in one_day), 2), "s", _RUNS),
        Result("standing_year_s", round(year), f"s, scaled from {_BLOCK} days", 1),
        Result("standing_cli_s", round(asked, 2), "s, one agency", _RUNS),
        Result("standing_cli_all_s", round(csv, 2), "s, 120,000 rows as CSV", _RUNS),
    ]


def bench() -> list[Result]:
    """12,000 agencies with a year's history."""
    return measure()


def main() -> None:
    """Measure with another history than a year's."""
    parser = argparse.ArgumentParser(epilog="example: python -m bench.standing --history 60")
    parser.add_argument("--history", type=int, default=YEAR)
    for result in measure(parser.parse_args().history):
        print(f"{result.name} {result.value:,} {result.unit}")


if __name__ == "__main__":
    main()
