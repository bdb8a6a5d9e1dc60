"""``tiendo compare --against FILE.csv``: all agencies together, or a group, beside other provinces or the year before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import typer
from rich.console import Console
from rich.markup import escape

from schemas.directory import Directory
from schemas.plan import Plan
from services.cli.against_words import AgainstWords, against_words_of
from services.cli.output import Format, console, print_csv, print_json, table
from services.core.errors import Rejected
from services.core.others import Against, Beside, Judged, Ours, Outcome, Ranking, Why, against
from services.core.others_course import Lead, Published
from services.core.others_rows import Unreadable, read_share
from services.core.schedule.earned import whole_days
from services.core.schedule.standing_words import Words
from services.infra.others_csv import load_others

FIELDS: Final = (
    "indicator", "group", "day", "ratio", "low", "high", "agencies", "silent", "who", "kind", "compared_day", "their_ratio",
    "basis", "their_day", "age", "gap", "verdict", "why", "verdict_low", "verdict_high", "days_ahead", "at_least", "reached",
    "comparable", "note", "sources", "rank", "rank_best", "rank_worst", "of", "lower", "median", "upper", "median_verdict",
    "leader",
)  # fmt: skip

_SHOWN: Final = 100  # faults of a file; who mends these is told the others then
_FEW: Final = 3  # with two others and us, quartiles say no more than the rows do

Row = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The file of the others, the difference up to which both are level, and how many days a last figure is good for."""

    file: Path
    margin: Fraction
    oldest: int


@dataclass(frozen=True, kw_only=True)
class About:
    """The plan and the directory in force on the day judged."""

    plan: Plan
    directory: Directory
    day: date


@dataclass(frozen=True, kw_only=True)
class Found:
    """One indicator of one roll-up (``group`` is empty for all) against the others; ``row`` is that of table ``rollups``."""

    indicator: str
    group: str
    row: Row | None
    against: Against


def read_margin(text: str) -> Fraction:
    """Return the share that an option states. Raises Rejected."""
    try:
        return read_share(text.strip())
    except Unreadable as unreadable:
        raise Rejected(f"--margin: {unreadable}" + (f"; {unreadable.hint}" if unreadable.hint else "")) from unreadable


def compare_with_others(
    asked: Asked,
    about: About,
    rows: Sequence[Row],
    indicators: Sequence[str],
    groups: Sequence[str],
    form: Format,
    words: Words,
) -> None:
    """Print the roll-ups *rows* of the day beside what the file says. Ends with 1 and every fault where it has any.

    Raises Rejected where nothing was judged or the file cannot be read.
    """
    others = load_others(asked.file, {one.id for one in about.plan.indicators}, about.directory.groups)
    if others.faults:
        err = Console(stderr=True, highlight=False, soft_wrap=True)
        for fault in others.faults[:_SHOWN]:
            err.print(fault.text(asked.file.name), markup=False)
        if len(others.faults) > _SHOWN:
            err.print(f"… and {len(others.faults) - _SHOWN:,} more faults", markup=False)
        raise typer.Exit(1)
    if not rows:
        raise Rejected(f"nothing was judged on {about.day} that fits")
    wanted = [one.id for one in about.plan.indicators if not indicators or one.id in indicators]
    found = list(found_of(wanted, groups, rows, others.figures, about.day, asked))
    if form is Format.JSON:
        print_json(records(found, about.day))
    elif form is Format.CSV:
        print_csv(FIELDS, records(found, about.day))
    else:
        print_against(found, about, asked, words)


def found_of(
    indicators: Sequence[str],
    groups: Sequence[str],
    rows: Sequence[Row],
    figures: Sequence[Published],
    day: date,
    asked: Asked,
) -> Iterator[Found]:
    """Yield one comparison per indicator and group that it concerns; *rows* are roll-ups of *day*, *figures* of the same group.

    Without *groups* it is all agencies together, and each group that the file has figures of.
    """
    by_key = {(row["indicator"], row["name"]): row for row in rows}
    for indicator in indicators:
        of_groups: dict[str, list[Published]] = {group: [] for group in groups or [""]}
        for figure in figures:
            if figure.indicator == indicator and (not groups or figure.group in groups):
                of_groups.setdefault(figure.group, []).append(figure)
        for group, mine in of_groups.items():
            row = by_key.get((indicator, group))
            if row is None and group:
                continue
            compared = against(ours_of(row), mine, day, margin=asked.margin, oldest=asked.oldest)
            yield Found(indicator=indicator, group=group, row=row, against=compared)


