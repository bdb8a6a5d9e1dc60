"""Where the brokers are, and what their clients' errors mean."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import aiokafka.errors
import kafka.errors

from services.core.errors import Rejected, Transient

Headers = tuple[tuple[str, bytes], ...]


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


_TOO_LARGE = (kafka.errors.MessageSizeTooLargeError, kafka.errors.RecordListTooLargeError)

# What the embedded broker says to a producer that it forgot when it restarted.
_FORGOTTEN = (
    kafka.errors.OutOfOrderSequenceNumberError,
    kafka.errors.UnknownProducerIdError,
    kafka.errors.InvalidProducerEpochError,
    kafka.errors.ProducerFencedError,
)


def worn_out(error: BaseException) -> bool:
    """Return whether *error* says that the producer which met it can send nothing any more."""
    # kafka-python wraps what ends its transaction manager into the bare base class.
    # After a delivery timeout its producer may wait for ever for an identity that it asked a lost connection for.
    return isinstance(error, (*_FORGOTTEN, kafka.errors.KafkaTimeoutError)) or type(error) is kafka.errors.KafkaError


# A message that still waited when its producer was given up meets the last of these.
_LATER = (OSError, aiokafka.errors.KafkaConnectionError, kafka.errors.IllegalStateError)


@contextmanager
def duties(what: str) -> Iterator[None]:
    """Turn the clients' errors into the duty that they impose; wrong settings and denied access pass through."""
    try:
        yield
    except _TOO_LARGE as error:
        raise Rejected(f"{what}: larger than Kafka takes") from error
    except _LATER as error:
        raise Transient(f"{what}: Kafka is away ({type(error).__name__})") from error
    except (kafka.errors.KafkaError, aiokafka.errors.KafkaError) as error:
        if not error.retriable and not worn_out(error):
            raise
        raise Transient(f"{what}: Kafka is away or not ready ({type(error).__name__})") from error
