"""What letters say of the life of a warning, in which order, and what a deployment's templates may break."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.warnings import AnswerKind, Severity, TransitionReason, WarningState
from services.alerts.adapters.letters import LANGUAGES, Letters, TemplateFault, kind_of
from services.alerts.core.book import Book
from services.alerts.core.digest_letter import DigestLetter
from services.alerts.core.feed_letter import FeedLetter
from services.alerts.core.letter import DisputeLetter, Lag, LagLetter, News
from services.alerts.core.news import WEIGHT, news_of, order
from services.alerts.core.samples import sample_letters
from services.alerts.core.warn import Letter
from services.core.warnings.lifecycle import TOLD
from tests.mail_lives import R, S, boxes, use

ENDS = {R.CAUGHT_UP, R.NO_LONGER_JUDGED, R.FEED_RETURNED}


@cache
def samples(language: str = "vi") -> tuple[Letter, ...]:
    return tuple(one for one in sample_letters() if one.heading.language == language)


def lags(language: str = "vi") -> list[Lag]:
    return [lag for letter in samples(language) if isinstance(letter, LagLetter) for lag in letter.lags]


def office(role: str) -> str | None:
    return {"department-in-charge": "Sở Nội vụ"}.get(role)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_reason_has_words_of_its_own(language: str) -> None:
    """A reason that the contract gains and the samples do not know fails here; one without words cannot be rendered."""
    known = {news.reason for lag in lags(language) for news in lag.news}
    environment = Letters()._plain[language]
    words = environment.from_string(
        f'{{% import "_words.{language}.j2" as w with context %}}{{{{ w.news(one, one.day) }}}}'
    )
    said = {
        news.reason: words.render(one=replace(news, role=None)).strip()
        for lag in lags(language)
        for news in lag.news
        if not (news.reason == "behind-again" and news.before)
    }

    assert known == {reason.value for reason in TransitionReason}
    assert all(said.values())
    assert len(set(said.values())) == len(TransitionReason)
    with pytest.raises(Exception, match="no_words_for_this_reason"):
        words.render(one=News(reason="new-reason", day=lags()[0].since, since=lags()[0].since))


def test_everything_told_is_news_or_an_end() -> None:
    """No reason that somebody is told of is passed over when a letter is written."""
    assert set(WEIGHT) | ENDS == TOLD
    assert not set(WEIGHT) & ENDS


news = st.sampled_from(
    [None, *(reason.value for reason in WEIGHT if not reason.value.startswith("feed") and reason is not R.MISSED)]
)


@settings(deadline=None)  # the machine may be busy
@given(st.lists(st.tuples(news, st.sampled_from([*Severity]), st.integers(-50, 400)), min_size=1, max_size=9))
def test_nothing_new_is_ever_below_an_old_fault(rows: list[tuple[str | None, Severity, int]]) -> None:
    """Changes first, then reminders, then what is unchanged; the subject leads with the gravest change and counts the rest."""
    base = lags()[0]
    made = [
        replace(
            base,
            indicator=f"i{at}",
            severity=severity.value,
            standing=replace(base.standing, days_behind=Fraction(days)),
            news=() if reason is None else (replace(base.news[0], reason=reason, severity=severity.value),),
        )
        for at, (reason, severity, days) in enumerate(rows)
    ]
    made.sort(key=order)
    letter = LagLetter(heading=samples()[0].heading, agency="Sở Mẫu", lags=tuple(made), resolved=(), others=())

    kinds = [2 if not one.news else int(one.news[0].reason == "still-behind") for one in made]
    fresh = [one for one in made if not one.old]
    assert kinds == sorted(kinds)
    assert [one.old for one in made] == sorted(one.old for one in made)
    ranks = [[*Severity].index(Severity(one.severity)) for one in fresh]
    assert ranks == sorted(ranks, reverse=True)
    assert letter.changed == len(fresh) == sum(not one.old for one in letter.led) + letter.more
    assert letter.changed + letter.unchanged == len(made)
    if fresh:
        assert letter.lead == fresh[0].news[0]
        assert letter.lead.reason != "still-behind"


def test_a_warning_that_came_back_says_since_when_it_had_been_over() -> None:
    """All of it told in one mail, because a silence kept it: only how it is now, with the day of having caught up."""
    life = use()
    life.then(R.CAUGHT_UP, S.RESOLVED, "2008-09-16", "2008-09-14")
    again = life.then(R.BEHIND_AGAIN, S.OPEN, "2008-09-28", "2008-09-26")

    (told,) = news_of(life.told, Book(life.told), office)

    assert (told.reason, told.since, told.before) == ("behind-again", again.since, life.told[2].since)
    assert news_of(life.told[:3], Book(life.told[:3]), office) == ()


def test_a_level_reached_names_its_office() -> None:
    """Of the department in charge its office, of a chair that nobody named the role alone; not where the level stayed."""
    life = boxes()
    first = life.then(R.UNANSWERED, S.ESCALATED, "2008-08-20", level="department-in-charge")
    second = life.then(R.WORSENED, S.ESCALATED, "2008-08-25", severity=Severity.CRITICAL)
    third = life.then(R.UNANSWERED, S.ESCALATED, "2008-09-20", level="chair")
    book = Book(life.told)

    found = {one.reason: one for one in news_of([first, second, third], book, office)}

    assert (found["worsened"].role, found["worsened"].severity_before) == (None, "warning")
    by_day = sorted((one.day, one.role, one.office) for one in news_of([first, third], book, office))
    assert [one[1:] for one in by_day] == [("department-in-charge", "Sở Nội vụ"), ("chair", None)]
    assert news_of([life.told[0]], book, office)[0].role is None


def test_a_reminder_is_dropped_where_something_changed() -> None:
    """Days of waiting in one mail: the last reminder alone, and none beside a change."""
    life = boxes()
    reminders = [life.then(R.STILL_BEHIND, S.OPEN, f"2008-08-{day}") for day in (10, 20)]
    changed = life.then(R.WORSENED, S.OPEN, "2008-08-25", severity=Severity.CRITICAL)
    book = Book(life.told)

    assert [one.day for one in news_of(reminders, book, office)] == [reminders[1].day]
    assert [one.reason for one in news_of([*reminders, changed], book, office)] == ["worsened"]
    assert news_of(reminders, book, office)[0].days == (reminders[1].day - life.told[0].since).days + 1


def test_the_last_answer_is_shown_and_a_broken_promise_named() -> None:
    """Acknowledged, then accepted with a date, then the date has passed; nothing once the warning is over."""
    zone = ZoneInfo("Asia/Ho_Chi_Minh")
    life, subject = use(), ("so-y-te", "lag:email-use")
    assert Book(life.told).answered(subject, zone) is None
    life.then(R.ACKNOWLEDGED, S.ACKNOWLEDGED, "2008-09-10", acknowledged=True, answer="a")
    promised = life.told[-1].day + timedelta(days=9)
    life.then(R.ACCEPTED, S.ANSWERED, "2008-09-11", acknowledged=True, answer="b", promised=promised)
    held = Book(life.told).answered(subject, zone)
    passed = life.then(R.PROMISE_PASSED, S.ESCALATED, "2008-09-20", promised=None, answer="b")
    broken, alone = Book(life.told).answered(subject, zone), Book([passed]).answered(subject, zone)
    life.then(R.CAUGHT_UP, S.RESOLVED, "2008-09-30")

    assert held is not None
    assert broken is not None
    assert alone is not None
    assert (held.answer, held.promised, held.passed) == ("accepted", promised, False)
    assert (broken.answer, broken.promised, broken.passed) == ("accepted", promised, True)
    assert (alone.answer, alone.promised, alone.passed) == ("accepted", None, True)
    assert Book(life.told).answered(subject, zone) is None


@pytest.mark.parametrize(
    ("state", "promised", "kind"),
    [
        (S.ACKNOWLEDGED, None, AnswerKind.ACKNOWLEDGED),
        (S.ANSWERED, None, AnswerKind.DISPUTED),
        (S.ANSWERED, "2008-10-31", AnswerKind.ACCEPTED),
    ],
)
def test_the_state_alone_tells_what_was_answered(state: WarningState, promised: str | None, kind: AnswerKind) -> None:
    """A digest has the last transition of most warnings and no more."""
    life = use()
    life.then(R.WORSENED, state, "2008-09-20", acknowledged=True, answer="x", promised=promised)
    found = Book(life.told[-1:]).answered(("so-y-te", "lag:email-use"), ZoneInfo("UTC"))

    assert found is not None
    assert (found.answer, found.day) == (kind.value, None)


@given(st.randoms())
def test_of_two_records_of_one_place_the_first_counts(shuffle: Any) -> None:
    """Evaluators that overlap: whatever came second to the log changes no letter."""
    life = boxes()
    life.then(R.WORSENED, S.ESCALATED, "2008-08-25", severity=Severity.CRITICAL)
    second = [one.model_copy(update={"level": "chair"}) for one in life.told]
    shuffle.shuffle(second)
    book = Book([*life.told, *second])

    assert book.life(("so-y-te", "lag:mailboxes")) == life.told
    assert book.told(one.id for one in reversed(life.told)) == tuple(life.told)
    assert book.told(["unknown"]) == ()


def test_one_is_singular_in_english() -> None:
    """One official, one point, one day, one indicator; and everything else not."""
    base = next(one for one in samples("en") if isinstance(one, LagLetter))
    lag = replace(base.lags[0], unit="officials", unit_one="official")

    def text(**pace: Any) -> str:
        letter = replace(base, lags=(replace(lag, pace=replace(lag.pace, **pace)),))
        return Letters().render(letter, key="k").text

    assert "1 more official a week (5 missing in all)" in text(per_week=Fraction(1), missing=Fraction(5))
    assert "2 more officials a week" in text(per_week=Fraction(2), missing=Fraction(5))
    assert "1 official still missing" in text(per_week=None, missing=Fraction(1))
    assert "1 percentage point more a week" in text(counted=False, per_week=Fraction(1, 100), missing=Fraction(1, 20))
    assert "0.5 percentage points more" in text(counted=False, per_week=Fraction(1, 200), missing=Fraction(1, 20))
    assert "1 indicator behind" in Letters().render(replace(base, lags=(lag,)), key="k").subject


def test_an_answer_link_is_a_button_and_a_bare_line() -> None:
    """With a link: the link alone on its line; without one: how to answer by mail. Neither where nothing is open."""
    letter = next(one for one in samples() if isinstance(one, LagLetter) and one.lags)
    url = "https://tien-do.example.vn/answer/" + "x" * 120
    linked = Letters().render(replace(letter, heading=replace(letter.heading, answer_url=url)), key="k")
    bare = Letters().render(replace(letter, heading=replace(letter.heading, answer_url=None)), key="k")
    over = Letters().render(replace(letter, lags=(), heading=replace(letter.heading, answer_url=url)), key="k")

    assert url in linked.text.splitlines()
    assert f'href="{url}"' in linked.html
    assert letter.heading.operations.email in linked.text
    assert "href" not in bare.html
    assert letter.heading.operations.email in bare.text
    assert url not in over.text + over.html


def test_kinds_of_letters_have_samples_in_both_languages() -> None:
    """What is checked at the start is everything that can be sent."""
    for language in LANGUAGES:
        kinds = {type(one) for one in samples(language)}
        assert kinds == {LagLetter, FeedLetter, DisputeLetter, DigestLetter}


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        pytest.param("digest.txt.j2", "Subject: x\n\n{{ letter.nobody }}\n", r"digest\.txt\.j2:3: .*nobody", id="unknown"),
        pytest.param("warning.vi.html.j2", "a\n{% if %}\n", r"warning\.vi\.html\.j2:2: ", id="not Jinja"),
        pytest.param("feed.html.j2", '{% extends "_layout.html.j2" %}', r"feed\.html\.j2|_layout\.html\.j2:\d+: .*", id="block"),
        pytest.param("_words.en.j2", "{% set label = {} %}", r"\.j2:\d+: ", id="a word is missing"),
        pytest.param("dispute.txt.j2", "Kính gửi\n", r"dispute\.txt\.j2 must begin", id="no subject"),
        pytest.param("feed.txt.j2", "Subject: x\n\n{{ none|day }}\n", r"feed\.txt\.j2:3: ", id="a filter fails"),
    ],
)  # fmt: skip
def test_a_template_that_cannot_be_used_is_named_with_its_line(
    tmp_path: Path, name: str, content: str, told: str
) -> None:
    """Before anything is sent, whichever letter would have met it."""
    (tmp_path / name).write_text(content, encoding="utf-8")

    with pytest.raises(TemplateFault, match=told):
        Letters(tmp_path).check(sample_letters())


def test_own_templates_may_be_for_one_language_or_for_both(tmp_path: Path) -> None:
    """``feed.en.txt.j2`` wins over ``feed.txt.j2``, which wins over ours; the rest stays ours."""
    (tmp_path / "feed.txt.j2").write_text("Subject: chung\n\nchung", encoding="utf-8")
    (tmp_path / "feed.en.txt.j2").write_text("Subject: own\n\nown", encoding="utf-8")
    own = Letters(tmp_path)
    own.check(sample_letters())

    found = {(kind_of(one), one.heading.language): own.render(one, key="k").subject for one in sample_letters()}

    assert found[("feed", "vi")] == "chung"
    assert found[("feed", "en")] == "own"
    assert found[("warning", "vi")].startswith("[Tiến Độ]")


@pytest.mark.parametrize(("before", "said"), [(1, "raised to “critical”"), (0, "past the deadline and missed")])
def test_what_is_graver_because_the_deadline_has_passed_is_told_as_missed(before: int, said: str) -> None:
    """On the day before it is graver; on the deadline's day it is missed, in subject and text."""
    letter = next(one for one in samples("en") if isinstance(one, LagLetter) and one.lags)
    deadline = letter.heading.deadline
    graver = replace(
        letter.lags[0].news[0],
        reason="worsened", severity="critical", severity_before="warning", day=deadline - timedelta(days=before),
    )  # fmt: skip
    rendered = Letters().render(replace(letter, lags=(replace(letter.lags[0], news=(graver,)),)), key="k")

    assert said in rendered.subject
    assert ("has passed and the target was missed" in " ".join(rendered.text.split())) == (before == 0)
