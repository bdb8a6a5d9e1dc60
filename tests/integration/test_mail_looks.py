"""The mails as pictures, in a real browser. ``TIENDO_PICTURES=DIR`` keeps them for looking at."""

from __future__ import annotations

import base64
import os
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

from services.alerts.adapters.letters import Letters, Rendered, kind_of
from services.alerts.core.samples import sample_letters
from tests.fixtures.needs import missing
from tests.golden.test_mails import mail_of

pytestmark = [pytest.mark.chromium, pytest.mark.integration, pytest.mark.timeout(120)]

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--hide-scrollbars", "--allow-file-access-from-files",
)  # fmt: skip
#: Those of the samples, Vietnamese and a few English: each kind of letter, and what makes one long.
SHOWN = (1, 2, 3, 6, 8, 10, 18, 22, 26, 28, 53, 54, 56, 57, 76, 114, 115)
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


@cache
def pages() -> dict[str, str]:
    """Return name → page."""
    golden = (("behind.vi", "vi", 2), ("behind.en", "en", 2), ("feed.vi", "vi", 0))
    made = {name: self_contained(mail_of(language, position)[0]) for name, language, position in golden}
    letters = sample_letters()
    shown = {
        f"sample-{kind_of(letter)}-{n}.{letter.heading.language}": self_contained(Letters().render(letter, key="k"))
        for n, letter in enumerate(letters)
        if n in SHOWN
    }
    return made | shown


def run(chromium: str, folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        [chromium, *FLAGS, f"--user-data-dir={folder / 'profile'}", *arguments],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-800:]
    return done.stdout


@pytest.mark.parametrize("width", [pytest.param(390, id="phone"), pytest.param(1200, id="desktop")])
@pytest.mark.parametrize("name", list(pages()))
def test_nothing_sticks_out(chromium: str, tmp_path: Path, name: str, width: int) -> None:
    """At a phone's and a desktop's width every element lies within the page, and every picture is shown."""
    (tmp_path / "mail.html").write_text(pages()[name], encoding="utf-8")
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
