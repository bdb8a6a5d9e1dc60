"""The printed report: the HTML page set by WeasyPrint, whose text stays text."""

from __future__ import annotations

from services.core.errors import Rejected

SEAL = "tiendo-seal"


def as_pdf(html: str) -> bytes:
    """Return *html* as an A4 PDF that carries the page's seal. Raises Rejected, saying what to install, without a renderer."""
    try:
        from weasyprint import HTML
    except (ImportError, OSError) as fault:  # OSError: the package is there, Pango's library is not
        raise Rejected(
            "a PDF needs WeasyPrint and Pango: install Debian's libpango-1.0-0, libpangoft2-1.0-0 and fonts-noto-core "
            "(scripts/install-servers does) and the package weasyprint; html, xlsx and csv need neither"
        ) from fault

    def no_loading(url: str) -> dict[str, object]:
        raise ValueError(f"a report loads nothing: {url}")

    made: bytes = HTML(string=html, url_fetcher=no_loading).write_pdf(custom_metadata=True)
    return made