def ours_of(row: Row | None) -> Ours:
    """Return a roll-up's figure with its bounds: exact from its counts; a mean, kept as a float, to a billionth."""
    if row is None or row["ratio"] is None:
        return Ours(ratio=None, low=None, high=None)
    counted = row["numerator"] is not None and row["denominator"]
    ratio = Fraction(row["numerator"]) / Fraction(row["denominator"]) if counted else _near(row["ratio"])
    if not row["silent"]:
        return Ours(ratio=ratio, low=ratio, high=ratio)
    return Ours(ratio=ratio, low=_near(row["low"]), high=_near(row["high"]))


def records(found: Sequence[Found], day: date) -> list[dict[str, Any]]:
    """Return a record per indicator, group and other; one without the other's fields where the file has no figure."""
    return [_record(one, beside, day) for one in found for beside in one.against.besides or (None,)]


def _record(one: Found, beside: Beside | None, day: date) -> dict[str, Any]:
    row, ranking = one.row or {}, one.against.ranking
    ours = ours_of(one.row)
    judged = beside.judged if beside else Judged(outcome=Outcome.UNKNOWN, why=Why.NOT_THEIRS)
    value, lead = (beside.value, beside.lead) if beside else (None, None)
    known = judged.outcome is not Outcome.UNKNOWN or judged.why is Why.COVERAGE
    values = {
        "indicator": one.indicator, "group": one.group or None, "day": day,
        "ratio": ours.ratio, "low": row.get("low"), "high": row.get("high"),
        "agencies": row.get("agencies"), "silent": row.get("silent"),
        "who": beside.who if beside else None, "kind": beside.kind.value if beside else None,
        "compared_day": beside.compared if beside else None,
        "their_ratio": value.ratio if value else None, "basis": value.basis.value if value else None,
        "their_day": value.day if value else None, "age": value.age if value else None,
        "gap": beside.gap if beside else None,
        "verdict": judged.outcome.value, "why": judged.why.value if judged.why else None,
        "verdict_low": judged.at_low.value if known else None, "verdict_high": judged.at_high.value if known else None,
        "days_ahead": lead.days if lead else None, "at_least": lead.at_least if lead else None,
        "reached": lead.reached if lead else None,
        "comparable": beside.comparable if beside else None, "note": (beside.note or None) if beside else None,
        "sources": list(beside.sources) if beside else None,
        "rank": ranking.rank if ranking else None, "rank_best": ranking.best if ranking else None,
        "rank_worst": ranking.worst if ranking else None, "of": ranking.of if ranking else None,
        "lower": ranking.lower if ranking else None, "median": ranking.median if ranking else None,
        "upper": ranking.upper if ranking else None,
        "median_verdict": ranking.judged.outcome.value if ranking else None,
        "leader": ranking.leader if ranking else None,
    }  # fmt: skip
    return {name: float(value) if isinstance(value, Fraction) else value for name, value in values.items()}


