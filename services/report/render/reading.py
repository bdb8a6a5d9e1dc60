"""The seal of a report read back from its file, whatever the format."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from html.parser import HTMLParser
from typing import Any

from openpyxl import load_workbook
from pypdf import PdfReader
from pypdf.errors import PyPdfError

from services.core.seal import Seal, seal_from
from services.report.render.tables import SEALED

_META = "tiendo-seal"


def seal_in(content: bytes) -> Seal:
    """Return the seal that a report carries. Raises ValueError where there is none, or one that was changed."""
    if content.startswith(b"%PDF"):
        return seal_from(_of_pdf(content))
    if content.startswith(b"PK"):
        sheet = load_workbook(io.BytesIO(content), read_only=True)["about"]
        rows = dict(row[:2] for row in sheet.iter_rows(values_only=True))
        return seal_from(str(rows.get(SEALED)))
    text = content.decode("utf-8-sig")
    if text.lstrip().lower().startswith("<!doctype html"):
        return seal_from(_of_html(text))
    seals = {row.get(SEALED) or "" for row in csv.DictReader(io.StringIO(text))}
    if len(seals) != 1:
        raise ValueError("the lines carry no seal, or not all the same one")
    return seal_from(seals.pop())


def _of_pdf(content: bytes) -> str:
    try:
        information: Mapping[str, Any] = PdfReader(io.BytesIO(content)).metadata or {}
    except PyPdfError as fault:
        raise ValueError(f"the PDF cannot be read: {fault}") from fault
    return next(
        (str(value) for key, value in information.items() if key.strip("/").replace("-", "") == "tiendoseal"), ""
    )


def _of_html(text: str) -> str:
    found: list[str] = []

    class Metas(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            named = dict(attrs)
            if tag == "meta" and named.get("name") == _META:
                found.append(named.get("content") or "")

    Metas().feed(text)
    return found[0] if found else ""
