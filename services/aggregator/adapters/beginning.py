"""Whether the database is the one that the group of workers has read into so far."""

from __future__ import annotations

from collections.abc import Iterable

import kafka

from services.core.errors import Transient
from services.infra.clickhouse.client import ClickHouseAddress, open_clickhouse
from services.infra.kafka import KafkaAddress
from services.infra.kafka.address import duties

_PATIENCE = 10.0


class AnotherDatabase(Transient):
    """The group has read into another database, or this one was dropped: reading on would leave out what it read before."""


def begin(database: ClickHouseAddress, broker: KafkaAddress, group: str, topics: Iterable[str], *, anew: bool) -> int:
    """Note that *group* reads *topics* into the migrated *database*; return how many offsets it forgets for that, mostly 0.

    Where the group has read before, and into another database, raises AnotherDatabase; with *anew* it forgets what it
    has read and will begin at the beginning, which every worker of it must have ended for: Transient until then. Once
    noted, it changes nothing. Blocks.
    """
    with open_clickhouse(database) as held:
        if held.rows("SELECT 1 FROM readers WHERE reader IN ('', %(group)s) LIMIT 1", {"group": group}):
            return 0
        forgotten = _offsets(broker, group, set(topics))
        if forgotten and not anew:
            raise AnotherDatabase(
                f"{database} has never been read into by {group}, which has {forgotten} records behind it: not the database "
                "that it was, or dropped. Put it right, or set TIENDO_AGGREGATOR_BEGIN_ANEW to read all of them again"
            )
        if forgotten:
            _forget(broker, group)
        held.insert("readers", ["reader"], [[group]])
        return forgotten


def _offsets(broker: KafkaAddress, group: str, topics: set[str]) -> int:
    with duties("asking for committed offsets"):
        admin = kafka.KafkaAdminClient(**broker.patient_options(_PATIENCE))
        try:
            found = admin.list_group_offsets({group: None}).get(group, {})
        finally:
            admin.close()
    return sum(max(0, held.offset) for partition, held in found.items() if partition.topic in topics)


def _forget(broker: KafkaAddress, group: str) -> None:
    with duties("forgetting committed offsets"):
        admin = kafka.KafkaAdminClient(**broker.patient_options(_PATIENCE))
        try:
            answer = dict(admin.delete_groups([group]))[group]
        finally:
            admin.close()
    if answer not in ("OK", "GroupIdNotFoundError"):
        raise Transient(f"the offsets of {group} cannot be forgotten while it is at work: {answer}")
