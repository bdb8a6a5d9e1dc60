"""From an event as sent to the event as the log keeps it."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import usage
from schemas.common import full_type
from schemas.events import CATALOGUE, PERSONAL
from schemas.usage import NormalisedEvent, canonical, encode_one
from services.ingest.core.rejection import Refusal
from tests.unit.ingest.examples import NOW, PSEUDONYMS, admission, example, raw

TYPES = st.sampled_from(sorted(CATALOGUE))


def taken(event: dict[str, Any], **options: Any) -> Any:
    """Return the event as the log keeps it, where the door takes it."""
    made = admission(event["source"], **options).admit(raw(event))
    assert not isinstance(made, Refusal), made
    return made


def test_catalogue_and_log_know_the_same_types() -> None:
    """Every type of the catalogue has one form in the log, and no other has."""
    of_the_log = {event.__struct_config__.tag for event in get_args(NormalisedEvent)}
    assert of_the_log == {*map(full_type, CATALOGUE), full_type("sandboxed")}


@pytest.mark.parametrize("short", CATALOGUE)
def test_every_example_normalises(short: str) -> None:
    """Each valid example becomes an event of its type with its time in UTC."""
    made = taken(example(short))
    assert made.__struct_config__.tag == full_type(short)
    assert made.time == datetime(2008, 9, 30, 9, 20, 5, tzinfo=UTC)
    assert made.time.utcoffset() == timedelta(0)
    assert made.received == NOW


@pytest.mark.parametrize("short", sorted(PERSONAL))
def test_nothing_personal_passes(short: str) -> None:
    """No address, person, row key or id of an event that names somebody stands in what the log keeps."""
    event = example(short)
    written = encode_one(taken(event)).decode().lower()
    data = event["data"]
    people = [data[field] for field in ("person", "owner") if field in data]
    secrets = [event["id"], *(person["value"] for person in people)]
    secrets += [data[field] for field in ("stint", "address") if len(str(data.get(field, ""))) > 3]
    assert [secret for secret in secrets if secret.lower() in written] == []
    assert "nguyenvan" not in written


@given(TYPES)
def test_the_same_bytes_give_the_same_payload(short: str) -> None:
    """A repeated event has the same canonical payload whenever it is received."""
    event = example(short)
    later = taken(event, now=NOW + timedelta(days=400))
    assert canonical(taken(event)) == canonical(later)


@given(TYPES, st.permutations(range(12)))
def test_the_order_of_fields_says_nothing(short: str, order: list[int]) -> None:
    """However an event's fields are ordered, and whatever it carries beside them, the payload is the same."""
    event = example(short)
    mixed = {**event, "subject": "Nguyễn Văn A", "x": 1}
    keys = [key for _, key in sorted(zip(order, mixed, strict=False))] + list(mixed)
    assert canonical(taken({key: mixed[key] for key in keys})) == canonical(taken(event))


def test_offsets_say_nothing() -> None:
    """One moment written with two offsets is one statement."""
    event = example("record.filed")
    assert canonical(taken(event | {"time": "2008-09-30T09:20:05Z"})) == canonical(taken(event))


@pytest.mark.parametrize("written", [30, 30.0, "30", "30.00", "3E1"])
def test_one_number_has_one_spelling(written: Any) -> None:
    """Ways to write one number are one statement."""
    event = example("milestone.reached")
    same = event | {"data": event["data"] | {"weight": written}}
    assert taken(same).data.weight.as_tuple() == Decimal(30).as_tuple()


def test_joining_and_leaving_are_one_register_entry() -> None:
    """`official.left` states the stint of `official.joined` once more: person, agency, roster and stint agree."""
    joined, left = taken(example("official.joined")).data, taken(example("official.left")).data
    assert (joined.person, joined.agency, joined.roster, joined.stint) == (
        left.person,
        left.agency,
        left.roster,
        left.stint,
    )
    assert (joined.to, left.to.isoformat()) == (None, "2008-09-30")


def test_what_becomes_of_the_others() -> None:
    """Courses, headcounts, milestones, money and parties take the form that the log promises."""
    trained = taken(example("training.completed")).data
    assert (trained.roster, trained.from_.isoformat(), trained.to) == ("trained.tin-hoc-a", "2008-08-15", None)
    heads = taken(example("headcount.declared")).data
    assert (heads.indicator, heads.from_, heads.numerator, heads.denominator) == (
        "headcount.officials",
        heads.to,
        None,
        64,
    )
    assert taken(example("milestone.reached")).data.id == "cong-ttdt/m2"
    money = taken(example("budget.recorded")).data
    assert (money.id, money.step, money.weight) == ("cong-ttdt/disbursed/2008-q3", "adopted", 120_000_000)
    sent = taken(example("document.exchanged")).data
    assert (sent.issuer, sent.counterpart) == ("edoc:000.00.07.H55", "agency:ubnd-tinh")
    box = taken(example("mailbox.opened")).data
    assert box.domain == "soyte.thainguyen.gov.vn"
    assert taken(example("mail.used")).data.actor == box.address
    assert taken(example("feed.reported")).data == usage.FeedReport(
        type="document.handled", day=datetime(2008, 9, 30).date(), count=0
    )


def test_a_reported_type_may_be_written_in_full() -> None:
    """A feed may name the type that it reports by its full name."""
    event = example("feed.reported")
    full = event | {"data": event["data"] | {"type": "vn.tiendo.document.handled.v1"}}
    assert canonical(taken(full)) == canonical(taken(event))


def test_a_person_without_a_scheme_is_the_sources_own() -> None:
    """A bare number is a number of the source, and not one of a registered scheme."""
    event = example("official.joined")
    bare = taken(event | {"data": event["data"] | {"person": "TN-00417"}}).data.person
    assert bare == PSEUDONYMS.person(value="TN-00417", scheme=None, source=event["source"])
    assert bare != taken(event).data.person
