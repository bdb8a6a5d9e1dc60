"""Files of others' figures as people write them: what is read, and every fault with its place and what was meant."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.core.errors import Rejected
from services.core.others_course import Kind
from services.core.others_rows import COLUMNS, Unreadable, read_day, read_share
from services.infra.others_csv import load_others, read_others

INDICATORS = ("mailboxes", "email-use")
HEAD = "indicator,who,day,ratio,source\n"


def read(text: str, encoding: str = "utf-8"):
    return read_others(text.encode(encoding), INDICATORS)


def said(text: str) -> list[str]:
    found = read(text)
    assert not found.figures or not found.faults
    return [fault.text("f.csv") for fault in found.faults]


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("40 %", Fraction(2, 5)), ("40%", Fraction(2, 5)), ("40,5 %", Fraction(81, 200)), ("40.5 %", Fraction(81, 200)),
        ("0.4", Fraction(2, 5)), ("0,4", Fraction(2, 5)), ("0", Fraction(0)), ("0 %", Fraction(0)), ("100 %", Fraction(1)),
        ("1.0", Fraction(1)),
    ],
)  # fmt: skip
def test_shares_as_they_are_written(text, share):
    """With a sign they are percent, without one shares of 1; comma or point."""
    assert read_share(text) == share


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("40", "did you mean `40 %`?"), ("40,5", "did you mean `40,5 %`?"), ("1", "write its sign"), ("101 %", None),
        ("n/a", "write `40 %`"), ("-3 %", "write `40 %`"), ("", "write `40 %`"), ("4e-1", "write `40 %`"),
    ],
)  # fmt: skip
def test_what_may_mean_two_things_is_asked_back(text, hint):
    """A bare 40 or 1 is never guessed at; neither is anything negative or more than all."""
    with pytest.raises(Unreadable) as caught:
        read_share(text)

    assert (caught.value.hint or "").startswith(hint or "")
    assert (caught.value.hint is None) == (hint is None)


@given(st.decimals(0, 100, places=2))
def test_a_percentage_reads_back_with_either_mark(percent):
    """Point and comma give the same exact share."""
    assert read_share(f"{percent} %") == read_share(f"{percent} %".replace(".", ",")) == Fraction(percent) / 100


def test_days_are_iso_or_day_first():
    """As programs and as Vietnamese spreadsheets write them; month first is asked back."""
    assert read_day("2008-09-30") == read_day("30/09/2008") == read_day("30/9/2008") == date(2008, 9, 30)
    with pytest.raises(Unreadable, match="no day '09/30/2008'") as caught:
        read_day("09/30/2008")
    assert caught.value.hint == "the day comes first: did you mean 30/09/2008?"


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_separators_marks_and_line_ends_of_spreadsheets(mark, separator):
    """Commas, semicolons and tabs, with a byte order mark or without, and CRLF, give the same figures."""
    lines = [
        ["indicator", "who", "day", "ratio", "numerator", "denominator", "source", "comparable"],
        ["mailboxes", "Tỉnh A", "30/09/2008", '"40,5 %"', "", "", "báo cáo số 1", ""],
        ["mailboxes", "Tỉnh A", "2008-08-31", "", "81", "200", "báo cáo số 1", "không: chỉ các sở"],
        ["", "", "", "", "", "", "", ""],
    ]
    found = read(mark + "\r\n".join(separator.join(line) for line in lines))

    assert found.faults == ()
    assert [(one.who, one.day, one.ratio, one.comparable, one.note) for one in found.figures] == [
        ("Tỉnh A", date(2008, 9, 30), Fraction(81, 200), True, ""),
        ("Tỉnh A", date(2008, 8, 31), Fraction(81, 200), False, "chỉ các sở"),
    ]


def test_vietnamese_headings_and_both_kinds():
    """Headings in Vietnamese, composed or not, mean the same columns."""
    decomposed = "Chỉ tiêu;Đơn vị;Loại;Ngày;Tỷ lệ;Nguồn\n".replace("ỉ", "i\u0309")
    found = read(decomposed + "mailboxes;2007;Năm trước;30/9/2007;40 %;x\nmailboxes;Tỉnh B;;30/9/2008;50 %;y\n")

    assert [one.kind for one in found.figures] == [Kind.LAST_YEAR, Kind.OTHER]


def test_nothing_published_is_null_and_stays_in_the_file():
    """No ratio and no counts, or 0 of 0, are no figure, and no fault."""
    found = read(
        "indicator,who,day,ratio,numerator,denominator,source\nmailboxes,a,2008-09-30,,,,s\nmailboxes,b,2008-09-30,,0,0,s\n"
    )

    assert [one.ratio for one in found.figures] == [None, None]
    assert found.faults == ()


def test_all_faults_at_once_each_with_its_place_and_what_was_meant():
    """One run tells everything; lines count as an editor counts them."""
    text = (
        "indicator,who,kind,day,ratio,numerator,denominator,source\n"
        "mailboxs,a,,2008-09-30,40 %,,,s\n"
        "mailboxes,a,last year?,2008-09-31,40,,,\n"
        "mailboxes,a,,2008-09-30,40 %,300,100,s\n"
        "mailboxes,a,,2008-09-30,40 %,30,100,s\n"
        "mailboxes,a,,2008-09-30,,1.200,3000,s\n"
        "mailboxes,a,,2008-09-30,,12,,s\n"
        "mailboxes,a,,2008-09-30,40,5 %,,,s\n"
        '"mailboxes","b\nc",,2008-09-30,40 %,,,s\n'
        "mailboxes,b c,,2008-09-30,41 %,,,s\n"
        "mailboxes,b c,last-year,2008-08-30,41 %,,,s\n"
    )

    assert said(text) == [
        "f.csv:2: column `indicator`: the plan has no indicator 'mailboxs' — did you mean 'mailboxes'?",
        "f.csv:3: column `source`: is empty — say where the figure is published",
        "f.csv:3: column `kind`: 'last year?' is neither `other` nor `last-year` — did you mean 'last year'?",
        "f.csv:3: column `day`: there is no day '2008-09-31'",
        "f.csv:3: column `ratio`: '40' is more than 1 — did you mean `40 %`?",
        "f.csv:4: column `numerator`: 300 of 100 is more than all",
        "f.csv:5: column `ratio`: 40 % is not 30 of 100 — that is 30.00%",
        "f.csv:6: column `numerator`: '1.200' may be a thousand or a decimal — write `1200` if it is whole",
        "f.csv:7: column `denominator`: is empty, and the other count is given",
        'f.csv:8: 9 cells for 8 headings — a decimal comma needs quotes where commas separate, as in "40,5 %"',
        "f.csv:11: column `day`: a second figure of 'b c' for 'mailboxes' on this day; the first is in line 9",
        "f.csv:12: column `kind`: 'b c' is `other` in line 9 and `last-year` here",
    ]


def test_groups_are_those_of_the_directory_and_keep_figures_apart():
    """The same place and day may stand once for all and once for a group; a group that there is not is asked back."""
    text = "indicator,group,who,day,ratio,source\nmailboxes,,a,2008-09-30,40 %,s\nmailboxes,districts,a,2008-09-30,30 %,s\n"

    assert [one.group for one in read_others(text.encode(), INDICATORS, ["districts"]).figures] == ["", "districts"]
    assert [one.text("f") for one in read_others(text.encode(), INDICATORS, ["district"]).faults] == [
        "f:3: column `group`: the directory has no group 'districts' — did you mean 'district'?"
    ]


def test_faulty_headings_are_told_alone():
    """A misspelt heading is one fault, not one per row."""
    assert said("indicator,who,day,ration,day\nmailboxes,a,never,40,x\n") == [
        "f.csv:1: column `ration`: unknown column — did you mean 'ratio'?",
        "f.csv:1: column `day`: stands 2 times",
        "f.csv:1: no column `source`",
        "f.csv:1: no column `ratio` or `numerator` and `denominator`",
    ]


def test_rounded_shares_agree_with_their_counts():
    """333 of 1,000 may be written as 33 %, 33,3 % or 0.3, and counts for what it is."""
    head = "indicator;who;day;ratio;numerator;denominator;source\n"
    for ratio in ("33 %", "33,3 %", "0.3"):
        assert read(f"{head}mailboxes;a;2008-09-30;{ratio};333;1000;s\n").figures[0].ratio == Fraction(333, 1000)
    assert said(f"{head}mailboxes;a;2008-09-30;34 %;333;1000;s\n")


@pytest.mark.parametrize(
    ("raw", "fault"),
    [
        (b"", "f.csv:1: the file is empty"),
        (b"\n , \n", "f.csv:1: the file is empty"),
        ((HEAD + "mailboxes,T\u1ec9nh,").encode() + b"\xff", "f.csv:2: byte 48 is not UTF-8 — save it as “CSV UTF-8”"),
        (
            (HEAD + 'mailboxes,a,2008-09-30,40 %,"s').encode(),
            "f.csv:2: this is not CSV: unexpected end of data — check the quotes",
        ),
    ],
    ids=["nothing", "blank lines", "another encoding", "an open quote"],
)
def test_files_that_are_none(raw, fault):
    """Each is told as a fault with its line, never as a crash."""
    assert [one.text("f.csv") for one in read_others(raw, INDICATORS).faults] == [fault]


@pytest.mark.parametrize("sign", ["\0", "\x1b[31m"], ids=["NUL", "an escape sequence"])
def test_control_characters_are_a_fault(sign):
    """They would reach the terminal with the name."""
    raw = (HEAD + f"mailboxes,T\u1ec9nh{sign},2008-09-30,40 %,s").encode()
    assert [one.text("f.csv") for one in read_others(raw, INDICATORS).faults] == [
        "f.csv:2: column `who`: holds a control character"
    ]


def test_a_file_that_is_not_there_is_refused(tmp_path):
    """With its name and the system's reason."""
    with pytest.raises(Rejected, match=r"cannot read .*nowhere\.csv: No such file"):
        load_others(tmp_path / "nowhere.csv", INDICATORS)


@given(st.lists(st.lists(st.text(max_size=8), max_size=10), max_size=5), st.sampled_from([",", ";", "\t"]))
def test_no_cells_can_crash_the_reader(rows, separator):
    """Whatever stands in a file, figures or faults come out, and never both."""
    text = "\n".join(separator.join(row) for row in [list(COLUMNS), *rows])
    found = read_others(text.encode("utf-8", "surrogatepass"), INDICATORS)

    assert not (found.figures and found.faults)


def test_more_rows_than_anybody_compares_with_are_refused():
    """A whole database by mistake is answered at once."""
    (fault,) = read(HEAD + "mailboxes,Bắc Kạn,2008-09-30,40 %,gazette\n" * 10_001).faults

    assert "10,001 rows, where at most 10,000" in fault.message
