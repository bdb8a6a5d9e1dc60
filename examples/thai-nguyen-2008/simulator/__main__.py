"""The command: ``python examples/thai-nguyen-2008/simulator --seed 2008 --until 2008-09-30 --out DIR``."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import date
from pathlib import Path

if __package__ in (None, ""):  # run as a folder: make the package importable by its name
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from rich.console import Console
from rich.progress import Progress

from simulator.oracle import Oracle
from simulator.run import NotThisFolderError, write

_EXAMPLE = """example:
  python examples/thai-nguyen-2008/simulator --seed 2008 --until 2008-09-30 --out /tmp/province \\
      --oracle /tmp/oracle.json --as-of 2008-07-31 --as-of 2008-09-30 --secrets /tmp/secrets.json

Run it again with a later --until on the same folder and the log grows, newer exports appear, nothing old changes."""


def parser() -> argparse.ArgumentParser:
    """Return the command's options."""
    options = argparse.ArgumentParser(
        prog="simulator",
        description="Writes what the systems of a province wrote in 2008: a Postfix log and CSV exports.",
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    options.add_argument("--seed", type=int, default=2008, help="which world (default 2008)")
    options.add_argument("--until", type=date.fromisoformat, required=True, help="last day, YYYY-MM-DD, in 2008")
    options.add_argument("--out", type=Path, required=True, help="folder to write below")
    options.add_argument("--oracle", type=Path, help="write the true figures to this JSON file")
    options.add_argument(
        "--as-of", type=date.fromisoformat, action="append", help="day of the true figures; may be repeated"
    )
    options.add_argument("--secrets", type=Path, help="write every address and personnel number to this JSON file")
    options.add_argument("--quiet", action="store_true", help="no progress bar")
    return options


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit code: 0 done, 2 the options do not fit the folder or the year."""
    options = parser().parse_args(arguments)
    days = sorted(set(options.as_of or [options.until, date(2008, 7, 31)]))
    days = [day for day in days if options.as_of or day <= options.until]
    if late := [day.isoformat() for day in days if day > options.until]:
        sys.stderr.write(f"--as-of {', '.join(late)} lies after --until {options.until}\n")
        return 2
    with Progress(console=Console(stderr=True), disable=options.quiet) as bar:
        task = bar.add_task("Thái Nguyên 2008", total=None)
        try:
            world = write(
                options.seed, options.until, options.out, lambda done, of: bar.update(task, completed=done, total=of)
            )
        except (NotThisFolderError, ValueError) as error:
            sys.stderr.write(f"{error}\n")
            return 2
    oracle = Oracle(world, options.until)
    if options.oracle:
        answer = {
            "seed": options.seed,
            "until": options.until.isoformat(),
            "as_of": oracle.answer(days),
            "mail_uses": oracle.uses_per_day(),
        }
        options.oracle.write_text(json.dumps(answer, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    if options.secrets:
        options.secrets.write_text(json.dumps(oracle.secrets(), indent=0) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
