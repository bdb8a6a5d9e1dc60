"""``tiendo explain``: the evidence behind one figure, down to the events."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from schemas.explanation import Counted, Explanation, ItemsEvidence, PeopleEvidence, RevisionUsed
from schemas.progress import ProgressMeasure
from services.cli.output import Format, console, print_csv, table
from services.cli.standing import Language
from services.core.errors import Rejected
from services.core.evidence_words import (
    FATES,
    PROGRESS,
    PROGRESS_STEPS,
    REASONS,
    STEPS,
    WITHHELD,
    measure_text,
    roster_text,
    word,
)
from services.core.item_evidence import Why
from services.core.schedule.standing_words import STYLES, Words, words_of
from services.infra.clickhouse.client import open_clickhouse
from services.infra.explain.reader import Explain, explain
from services.infra.settings import SharedSettings

_CSV = (
    "indicator",
    "agency",
    "item",
    "entered",
    "why",
    "numerator",
    "denominator",
    "source",
    "id",
    "type",
    "step",
    "day",
    "stated",
    "received",
    "fate",
)


def explain_figure(
    plan: str = typer.Option(..., "--plan", help="The plan's id."),
    indicator: str = typer.Option(..., "--indicator", help="The indicator's id."),
    agency: str = typer.Option(..., "--agency", help="The agency's id."),
    as_of: datetime | None = typer.Option(
        None, "--as-of", formats=["%Y-%m-%d"], metavar="YYYY-MM-DD", help="The day judged; the last one, unless given."
    ),
    known_at: datetime | None = typer.Option(
        None,
        "--known-at",
        formats=["%Y-%m-%d"],
        metavar="YYYY-MM-DD",
        help="By what had been received by the end of this day.",
    ),
    why: list[str] | None = typer.Option(
        None, "--why", help=f"List items with this reason only; may be repeated: {', '.join(Why)}."
    ),
    limit: int = typer.Option(5, "--limit", min=0, max=100_000, help="Items listed of each reason."),
    form: Format = typer.Option(Format.TABLE, "--format", help="table, json, or csv (one line per event)."),
    lang: Language = typer.Option(Language.EN, "--lang", help="Words of the table: vi or en."),
) -> None:
    """Explain one figure: by which revisions, for whom, from which feeds and events, and what does not count.

    People are counted, never listed.

    Examples:
    tiendo explain --plan thai-nguyen-2008 --indicator documents-exchanged --agency so-xay-dung
    tiendo explain --plan thai-nguyen-2008 --indicator documents-exchanged --agency so-xay-dung --why only-entered --format csv
    """
    unknown = sorted(set(why or ()) - set(Why))
    if unknown:
        raise Rejected(f"there is no reason {', '.join(unknown)}; there are: {', '.join(Why)}")
    settings = SharedSettings()
    wanted = Explain(
        plan=plan,
        indicator=indicator,
        agency=agency,
        day=as_of.date() if as_of else None,
        known_at=known_at.date() if known_at else None,
        limit=limit,
        only=frozenset(why or ()),
    )
    with open_clickhouse(settings.clickhouse()) as database:
        found = explain(database, wanted, zone=settings.zone)
    if form is Format.JSON:
        sys.stdout.write(found.model_dump_json(indent=2) + "\n")
    elif form is Format.CSV:
        print_csv(_CSV, list(_records(found)))
    else:
        _print(console(), found, words_of(lang.value), settings.zone)


def _records(found: Explanation) -> Iterator[dict[str, object]]:
    for part in found.parts:
        if isinstance(part.evidence, ItemsEvidence):
            for item in part.evidence.items:
                about = item.model_dump(mode="json", exclude={"events"}) | {"indicator": part.indicator}
                for event in item.events:
                    yield about | event.model_dump(mode="json")


def _print(out: Console, found: Explanation, words: Words, zone: str) -> None:
    english = words.language == "en"
    standing = found.standing
    row = standing.model_dump() | {"verdict": standing.verdict or ""}
    out.print(
        f"[bold]{escape(found.title.text(words.language))}[/] — {escape(found.agency_name.text(words.language))}, "
        f"{words.as_of} {words.date(standing.day)}"
    )
    said = [words.figure(row), f"[{STYLES.get(row['verdict'], 'default')}]{words.verdicts[row['verdict']]}[/]"]
    if standing.target is not None:
        plan, target = words.headings[3].lower(), words.headings[4].lower()
        said.insert(1, f"{plan} {words.percent(standing.planned)}, {target} {words.percent(standing.target)}")
    if standing.days_behind is not None:
        said.append(words.days(standing.days_behind))
    out.print("; ".join(said))
    if standing.judged_day < standing.day:
        frozen = "judged by" if english else "đánh giá theo số liệu ngày"
        out.print(f"{frozen} {words.date(standing.judged_day)} ({words.feeds[standing.feed_state]})")
    out.print()
    out.print(_grounds(found, words, zone))
    for part in found.parts:
        _print_part(out, found, part, words, zone)


def _grounds(found: Explanation, words: Words, zone: str) -> Table:
    english = words.language == "en"
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column()
    grid.add_row("plan" if english else "kế hoạch", escape(_revision(found.plan, words, zone)))
    grid.add_row("directory" if english else "danh mục", escape(_revision(found.directory, words, zone)))
    for at, feed in enumerate(found.feeds):
        covered = words.date(feed.covered) if feed.covered else "–"
        grid.add_row(
            ("feeds" if english else "nguồn") if at == 0 else "",
            escape(
                f"{feed.title.text(words.language)} ({feed.source}): {words.feeds[feed.state]}, {words.since} {covered}"
            ),
        )
    return grid


def _revision(used: RevisionUsed, words: Words, zone: str) -> str:
    english = words.language == "en"
    texts = ("revision {0}, in force from {1}, published {2}", "bản số {0}, hiệu lực từ {1}, ban hành {2}")
    published = used.published.astimezone(ZoneInfo(zone))
    text = texts[not english].format(
        used.revision, words.date(used.in_force_from), f"{words.date(published)} {published:%H:%M}"
    )
    if used.decision is not None:
        text += f" ({used.decision.number}, {used.decision.signer})"
    return f"{used.id}, {text}"


def _print_part(out: Console, found: Explanation, part: Counted, words: Words, zone: str) -> None:
    english = words.language == "en"
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column()
    if part.weight is not None:
        weighs = "weight" if english else "trọng số"
        grid.add_row(weighs, f"{part.weight.normalize():f}")
    grid.add_row(
        "measure" if english else "cách tính",
        f"{escape(measure_text(part.definition.measure, words.language))} ({part.definition.hash})",
    )
    names = ", ".join(office.name.text(words.language) for office in part.offices)
    grid.add_row("offices" if english else "đơn vị", escape(names))
    grid.add_row("counted again" if english else "tính lại", _recounted(part, words))
    for one in part.declared:
        amount = f"{one.denominator:f}" if one.numerator is None else f"{one.numerator:f}/{one.denominator:f}"
        grid.add_row(
            "declared" if english else "tự khai",
            escape(f"{amount} ({one.source}, {words.date(one.first)} … {words.date(one.last)}, {one.indicator})"),
        )
    out.print()
    if len(found.parts) > 1:
        out.print(f"[bold]{escape(part.title.text(words.language))}[/]")
    out.print(grid)
    if isinstance(part.evidence, PeopleEvidence):
        _print_people(out, part.evidence, part, words)
    else:
        _print_items(out, part.evidence, words, zone, of_progress=isinstance(part.definition.measure, ProgressMeasure))


def _recounted(part: Counted, words: Words) -> str:
    english = words.language == "en"
    recount = part.recount
    done = recount.measured.numerator + recount.declared.numerator
    total = recount.measured.denominator + recount.declared.denominator
    text = f"{_number(done)}/{_number(total)}"
    if recount.declared.denominator or recount.declared.numerator:
        of_these = "of which declared" if english else "trong đó tự khai"
        text += f", {of_these} {_number(recount.declared.numerator)}/{_number(recount.declared.denominator)}"
    if recount.agrees is None:
        never = (
            "not judged, because a feed was never connected" if english else "chưa đánh giá vì có nguồn chưa kết nối"
        )
        return f"{text}: {never}"
    if recount.agrees:
        return f"{text}: {'the same' if english else 'trùng khớp'}"
    changed = "newer facts have come; it is judged again soon" if english else "đã có số liệu mới, sẽ được đánh giá lại"
    return f"{text}: [yellow]{changed}[/]"


def _number(value: Decimal) -> str:
    return f"{value.normalize():f}"


def _print_people(out: Console, evidence: PeopleEvidence, part: Counted, words: Words) -> None:
    english = words.language == "en"
    people, roster = evidence.roster.people, evidence.roster
    counting = part.recount.measured.numerator
    named = roster_text(roster.roster, words.language)
    of_roster = (
        f"{people} people on roster {named} on {words.date(roster.day)}; {_number(counting)} count, "
        f"{_number(people - counting)} do not:"
        if english
        else f"{people} người trong danh sách {named} ngày {words.date(roster.day)}; {_number(counting)} được tính, "
        f"{_number(people - counting)} không:"
    )
    out.print()
    out.print(escape(of_roster))
    if evidence.suppressed is not None:
        out.print(f"  {word(WITHHELD, evidence.suppressed, words.language)}")
    else:
        for reason in evidence.reasons:
            few = "fewer than 10" if english else "dưới 10"
            about = few if reason.people is None else f"{'about' if english else 'khoảng'} {reason.people}"
            if len(evidence.reasons) == 1:
                about = str(reason.people)
            out.print(f"  {about}: {word(REASONS, reason.why, words.language)}")
    out.print(
        "[dim]People are counted, never listed.[/]" if english else "[dim]Hệ thống chỉ đếm, không liệt kê cá nhân.[/]"
    )


def _print_items(out: Console, evidence: ItemsEvidence, words: Words, zone: str, *, of_progress: bool) -> None:
    english = words.language == "en"
    whys, steps = (PROGRESS, PROGRESS_STEPS) if of_progress else (REASONS, STEPS)
    headings = ("why", "items", "figure") if english else ("lý do", "số mục", "vào kết quả")
    reasons = table("", headings, right=headings[1:])
    for reason in evidence.reasons:
        share = f"{_number(reason.numerator)}/{_number(reason.denominator)}"
        counts = reason.numerator or reason.denominator
        reasons.add_row(word(whys, reason.why, words.language), f"{reason.items:,}", share if counts else "–")
    out.print(reasons)
    if not evidence.items:
        return
    names = (
        ("item", "why", "event", "of", "stated", "id")
        if english
        else ("mục", "lý do", "sự kiện", "ngày", "ghi lúc", "mã")
    )
    items = table("", names, fixed=names[2:5])
    for item in evidence.items:
        first = (escape(item.item), word(whys, item.why, words.language))
        for event in item.events:
            step = word(steps, event.step, words.language)
            fate = "" if event.fate == "counts" else f" ({word(FATES, event.fate, words.language)})"
            moment = event.stated.astimezone(ZoneInfo(zone))
            stated = f"{words.date(moment)} {moment:%H:%M}"
            name = escape(f"{event.source} {event.id or '–'}")
            items.add_row(*first, step + fate, words.date(event.day), stated, name)
            first = ("", "")
    out.print(items)
    more = sum(reason.items for reason in evidence.reasons) - len(evidence.items)
    if more > 0:
        hint = "more; --limit and --why list them" if english else "mục khác; dùng --limit và --why để xem"
        out.print(f"[dim]… {more:,} {hint}[/]")
