"""Pseudonyms: the same for the same, never the same for others, and nothing to be read in them."""

import hmac
import re

from hypothesis import given
from hypothesis import strategies as st

from services.ingest.core.pseudonyms import Pseudonyms

P = Pseudonyms("k1", b"k" * 32)
WORDS = st.text(min_size=1, max_size=20)


@given(WORDS, WORDS, WORDS, WORDS)
def test_two_schemes_never_meet(scheme: str, value: str, other_scheme: str, other_value: str) -> None:
    """Number 001 of two offices is two people: only the same scheme and the same value are the same person."""
    one = P.person(value=value, scheme=scheme, source="s")
    two = P.person(value=other_value, scheme=other_scheme, source="s")
    assert (one == two) == ((scheme, value) == (other_scheme, other_value))


@given(WORDS, WORDS)
def test_a_source_named_like_a_scheme_is_not_that_scheme(name: str, value: str) -> None:
    """A source's own numbering never meets a registered scheme of the same name."""
    assert P.person(value=value, scheme=name, source="s") != P.person(value=value, scheme=None, source=name)


@given(WORDS, WORDS)
def test_namespaces_are_apart(source: str, value: str) -> None:
    """The same text as a person, an address, a stint, an id and a rejected body gives five pseudonyms."""
    made = {
        P.person(value=value, scheme=None, source=source),
        P.address(value),
        P.stint(source=source, stint=value),
        P.event_id(source=source, id=value),
        P.rejection(source=source, original=value.encode("utf-8", "surrogatepass")),
    }
    assert len(made) == 5


@given(WORDS)
def test_a_pseudonym_has_its_form_and_its_key(value: str) -> None:
    """A pseudonym is the key's id and 128 bits; another key gives another one."""
    made = P.address(value)
    assert re.fullmatch(r"k1:[0-9a-f]{32}", made)
    assert made == P.address(value)
    assert made != Pseudonyms("k1", b"l" * 32).address(value)


@given(st.binary(min_size=1, max_size=200), WORDS, WORDS)
def test_a_pseudonym_is_the_hmac_that_the_standard_library_makes(key: bytes, source: str, value: str) -> None:
    """HMAC-SHA-256 of every part with its length, its first 128 bits, whatever the length of the key."""

    def expected(*parts: str) -> str:
        message = "".join(f"{len(part)}:{part}" for part in parts).encode("utf-8", "surrogatepass")
        return f"k2:{hmac.digest(key, message, 'sha256')[:16].hex()}"

    made = Pseudonyms("k2", key)
    assert made.address(value) == expected("address", value)
    assert made.event_id(source=source, id=value) == expected("event", source, value)
    assert made.person(value=value, scheme=None, source=source) == expected("person", "source", source, value)


def test_the_key_is_not_shown() -> None:
    """What is logged of the maker of pseudonyms holds no key."""
    assert "kkkk" not in repr(P)
