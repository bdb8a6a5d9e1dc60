"""Bodies: unpacked up to a limit, refused otherwise, never an error."""

import gzip
from collections.abc import Callable

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from schemas.reasons import Reason
from services.ingest.http.body import BodyRefused, unpack

PACKERS = {"gzip": gzip.compress, "zstd": zstandard.compress, "identity": bytes}
KINDS = pytest.mark.parametrize(("encoding", "pack"), PACKERS.items(), ids=PACKERS)


def refusal_of(body: bytes, encoding: str) -> BodyRefused | bytes:
    """Return what was unpacked, or the refusal."""
    try:
        return unpack(body, encoding, limit=1000)
    except BodyRefused as refused:
        return refused


@KINDS
@given(body=st.binary(max_size=300))
def test_a_packed_body_is_unpacked(encoding: str, pack: Callable[[bytes], bytes], body: bytes) -> None:
    """What was packed comes out, exactly at the limit too."""
    assert unpack(pack(body), encoding, limit=len(body)) == body


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
@given(size=st.integers(1, 3000))
def test_one_byte_too_many_is_refused(encoding: str, size: int) -> None:
    """A body that unpacks to more than the limit is refused as too large."""
    with pytest.raises(BodyRefused) as caught:
        unpack(PACKERS[encoding](b"0" * size), encoding, limit=size - 1)
    assert caught.value.refusal.reason is Reason.TOO_LARGE


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
@given(body=st.binary(max_size=300), at=st.integers(min_value=0))
def test_a_body_cut_anywhere_gives_no_wrong_bytes(encoding: str, body: bytes, at: int) -> None:
    """A cut body is refused, or gives the beginning of what was packed, which is then unreadable."""
    whole = PACKERS[encoding](body)
    found = refusal_of(whole[: at % len(whole)], encoding)
    if isinstance(found, BodyRefused):
        assert found.refusal.reason is Reason.MALFORMED
    else:
        assert body.startswith(found)


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
@given(body=st.binary(max_size=300))
def test_any_bytes_are_unpacked_or_refused(encoding: str, body: bytes) -> None:
    """Nothing that can be sent raises anything else."""
    found = refusal_of(body, encoding)
    assert isinstance(found, bytes) or found.original == body
