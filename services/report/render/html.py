"""The report as one HTML file that loads nothing from elsewhere; the PDF is this page printed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from services.core.schedule.earned import whole_days
from services.core.schedule.standing_words import Words, words_of
from services.report.core.model import AgencyPage, Line, Report
from services.report.core.texts import TERMS, texts_of
from services.report.render.chart import chart

_TEMPLATES: Final = Path(__file__).parents[1] / "templates"
_SHOWN: Final = 12  # agencies in the summary: it must fit the first page
_ROOM: Final = 560.0  # height of an agency's charts together, in the chart's units (340 wide)
_STACKED: Final = 4  # lines that fit on a page below each other


def as_html(report: Report, languages: Sequence[str]) -> str:
    """Return the report in *languages* (``vi``, ``en``), one after the other. The same report gives the same text."""
    environment = Environment(
        loader=FileSystemLoader(str(_TEMPLATES)), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    return environment.get_template("report.html.j2").render(
        report=report, seal_json=report.seal.to_json(), versions=[_Version(report, language) for language in languages]
    )


class _Version:
    """What the template asks for in one language."""

    def __init__(self, report: Report, language: str) -> None:
        self.language = language
        self.words: Words = words_of(language)
        self.t = texts_of(language)
        self._report = report
        behind_after = report.plan.behind_after
        self.terms = [(term, said.format(behind_after=behind_after)) for term, said in TERMS[language]]
        self.late = report.late[:_SHOWN]
        self.more = len(report.late) - len(self.late)
        self.notes = report.notes.get(language, ())
        blind = ("no-data", "too-few")
        self.unjudged = sum(any(line.row["verdict"] in blind for line in page.lines) for page in report.pages)

    def say(self, name: str, /, **values: object) -> str:
        return self.t[name].format(**values)

    def made(self) -> str:
        made = self._report.made
        month = f"{made.month:02d}" if made.month < 3 else str(made.month)  # the form of office: 02 cannot become 12
        said = self.t["on"].format(d=f"{made.day:02d}", m=month, y=made.year, day=self.day(made))
        return f"{self._report.place or '……………'}, {said}"

    def day(self, day: date) -> str:
        return self.words.date(day) if self.language == "vi" else f"{day.day} {day:%B %Y}"

    def whole(self, days: float | None) -> str:
        return "–" if days is None else str(abs(whole_days(days)))

    def title(self, line: Line) -> str:
        return line.indicator.title.text(self.language)

    def counts(self, indicator: str) -> str:
        lines = [line for page in self._report.pages if (line := page.line(indicator)) and line.judged]
        found = {verdict: sum(one.row["verdict"] == verdict for one in lines) for verdict in self.words.verdicts}
        order = ("behind", "missed", "at-risk", "on-track", "ahead", "achieved", "not-started", "too-few", "no-data")
        return "; ".join(f"{self.words.verdicts[verdict]}: {found[verdict]}" for verdict in order if found[verdict])

    def schedule(self, line: Line) -> str:
        return self.words.days(line.row["days_behind"])

    def many(self, page: AgencyPage) -> bool:
        """Whether the lines of *page* stand two and two, so that it stays one page."""
        return sum(one.judged for one in page.lines) > _STACKED

    def chart(self, page: AgencyPage, line: Line) -> Markup:
        drawn = max(1, sum(one.judged for one in page.lines))
        height = max(62.0, min(140.0, _ROOM / drawn)) if drawn <= _STACKED else (64.0 if drawn <= 2 * 4 else 36.0)
        return Markup(chart(line, self._report.day, self.words, height=height))  # noqa: S704 -- numbers and dates alone
