"""The fold of a Postfix log: one statement per address and day."""

from datetime import date, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from services.ingest.core.postfix_lines import read_line
from services.ingest.core.postfix_mail import MailFold, Senders
from services.ingest.core.syslog_time import LineTimes

OURS = Senders(domains=("thainguyen.gov.vn",))
START = datetime(2008, 6, 2, 8, tzinfo=timezone(timedelta(hours=7)))
AN, BINH = "an@thainguyen.gov.vn", "binh@so-y-te.thainguyen.gov.vn"


def at(minute: float, tag: str, text: str) -> str:
    return f"{(START + timedelta(minutes=minute)).isoformat()} mail postfix/{tag}[1]: {text}"


def mail(minute, queue, sender, message_id, *, door="smtpd", removed=True):
    taken = "client=pc[10.0.0.9]" if door == "smtpd" else "uid=1000 from=<x>"
    lines = [
        at(minute, door, f"{queue}: {taken}"),
        at(minute, "cleanup", f"{queue}: message-id={message_id}"),
        at(minute, "qmgr", f"{queue}: from=<{sender}>, size=400, nrcpt=3 (queue active)"),
    ]
    return lines + ([at(minute + 0.5, "qmgr", f"{queue}: removed")] if removed else [])


def fold_of(lines, *, cuts=(), senders=OURS, since=date.min):
    """Fold the lines, dumping and loading the state at each of *cuts*."""
    times = LineTimes(
        "Asia/Ho_Chi_Minh", log_zone="UTC", not_after=START + timedelta(days=400), opening_year=lambda: 2008
    )
    fold, found = MailFold(senders, since), []
    for place, text in enumerate(lines):
        if place in cuts:
            state, fold = fold.dump(), MailFold(senders, since)
            fold.load(state)
        line = read_line(text)
        sent = fold.step(line, times.day(line.stamp)) if line.stamp else None
        if sent is not None:
            found.append((sent.address, sent.day.isoformat(), sent.stamp))
    return found


def days_of(lines, **more):
    return [(address, day) for address, day, _ in fold_of(lines, **more)]


def test_a_mail_to_many_is_one_day_of_its_sender():
    """Recipients do not count; the address is told in lower case, with the time of the first line."""
    lines = mail(0, "4A", "An@ThaiNguyen.gov.vn", "<1>") + mail(5, "4B", AN, "<2>")
    assert fold_of(lines) == [(AN, "2008-06-02", START.isoformat())]


def test_each_day_is_told_once():
    """A further day is a further statement."""
    lines = mail(0, "4A", AN, "<1>") + mail(1440, "4B", AN, "<2>") + mail(1450, "4C", AN, "<3>")
    assert days_of(lines) == [(AN, "2008-06-02"), (AN, "2008-06-03")]


def test_a_bounce_has_no_sender():
    """from=<> says nothing about anybody."""
    assert days_of(mail(0, "4A", "", "<1>")) == []


def test_systems_and_outsiders_are_not_senders_of_ours():
    """Neither root nor another domain counts, nor one that merely ends alike; subdomains do."""
    senders = ["root@thainguyen.gov.vn", "MAILER-DAEMON@thainguyen.gov.vn", "double-bounce@mail.thainguyen.gov.vn"]
    senders += ["an@example.net", "an@notthainguyen.gov.vn", "an@thainguyen.gov.vn.example.net", "root", BINH]
    lines = [line for n, sender in enumerate(senders) for line in mail(n, f"4A{n}", sender, f"<{n}>")]
    assert days_of(lines) == [(BINH, "2008-06-02")]


def test_a_sender_that_is_no_address_is_left_out():
    """What the gateway would refuse is not stated, so that a feed does not look incomplete for it."""
    lines = mail(0, "4A", '"an b"@thainguyen.gov.vn', "<1>") + mail(1, "4B", "a" * 250 + "@thainguyen.gov.vn", "<2>")
    assert days_of(lines) == []


def test_an_address_in_utf8_is_kept():
    """Bytes are read as Latin-1 and told as what they say."""
    sender = "nguyễn@thainguyen.gov.vn"
    assert days_of(mail(0, "4A", sender.encode().decode("latin-1"), "<1>")) == [(sender, "2008-06-02")]


def test_a_retry_on_a_later_day_is_not_a_new_mail():
    """Deferred mail becomes active again and again."""
    lines = mail(0, "4A", AN, "<1>", removed=False)
    lines.append(at(1440, "qmgr", f"4A: from=<{AN}>, size=400, nrcpt=3 (queue active)"))
    assert days_of(lines) == [(AN, "2008-06-02")]


