"""Links to the answer page, signed: with keys that alerts and board share, so that neither asks the other."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Self

from itsdangerous import BadData, URLSafeSerializer
from pydantic import Field, SecretStr, model_validator

from services.core.warnings.answer_link import AnswerLink, content_of, link_of
from services.infra.settings import SharedSettings

_LINK, _FORM, _RECEIPT = "tiendo answer link", "tiendo answer form", "tiendo answer receipt"
_FEWEST: Final = 32  # characters of a key
_LONGEST: Final = 2000  # of a link: an honest one has some 250 characters
# Base64 is read leniently, and what stands between its letters would not change the signature.
_LETTERS: Final = re.compile(r"\.?[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")


class AnswerSettings(SharedSettings):
    """The keys that links are signed with. Without any there are no links, and no answer page."""

    answer_key: SecretStr | None = Field(
        default=None, description="One or several, separated by spaces: the first signs, all are taken."
    )
    answer_key_file: Path | None = Field(default=None, description="A file that holds them instead.")

    @model_validator(mode="after")
    def _keys_can_be_used(self) -> Self:
        if self.answer_key is not None and self.answer_key_file is not None:
            raise ValueError("give TIENDO_ANSWER_KEY or TIENDO_ANSWER_KEY_FILE, not both")
        try:
            keys = self.answer_keys()
        except (OSError, UnicodeDecodeError):
            raise ValueError("TIENDO_ANSWER_KEY_FILE cannot be read") from None
        if (self.answer_key is not None or self.answer_key_file is not None) and not keys:
            raise ValueError("TIENDO_ANSWER_KEY (or its file) is empty")
        if any(len(one) < _FEWEST for one in keys):
            raise ValueError(f"every key in TIENDO_ANSWER_KEY (or its file) needs at least {_FEWEST} characters")
        return self

    def answer_keys(self) -> tuple[str, ...]:
        """Return the keys, the one that signs first; none where there is none. Reads the file."""
        if self.answer_key_file is not None:
            return tuple(self.answer_key_file.read_text(encoding="ascii").split())
        return tuple(self.answer_key.get_secret_value().split()) if self.answer_key is not None else ()


class Signer:
    """Signs and reads links, forms and receipts. A form and a receipt belong to one link and are worth nothing with another."""

    def __init__(self, keys: Sequence[str]) -> None:
        """*keys*: at least one; the first signs, all are taken."""
        if not keys:
            raise ValueError("a signer needs a key")
        self._keys = tuple(keys)

    def link(self, link: AnswerLink) -> str:
        """Return the token that stands for *link* in a URL. The same link gives the same token."""
        return self._sign(_LINK, content_of(link))

    def read_link(self, token: str, now: datetime) -> AnswerLink | None:
        """Return what *token* stands for; None, whatever the reason, where it is not ours or has expired."""
        if len(token) > _LONGEST:
            return None
        link = link_of(self._read(_LINK, token))
        return link if link is not None and link.valid(now) else None

    def form(self, token: str, content: Any) -> str:
        """Return *content* (of JSON) as one form field that belongs to the link *token*."""
        return self._sign(_FORM, [_digest(token), content])

    def read_form(self, token: str, field: str) -> Any:
        """Return the content of a form field of the link *token*; None where it is not ours, or another link's."""
        return self._bound(_FORM, token, field)

    def receipt(self, token: str, content: Any) -> str:
        """Return *content* (of JSON) for a URL of the link *token*: what the page says it has recorded, it has."""
        return self._sign(_RECEIPT, [_digest(token), content])

    def read_receipt(self, token: str, field: str) -> Any:
        """Return the content of a receipt of the link *token*; None where it is not ours, or another link's."""
        return self._bound(_RECEIPT, token, field)

    def _bound(self, purpose: str, token: str, field: str) -> Any:
        found = self._read(purpose, field)
        held = isinstance(found, list) and len(found) == 2 and found[0] == _digest(token)
        return found[1] if held else None

    def _sign(self, purpose: str, content: Any) -> str:
        return str(self._serializer(purpose).dumps(content))

    def _read(self, purpose: str, text: str) -> Any:
        if _LETTERS.fullmatch(text) is None:
            return None
        try:
            return self._serializer(purpose).loads(text)
        except BadData:
            return None

    def _serializer(self, purpose: str) -> URLSafeSerializer:
        # The library signs with the last key. SHA-384 fills whole base64 letters: of another length the last letter has
        # spare bits, and a changed letter would be taken.
        options = {"key_derivation": "hmac", "digest_method": hashlib.sha384}
        return URLSafeSerializer(list(reversed(self._keys)), salt=purpose, signer_kwargs=options)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()[:32]
