"""Standing of 12,000 agencies × 10 indicators: one day, a year, and what ``tiendo standing`` takes.

The figures are synthetic and stand in ``adoption`` as a worker would have put them there. A day is: read the figures of the 28
days that end on it from ClickHouse, paces, standing, rows written to ``standing``.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from time import perf_counter
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bench.measure import Result
from schemas.directory import Directory
from schemas.plan import Indicator, Plan
from services.core.curves_many import Curves
from services.core.definition import definition_of
from services.core.pace import WINDOW, paces_of_windows
from services.core.standing_many import NEVER, VERDICTS, Cells, Standings, judge_many
from services.core.trajectory import curve_for
from services.infra.clickhouse.client import ClickHouse, ClickHouseAddress, open_clickhouse
from services.infra.clickhouse.migrate import migrate
from tests.fixtures.chdb import ChdbServer

AGENCIES: Final = 12_000
INDICATORS: Final = 10
START, DEADLINE, DAY = date(2008, 1, 1), date(2008, 12, 31), date(2008, 9, 30)
YEAR: Final = 366
_BLOCK: Final = 30  # days judged in one reading for the history; the year is scaled from it
_RUNS: Final = 3
_EPOCH: Final = datetime(2008, 10, 1, tzinfo=UTC)


def _plan() -> Plan:
    facts = ("document.handled", "task.directed", "record.filed")
    indicators = [
        {
            "id": f"i{n}",
            "title": {"vi": f"Chỉ tiêu {n}"},
            "unit": {"vi": "văn bản"},
            # Different periods make ten definitions of three types.
            "measure": {"kind": "items", "facts": facts[n % 3]}
            | ({"period": {"kind": "rolling", "days": 10 + n}} if n > 2 else {}),
            "targets": [{"group": "offices", "target": f"{40 + n} %"}],
        }
        for n in range(INDICATORS)
    ]
    return Plan.model_validate(
        {
            "plan": "p",
            "title": {"vi": "Kế hoạch"},
            "decision": {"number": "1", "day": START, "signer": "UBND"},
            "in_force_from": START,
            "start": START,
            "deadline": DEADLINE,
            "directory": "d",
            "indicators": indicators,
        }
    )


def _directory() -> Directory:
    owner = {"role": "feed-owner", "name": "Trung tâm", "email": "tt@example.vn"}
    return Directory.model_validate(
        {
            "directory": "d",
            "in_force_from": START,
            "groups": {"offices": {"vi": "Các cơ quan"}},
            "operations": owner | {"role": "operations"},
            "agencies": [
                {"id": f"a{n:05}", "name": {"vi": f"Đơn vị {n}"}, "groups": ["offices"]} for n in range(AGENCIES)
            ],
            "feeds": [
                {
                    "id": "docs",
                    "title": {"vi": "Sổ"},
                    "source": "/office",
                    "types": ["document.handled", "task.directed", "record.filed"],
                    "covers": {"all": True},
                    "owner": owner,
                }
            ],
        }
    )


def _publish(database: ClickHouse, plan: Plan, directory: Directory) -> None:
    for kind, name, document in (("plan", "p", plan), ("directory", "d", directory)):
        database.insert(
            "plan_revisions",
            ["kind", "id", "revision", "in_force_from", "published", "document"],
            [[kind], [name], [1], [START], [_EPOCH], [document.model_dump_json(by_alias=True)]],
        )
    database.insert("evaluations", ["plan", "revision", "day", "basis", "inputs"], [["p"], [1], [DAY], [_EPOCH], [""]])


def _fill(database: ClickHouse, hashes: list[str], days: int) -> None:
    """Put *days* days of figures up to the last into ``adoption``: each agency at a pace of its own, with odd days."""
    for hash_ in hashes:
        database.run(
            "INSERT INTO adoption SELECT %(hash)s, concat('a', leftPad(toString(agency), 5, '0')), "
            "toDate32(%(day)s) - ago, least(of, intDiv((274 - ago) * pace, 10) + cityHash64(agency, ago, %(hash)s) %% 3), "
            "of, 1, now64(6) FROM (SELECT intDiv(number, %(days)s) AS agency, number %% %(days)s AS ago, "
            "100 + cityHash64(agency) %% 900 AS of, 1 + cityHash64(agency, %(hash)s) %% 20 AS pace "
            "FROM numbers(%(rows)s))",
            {"hash": hash_, "day": DAY.isoformat(), "days": days, "rows": AGENCIES * days},
        )


def read(
    database: ClickHouse, hashes: list[str], days: int
) -> tuple[list[tuple[str, str]], NDArray[np.int64], NDArray[np.int64]]:
    """Return (definition, agency) per row, and numerators and denominators in ten-thousandths, a column per day."""
    names, agencies, found, done, of = database.columns(
        "SELECT definition, agency, groupArray(dateDiff('day', day, toDate32(%(day)s))), "
        "groupArray(toInt64(numerator * 10000)), groupArray(toInt64(denominator * 10000)) "
        "FROM adoption FINAL WHERE definition IN %(hashes)s "
        "AND day > toDate32(%(day)s) - %(days)s AND day <= toDate32(%(day)s) "
        "GROUP BY definition, agency",
        {"hashes": tuple(hashes), "day": DAY.isoformat(), "days": days},
    )
    rows = np.repeat(np.arange(len(names)), [len(one) for one in found])
    numerators, denominators = (np.zeros((len(names), days), dtype=np.int64) for _ in range(2))
    columns = days - 1 - np.concatenate([np.asarray(one, dtype=np.int64) for one in found])
    numerators[rows, columns] = np.concatenate([np.asarray(one, dtype=np.int64) for one in done])
    denominators[rows, columns] = np.concatenate([np.asarray(one, dtype=np.int64) for one in of])
    return list(zip(names, agencies, strict=True)), numerators, denominators


def compute(
    plan: Plan, keys: list[tuple[str, str]], done: NDArray[np.int64], of: NDArray[np.int64], day: int
) -> Standings:
    """Return the standings of column *day*, counted from the first column, of everything in *keys*."""
    places = {
        definition.hash: at
        for at, indicator in enumerate(plan.indicators)
        if (definition := definition_of(indicator, plan)) is not None
    }
    curves = Curves([curve_for(one.targets[0], plan) for one in plan.indicators])
    window = slice(day - WINDOW + 1, day + 1)
    few = of[:, window] < plan.minimum.items * 10_000
    ratios = np.divide(done[:, window], of[:, window], out=np.full(few.shape, np.nan), where=~few)
    slope, low, high = paces_of_windows(ratios)
    size = len(keys)
    now, total = done[:, day], of[:, day]
    cells = Cells(
        curve=np.array([places[definition] for definition, _ in keys], dtype=np.int64),
        day=np.full(size, (DAY - START).days - (done.shape[1] - 1 - day), dtype=np.int64),
        ratio=np.divide(now, total, out=np.full(size, np.nan), where=total > 0),
        too_few=few[:, -1],
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
        "basis": [int(_EPOCH.timestamp()) * 1_000_000] * size,  # microseconds need no conversion, row by row
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
    plan = _plan()
    hashes = {definition.hash: one for one in plan.indicators if (definition := definition_of(one, plan))}
    days = _BLOCK + WINDOW - 1
    with tempfile.TemporaryDirectory(prefix="tiendo-bench-") as folder:
        server = ChdbServer(Path(folder) / "chdb" / "db")
        server.start()
        try:
            address = ClickHouseAddress(port=server.port)
            migrate(address)
            with open_clickhouse(address) as database:
                _publish(database, plan, _directory())
                _fill(database, list(hashes), days)
                one_day = []
                for _ in range(_RUNS):
                    began = perf_counter()
                    keys, done, of = read(database, list(hashes), WINDOW)
                    judged = compute(plan, keys, done, of, WINDOW - 1)
                    computed = perf_counter() - began
                    write(database, keys, hashes, (done[:, -1], of[:, -1]), judged, DAY)
                    one_day.append((perf_counter() - began, computed))
                began = perf_counter()
                keys, done, of = read(database, list(hashes), days)
                # A day is written while the next one is computed; the thread alone uses the connection meanwhile.
                with ThreadPoolExecutor(1) as writer:
                    written = []
                    for at in range(WINDOW - 1, days):
                        judged = compute(plan, keys, done, of, at)
                        day = DAY - timedelta(days=days - 1 - at)
                        figures = done[:, at], of[:, at]
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