def print_against(found: Sequence[Found], about: About, asked: Asked, words: Words) -> None:
    """Print a table per indicator and group, in the plan's order, and what it comes to."""
    said = against_words_of(words.language)
    out = console()
    titles = {one.id: one.title.text(words.language) for one in about.plan.indicators}
    out.print(
        f"{about.plan.title.text(words.language)} — {words.as_of} {words.date(about.day)}", markup=False, style="bold"
    )
    overs = {group: name.text(words.language) for group, name in about.directory.groups.items()} | {"": said.everybody}
    for one in found:
        if not one.against.besides:
            continue
        shown = table(
            f"{titles[one.indicator]} · {overs[one.group]}", said.headings, right=(said.headings[1], said.headings[3])
        )
        for beside in one.against.besides:
            shown.add_row(*_cells(beside, bool(one.row and one.row["silent"]), said, words))
        out.print()
        out.print(shown)
        for line in (_ours(one, said, words), *_ranked(one.against.ranking, said, words)):
            out.print(f"  {line}", markup=False)
    outcomes = [beside.judged.outcome for one in found for beside in one.against.besides]
    counts = {verdict: outcomes.count(outcome) for outcome, verdict in said.verdicts.items()}
    missing = [f"{titles[one.indicator]} · {overs[one.group]}" for one in found if not one.against.besides]
    out.print()
    if outcomes:
        out.print("   ".join(f"{verdict}: {count}" for verdict, count in counts.items() if count), markup=False)
    if missing:
        out.print(said.missing.format(titles="; ".join(missing)), markup=False)
    margin = f"{words.number(float(asked.margin) * 100)} {words.points}"
    out.print(said.how.format(margin=margin, oldest=asked.oldest), markup=False)


def _cells(one: Beside, silent: bool, said: AgainstWords, words: Words) -> list[str]:
    kind, value, judged = said.kinds[one.kind], one.value, one.judged
    verdict = said.verdicts[judged.outcome] + (f": {said.whys[judged.why]}" if judged.why else "")
    at_bounds = said.bounds.format(low=said.verdicts[judged.at_low], high=said.verdicts[judged.at_high])
    known = silent and (judged.outcome is not Outcome.UNKNOWN or judged.why is Why.COVERAGE)
    sources = "; ".join(one.sources)
    cells = [
        f"{one.who} ({kind})" if kind else one.who,
        words.percent(float(value.ratio)) if value else "–",
        said.basis[value.basis].format(day=words.date(value.day), age=value.age) if value else "–",
        _points(one.gap, words),
        verdict,
        (said.unchanged if judged.settled else at_bounds) if known else "–",
        _days(one.lead, said, words),
        said.source.format(said=sources, note=one.note) if one.note else sources,
    ]
    return [escape(cell) for cell in cells]  # what a file says is never markup


def _points(gap: Fraction | None, words: Words) -> str:
    return f"{'+' if gap > 0 else ''}{words.number(float(gap) * 100)} {words.points}" if gap is not None else "–"


def _days(lead: Lead | None, said: AgainstWords, words: Words) -> str:
    if lead is None:
        return "–"
    whole = whole_days(lead.days)
    text = (said.sooner if whole > 0 else said.later).format(days=abs(whole)) if whole else said.same_day
    text = said.at_least.format(said=text) if lead.at_least else text
    return text + (said.reached.format(day=words.date(lead.reached)) if lead.reached and whole else "")


def _ours(one: Found, said: AgainstWords, words: Words) -> str:
    if one.row is None or one.row["ratio"] is None:
        return said.no_figure
    text = said.ours_bounded if one.row["silent"] else said.ours
    low, high = words.percent(one.row["low"]), words.percent(one.row["high"])
    return text.format(
        figure=words.figure(one.row), low=low, high=high, silent=one.row["silent"], agencies=one.row["agencies"]
    )


def _ranked(ranking: Ranking | None, said: AgainstWords, words: Words) -> Iterator[str]:
    if ranking is None:
        return
    lower, median, upper, leader = (
        words.percent(float(share)) for share in (ranking.lower, ranking.median, ranking.upper, ranking.leader_ratio)
    )
    text = said.rank if ranking.best == ranking.worst else said.rank_bounded
    yield " ".join(
        (
            text.format(rank=ranking.rank, of=ranking.of, best=ranking.best, worst=ranking.worst),
            said.median.format(median=median, verdict=said.verdicts[ranking.judged.outcome]),
        )
    )
    best = said.leader.format(who=ranking.leader, ratio=leader)
    yield f"{said.quartiles.format(lower=lower, upper=upper)} {best}" if ranking.of > _FEW else best


def _near(share: float) -> Fraction:
    return Fraction(share).limit_denominator(10**9)
