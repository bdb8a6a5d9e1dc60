"""Whether the topics are still those that the worker began with."""

from __future__ import annotations

from collections.abc import Iterable

import kafka

from services.infra.kafka import KafkaAddress


def topic_ids(address: KafkaAddress, names: Iterable[str], *, timeout: float = 5.0) -> dict[str, str] | None:
    """Return topic → the broker's id of it, those missing left out; None where no broker answers.

    A topic made anew has another id: what the worker remembers of its offsets is void then. Blocks up to *timeout*
    seconds and a little.
    """
    try:
        admin = kafka.KafkaAdminClient(**address.patient_options(timeout))
        try:
            described = admin.describe_topics(list(names))
        finally:
            admin.close()
    except (kafka.errors.KafkaError, OSError):
        return None
    return {topic["name"]: str(topic["topic_id"]) for topic in described if topic["error_code"] == 0}
