"""Changes to a list of sources: whatever is done in whatever order, no source loses its last way in unless it is told to."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.directory import Selector
from schemas.sources import Source, Sources, TokenHash
from services.core.errors import Rejected
from services.core.tokens import entered, issued, source_in, valid, withdrawn

NOW = datetime(2008, 10, 1, 1, tzinfo=UTC)
HASHES = [f"{number:02x}" * 32 for number in range(6)]


def listed(*tokens: TokenHash) -> Sources:
    entries = tuple(
        Source(id=id, types=("mail.used",), agencies=Selector(all=True), tokens=tokens if id == "/a" else ())
        for id in ("/a", "/b")
    )
    return Sources(sources="s", in_force_from=date(2008, 1, 1), entries=entries)


@given(st.lists(st.tuples(st.sampled_from(HASHES), st.none() | st.integers(0, 50)), min_size=1, max_size=8))
def test_the_newest_token_is_always_valid(steps: list[tuple[str, int | None]]) -> None:
    """Issued or rotated in any order: the last one opens the gateway for ever, none is valid longer than before."""
    sources = listed()
    for number, (sha256, overlap) in enumerate(steps):
        now = NOW + timedelta(hours=number)
        before = {token.sha256: token.until for token in source_in(sources, "/a").tokens}
        if sha256 in before:
            continue
        sources = issued(sources, "/a", sha256, now=now, overlap=None if overlap is None else timedelta(hours=overlap))
        held = {token.sha256: token for token in source_in(sources, "/a").tokens}
        assert held[sha256].until is None
        for name, until in before.items():
            after = held[name].until
            assert after == until or (after is not None and (until is None or after < until))
    assert source_in(sources, "/b").tokens == ()


def test_withdrawing_ends_and_keeps() -> None:
    """It stays in the list, so that one sees who still sends with it; the others are as they were."""
    sources = listed(TokenHash(sha256=HASHES[0]), TokenHash(sha256=HASHES[1]))
    one = withdrawn(sources, "/a", HASHES[0][:8], now=NOW)
    assert [valid(token, NOW) for token in source_in(one, "/a").tokens] == [False, True]
    everything = withdrawn(one, "/a", None, now=NOW + timedelta(days=1))
    assert [token.until for token in source_in(everything, "/a").tokens] == [NOW, NOW + timedelta(days=1)]


def test_a_name_that_fits_several_is_refused() -> None:
    """As is one that fits none, and a source that is not there."""
    sources = listed(TokenHash(sha256="ab" * 32), TokenHash(sha256="ab" * 31 + "cd"))
    for name in ("abab", "ff"):
        with pytest.raises(Rejected, match="names"):
            withdrawn(sources, "/a", name, now=NOW)
    with pytest.raises(Rejected, match="there is no source"):
        issued(sources, "/c", HASHES[0], now=NOW)


def test_entering_twice_changes_nothing() -> None:
    """With other permissions it is refused: that would change what a token opens."""
    entry = Source(id="/c", types=("mail.used",), agencies=Selector(all=True))
    once = entered(listed(), entry)
    assert entered(once, entry) == once
    with pytest.raises(Rejected, match="other permissions"):
        entered(once, entry.model_copy(update={"types": ("mail.used", "mailbox.opened")}))
