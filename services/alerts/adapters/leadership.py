"""Whether the topics that workers share are still those that this worker began with."""

from __future__ import annotations

from collections.abc import Iterable

import kafka

from services.infra.kafka import KafkaAddress


def topic_ids(address: KafkaAddress, names: Iterable[str], *, timeout: float = 5.0) -> dict[str, str] | None:
    """Return topic → the broker's id of it, those missing left out; None where no broker answers.

    A topic made anew has another id: what this worker knows of the group, or of its offsets, is void then. Blocks up to
    about *timeout* s.
    """
    try:
        admin = kafka.KafkaAdminClient(**address.patient_options(timeout))
        try:
            described = admin.describe_topics(list(names))
        finally:
            admin.close()
    except (kafka.errors.KafkaError, OSError):
        return None
    return {one["name"]: str(one["topic_id"]) for one in described if one["error_code"] == 0}
