"""What is kept of refused inputs."""

import base64
from datetime import UTC, datetime

import pytest
from cryptography.exceptions import InvalidTag
from hypothesis import given
from hypothesis import strategies as st

from schemas.reasons import Reason
from schemas.rejected import Rejection
from schemas.topics import Topic
from services.ingest.adapters.rejected import Refused, RejectedRecords
from services.ingest.adapters.sealing import Seal, derive
from services.ingest.core.rejection import Refusal
from tests.unit.ingest.examples import PSEUDONYMS

SEAL = Seal(b"s" * 32)
RECORDS = RejectedRecords(PSEUDONYMS, SEAL)
NOW = datetime(2008, 10, 1, tzinfo=UTC)


def kept(original: bytes, *, reason: Reason = Reason.SCHEMA, source: str = "/mail", now: datetime = NOW) -> Rejection:
    (message,) = RECORDS.messages([Refused(Refusal(reason, "detail", "/id"), original)], source=source, received=now)
    assert (message.topic, message.key) == (Topic.REJECTED, source.encode())
    return Rejection.model_validate_json(message.value)


@given(st.binary())
def test_a_sealed_body_opens_to_what_was_sent(original: bytes) -> None:
    """The bytes come back whole, and their seal differs from them."""
    sealed = SEAL.close(original, rejection="k1:1")
    assert SEAL.open(sealed, rejection="k1:1") == original
    assert len(base64.b64decode(sealed)) == 12 + len(original) + 16


def test_only_the_right_key_and_rejection_open() -> None:
    """Another key, another rejection's name, or one changed byte open nothing."""
    sealed = SEAL.close(b"secret", rejection="k1:1")
    with pytest.raises(InvalidTag):
        Seal(b"t" * 32).open(sealed, rejection="k1:1")
    with pytest.raises(InvalidTag):
        SEAL.open(sealed, rejection="k1:2")
    changed = bytearray(base64.b64decode(sealed))
    changed[-1] ^= 1
    with pytest.raises(InvalidTag):
        SEAL.open(base64.b64encode(changed).decode(), rejection="k1:1")


def test_the_same_input_is_kept_the_same_way() -> None:
    """An input that is sent again gives the same rejection; another source's is another."""
    first, again = kept(b'{"id":"1"}'), kept(b'{"id":"1"}', now=NOW.replace(year=2009))
    assert again == first.model_copy(update={"received": again.received})
    assert kept(b'{"id":"1"}', source="/other").rejection != first.rejection


def test_what_is_told_in_clear() -> None:
    """Only the name of a known type stands in clear; the id is the pseudonym by which it can be looked up."""
    named = kept(b'{"id":"a/1","type":"vn.tiendo.mail.used.v1","data":{"address":"lan@x.vn"}}')
    assert (named.type, named.event_id) == ("mail.used", PSEUDONYMS.event_id(source="/mail", id="a/1"))
    assert (kept(b'{"type":"Lan"}').type, kept(b'{"type":"Lan"}').event_id) == ("", "")
    assert kept(b"no JSON", reason=Reason.MALFORMED).event_id == ""
    assert "lan@" not in named.model_dump_json()


def test_purposes_have_keys_of_their_own() -> None:
    """The key of pseudonyms and that of bodies are different, and neither is the secret."""
    secret = b"s" * 32
    assert len({secret, derive(secret, "pseudonyms"), derive(secret, "rejected body")}) == 3
