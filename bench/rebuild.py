"""A whole rebuild from the archive: read, decode, write, compare every table, swap, figures. Rate over all of it."""

from __future__ import annotations

import argparse
import hashlib
import resource
import tempfile
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import Any

from bench.measure import Result
from schemas.usage import payload_hash
from services.aggregator.rebuild import rebuild
from services.aggregator.rebuild_task import Task
from services.infra.clickhouse.client import ClickHouse, ClickHouseAddress, open_clickhouse
from services.infra.clickhouse.migrate import migrate
from services.infra.kafka import KafkaAddress
from tests.fixtures.chdb import ChdbServer

_SIZE = 10_000_000
_CHUNK = 50_000
_RECEIVED = datetime(2008, 9, 30, 3, tzinfo=UTC)
_NAMES = ("source", "id", "payload_hash", "type", "agency", "occurred", "occurred_day", "payload", "received")
_PEOPLE = 30_000


def _payload(number: int, occurred: datetime) -> tuple[str, str, str, str]:
    """Return type, source, id and canonical payload: mail mostly, documents, records, people."""
    day = date(2008, 6, 1) + timedelta(days=number % 100)
    at = occurred.isoformat().replace("+00:00", "Z")
    actor = hashlib.md5(str(number % _PEOPLE).encode(), usedforsecurity=False).hexdigest()
    agency = f"a{number % 30}"
    match number % 10:
        case 0 | 1:
            short, source = "document.exchanged", "/office"
            data = (
                f'{{"retracted":false,"issuer":"edoc:{agency}","number":"{number // 20}/VB","issued_on":"{day}",'
                f'"counterpart":"edoc:lead","step":"{"adopted" if number % 20 > 9 else "entered"}","day":"{day}"}}'
            )
        case 2:
            short, source = "record.filed", "/office"
            data = (
                f'{{"retracted":false,"agency":"{agency}","id":"{number // 10}","step":"entered","day":"{day}",'
                '"weight":"1"}'
            )
        case 3 if number // 10 < _PEOPLE:
            short, source = "official.joined", "/office"
            data = (
                f'{{"retracted":false,"person":"k1:{actor}","agency":"{agency}","roster":"officials","stint":"{number}",'
                '"from":"2008-01-01","to":null}'
            )
        case _:
            short, source = "mail.used", "/mail"
            data = f'{{"retracted":false,"actor":"k1:{actor}","kind":"address","day":"{day}","action":"sent"}}'
    id_ = f"{short}/{number:09}"
    return short, source, id_, f'["vn.tiendo.{short}.v1","{source}","{id_}","{agency}","{at}",{data}]'


def _chunks(size: int) -> Iterator[list[tuple[Any, ...]]]:
    for start in range(0, size, _CHUNK):
        rows = []
        for number in range(start, min(start + _CHUNK, size)):
            occurred = _RECEIVED - timedelta(seconds=number * 7919 % 5_000_000)
            short, source, id_, payload = _payload(number, occurred)
            hashed = payload_hash(payload.encode())
            rows.append((source, id_, hashed, short, "root", occurred, occurred.date(), payload, _RECEIVED))
        yield rows


def _fill(database: ClickHouse, size: int) -> None:
    for rows in _chunks(size):
        database.insert("events", _NAMES, list(zip(*rows, strict=True)))


def measure(size: int) -> list[Result]:
    """Rebuild *size* events twice: the first run fills the tables, the second has them to compare with and counts."""
    with tempfile.TemporaryDirectory(prefix="tiendo-bench-") as folder:
        server = ChdbServer(Path(folder) / "chdb" / "db")
        server.start()
        try:
            address = ClickHouseAddress(port=server.port)
            migrate(address)
            with open_clickhouse(address) as database:
                _fill(database, size)
            task = Task(clickhouse=address, kafka=KafkaAddress(""), zone="Asia/Ho_Chi_Minh", accept_differences=True)
            rates, reading = [], 0.0
            for _ in range(2):
                began = perf_counter()
                marks: dict[str, float] = {}
                report = rebuild(
                    task, lambda: _RECEIVED, lambda stage, *_, seen=marks: seen.update({stage: perf_counter()})
                )
                rates.append(report.events / (perf_counter() - began))
                reading = report.events / (marks["reading"] - began)
            assert report.events == size
            assert not report.differences
        finally:
            server.stop()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return [
        Result("rebuild_events_per_s", round(rates[-1]), "events/s", 1),
        Result("rebuild_reading_events_per_s", round(reading), "events/s", 1),
        Result("rebuild_client_memory", round(memory), "MiB", 1),
    ]


def bench() -> list[Result]:
    """A rebuild of ten million events."""
    return measure(_SIZE)


def main() -> None:
    """Measure another number of events than the default."""
    parser = argparse.ArgumentParser(epilog="example: python -m bench.rebuild --size 1000000")
    parser.add_argument("--size", type=int, default=_SIZE)
    for result in measure(parser.parse_args().size):
        print(f"{result.name} {result.value:,} {result.unit}")


if __name__ == "__main__":
    main()
