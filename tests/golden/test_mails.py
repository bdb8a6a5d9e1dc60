"""Mails, word for word: read the files in ``mails/`` to see what an office gets. ``TIENDO_GOLDEN=write`` writes them anew."""

from __future__ import annotations

import os
import re
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import parseaddr
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import TemplateError

from services.alerts.adapters.email import build_message
from services.alerts.adapters.letters import Letters, Rendered
from services.alerts.adapters.wire import WIRE
from services.alerts.core.notices import contact_of
from services.alerts.core.samples import sample_letters
from services.alerts.core.warn import compose
from services.core.schedule.assess import Assessment
from tests import alerts_world as world

MAILS = Path(__file__).parent / "mails"
CASES = [
    pytest.param("behind.vi", "vi", 2, id="behind in two indicators, Vietnamese"),
    pytest.param("behind.en", "en", 2, id="behind in two indicators, English"),
    pytest.param("feed.vi", "vi", 0, id="a feed has died, to its owner"),
    pytest.param("feed.en", "en", 1, id="a feed has died, to operations, English"),
]


def mail_of(language: str, position: int, assessment: Assessment | None = None) -> tuple[Rendered, EmailMessage]:
    """Return the mail of the notice at *position* of the small province's first day of warnings, or of *assessment*."""
    assessment = assessment or world.assessed(language)
    transitions = world.decided(assessment)
    notice = world.planned(assessment, transitions)[position]
    letter = compose(assessment, notice, transitions, written=world.NOW.date())
    to = contact_of(assessment.directory, notice)
    assert letter is not None
    assert to is not None
    rendered = Letters().render(letter, key=notice.id[:12])
    mail = build_message(
        rendered,
        notice,
        sender="tien-do@example.vn",
        operations=assessment.directory.operations,
        to=to,
        at=world.NOW,
        thread=("a" * 32, "b" * 32),
    )
    return rendered, mail


def without_pictures(mail: EmailMessage) -> str:
    """Return the mail's source; a picture's bytes depend on the machine's zlib."""
    source = mail.as_bytes().decode("ascii").replace("\r\n", "\n")
    return re.sub(r"(?m)(^Content-ID: .*\n(?:.+\n)*\n)(?:[A-Za-z0-9+/=]+\n)+", r"\1(picture)\n", source)


def compare(name: str, content: str) -> None:
    path = MAILS / name
    if os.environ.get("TIENDO_GOLDEN") == "write":
        path.write_text(content, encoding="utf-8")
    assert content == path.read_text(encoding="utf-8")


@pytest.mark.parametrize(("name", "language", "position"), CASES)
def test_the_mail_is_word_for_word_the_golden_one(name: str, language: str, position: int) -> None:
    """Text, HTML and headers are those of the files."""
    rendered, mail = mail_of(language, position)

    compare(f"{name}.txt", f"{rendered.subject}\n\n{rendered.text}")
    compare(f"{name}.html", rendered.html)
    compare(f"{name}.eml", without_pictures(mail))


@pytest.mark.parametrize("language", ["vi", "en"])
def test_a_lowered_target_is_told_in_the_mail(language: str) -> None:
    """What it was, what it is, by which decision; of the deadline once, of what was not lowered nothing."""
    rendered, _ = mail_of(language, 2, world.lowered(language))

    compare(f"moved.{language}.txt", f"{rendered.subject}\n\n{rendered.text}")
    compare(f"moved.{language}.html", rendered.html)
    assert all(len(line) <= 78 for line in rendered.text.splitlines())


@pytest.mark.parametrize(("name", "language", "position"), CASES)
def test_the_mail_reads_back(name: str, language: str, position: int) -> None:
    """A mail program finds the parts, every picture that the page shows, and the same words; twice is the same bytes."""
    rendered, mail = mail_of(language, position)
    read = message_from_bytes(mail.as_bytes(), policy=policy.default)
    assert isinstance(read, EmailMessage)

    text, page = read.get_body(("plain",)), read.get_body(("html",))
    assert text is not None
    assert page is not None
    assert text.get_content().replace("\r\n", "\n") == rendered.text
    shown = set(re.findall(r'src="cid:([^"]+)"', page.get_content()))
    pictures = {part["Content-ID"].strip("<>"): part for part in read.walk() if part.get_content_type() == "image/png"}
    assert str(read["Subject"]) == rendered.subject
    assert shown == set(pictures)
    assert all(part.get_content().startswith(b"\x89PNG") for part in pictures.values())
    assert mail.as_bytes() == mail_of(language, position)[1].as_bytes()
    assert all(len(line) <= 78 for line in rendered.text.splitlines())


@pytest.mark.parametrize("letter", sample_letters())
def test_every_letter_can_be_written(letter: object) -> None:
    """Every branch of every template gives a subject of one line, a text and a page."""
    rendered = Letters().render(letter, key="k")  # type: ignore[arg-type]

    assert rendered.subject.startswith("[Tiến Độ] ")
    assert "\n" not in rendered.subject
    assert "None" not in rendered.text + rendered.html
    assert rendered.html.startswith("<!DOCTYPE html>")


def test_names_from_the_directory_cannot_become_markup() -> None:
    """A name with angle brackets stays a name."""
    letter = sample_letters()[0]
    evil = type(letter)(
        **{field: getattr(letter, field) for field in letter.__dataclass_fields__} | {"agency": "<b>&</b>"}
    )

    html = Letters().render(evil, key="k").html

    assert "<b>&</b>" not in html
    assert "&lt;b&gt;&amp;&lt;/b&gt;" in html


def test_a_deployments_broken_template_is_found_at_the_start(tmp_path: Path) -> None:
    """Own templates win over ours; one that names what does not exist stops the start."""
    (tmp_path / "feed.vi.txt.j2").write_text("Subject: Luồng {{ letter.feeds|length }}\n\nXin chào")
    own = Letters(tmp_path)
    own.check(sample_letters())
    assert own.render(sample_letters()[4], key="k").text == "Xin chào\n"

    (tmp_path / "feed.vi.txt.j2").write_text("Subject: {{ letter.nothing }}\n")
    with pytest.raises(TemplateError):
        Letters(tmp_path).check(sample_letters())
    (tmp_path / "feed.vi.txt.j2").write_text("Không có chủ đề\n")
    with pytest.raises(TemplateError):
        Letters(tmp_path).check(sample_letters())


words = st.text(alphabet='aăâbcdđeêghiklmnoôơpqrstuưvxyấềịọửỹẠĐ ,.:()[]-<>"&1', min_size=1, max_size=120)


@settings(deadline=None)  # the machine may be busy
@given(words)
def test_headers_survive_the_wire(text: str) -> None:
    """Subject and name of an office come back letter for letter, blanks included, as RFC 2047 says they are read."""
    text = " ".join(text.split()) or "x"
    mail = EmailMessage(policy=WIRE)
    mail["Subject"] = text
    mail["To"] = Address(text, addr_spec="so-y-te@example.vn")
    mail.set_content("x")

    source = mail.as_bytes()
    read = message_from_bytes(source)  # the older parser, which follows RFC 2047 here

    assert all(len(line) <= 78 for line in source.splitlines())
    assert str(make_header(decode_header(read["Subject"]))) == text
    name, address = parseaddr(read["To"].replace("\n", "").replace("\r", ""))
    assert str(make_header(decode_header(name))) == text
    assert address == "so-y-te@example.vn"
