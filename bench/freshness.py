"""How long it takes from an event's acknowledgement by the broker to its figure in ``adoption``, under a steady load."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from bench.ground import PYTHON, ROOT, Ground
from schemas import usage
from schemas.directory import Directory
from schemas.plan import Plan
from schemas.revisions import REVISION, DirectoryRevision, PlanRevision
from schemas.topics import Topic
from services.core.definition import definition_of
from services.infra.clickhouse.client import open_clickhouse
from services.infra.kafka import KafkaAddress, Message, open_producer

_START = date(2008, 9, 1)
_DAY = date(2008, 9, 10)
_EVERY = 0.5  # seconds between two probes
_LONGEST = 60.0
_READ: Final = (
    "SELECT argMax(denominator, basis) FROM adoption "
    "WHERE definition = %(hashed)s AND agency = 'agency-0' AND day = %(day)s"
)


def plan_for(agencies: int) -> tuple[Plan, Directory]:
    """Return a plan that judges e-mail use and records filed of *agencies* agencies."""
    contact = {"role": "operations", "name": "IT", "email": "it@example.vn"}
    directory = Directory.model_validate(
        {
            "directory": "bench",
            "in_force_from": "2008-01-01",
            "groups": {"judged": {"vi": "Các sở"}},
            "operations": contact,
            "agencies": [
                {"id": f"agency-{n}", "name": {"vi": f"Sở {n}"}, "groups": ["judged"]} for n in range(agencies)
            ],
        }
    )
    measures = {
        "use": {"kind": "activity", "window": 28},
        "records": {"kind": "items", "facts": "record.filed"},
    }
    plan = Plan.model_validate(
        {
            "plan": "bench",
            "title": {"vi": "Kế hoạch"},
            "decision": {"number": "1/QĐ", "day": "2008-05-28", "signer": "UBND"},
            "in_force_from": _START.isoformat(),
            "start": _START.isoformat(),
            "deadline": "2008-12-31",
            "directory": "bench",
            "indicators": [
                {
                    "id": name,
                    "title": {"vi": name},
                    "unit": {"vi": "đơn vị"},
                    "measure": measure,
                    "targets": [{"group": "judged", "target": "50 %"}],
                }
                for name, measure in measures.items()
            ],
        }
    )
    return plan, directory


def freshness_of(ground: Ground, *, agencies: int, rate: int, lasting: timedelta) -> list[float]:
    """Return the milliseconds of probes sent at even distances while mail flows at *rate* events per second."""
    plan, directory = plan_for(agencies)
    about: dict[str, Any] = {"revision": 1, "in_force_from": _START, "published": datetime(2008, 9, 1, tzinfo=UTC)}
    revisions = [
        PlanRevision(id="bench", document=plan, **about),
        DirectoryRevision(id="bench", document=directory, **about),
    ]
    hashed = next(d.hash for i in plan.indicators if i.id == "records" and (d := definition_of(i, plan)) is not None)
    records = ground.fill(0, agencies, per_record=100, people=True)
    load = [str(PYTHON), "-m", "bench.contestants.produce", ground.broker, Topic.EVENTS.value]
    count = int(rate * (lasting.total_seconds() + 10))
    with ground.worker() as worker, open_producer(KafkaAddress(ground.broker)) as producer:
        _until(lambda: worker.metric("tiendo_aggregator_records_total") >= records)
        producer.publish([Message(Topic.PLANS.value, REVISION.dump_json(r, by_alias=True), b"k") for r in revisions])
        with open_clickhouse(worker.address) as database:
            _until(lambda: worker.metric("tiendo_aggregator_rounds_total"))
            _until(lambda: not database.rows("SELECT 1 FROM outstanding LIMIT 1"))
            flow = subprocess.Popen(
                [*load, str(count), str(agencies), "100", str(rate)], cwd=ROOT, stdout=subprocess.DEVNULL
            )
            try:
                time.sleep(5)
                sent: list[float] = []
                seen: list[float] = []
                began = time.monotonic()
                while len(seen) * _EVERY < lasting.total_seconds() and time.monotonic() - began < _LONGEST:
                    if len(sent) * _EVERY < min(time.monotonic() - began, lasting.total_seconds()):
                        producer.publish([_probe(len(sent))])
                        sent.append(time.monotonic())
                    rows = database.rows(_READ, {"hashed": hashed, "day": _DAY.isoformat()})
                    while len(seen) < int(rows[0][0]):
                        seen.append((time.monotonic() - sent[len(seen)]) * 1000)
                    time.sleep(0.05)
                return seen
            finally:
                flow.kill()
                flow.wait()


def _probe(number: int) -> Message:
    moment = datetime(2008, 9, 21, tzinfo=UTC)
    event = usage.RecordFiled(
        id=f"probe-{number}", source="/office/probe", agency="agency-0", time=moment, received=moment,
        data=usage.Item(agency="agency-0", id=f"probe-{number}", step="entered", day=_DAY),
    )  # fmt: skip
    kind = usage.SINGLE_CONTENT_TYPE.encode()
    return Message(Topic.EVENTS.value, usage.encode_one(event), b"probe", (("content-type", kind),))


def _until(condition: Callable[[], object]) -> None:
    until = time.monotonic() + _LONGEST
    while not condition():
        if time.monotonic() > until:
            raise RuntimeError("the plan was not computed")
        time.sleep(0.1)
