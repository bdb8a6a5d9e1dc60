"""What every process reads from ``TIENDO_…`` variables; one frozen value, read once, checked together."""

from __future__ import annotations

import sys
from typing import TypeVar

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.infra.clickhouse.client import ClickHouseAddress
from services.infra.kafka_address import KafkaAddress

S = TypeVar("S", bound="SharedSettings")


def read_settings(kind: type[S]) -> S:
    """Return the settings that the environment gives; ends the process with code 2, every fault named, where it cannot be.

    Neither names nor messages repeat a value: it may be a secret.
    """
    try:
        return kind()
    except ValidationError as error:
        for fault in error.errors(include_url=False, include_input=False, include_context=False):
            name = "_".join(["tiendo", *(str(part) for part in fault["loc"])]).upper()
            print(f"{name if fault['loc'] else 'settings'}: {fault['msg']}", file=sys.stderr)
        sys.exit(2)


class SharedSettings(BaseSettings):
    """Base of each service's settings: where Kafka and ClickHouse are, the zone, the port of health and metrics."""

    model_config = SettingsConfigDict(env_prefix="TIENDO_", frozen=True, extra="ignore")

    kafka_bootstrap: str = "127.0.0.1:9092"
    kafka_security_protocol: str = "PLAINTEXT"
    kafka_sasl_mechanism: str | None = None
    kafka_username: str | None = None
    kafka_password: SecretStr | None = None
    kafka_ca_file: str | None = None
    kafka_replication: int = Field(default=1, ge=1)

    clickhouse_host: str = "127.0.0.1"
    clickhouse_port: int = 9000
    clickhouse_database: str = "tiendo"
    clickhouse_user: str = "default"
    clickhouse_password: SecretStr = SecretStr("")
    clickhouse_secure: bool = False
    clickhouse_patience: int = Field(
        default=120, ge=1, description="Seconds that a statement may take without a sign of ClickHouse."
    )

    zone: str = Field(default="Asia/Ho_Chi_Minh", description="Civil days are days of this zone.")
    host: str = Field(default="127.0.0.1", description="Where health, metrics and HTTP listen.")
    log_level: str = "INFO"

    def kafka(self) -> KafkaAddress:
        """Return the broker's address."""
        return KafkaAddress(
            bootstrap=self.kafka_bootstrap,
            security_protocol=self.kafka_security_protocol,
            sasl_mechanism=self.kafka_sasl_mechanism,
            username=self.kafka_username,
            password=self.kafka_password.get_secret_value() if self.kafka_password else None,
            ca_file=self.kafka_ca_file,
        )

    def clickhouse(self) -> ClickHouseAddress:
        """Return the database's address."""
        return ClickHouseAddress(
            host=self.clickhouse_host,
            port=self.clickhouse_port,
            database=self.clickhouse_database,
            user=self.clickhouse_user,
            password=self.clickhouse_password.get_secret_value(),
            secure=self.clickhouse_secure,
            timeout_s=self.clickhouse_patience,
        )
