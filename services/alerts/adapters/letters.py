"""Letters become mails: templates in the receiver's language, numbers and days in its form, charts as pictures."""

from __future__ import annotations

import re
import textwrap
import traceback
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_CEILING, Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any, Final, assert_never
from unicodedata import normalize

from babel import Locale
from babel.dates import format_date
from babel.numbers import format_decimal, format_percent
from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateError, TemplateSyntaxError

from services.alerts.core.chart import draw, top_of_scale
from services.alerts.core.digest_letter import DigestLetter
from services.alerts.core.feed_letter import FeedLetter
from services.alerts.core.letter import Course, DisputeLetter, LagLetter
from services.alerts.core.warn import Letter
from services.core.schedule.earned import whole_days

LANGUAGES: Final = ("vi", "en")
OURS: Final = Path(__file__).parents[1] / "templates"
_LOCALES: Final = {"vi": Locale("vi"), "en": Locale("en", "GB")}
_DAY_FORMS: Final = {"vi": "dd/MM/yyyy", "en": "d MMMM y"}
_MONTH_FORMS: Final = {"vi": "MM/yyyy", "en": "MMMM y"}
_WIDTH: Final = 76
_LABEL: Final = 16
_SUBJECT: Final = "Subject: "
_BLANK_LINES: Final = re.compile(r"\n{3,}")


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A chart in a mail: ``cid`` is its Content-ID without brackets."""

    cid: str
    png: bytes
    top: float
    first: date
    last: date


@dataclass(frozen=True, kw_only=True)
class Rendered:
    """A mail's subject, text, HTML and pictures."""

    subject: str
    text: str
    html: str
    pictures: tuple[Picture, ...]


def _as_decimal(value: Decimal | Fraction | float | int) -> Decimal:
    if isinstance(value, Fraction):
        return Decimal(value.numerator) / Decimal(value.denominator)
    return value if isinstance(value, Decimal) else Decimal(str(value))


def _wrap(text: str, hang: int = 0) -> str:
    return textwrap.fill(
        " ".join(text.split()), _WIDTH, subsequent_indent=" " * hang, break_long_words=False, break_on_hyphens=False
    )


def _row(value: str, label: str) -> str:
    head = f"   {label}{':' if label else ''}".ljust(_LABEL + 3)
    lines = textwrap.wrap(
        " ".join(value.split()), _WIDTH - len(head), break_long_words=False, break_on_hyphens=False
    ) or [""]
    return "\n".join([head + lines[0], *(" " * len(head) + line for line in lines[1:])])


def _few(names: Sequence[str], most: int, more: str) -> str:
    """Return the names, of a long list the first few and how many more there are."""
    if len(names) <= most + 1:
        return ", ".join(names)
    return f"{', '.join(names[:most])} (+{len(names) - most} {more})"


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]


def filters_of(language: str) -> dict[str, Callable[..., str]]:
    """Return what templates have beside Jinja's own filters, in the number forms of *language*."""
    locale = _LOCALES[language]

    def dated(day: date, form: str) -> str:
        if not isinstance(day, date):
            raise TypeError(f"a day is wanted, not {day!r}")  # Babel would take None for today
        return str(format_date(day, form, locale=locale))

    def tenths_of(share: Fraction) -> Decimal:
        return (_as_decimal(share) * 100).quantize(Decimal("0.1"), ROUND_CEILING)

    def points(share: Fraction) -> str:
        return str(format_decimal(tenths_of(share), locale=locale))

    def amount(count: Decimal, size: int) -> str:
        of_units = count if size == 1 else _as_decimal(Fraction(round(Fraction(count) * 10 / size), 10))
        return str(format_decimal(of_units, locale=locale))

    def plural(count: float, one: str, other: str) -> str:
        return one if locale.plural_form(int(count)) == "one" else other

    def days_plural(days: float, one: str, other: str) -> str:
        return plural(whole_days(days), one, other)

    def counted(count: Decimal | Fraction | int, of: Any) -> str:
        """Return the name of the unit of *of* that goes with *count* units."""
        one = of.unit_one if Fraction(count) == 1 and of.unit_one is not None else of.unit
        return str(one)

    return {
        "percent": lambda share: str(format_percent(_as_decimal(share), "#,##0.#%", locale=locale)),
        "number": lambda value: str(format_decimal(_as_decimal(value), locale=locale)),
        "amount": amount,
        "days": lambda value: str(format_decimal(whole_days(value), locale=locale)),
        "day": lambda day: dated(day, _DAY_FORMS[language]),
        "short_day": lambda day: dated(day, "dd/MM/yyyy"),
        "month": lambda day: dated(day, _MONTH_FORMS[language]),
        "points": points,
        "counted": counted,
        "points_plural": lambda share, one, other: one if tenths_of(share) == 1 else other,
        "clip": lambda text, most: text if len(text) <= most else text[: most - 1].rstrip() + "…",
        "plural": plural,
        "days_plural": days_plural,
        "wrap": _wrap,
        "row": _row,
        "few": _few,
        "lower_first": _lower_first,
    }


