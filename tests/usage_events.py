"""Hypothesis strategies of usage events over a world small enough that they meet, correct and contradict one another."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from schemas import usage

FIRST = date(2008, 5, 22)
PERSONS = [f"k1:person{n}" for n in range(3)]
ADDRESSES = [f"k1:address{n}" for n in range(2)]
MEMBERS = ["a", "a1", "b", "c"]
SOURCES = ["/one", "/two"]

days = st.integers(0, 40).map(lambda n: FIRST + timedelta(days=n))
moments = st.integers(0, 5).map(lambda n: datetime(2008, 7, 10, 9, tzinfo=UTC) + timedelta(hours=7 * n))
steps = st.sampled_from(["entered", "adopted", "undone"])
gone = st.sampled_from([False, False, False, True])


def _event(kind: type, data: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.builds(
        kind,
        id=st.integers(0, 10**6).map(str),
        source=st.sampled_from(SOURCES),
        agency=st.just("root"),
        time=moments,
        received=moments,
        data=data,
    )


@st.composite
def _spans(draw: st.DrawFn) -> dict[str, Any]:
    first = draw(days)
    length = draw(st.one_of(st.none(), st.integers(0, 25)))
    return {
        "from_": first,
        "to": None if length is None else first + timedelta(days=length),
        "retracted": draw(gone),
        "stint": draw(st.sampled_from(["s1", "s2"])),
    }


def _with(spans: dict[str, Any], kind: type, **more: Any) -> Any:
    return kind(**spans, **more)


officials = st.builds(
    lambda span, person, agency: _with(span, usage.MembershipSpan, person=person, agency=agency, roster="officials"),
    _spans(), st.sampled_from(PERSONS), st.sampled_from(MEMBERS),
)  # fmt: skip
trained = st.builds(
    lambda span, person, agency: _with(span, usage.MembershipSpan, person=person, agency=agency, roster="trained.it"),
    _spans(), st.sampled_from(PERSONS), st.sampled_from(MEMBERS),
)  # fmt: skip
boxes = st.builds(
    lambda span, address, owner, domain: _with(
        span, usage.MailboxSpan, address=address, owner=owner, domain=domain
    ),
    _spans(), st.sampled_from(ADDRESSES), st.sampled_from([*PERSONS, None]),
    st.sampled_from(["x.gov.vn", "sub.x.gov.vn", "notx.gov.vn"]),
)  # fmt: skip
deeds = st.one_of(
    st.builds(usage.MailUse, actor=st.sampled_from(ADDRESSES), kind=st.just("address"), day=days,
              action=st.sampled_from(["sent", "sent", "read"]), retracted=gone),
    st.builds(usage.MailUse, actor=st.sampled_from(PERSONS), kind=st.just("person"), day=days,
              action=st.just("sent"), retracted=gone),
)  # fmt: skip
exchanges = st.builds(
    usage.Exchange,
    issuer=st.sampled_from(["edoc:L", "agency:lead", "edoc:A", "agency:a", "edoc:A1", "edoc:B", "edoc:nobody"]),
    number=st.sampled_from(["1/VB", "2/VB"]),
    issued_on=days,
    counterpart=st.sampled_from(["edoc:L", "edoc:A", "agency:a", "edoc:A1", "edoc:B"]),
    step=steps,
    day=days,
    retracted=gone,
)
items = st.builds(
    usage.Item, agency=st.sampled_from(MEMBERS), id=st.sampled_from(["i1", "i2"]), step=steps, day=days, retracted=gone
)
milestones = st.builds(
    usage.Item,
    agency=st.sampled_from(MEMBERS),
    id=st.sampled_from(["p/1", "p/2"]),
    step=steps,
    day=days,
    weight=st.sampled_from([Decimal("1"), Decimal("2.5"), Decimal("0.0001")]),
    retracted=gone,
)
amounts = st.builds(
    lambda agency, stage, name, on, weight, retracted: usage.Item(
        agency=agency, id=f"p/{stage}/{name}", step="adopted" if stage == "disbursed" else "entered", day=on,
        weight=weight, retracted=retracted,
    ),
    st.sampled_from(MEMBERS), st.sampled_from(["proposed", "approved", "budgeted", "delivered", "disbursed"]),
    st.sampled_from(["1", "2"]), days,
    st.sampled_from([Decimal("1000000"), Decimal("2500000.5"), Decimal("99999999999999.9999")]), gone,
)  # fmt: skip
headcounts = st.builds(
    lambda agency, on, count, retracted: usage.Declaration(
        agency=agency, indicator="headcount.officials", from_=on, to=on, numerator=None, denominator=Decimal(count),
        retracted=retracted,
    ),
    st.sampled_from(MEMBERS), days, st.integers(0, 50), gone,
)  # fmt: skip
declared = st.builds(
    lambda agency, indicator, first, length, part, rest, retracted: usage.Declaration(
        agency=agency, indicator=indicator, from_=first, to=first + timedelta(days=length),
        numerator=Decimal(part), denominator=Decimal(part + rest), retracted=retracted,
    ),
    st.sampled_from(MEMBERS), st.sampled_from(["mailboxes", "use", "exchanged", "records", "milestones", "approved", "nothing"]),
    days, st.integers(0, 30), st.integers(0, 9), st.integers(0, 9), gone,
)  # fmt: skip
reports = st.builds(
    usage.FeedReport,
    type=st.sampled_from(["mail.used", "record.filed"]),
    day=days,
    count=st.integers(0, 5),
    retracted=gone,
)

one_event = st.one_of(
    _event(usage.OfficialJoined, officials),
    _event(usage.OfficialLeft, officials),
    _event(usage.OfficialJoined, officials),
    _event(usage.TrainingCompleted, trained),
    _event(usage.MailboxOpened, boxes),
    _event(usage.MailboxClosed, boxes),
    _event(usage.MailUsed, deeds),
    _event(usage.MailUsed, deeds),
    _event(usage.DocumentExchanged, exchanges),
    _event(usage.DocumentExchanged, exchanges),
    _event(usage.RecordFiled, items),
    _event(usage.DocumentHandled, items),
    _event(usage.TaskDirected, items),
    _event(usage.MilestoneReached, milestones),
    _event(usage.BudgetRecorded, amounts),
    _event(usage.HeadcountDeclared, headcounts),
    _event(usage.FigureDeclared, declared),
    _event(usage.FigureDeclared, declared),
    _event(usage.FeedReported, reports),
)
#: Lists long enough that something happens.
event_lists = st.lists(one_event, min_size=5, max_size=60)
