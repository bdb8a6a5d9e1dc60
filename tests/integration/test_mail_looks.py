"""The mails as pictures, in a real browser. ``TIENDO_PICTURES=DIR`` keeps them for looking at."""

from __future__ import annotations

import base64
import os
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Literal

import pytest

from services.alerts.adapters.letters import Letters, Rendered
from services.alerts.core.book import Book
from services.alerts.core.digest import digest_letter
from services.alerts.core.digest_letter import DigestLetter
from services.alerts.core.digest_records import DigestGround
from services.alerts.core.samples import sample_letters
from services.alerts.core.warn import Letter
from tests.fixtures.needs import missing
from tests.golden.test_mail_lives import NAMES
from tests.golden.test_mails import mail_of
from tests.mail_lives import letters as lived
from tests.unit.test_digest import HEADING, WEEK, all_behind, country

pytestmark = [pytest.mark.chromium, pytest.mark.integration, pytest.mark.timeout(120)]

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--hide-scrollbars", "--allow-file-access-from-files",
)  # fmt: skip
FIRST_DAY = {"behind": 2, "feed": 0}
#: One of each kind, and what no life of a warning shows; when they are kept for looking at, all of them in both languages.
PAGES = (
    "behind.vi", "feeds.vi", "worse.en", "higher.vi", "ended.en", "dispute.vi", "week.vi", "month.en", "country.vi",
    "sample-1.vi", "sample-2.vi", "calm.vi",
)  # fmt: skip
if "TIENDO_PICTURES" in os.environ:
    KINDS = ("behind", "feed", *NAMES)
    PAGES = tuple(dict.fromkeys((*PAGES, *(f"{kind}.{language}" for kind in KINDS for language in ("vi", "en")))))
#: Measures the frame that it is in; the longest words are what overflows.
PROBE = """<script>addEventListener("load", () => {
  const page = document.getElementById("mail").contentDocument, root = page.documentElement;
  const wide = [...page.querySelectorAll("body *")].filter(e => e.getBoundingClientRect().right > root.clientWidth + 1);
  const broken = [...page.images].filter(e => !e.naturalWidth);
  document.getElementById("found").textContent = JSON.stringify(
    [root.clientWidth, root.scrollWidth, root.scrollHeight, wide.length, broken.length]);
});</script>"""


@pytest.fixture(scope="module")
def chromium() -> str:
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    return found or missing("Chromium")


def self_contained(rendered: Rendered) -> str:
    """Return the page with its pictures in it."""
    html = rendered.html
    for one in rendered.pictures:
        html = html.replace(f"cid:{one.cid}", f"data:image/png;base64,{base64.b64encode(one.png).decode()}")
    return html


def of_a_country() -> DigestLetter:
    """Return the digest of a country that is behind in everything."""
    evidence = country(12_000, 10)
    return digest_letter(DigestGround.of(evidence, Book(all_behind(evidence))), HEADING, WEEK)


@cache
def lives(language: Literal["vi", "en"]) -> dict[str, Letter]:
    return lived(language)


@cache
def page(name: str) -> str:
    """Return the page of that name: of the small province's first day, of a life, of a country, or of a sample's number."""
    kind, language = name.split(".")
    assert language in ("vi", "en")
    if kind in FIRST_DAY:
        return self_contained(mail_of(language, FIRST_DAY[kind])[0])
    if kind == "country":
        return self_contained(Letters().render(of_a_country(), key="k"))
    if kind == "calm":
        calm = next(one for one in sample_letters() if isinstance(one, DigestLetter) and not one.reached.rows)
        return self_contained(Letters().render(calm, key="k"))
    sample = kind.removeprefix("sample-")
    letter = sample_letters()[int(sample)] if sample.isdecimal() else lives(language)[kind]
    return self_contained(Letters().render(letter, key="k"))


def run(chromium: str, folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        [chromium, *FLAGS, f"--user-data-dir={folder / 'profile'}", *arguments],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-800:]
    return done.stdout


@pytest.mark.parametrize("width", [pytest.param(390, id="phone"), pytest.param(1200, id="desktop")])
@pytest.mark.parametrize("name", PAGES)
def test_nothing_sticks_out(chromium: str, tmp_path: Path, name: str, width: int) -> None:
    """At a phone's and a desktop's width every element lies within the page, and every picture is shown."""
    (tmp_path / "mail.html").write_text(page(name), encoding="utf-8")
    frame = tmp_path / "frame.html"
    body = f"<iframe id=mail src=mail.html width={width} height=600 frameborder=0></iframe><pre id=found></pre>"
    frame.write_text(f"<!DOCTYPE html><body style='margin:0'>{body}{PROBE}", encoding="utf-8")

    dom = run(chromium, tmp_path, "--window-size=1300,800", "--virtual-time-budget=3000", "--dump-dom", frame.as_uri())

    found = re.search(r'<pre id="found">\[(\d+),(\d+),(\d+),(\d+),(\d+)\]', dom)
    assert found is not None, dom[-400:]
    client, scroll, height, wide, broken = map(int, found.groups())
    assert client <= width
    assert scroll <= client
    assert (wide, broken) == (0, 0)
    kept = Path(os.environ.get("TIENDO_PICTURES", tmp_path))
    kept.mkdir(parents=True, exist_ok=True)
    frame.write_text(frame.read_text(encoding="utf-8").replace("height=600", f"height={height}"), encoding="utf-8")
    picture = kept / f"{name}-{width}.png"
    window = f"--window-size={max(width, 500)},{height}"
    run(chromium, tmp_path, window, "--virtual-time-budget=3000", f"--screenshot={picture}", frame.as_uri())
    assert picture.stat().st_size > 20_000
