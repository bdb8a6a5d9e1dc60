"""Whether the topic by which workers elect their leader is still the one that this worker began with."""

from __future__ import annotations

import kafka

from services.infra.kafka import KafkaAddress


def topic_id(address: KafkaAddress, name: str, *, timeout: float = 5.0) -> str | None:
    """Return the broker's id of topic *name*; empty where there is no such topic, None where no broker answers.

    A topic made anew has another id: what this worker knows of the group is void then. Blocks up to about *timeout* s.
    """
    try:
        admin = kafka.KafkaAdminClient(**address.patient_options(timeout))
        try:
            described = admin.describe_topics([name])
        finally:
            admin.close()
    except (kafka.errors.KafkaError, OSError):
        return None
    return next((str(one["topic_id"]) for one in described if one["error_code"] == 0), "")
