"""``tiendo compare``: who of a group does best, and whom the others could ask; with ``--against``, all beside others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import typer

from schemas.directory import Directory
from schemas.plan import Indicator, Plan
from services.cli.against import About, Asked, compare_with_others, read_margin
from services.cli.asked import unjudged
from services.cli.output import Format, console, print_csv, print_json, table
from services.cli.standing import Language, Row
from services.core.comparison import Candidate, Comparison, Place, Unranked, compare
from services.core.errors import Rejected
from services.core.in_force import directory_in_force, plan_in_force
from services.core.others import OLDEST
from services.core.schedule.coverage import FeedState
from services.core.schedule.standing import Verdict
from services.core.schedule.standing_words import Words, words_of
from services.core.scope import targets_of
from services.infra.clickhouse.client import open_clickhouse
from services.infra.plan_reader import PlanReader
from services.infra.settings import SharedSettings
from services.infra.standing_reader import read_rollups, read_standing

FIELDS: Final = (
    "indicator", "group", "rank", "of", "agency", "ratio", "cases", "unranked", "to_median", "model", "model_ratio",
    "lower", "median", "upper",
)  # fmt: skip
_HEADINGS: Final = {
    "en": ("Rank", "Agency", "Figure", "Cases", "To median", "Could ask"),
    "vi": ("Hạng", "Cơ quan", "Kết quả", "Tổng số", "So với trung vị", "Có thể học hỏi"),
}
_UNRANKED: Final = {
    "en": {Unranked.NO_DATA: "no data", Unranked.TOO_FEW: "too few", Unranked.SILENT: "feed silent"},
    "vi": {Unranked.NO_DATA: "chưa có số liệu", Unranked.TOO_FEW: "quá ít", Unranked.SILENT: "mất tín hiệu"},
}
_QUARTILES: Final = {
    "en": "{ranked} ranked; a quarter below {lower}, half below {median}, a quarter above {upper}",
    "vi": "xếp hạng {ranked} cơ quan; một phần tư dưới {lower}, một nửa dưới {median}, một phần tư trên {upper}",
}


@dataclass(frozen=True, kw_only=True)
class Compared:
    """The comparison of an indicator within a group of the directory."""

    indicator: str
    group: str
    comparison: Comparison


def compare_agencies(
    plan: str = typer.Option(..., "--plan", help="The plan's id."),
    indicator: list[str] | None = typer.Option(None, "--indicator", help="Only this one; may be repeated."),
    group: list[str] | None = typer.Option(
        None, "--group", help="Within this group; may be repeated. Those of the same target, unless given."
    ),
    as_of: datetime | None = typer.Option(
        None, "--as-of", formats=["%Y-%m-%d"], metavar="YYYY-MM-DD", help="The day judged; the last one, unless given."
    ),
    against: Path | None = typer.Option(
        None,
        "--against",
        help="A CSV of others' figures: everybody together, and each group that it names (--group: only these), beside them.",
    ),
    margin: str = typer.Option("1 %", "--margin", help="With --against: a difference up to this is level."),
    oldest: int = typer.Option(
        OLDEST, "--oldest", min=0, help="With --against: a last figure older than this, in days, decides nothing."
    ),
    form: Format = typer.Option(Format.TABLE, "--format", help="table, json or csv."),
    lang: Language = typer.Option(Language.EN, "--lang", help="Words of the table: vi or en."),
) -> None:
    """Rank the agencies of a group by their figures: quartiles, and for each the best of its own size.

    With --against FILE.csv everybody together, or a group, is compared with other provinces or with the year before.
    Columns: indicator, who, day, ratio (or numerator and denominator), source; and, where wanted, group, kind (other or
    last-year) and comparable.

    Examples:
    tiendo compare --plan thai-nguyen-2008 --indicator email-use --lang vi
    tiendo compare --plan thai-nguyen-2008 --against examples/thai-nguyen-2008/last-year.csv
    """
    asked = None if against is None else Asked(file=against, margin=read_margin(margin), oldest=oldest)
    with open_clickhouse(SharedSettings().clickhouse()) as database:
        reader = PlanReader(database)
        judged = reader.last_evaluation(plan)
        if judged is None:
            raise Rejected(
                f"plan {plan!r} has not been judged yet; published are: {', '.join(reader.plan_ids()) or 'none'}"
            )
        day = as_of.date() if as_of else judged.day
        plans = reader.plans(plan)
        in_force = plan_in_force(plans, day)
        directory = directory_in_force(reader.directories(plans[-1].document.directory), day)
        if in_force is None or directory is None:
            raise Rejected(f"no revision of {plan!r} is in force on {day}")
        _known("indicator", indicator or (), {one.id for one in in_force.document.indicators})
        _known("group", group or (), directory.document.groups)
        if asked is not None:
            together = [
                row
                for by in ("all", "group")
                for row in read_rollups(database, plan, day, by, indicators=indicator or ())
            ]
        else:
            rows = read_standing(database, plan, day, indicators=indicator or ())
            nothing = unjudged(reader, plan, day)
    if asked is not None:
        about = About(plan=in_force.document, directory=directory.document, day=day)
        compare_with_others(asked, about, together, indicator or (), group or (), form, words_of(lang))
        return
    found = list(compared(in_force.document, directory.document, rows, indicator or (), group or ()))
    if form is Format.JSON:
        print_json(records(found))
    elif form is Format.CSV:
        print_csv(FIELDS, records(found))
    elif not found:
        raise Rejected(nothing)
    else:
        words = words_of(lang)
        out = console()
        out.print(
            f"{in_force.document.title.text(lang.value)} — {words.as_of} {words.date(day)}", markup=False, style="bold"
        )
        for one in found:
            _print(one, in_force.document, directory.document, words)


def compared(
    plan: Plan, directory: Directory, rows: Sequence[Row], indicators: Sequence[str] = (), groups: Sequence[str] = ()
) -> Iterator[Compared]:
    """Yield a comparison per indicator and group of two agencies and more; *rows* are standings of one day."""
    by_key = {(row["indicator"], row["agency"]): row for row in rows}
    for indicator in plan.indicators:
        if indicators and indicator.id not in indicators:
            continue
        for group, agencies in _groups(directory, indicator, groups).items():
            mine = [by_key[indicator.id, agency] for agency in agencies if (indicator.id, agency) in by_key]
            if len(mine) > 1:
                yield Compared(indicator=indicator.id, group=group, comparison=compare(map(candidate, mine)))


def candidate(row: Row) -> Candidate:
    """Return a row of ``standing`` as what is ranked; a figure frozen by a silent feed is shown without a rank."""
    silent = row["feed_state"] in (FeedState.SILENT, FeedState.NEVER_CONNECTED)
    if row["ratio"] is None:
        why: Unranked | None = Unranked.NO_DATA
    elif row["verdict"] == Verdict.TOO_FEW:
        why = Unranked.TOO_FEW
    else:
        why = Unranked.SILENT if silent else None
    numerator, denominator = row["numerator"], row["denominator"]
    exact = Fraction(numerator) / Fraction(denominator) if numerator is not None and denominator else None
    return Candidate(
        agency=row["agency"],
        ratio=exact if exact is not None or row["ratio"] is None else Fraction(row["ratio"]),
        cases=Fraction(denominator) if denominator else None,
        unranked=why,
    )


def records(found: Sequence[Compared]) -> list[dict[str, Any]]:
    """Return a record per place, shares as fractions of 1."""
    return [_record(one, place) for one in found for place in one.comparison.places]


def _record(one: Compared, place: Place) -> dict[str, Any]:
    whole = one.comparison
    values = asdict(place) | {
        "indicator": one.indicator, "group": one.group, "of": whole.ranked,
        "lower": whole.lower, "median": whole.median, "upper": whole.upper,
    }  # fmt: skip
    return {name: float(values[name]) if isinstance(values[name], Fraction) else values[name] for name in FIELDS}


def _groups(directory: Directory, indicator: Indicator, wanted: Sequence[str]) -> Mapping[str, list[str]]:
    concerned = targets_of(directory, indicator)
    if wanted:
        members = {agency.id: set(agency.groups) for agency in directory.agencies}
        return {group: [agency for agency in concerned if group in members[agency]] for group in wanted}
    found: dict[str, list[str]] = {}
    for agency, target in concerned.items():
        shown = next((one for one in indicator.shown_for), "")
        found.setdefault((target.group or "") if target else shown, []).append(agency)
    return {group: agencies for group, agencies in found.items() if group}


def _known(what: str, asked: Sequence[str], there: Any) -> None:
    unknown = sorted(set(asked) - set(there))
    if unknown:
        raise Rejected(f"no such {what}: {', '.join(unknown)}; there are: {', '.join(sorted(there))}")


def _print(one: Compared, plan: Plan, directory: Directory, words: Words) -> None:
    language = words.language
    names = {agency.id: agency.name.text(language) for agency in directory.agencies}
    title = next(found for found in plan.indicators if found.id == one.indicator).title.text(language)
    headings = _HEADINGS[language]
    shown = table(
        f"{title} · {directory.groups[one.group].text(language)}", headings, right=(headings[0], *headings[2:5])
    )
    for place in one.comparison.places:
        gap = place.to_median
        shown.add_row(
            str(place.rank) if place.rank else _UNRANKED[language][place.unranked or Unranked.NO_DATA],
            names.get(place.agency, place.agency),
            words.percent(float(place.ratio)) if place.ratio is not None else "–",
            f"{float(place.cases):g}" if place.cases is not None else "–",
            f"{'+' if gap > 0 else ''}{words.number(float(gap) * 100)} {words.points}" if gap is not None else "–",
            f"{names.get(place.model, place.model)} ({words.percent(float(place.model_ratio))})"
            if place.model and place.model_ratio is not None
            else "–",
        )
    out = console()
    out.print()
    out.print(shown)
    whole = one.comparison
    if whole.lower is not None and whole.median is not None and whole.upper is not None:
        lower, median, upper = (words.percent(float(share)) for share in (whole.lower, whole.median, whole.upper))
        said = _QUARTILES[language].format(ranked=whole.ranked, lower=lower, median=median, upper=upper)
        out.print(said, markup=False)
