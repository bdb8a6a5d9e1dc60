"""The door: what the gateway does with each event against pydantic merely parsing it; and the log connector's lines."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import msgspec
from pydantic import TypeAdapter

from bench.measure import RUNS, Result, rate, side_by_side
from schemas.envelope import CloudEvent
from services.ingest.core.admission import Admission
from services.ingest.core.inbound import split_batch
from services.ingest.core.permission import Permit, Registry
from services.ingest.core.postfix_lines import read_line
from services.ingest.core.postfix_mail import MailFold, Senders
from services.ingest.core.pseudonyms import Pseudonyms
from services.ingest.core.rejection import Refusal

_EVENTS = 20_000
_BATCH = 500


def _bodies() -> list[bytes]:
    events = [
        {
            "specversion": "1.0",
            "id": f"mail/{number}",
            "source": "/mail/province",
            "type": "vn.tiendo.mail.used.v1",
            "time": "2008-09-29T09:00:00+07:00",
            "agency": "province",
            "data": {"address": f"office{number % 900}@example.gov.vn", "day": "2008-09-29", "action": "sent"},
        }
        for number in range(_EVENTS)
    ]
    return [json.dumps(events[start : start + _BATCH]).encode() for start in range(0, _EVENTS, _BATCH)]


def gateway() -> list[Result]:
    """Everything that happens to an event between the socket and Kafka, against parsing the envelope alone."""
    bodies = _bodies()
    permit = Permit("/mail/province", frozenset({"mail.used"}), frozenset({"province"}))
    admission = Admission(
        permit=permit,
        registry=Registry(agencies=frozenset({"province"}), permits={permit.source: permit}),
        pseudonyms=Pseudonyms(key=b"0" * 32, key_id="k1"),
        now=datetime(2008, 10, 1, tzinfo=UTC),
        tolerance=timedelta(minutes=5),
    )
    parser = TypeAdapter(list[CloudEvent])

    def whole() -> int:
        done = 0
        for body in bodies:
            parts = split_batch(body)
            assert not isinstance(parts, Refusal)
            taken = [admission.admit(raw) for raw in parts]
            assert not any(isinstance(one, Refusal) for one in taken)
            done += len(msgspec.json.encode(taken)) and len(taken)
        return done

    def parsing() -> int:
        return sum(len(parser.validate_json(body)) for body in bodies)

    return side_by_side(
        "gateway_core_vs_parsing",
        "events/s",
        ("gateway_core_events_s", whole),
        ("pydantic_parsing_events_s", parsing),
    )


def postfix() -> list[Result]:
    """Lines of a mail log, parsed and correlated, per second of one core."""
    lines = []
    for number in range(20_000):
        queue = f"{number:010X}"
        head = f"2008-09-29T09:{number // 60 % 60:02}:{number % 60:02}.000000+07:00 mail postfix"
        lines += [
            f"{head}/smtpd[1201]: {queue}: client=pc.example.gov.vn[10.0.0.5], sasl_method=PLAIN, sasl_username=x",
            f"{head}/cleanup[1202]: {queue}: message-id=<{number}@example.gov.vn>",
            f"{head}/qmgr[1203]: {queue}: from=<office{number % 900}@example.gov.vn>, size=2048, nrcpt=1 (queue active)",
            f"{head}/smtp[1204]: {queue}: to=<a@example.org>, relay=none, delay=0.1, dsn=2.0.0, status=sent (250 ok)",
            f"{head}/qmgr[1203]: {queue}: removed",
        ]

    def fold() -> int:
        state = MailFold(Senders(domains=("example.gov.vn",), system=frozenset()))
        for line in lines:
            state.step(read_line(line), 14_151)
        return len(lines)

    fold()
    rates = sorted(rate(fold) for _ in range(RUNS))
    return [Result("postfix_lines_s", round(rates[RUNS // 2]), "lines/s", RUNS)]
