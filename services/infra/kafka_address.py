"""Where the brokers are. Imports none of their clients, which settings need not wait for."""

import ssl
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class KafkaAddress:
    """Where the brokers are and how to introduce oneself.

    *bootstrap* is `host:port`, several separated by commas. *sasl_mechanism* is SCRAM-SHA-256, SCRAM-SHA-512 or PLAIN
    when *security_protocol* is SASL_PLAINTEXT or SASL_SSL. *ca_file* holds the certificates to trust; None means the
    system's. The password stays out of the representation.
    """

    bootstrap: str
    security_protocol: str = "PLAINTEXT"
    sasl_mechanism: str | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    ca_file: str | None = None

    def options(self) -> dict[str, Any]:
        """Return the keyword arguments that kafka-python's and aiokafka's clients have in common."""
        options: dict[str, Any] = {"bootstrap_servers": self.bootstrap, "security_protocol": self.security_protocol}
        if self.security_protocol.endswith("SSL"):
            options["ssl_context"] = ssl.create_default_context(cafile=self.ca_file)
        if self.security_protocol.startswith("SASL"):
            options |= {
                "sasl_mechanism": self.sasl_mechanism,
                "sasl_plain_username": self.username,
                "sasl_plain_password": self.password,
            }
        return options

    def patient_options(self, timeout: float) -> dict[str, Any]:
        """Return kafka-python's arguments for a client that waits at most *timeout* seconds for one answer."""
        milliseconds = int(timeout * 1000)
        return self.options() | {"bootstrap_timeout_ms": milliseconds, "request_timeout_ms": milliseconds}
