"""The gateway's settings, from ``TIENDO_…`` variables."""

from __future__ import annotations

import base64
import binascii
import re
from datetime import timedelta
from typing import Annotated, Any, Final, Self

from pydantic import BeforeValidator, Field, FilePath, SecretStr, StringConstraints, field_validator, model_validator
from pydantic_settings import SettingsConfigDict

from services.infra.http.server import Tls
from services.infra.settings import SharedSettings

#: What is refused is kept whole, encrypted and in base64, in one Kafka record of at most a million bytes.
LARGEST_BODY: Final = 700 << 10
_KEY_BYTES: Final = 32
_NUMBER: Final = re.compile(r"\s*\d+(\.\d+)?\s*")


def _seconds(value: Any) -> Any:
    return float(value) if isinstance(value, str) and _NUMBER.fullmatch(value) else value


#: A span of time: a number of seconds, or ISO 8601 such as PT5M.
Seconds = Annotated[timedelta, BeforeValidator(_seconds)]


def decode_key(text: str) -> bytes:
    """Return the bytes of a key in hex or base64. Raises ValueError, which repeats nothing of it, below 32 bytes."""
    key = b""
    try:
        key = bytes.fromhex(text.strip())
    except ValueError:
        try:
            key = base64.b64decode(text.strip().replace("-", "+").replace("_", "/"), validate=True)
        except (binascii.Error, ValueError):
            raise ValueError("write the key in hex or base64") from None
    if len(key) < _KEY_BYTES:
        raise ValueError(f"the key needs at least {_KEY_BYTES} bytes, such as `openssl rand -hex 32` gives")
    return key


class IngestSettings(SharedSettings):
    """Everything that ``python -m services.ingest`` can be told. ``TIENDO_INGEST_KEY`` has no default."""

    model_config = SettingsConfigDict(env_prefix="TIENDO_", frozen=True, extra="ignore", hide_input_in_errors=True)

    ingest_port: int = Field(default=8080, ge=0, le=65535)
    ingest_key: SecretStr = Field(
        description="Secret of pseudonyms and rejected bodies: 32 bytes or more, hex or base64."
    )
    ingest_key_id: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,16}$")] = "k1"
    ingest_max_body: int = Field(default=LARGEST_BODY, ge=1024, le=LARGEST_BODY, description="Bytes, unpacked.")
    ingest_max_events: int = Field(default=1000, ge=1, le=10_000, description="Events of one batch.")
    ingest_future_tolerance: Seconds = Field(
        default=timedelta(minutes=5), description="Seconds that `time` may lie ahead of the gateway's clock."
    )
    ingest_publish_timeout: float = Field(default=5.0, gt=0, le=60, description="Seconds until a request gets its 503.")
    ingest_body_timeout: float = Field(default=30.0, gt=0, le=600, description="Seconds for a body to arrive.")
    ingest_shutdown_timeout: int = Field(default=15, ge=1, le=600, description="Seconds for open requests at the end.")
    ingest_tls_certificate: FilePath | None = Field(default=None, description="Serve TLS with this certificate (PEM).")
    ingest_tls_key: FilePath | None = Field(default=None, description="Its key (PEM).")
    ingest_tls_client_ca: FilePath | None = Field(
        default=None, description="Take connections only of clients with a certificate of this authority (PEM)."
    )
    ingest_queue_events: int = Field(default=20_000, ge=1, description="Single events that may wait for the broker.")
    ingest_queue_bytes: int = Field(default=64 << 20, ge=1 << 20, description="Bytes that may wait for the broker.")

    ingest_events_per_second: int | None = Field(
        default=None, ge=1, description="A source's events per second on average, where its entry says nothing else."
    )
    ingest_burst: int | None = Field(
        default=None, ge=1, description="Its events at once after a rest; else 10 s' worth."
    )
    ingest_events_per_day: int | None = Field(default=None, ge=1, description="Its events per civil day.")
    ingest_operations_token_sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] | None = Field(
        default=None, description="SHA-256, in hex, of the token with which operations show and replay refused events."
    )

    @field_validator("ingest_key")
    @classmethod
    def _usable(cls, key: SecretStr) -> SecretStr:
        decode_key(key.get_secret_value())
        return key

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.ingest_tls_certificate is None) != (self.ingest_tls_key is None):
            raise ValueError("give TIENDO_INGEST_TLS_CERTIFICATE and TIENDO_INGEST_TLS_KEY together")
        if self.ingest_tls_client_ca is not None and self.ingest_tls_certificate is None:
            raise ValueError(
                "TIENDO_INGEST_TLS_CLIENT_CA needs TIENDO_INGEST_TLS_CERTIFICATE and TIENDO_INGEST_TLS_KEY"
            )
        return self

    def tls(self) -> Tls | None:
        """Return how TLS is served; None: it is not."""
        if self.ingest_tls_certificate is None or self.ingest_tls_key is None:
            return None
        return Tls(
            certificate=self.ingest_tls_certificate, key=self.ingest_tls_key, client_ca=self.ingest_tls_client_ca
        )

    def key(self) -> bytes:
        """Return the gateway's key."""
        return decode_key(self.ingest_key.get_secret_value())
