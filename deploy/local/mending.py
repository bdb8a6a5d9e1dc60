"""The embedded broker forgets everything when it ends; what must last is made anew from ClickHouse.

Topics, revisions of plans, directories and sources, and the records of warnings (answers and silences among them) come back.
Events that were answered with 202 and not yet archived are lost with the broker's memory, and whoever mends says so.
"""

from __future__ import annotations

import json
from typing import Any

from schemas.revisions import REVISION
from schemas.topics import SHAPES, Topic
from schemas.warnings import WARNING_RECORD, record_key
from services.infra.clickhouse.client import ClickHouseAddress, open_clickhouse
from services.infra.clickhouse.migrate import migrate
from services.infra.kafka import KafkaAddress, Message, TopicSpec, ensure_topics, open_producer, read_all

LOST = "events that were answered 202 and not yet archived when the broker ended are lost; sources may send them again"


def make_topics(kafka: KafkaAddress, *, replication: int = 1) -> None:
    """Create the topics of the catalogue that do not exist. Raises Transient while the broker is away."""
    specs = [TopicSpec(topic.value, shape.partitions, shape.config) for topic, shape in SHAPES.items()]
    ensure_topics(kafka, specs, replication=replication, timeout=20)


def _revisions(rows: list[tuple[Any, ...]]) -> list[Message]:
    messages = []
    for kind, document_id, revision, in_force_from, published, document in rows:
        record = {
            "kind": kind,
            "id": document_id,
            "revision": revision,
            "in_force_from": in_force_from.isoformat(),
            "published": published.isoformat(),
            "document": json.loads(document),
        }
        value = REVISION.dump_json(REVISION.validate_python(record), by_alias=True)
        messages.append(Message(Topic.PLANS.value, value, f"{kind}/{document_id}/{revision}".encode()))
    return messages


# In the order of recording; a warning's transitions before what tells of them, where the clock cannot tell.
_WARNINGS = (
    "SELECT record FROM ("
    "SELECT record, recorded, 0 AS kind, sequence AS place FROM warnings FINAL UNION ALL "
    "SELECT record, recorded, 1, 0 FROM answers FINAL UNION ALL "
    "SELECT record, recorded, 2, action = 'ended' FROM silences FINAL UNION ALL "
    "SELECT record, recorded, 3, 2 * attempt + (state != 'pending') FROM notices FINAL"
    ") ORDER BY recorded, kind, place, record"
)


def _warnings(rows: list[tuple[Any, ...]]) -> list[Message]:
    messages = []
    for (record,) in rows:
        parsed = WARNING_RECORD.validate_json(record)
        messages.append(Message(Topic.WARNINGS.value, record.encode(), record_key(parsed).encode()))
    return messages


def mend(kafka: KafkaAddress, clickhouse: ClickHouseAddress) -> int:
    """Make topics, revisions and warnings anew where the broker does not hold them; return how many records came back.

    Blocks for some seconds. Safe to repeat. Raises Transient while broker or database are away.
    """
    make_topics(kafka)
    migrate(clickhouse)
    with open_clickhouse(clickhouse) as database:
        revisions = database.rows(
            "SELECT kind, id, revision, in_force_from, published, document FROM plan_revisions FINAL "
            "ORDER BY published, kind, id, revision"
        )
        warnings = database.rows(_WARNINGS)
    messages: list[Message] = []
    for topic, made in ((Topic.PLANS, _revisions(revisions)), (Topic.WARNINGS, _warnings(warnings))):
        held = {record.value for record in read_all(kafka, topic.value)} if made else set()
        messages += [message for message in made if message.value not in held]
    with open_producer(kafka) as producer:
        for start in range(0, len(messages), 500):
            producer.publish(messages[start : start + 500])
    return len(messages)
