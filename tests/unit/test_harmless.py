"""What others wrote is harmless on a terminal and in a spreadsheet, and still says the same."""

import csv
import io
import unicodedata

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from rich.text import Text

from services.cli.harmless import cells, in_a_cell, plain, shown

ANY = st.text(st.characters(exclude_categories=("Cs",)), max_size=60)


@given(ANY)
def test_no_control_character_is_left(text: str) -> None:
    """Nothing moves a cursor, colours a terminal or begins a line of its own, in whatever place."""
    for made in (plain(text), str(in_a_cell(text))):
        assert all(unicodedata.category(sign) != "Cc" for sign in made)
        assert len(made.splitlines()) <= 1


@given(ANY)
def test_no_cell_is_computed(text: str) -> None:
    """Read back from CSV, no text begins as a formula does, with or without blanks before it."""
    out = io.StringIO()
    csv.writer(out).writerow([in_a_cell(text), "end"])
    (row,) = csv.reader(io.StringIO(out.getvalue()))
    assert not row[0].lstrip().startswith(("=", "+", "-", "@"))
    assert row[1] == "end"


@given(ANY)
def test_a_table_shows_what_is_written(text: str) -> None:
    """Brackets are signs, no markup. (A backslash at the very end is doubled, so that it never hides what follows.)"""
    assume(not plain(text).endswith("\\"))
    assert Text.from_markup(shown(text)).plain == plain(text)


@pytest.mark.parametrize(
    ("text", "made"),
    [
        pytest.param("=1+1", "'=1+1", id="formula"),
        pytest.param("  @SUM(A1)", "'@SUM(A1)", id="blanks before it"),
        pytest.param("\t=1", "'=1", id="a tab before it"),
        pytest.param("hai phòng\r\nđã sáp nhập", "hai phòng đã sáp nhập", id="lines"),
        pytest.param("a\u202etxt.exe", "a txt.exe", id="a turn of the reading direction"),
        pytest.param("Sở Y tế - 2008", "Sở Y tế - 2008", id="harmless"),
    ],
)
def test_examples(text: str, made: str) -> None:
    """What people write stays as it is."""
    assert in_a_cell(text) == made


def test_numbers_stay_numbers() -> None:
    """A negative number is no formula."""
    assert cells({"days": -3.5, "none": None, "text": "-3.5"}) == {"days": -3.5, "none": None, "text": "'-3.5"}
