"""Run the benches, print the table, write ``bench/results.json``."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench import aggregator, door, evaluation, forecast, forecast_public, ingest, rebuild, standing
from bench.measure import Result

BENCHES: dict[str, Callable[[], list[Result]]] = {
    "gateway": door.bench,
    "gateway_memory": door.memory,
    "postfix": ingest.postfix,
    "rebuild": rebuild.bench,
    "aggregator": aggregator.against,
    "sizes": aggregator.sizes,
    "freshness": aggregator.freshness,
    "standing": standing.bench,
    "evaluation": evaluation.bench,
    "forecast": forecast.bench,
    "forecast_public": forecast_public.bench,
}
RESULTS = Path(__file__).parent / "results.json"


def main() -> None:
    """Measure what is asked for; results of benches not run now are kept."""
    parser = argparse.ArgumentParser(
        description="Measure Tiến Độ on this machine.", epilog="example: make bench ONLY=gateway"
    )
    parser.add_argument("--only", choices=sorted(BENCHES))
    chosen = parser.parse_args().only
    kept = {row["name"]: row for row in json.loads(RESULTS.read_text())} if RESULTS.exists() else {}
    table = Table(title="medians on this machine; ratios taken pair by pair")
    for column in ("name", "value", "unit", "runs"):
        table.add_column(column, justify="right" if column in ("value", "runs") else "left")
    for name, bench in BENCHES.items():
        if chosen in (None, name):
            for result in bench():
                kept[result.name] = asdict(result)
                table.add_row(result.name, f"{result.value:,}", result.unit, str(result.runs))
    RESULTS.write_text(json.dumps(sorted(kept.values(), key=lambda row: row["name"]), indent=2) + "\n")
    Console().print(table)


if __name__ == "__main__":
    main()