def _environment(language: str, folders: Sequence[Path], *, escape: bool) -> Environment:
    # A macro's result counts as safe wherever its caller escapes, so the macros must be compiled escaping there too.
    environment = Environment(
        loader=FileSystemLoader([str(folder) for folder in folders]),
        autoescape=escape,  # noqa: S701 -- off for plain text alone
        undefined=StrictUndefined,
        trim_blocks=False,
        keep_trailing_newline=True,
    )
    environment.filters.update(filters_of(language))
    return environment


class TemplateFault(TemplateError):
    """A template that cannot be used; says which, and on which line."""


class Letters:
    """Renders letters. *folder* may hold a deployment's own templates; what is not there is ours.

    A letter of kind K in language L is written by ``K.L.txt.j2`` and ``K.L.html.j2``, else by ``K.txt.j2`` and ``K.html.j2``,
    which take their words from ``_words.L.j2``.
    """

    def __init__(self, folder: Path | None = None) -> None:
        folders = [OURS] if folder is None else [folder, OURS]
        self._plain = {language: _environment(language, folders, escape=False) for language in LANGUAGES}
        self._pages = {language: _environment(language, folders, escape=True) for language in LANGUAGES}

    def render(self, letter: Letter, *, key: str) -> Rendered:
        """Return the mail of *letter*; *key* tells its pictures from those of other mails. The same twice is the same.

        Raises :class:`TemplateFault`.
        """
        return self._render(letter, dict(_pictures(letter, key, draw)) if isinstance(letter, LagLetter) else {})

    def _render(self, letter: Letter, pictures: dict[str, Picture]) -> Rendered:
        language, kind = letter.heading.language, kind_of(letter)
        values: dict[str, Any] = {"letter": letter, "pictures": pictures}
        name, plain = _write(self._plain[language], f"{kind}.{language}.txt.j2", f"{kind}.txt.j2", values)
        first, _, text = plain.lstrip().partition("\n")
        if not first.startswith(_SUBJECT):
            raise TemplateFault(f"{name} must begin with a line `{_SUBJECT}…`")
        subject = " ".join(first.removeprefix(_SUBJECT).split())
        _, html = _write(
            self._pages[language], f"{kind}.{language}.html.j2", f"{kind}.html.j2", values | {"subject": subject}
        )
        body = _BLANK_LINES.sub("\n\n", text.strip("\n")) + "\n"
        return Rendered(subject=subject, text=body, html=html, pictures=tuple(pictures.values()))

    def check(self, samples: Iterable[Letter]) -> None:
        """Render *samples*, so that a broken template is found at the start. Raises :class:`TemplateFault`."""
        for sample in samples:
            self._render(sample, dict(_pictures(sample, "check", _blank)) if isinstance(sample, LagLetter) else {})


def kind_of(letter: Letter) -> str:
    """Return the first part of the names of the templates that write *letter*."""
    match letter:
        case LagLetter():
            return "warning"
        case FeedLetter():
            return "feed"
        case DisputeLetter():
            return "dispute"
        case DigestLetter():
            return "digest"
        case _:
            assert_never(letter)


def _write(environment: Environment, own: str, shared: str, values: dict[str, Any]) -> tuple[str, str]:
    """Return the template's name and what it says, its characters composed. Raises :class:`TemplateFault`."""
    try:
        template = environment.select_template([own, shared])
    except TemplateSyntaxError as fault:
        raise TemplateFault(f"{fault.name}:{fault.lineno}: {fault.message}") from fault
    try:
        return str(template.name), normalize("NFC", template.render(values))
    except TemplateSyntaxError as fault:
        raise TemplateFault(f"{fault.name}:{fault.lineno}: {fault.message}") from fault
    except Exception as fault:  # a filter that gets what it cannot take raises whatever it likes
        frames = [one for one in traceback.extract_tb(fault.__traceback__) if one.filename.endswith(".j2")]
        where = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else template.name
        raise TemplateFault(f"{where}: {fault}") from fault


def _blank(_: Course) -> bytes:
    return b""  # nobody looks at it


def _pictures(letter: LagLetter, key: str, drawn: Callable[[Course], bytes]) -> Iterable[tuple[str, Picture]]:
    for lag in letter.lags:
        days = [day for day, _ in (*lag.course.planned, *lag.course.actual)]
        if days:
            yield (
                lag.indicator,
                Picture(
                    cid=f"{lag.indicator}.{key}@tiendo",
                    png=drawn(lag.course),
                    top=top_of_scale(lag.course),
                    first=min(days),
                    last=max(days),
                ),
            )
