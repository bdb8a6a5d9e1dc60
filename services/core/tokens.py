"""Tokens of sources: issued, rotated, withdrawn, each as a change to a list of sources. Pure; hashes alone are known here."""

from __future__ import annotations

from datetime import datetime, timedelta

from schemas.sources import Source, Sources, TokenHash
from services.core.errors import Rejected


def fingerprint(token: TokenHash) -> str:
    """Return what names a token to people: the first eight digits of its hash, of which nobody can make the token."""
    return token.sha256[:8]


def valid(token: TokenHash, now: datetime) -> bool:
    """Return whether *token* opens the gateway at *now*."""
    return token.until is None or now < token.until


def source_in(sources: Sources, id: str) -> Source:
    """Return the entry of the source *id*. Raises Rejected, naming those that there are, where there is none."""
    found = next((one for one in sources.entries if one.id == id), None)
    if found is None:
        known = ", ".join(one.id for one in sources.entries[:8]) + (", …" if len(sources.entries) > 8 else "")
        raise Rejected(f"there is no source {id!r} in the list {sources.sources!r}; it has: {known}")
    return found


def issued(sources: Sources, id: str, sha256: str, *, now: datetime, overlap: timedelta | None = None) -> Sources:
    """Return *sources* in which the source *id* has the token *sha256* too.

    With *overlap* its other tokens end so long after *now*, or earlier where they were to end earlier. Doing it twice with
    one *sha256* changes nothing more. Raises Rejected where there is no such source.
    """

    def change(token: TokenHash) -> TokenHash:
        if overlap is None or token.sha256 == sha256 or not valid(token, now):
            return token
        until = now + overlap if token.until is None else min(token.until, now + overlap)
        return token.model_copy(update={"until": until})

    found = source_in(sources, id)
    kept = [change(token) for token in found.tokens]
    if sha256 not in {token.sha256 for token in kept}:
        kept.append(TokenHash(sha256=sha256))
    return _with_tokens(sources, id, tuple(kept))


def withdrawn(sources: Sources, id: str, name: str | None, *, now: datetime) -> Sources:
    """Return *sources* in which the token that is named *name* (its fingerprint or more of its hash; None: every one) has ended.

    It stays in the list, so that operations see who still sends with it. Raises Rejected where it names none or several.
    """
    found = source_in(sources, id)
    meant = [token for token in found.tokens if name is None or token.sha256.startswith(name)]
    if name is not None and len(meant) != 1:
        have = ", ".join(fingerprint(token) for token in found.tokens) or "none"
        raise Rejected(f"{name!r} names {len(meant) or 'none'} of the tokens of {id}; it has: {have}")
    ended = {token.sha256 for token in meant if valid(token, now)}
    return _with_tokens(
        sources, id, tuple(t.model_copy(update={"until": now}) if t.sha256 in ended else t for t in found.tokens)
    )


def entered(sources: Sources, entry: Source) -> Sources:
    """Return *sources* with one more source. Raises Rejected where one of that id is there already and says otherwise."""
    there = next((one for one in sources.entries if one.id == entry.id), None)
    if there is None:
        return sources.model_copy(update={"entries": (*sources.entries, entry)})
    if there.model_copy(update={"tokens": ()}) != entry.model_copy(update={"tokens": ()}):
        raise Rejected(f"there is a source {entry.id!r} already, with other permissions; amend the file and publish it")
    return sources


def _with_tokens(sources: Sources, id: str, tokens: tuple[TokenHash, ...]) -> Sources:
    entries = (one.model_copy(update={"tokens": tokens}) if one.id == id else one for one in sources.entries)
    return sources.model_copy(update={"entries": tuple(entries)})
