"""What the errors of the brokers' clients mean."""

from collections.abc import Iterator
from contextlib import contextmanager

import aiokafka.errors
import kafka.errors

from services.core.errors import Rejected, Transient
from services.infra.kafka_address import KafkaAddress

__all__ = ["Headers", "KafkaAddress", "duties", "worn_out"]

Headers = tuple[tuple[str, bytes], ...]


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
