"""Letters become mails: templates in the receiver's language, numbers and days in its form, charts as pictures."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_CEILING, Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

from babel import Locale
from babel.dates import format_date
from babel.numbers import format_decimal, format_percent
from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateError

from services.alerts.core.chart import draw, top_of_scale
from services.alerts.core.letter import FeedLetter, LagLetter
from services.core.earned import whole_days

LANGUAGES: Final = ("vi", "en")
OURS: Final = Path(__file__).parents[1] / "templates"
_LOCALES: Final = {"vi": Locale("vi"), "en": Locale("en", "GB")}
_DAY_FORMS: Final = {"vi": "dd/MM/yyyy", "en": "d MMMM y"}
_WIDTH: Final = 76
_LABEL: Final = 16
_SUBJECT: Final = "Subject: "


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


def _filters(language: str) -> dict[str, Callable[..., str]]:
    locale = _LOCALES[language]

    def points(share: Fraction) -> str:
        tenths = (_as_decimal(share) * 100).quantize(Decimal("0.1"), ROUND_CEILING)
        return str(format_decimal(tenths, locale=locale))

    def amount(count: Decimal, size: int) -> str:
        of_units = count if size == 1 else _as_decimal(Fraction(round(Fraction(count) * 10 / size), 10))
        return str(format_decimal(of_units, locale=locale))

    def plural(count: float, one: str, other: str) -> str:
        return one if locale.plural_form(int(count)) == "one" else other

    def days_plural(days: float, one: str, other: str) -> str:
        return plural(whole_days(days), one, other)

    return {
        "percent": lambda share: str(format_percent(_as_decimal(share), "#,##0.#%", locale=locale)),
        "number": lambda value: str(format_decimal(_as_decimal(value), locale=locale)),
        "amount": amount,
        "days": lambda value: str(format_decimal(whole_days(value), locale=locale)),
        "day": lambda day: str(format_date(day, _DAY_FORMS[language], locale=locale)),
        "short_day": lambda day: str(format_date(day, "dd/MM/yyyy", locale=locale)),
        "points": points,
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
    environment.filters.update(_filters(language))
    return environment


class Letters:
    """Renders letters. *folder* may hold a deployment's own templates; what is not there is ours."""

    def __init__(self, folder: Path | None = None) -> None:
        folders = [OURS] if folder is None else [folder, OURS]
        self._plain = {language: _environment(language, folders, escape=False) for language in LANGUAGES}
        self._pages = {language: _environment(language, folders, escape=True) for language in LANGUAGES}

    def render(self, letter: LagLetter | FeedLetter, *, key: str) -> Rendered:
        """Return the mail of *letter*; *key* tells its pictures from those of other mails. The same twice is the same."""
        pictures = dict(_pictures(letter, key)) if isinstance(letter, LagLetter) else {}
        language = letter.heading.language
        name = f"{'warning' if isinstance(letter, LagLetter) else 'feed'}.{language}"
        values: dict[str, Any] = {"letter": letter, "pictures": pictures}
        plain = self._plain[language].get_template(f"{name}.txt.j2").render(values)
        first, _, text = plain.lstrip().partition("\n")
        if not first.startswith(_SUBJECT):
            raise TemplateError(f"{name}.txt.j2 must begin with a line `{_SUBJECT}…`")
        subject = " ".join(first.removeprefix(_SUBJECT).split())
        html = self._pages[language].get_template(f"{name}.html.j2").render(values | {"subject": subject})
        return Rendered(subject=subject, text=text.lstrip("\n"), html=html, pictures=tuple(pictures.values()))

    def check(self, samples: Iterable[LagLetter | FeedLetter]) -> None:
        """Render *samples*, so that a broken template is found at the start. Raises ``jinja2.TemplateError``."""
        for sample in samples:
            self.render(sample, key="check")


def _pictures(letter: LagLetter, key: str) -> Iterable[tuple[str, Picture]]:
    for lag in letter.lags:
        days = [day for day, _ in (*lag.course.planned, *lag.course.actual)]
        if days:
            yield (
                lag.indicator,
                Picture(
                    cid=f"{lag.indicator}.{key}@tiendo",
                    png=draw(lag.course),
                    top=top_of_scale(lag.course),
                    first=min(days),
                    last=max(days),
                ),
            )
