"""Topics: that they exist, and whether anybody keeps them."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from time import monotonic, sleep

import kafka
import kafka.admin
import kafka.errors

from services.core.errors import Transient
from services.infra.kafka.address import KafkaAddress, duties


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """A topic as it shall be: *config* holds the broker's own names and values, such as `retention.ms`."""

    name: str
    partitions: int
    config: Mapping[str, str] = field(default_factory=dict)


def ensure_topics(
    address: KafkaAddress, topics: Iterable[TopicSpec], *, replication: int = 1, timeout: float = 10.0
) -> None:
    """Create the topics that do not exist yet and wait until all of them are there.

    Topics that exist stay as they are, whatever their settings. Blocks for at most about *timeout* seconds. Harmless
    when repeated. Raises Transient when the brokers are away or the topics do not show up in time.
    """
    wanted = {topic.name: topic for topic in topics}
    until = monotonic() + timeout
    with duties("creating topics"):
        admin = kafka.KafkaAdminClient(**address.patient_options(timeout))
        try:
            # One request each: the answer to several names raises at the first that somebody else has just created.
            for name in sorted(wanted.keys() - set(admin.list_topics())):
                spec = wanted[name]
                new = kafka.admin.NewTopic(name, spec.partitions, replication, topic_configs=dict(spec.config))
                with suppress(kafka.errors.TopicAlreadyExistsError):
                    admin.create_topics([new])
            while not wanted.keys() <= set(admin.list_topics()):
                if monotonic() > until:
                    raise Transient("creating topics: they do not show up")
                sleep(0.05)
        finally:
            admin.close()


def brokers_answer(address: KafkaAddress, *, timeout: float = 2.0) -> bool:
    """Return whether a broker answers with the cluster's metadata within *timeout* seconds; False when it is away."""
    try:
        with duties("asking for metadata"):
            admin = kafka.KafkaAdminClient(**address.patient_options(timeout))
            try:
                return bool(admin.describe_cluster()["brokers"])
            finally:
                admin.close()
    except Transient:
        return False
