"""The catalogue of topics: name, key, partitions, retention. Nothing is produced to a topic that is not here."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple


class Topic(StrEnum):
    """A topic's name."""

    EVENTS = "usage.events.v1"  # key: agency; it spreads the load, figures do not depend on it
    INBOX = "usage.inbox.v1"  # key: as the integrator likes
    REJECTED = "usage.rejected.v1"  # key: source
    PLANS = "plans.v1"  # key: kind/id/revision
    WARNINGS = "warnings.v1"  # key: plan/agency


class TopicShape(NamedTuple):
    """How a topic is made: partitions, and broker settings in Kafka's own names."""

    partitions: int
    config: dict[str, str]


#: The consumer group that turns events into facts: what it has committed is in the database.
AGGREGATOR_GROUP: Final = "tiendo-aggregator"

KEPT: Final = {"retention.ms": "-1", "cleanup.policy": "delete"}

SHAPES: Final[dict[Topic, TopicShape]] = {
    Topic.EVENTS: TopicShape(4, KEPT),
    Topic.INBOX: TopicShape(4, {"retention.ms": "21600000", "cleanup.policy": "delete"}),
    Topic.REJECTED: TopicShape(1, KEPT),
    Topic.PLANS: TopicShape(1, KEPT),
    Topic.WARNINGS: TopicShape(1, KEPT | {"message.timestamp.type": "LogAppendTime"}),  # one clock for all who write
}
