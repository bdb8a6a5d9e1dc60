"""Whether everything that was published has become figures, standing and notices."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import kafka

from schemas.topics import AGGREGATOR_GROUP, Topic
from services.core.errors import Transient
from services.infra.clickhouse.client import ClickHouseAddress, open_clickhouse
from services.infra.kafka import KafkaAddress, read_all
from services.infra.kafka.address import duties


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far it is: records not yet committed, marks outstanding, whether the standing is newer than all figures, and notices
    that are due and neither sent nor given up."""

    lag: int
    marks: int
    evaluated: bool
    notices: int

    @property
    def done(self) -> bool:
        """True once nothing is left to do."""
        return self.lag == 0 and self.marks == 0 and self.evaluated and self.notices == 0


def ends_of(address: KafkaAddress, topic: Topic) -> dict[int, int]:
    """Return partition → offset after the last record that it holds now; partitions without records are left out.

    Reads the topic through, because the embedded broker does not say where a partition ends.
    """
    ends: dict[int, int] = {}
    for record in read_all(address, topic.value):
        ends[record.partition] = max(ends.get(record.partition, 0), record.offset + 1)
    return ends


def committed(address: KafkaAddress, group: str, topic: Topic) -> dict[int, int]:
    """Return partition → committed offset of *group*. Raises Transient while the broker is away."""
    with duties("asking for committed offsets"):
        admin = kafka.KafkaAdminClient(**address.patient_options(10))
        try:
            offsets = admin.list_group_offsets({group: None}).get(group, {})
        finally:
            admin.close()
    return {partition.partition: meta.offset for partition, meta in offsets.items() if partition.topic == topic.value}


def progress_of(address: KafkaAddress, clickhouse: ClickHouseAddress, ends: dict[int, int]) -> Progress:
    """Return how far the services are with everything before *ends*. Raises Transient while broker or database are away."""
    done = committed(address, AGGREGATOR_GROUP, Topic.EVENTS)
    lag = sum(max(0, end - max(0, done.get(partition, 0))) for partition, end in ends.items())
    with open_clickhouse(clickhouse) as database:
        (marks,) = database.rows("SELECT count() FROM outstanding")[0]
        (evaluated,) = database.rows(
            "SELECT count() > 0 AND min(last) > (SELECT max(basis) FROM (SELECT max(basis) AS basis FROM adoption "
            "UNION ALL SELECT max(basis) FROM feed_days)) "
            "FROM (SELECT plan, max(basis) AS last FROM evaluations GROUP BY plan)"
        )[0]
        # Those that wait for office hours are left out: they may be due in days.
        (notices,) = database.rows(
            "SELECT count() FROM (SELECT id, max(attempt) AS last, groupArray((attempt, state)) AS every FROM notices "
            "GROUP BY id HAVING NOT arrayExists(one -> one.1 = last AND one.2 IN ('sent', 'dead'), every) "
            "AND countIf(JSONExtractString(record, 'due') != '') = 0)"
        )[0]
    return Progress(lag=lag, marks=int(marks), evaluated=bool(evaluated), notices=int(notices))


def wait_until_settled(
    address: KafkaAddress,
    clickhouse: ClickHouseAddress,
    *,
    patience: float = 300.0,
    tell: Callable[[Progress], None] = lambda progress: None,
) -> None:
    """Return once everything published before the call is in the figures and judged.

    Asks twice a second and calls *tell* each time. Raises Transient when that takes longer than *patience* seconds.
    """
    ends = ends_of(address, Topic.EVENTS)
    until = time.monotonic() + patience
    calm = 0
    while True:
        progress = progress_of(address, clickhouse, ends)
        tell(progress)
        calm = calm + 1 if progress.done else 0
        if calm >= 2:  # twice in a row: a mark may still have been on its way the first time
            return
        if time.monotonic() > until:
            raise Transient(f"not settled after {patience:g} s: {progress}")
        time.sleep(0.5)
