"""Kafka as every service uses it: topics, a producer that waits for acknowledgement, whole topics without a group.

Works the same on the embedded broker and on Apache Kafka.
"""

from services.infra.kafka.address import KafkaAddress
from services.infra.kafka.publisher import Message, Publisher, open_producer
from services.infra.kafka.reader import CaughtUp, Record, follow, read_all
from services.infra.kafka.topics import TopicSpec, brokers_answer, ensure_topics

__all__ = [
    "CaughtUp",
    "KafkaAddress",
    "Message",
    "Publisher",
    "Record",
    "TopicSpec",
    "brokers_answer",
    "ensure_topics",
    "follow",
    "open_producer",
    "read_all",
]
