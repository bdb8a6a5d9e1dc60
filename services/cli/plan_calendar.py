"""``tiendo plan holidays`` and ``tiendo plan baseline``: what a plan's text can be given by the machine."""

from __future__ import annotations

import io
import sys
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

import typer
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq

from schemas.plan import Plan
from services.cli.asked import days_judged
from services.cli.documents import Format, err, out, print_faults, read_text
from services.core.baselines import Baseline, baselines
from services.core.errors import Rejected
from services.core.in_force import directory_in_force
from services.infra.clickhouse.client import open_clickhouse
from services.infra.documents import load_plan
from services.infra.plan_reader import PlanReader
from services.infra.public_holidays import public_holidays
from services.infra.settings import SharedSettings
from services.infra.standing_reader import read_standing

_FILE = typer.Argument(..., help="The plan, in YAML.", exists=True, dir_okay=False)


def holidays(file: Path = _FILE, form: Format = typer.Option(Format.TABLE, "--format", help="table or json.")) -> None:
    """Print the public holidays of Vietnam in a plan's time, Tết included, as its `calendar` states them.

    Days worked in exchange are decided year by year: write them into `working_on`.

    Example: tiendo plan holidays examples/thai-nguyen-2008/plan.yaml
    """
    plan = _plan(file)
    found = {day: name for day, name in public_holidays(plan.start, plan.deadline).items() if day.weekday() < 5}
    if form is Format.JSON:
        out.print_json(data=[{"day": day.isoformat(), "name": name} for day, name in found.items()])
        return
    print("calendar:\n  accrual: working-days\n  holidays:" + ("" if found else " []"))
    for day, name in found.items():
        print(f"    - {day}  # {name}")
    print("  working_on: []")


def baseline(
    file: Path = _FILE,
    on: datetime = typer.Option(
        ..., "--on", formats=["%Y-%m-%d"], metavar="YYYY-MM-DD", help="The day whose measured figures are taken."
    ),
    output: Path | None = typer.Option(None, "--output", help="Where the new text goes; printed, unless given."),
) -> None:
    """Write the figures measured on a day into a plan as its agencies' baselines, for a new revision.

    Each agency gets a target of its own, with its group's target and trajectory, comments stay. Nothing is published: look
    at it with `tiendo plan diff`, then publish it.

    Example: tiendo plan baseline plan.yaml --on 2008-06-30 --output plan-2.yaml && tiendo plan diff plan-2.yaml
    """
    text, plan, day = read_text(file), _plan(file), on.date()
    with open_clickhouse(SharedSettings().clickhouse()) as database:
        directory = directory_in_force(PlanReader(database).directories(plan.directory), day)
        if directory is None:
            raise Rejected(f"directory {plan.directory!r} is not published; see `tiendo agencies publish`")
        rows = read_standing(database, plan.plan, day)
        days = days_judged(PlanReader(database), plan.plan, day)
    if not rows:
        raise Rejected(f"plan {plan.plan!r} was not judged on {day}{days}")
    found = list(baselines(plan, directory.document, rows))
    written = with_baselines(text, found)
    if output is None:
        sys.stdout.write(written)
    else:
        output.write_text(written, encoding="utf-8")
    left = Counter(one.left.value for one in found if one.left is not None)
    taken = sum(one.left is None for one in found)
    about = "".join(f"; {count} without: {why}" for why, count in sorted(left.items()))
    err.print(f"{taken} baselines of {day}{about}", markup=False)
    for one in found:
        if one.percent is not None and one.percent >= one.target.target * 100:
            note = (
                f"{one.indicator}, {one.agency}: {one.percent} % reaches the target already; its trajectory starts at 0"
            )
            err.print(f"  {note}", markup=False)


def with_baselines(text: str, found: list[Baseline]) -> str:
    """Return the plan's *text* with each baseline in a target of its agency; everything else stays as it was written."""
    yaml = YAML(typ="rt")
    yaml.preserve_quotes = True
    yaml.width = 4096
    document: Any = yaml.load(text)
    for indicator in document["indicators"]:
        targets = indicator.get("targets")
        for one in found:
            if one.indicator == indicator["id"] and one.percent is not None and targets is not None:
                _set(targets, one)
    stream = io.StringIO()
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.dump(document, stream)
    return stream.getvalue()


def _set(targets: CommentedSeq, one: Baseline) -> None:
    written = f"{one.percent} %"
    for target in targets:
        if target.get("agency") == one.agency:
            target["baseline"] = written
            return
    group = next((target for target in targets if target.get("group") == one.target.group), None)
    own = CommentedMap(agency=one.agency)
    for name in ("target", "trajectory"):
        if group is not None and name in group:
            own[name] = group[name]
    own["baseline"] = written
    own.fa.set_flow_style()
    targets.append(own)


def _plan(file: Path) -> Plan:
    loaded = load_plan(read_text(file), None)
    if loaded.document is None:
        print_faults(file, loaded.faults)
        raise typer.Exit(1)
    return loaded.document