def test_a_queue_id_that_comes_back_is_a_new_mail():
    """Short queue ids are used again, even where the removal of the first was not logged."""
    lines = mail(0, "4A", AN, "<1>", removed=False) + mail(1440, "4A", AN, "<2>")
    assert days_of(lines) == [(AN, "2008-06-02"), (AN, "2008-06-03")]


def test_a_filter_that_hands_back_after_midnight_makes_no_second_day():
    """One mail, of the day of its first acceptance: by its Message-ID."""
    evening = 15 * 60 + 59
    lines = mail(evening, "4A", AN, "<1>", removed=False) + mail(evening + 5, "4B", AN, "<1>")
    assert days_of(lines) == [(AN, "2008-06-02")]


def test_a_nameless_mail_that_is_handed_back_makes_no_second_day():
    """Without a Message-ID: the original is still in the queue when its copy comes."""
    evening = 15 * 60 + 59
    lines = mail(evening, "4A", AN, "<>", removed=False) + mail(evening + 5, "4B", AN, "<>")
    lines += [at(evening + 6, "qmgr", "4A: removed"), *mail(evening + 1440, "4C", AN, "<>")]
    assert days_of(lines) == [(AN, "2008-06-02"), (AN, "2008-06-03")]


def test_a_resent_mail_is_a_mail_of_its_own():
    """Its Resent-Message-ID names it; the old Message-ID does not."""
    lines = mail(0, "4A", AN, "<1>")
    again = mail(1440, "4B", AN, "<1>")
    lines += [*again[:1], at(1440, "cleanup", "4B: resent-message-id=<9>"), *again[1:]]
    assert days_of(lines) == [(AN, "2008-06-02"), (AN, "2008-06-03")]


def test_the_same_message_id_of_another_sender_is_another_mail():
    """A list or a forger may use it; it hides nobody."""
    assert days_of(mail(0, "4A", AN, "<1>") + mail(1, "4B", BINH, "<1>")) == [(AN, "2008-06-02"), (BINH, "2008-06-02")]


def test_a_mail_whose_acceptance_lies_before_the_log_is_not_counted():
    """It may be a retry of any age."""
    assert days_of(mail(0, "4A", AN, "<1>")[2:]) == []


def test_mails_before_the_first_day_asked_for_still_name_themselves():
    """A copy after that day of a mail from before it is no mail of that day."""
    evening = 15 * 60 + 59
    lines = mail(evening, "4A", AN, "<1>", removed=False) + mail(evening + 5, "4B", AN, "<1>")
    assert days_of(lines, since=date(2008, 6, 3)) == []


MAILS = st.lists(
    st.tuples(
        st.integers(0, 6 * 1440), st.sampled_from([AN, BINH, "", "x@example.net"]), st.integers(0, 8), st.booleans()
    ),
    max_size=25,
)


def log_of(mails):
    """A log in order of time; some mails nameless, some pass a filter that hands them back."""
    lines = []
    for number, (minute, sender, name, filtered) in enumerate(mails):
        message_id = f"<{number}.{name}>" if name else "<>"
        lines += mail(minute, f"A{number}", sender, message_id, removed=not filtered)
        if filtered:
            lines += mail(minute + 3, f"B{number}", sender, message_id)
            lines.append(at(minute + 3.2, "qmgr", f"A{number}: removed"))
    return sorted(lines, key=lambda line: datetime.fromisoformat(line.split(" ", 1)[0]))


@given(MAILS, st.sets(st.integers(0, 200)))
def test_restarts_at_any_line_change_nothing(mails, cuts):
    """The state carries everything that matters."""
    lines = log_of(mails)
    assert fold_of(lines, cuts=cuts) == fold_of(lines)


@given(MAILS)
def test_handing_back_never_adds_a_day(mails):
    """The days are those of the same mails without the filter, and each is told once."""
    named = [(minute, sender, name or 1, filtered) for minute, sender, name, filtered in mails]
    plain = [(minute, sender, name, False) for minute, sender, name, _ in named]
    found = days_of(log_of(named))
    assert sorted(found) == sorted(days_of(log_of(plain)))
    assert len(found) == len(set(found))


@given(MAILS, st.lists(st.tuples(st.integers(0, 200), st.text(max_size=60)), max_size=10))
def test_garbage_between_the_lines_changes_nothing(mails, garbage):
    """What is not understood is passed over."""
    lines = log_of(mails)
    dirty = list(lines)
    for place, text in garbage:
        dirty.insert(place, "garbage " + text)
    assert fold_of(dirty) == fold_of(lines)
