"""An office with two open warnings and a dead feed's owner, whose links the board takes: for tests of the answer page."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from typing import Any, Final

from starlette.testclient import TestClient

from schemas.topics import SHAPES, Topic
from schemas.warnings import WARNING_RECORD, Answer, Record
from services.alerts.adapters.figures import FigureReader
from services.alerts.adapters.standing_store import StandingStore
from services.alerts.adapters.warning_tables import write_records
from services.alerts.evaluate import Round, evaluate_round
from services.core.warnings.answer_link import AnswerLink
from services.core.warnings.severity import default_policy
from services.core.warnings.transitions import transitions_of
from services.core.warnings.warning_records import fold
from services.infra.answer_links import Signer
from services.infra.clickhouse.client import ClickHouse
from services.infra.kafka import KafkaAddress, TopicSpec, ensure_topics, read_all
from tests import alerts_world as world

KEY: Final = "a-key-for-tests-of-answers-0123456789"
SIGNER: Final = Signer([KEY])
PLAN: Final = "tinh-2008"
_HIDDEN = re.compile(r'<input type="hidden" name="form" value="([^"]+)"')


def link(**changes: Any) -> AnswerLink:
    """Return the link of the head of so-y-te."""
    content: dict[str, Any] = {
        "plan": PLAN, "agency": "so-y-te", "role": "head", "notice": "n" * 32, "language": "vi",
        "expires": (world.NOW + timedelta(days=30)),
    }  # fmt: skip
    return AnswerLink(**(content | changes))


def token(**changes: Any) -> str:
    """Return the token of that link."""
    return SIGNER.link(link(**changes))


def judged(database: ClickHouse) -> Round:
    """Judge the world's last day, and write what follows: standing, and the transitions of a first look."""
    world.fill(database)
    found = evaluate_round(
        FigureReader(database), StandingStore(database), world.NOW, plan=PLAN, zone="Asia/Ho_Chi_Minh"
    )
    assert isinstance(found, Round)
    record(database, *world.decided(found.assessment))
    return found


def look(database: ClickHouse, found: Round, answers: list[Answer]) -> None:
    """Have the evaluator take *answers* up, as alerts does on its next look."""
    waiting: dict[tuple[str, str], list[Answer]] = {}
    for one in answers:
        waiting.setdefault((one.agency, one.cause), []).append(one)
    record(database, *answers)
    past = fold(world.decided(found.assessment))
    policy = default_policy(found.assessment.plan)
    record(database, *transitions_of(found.assessment, past, policy, at=world.NOW, answers=waiting))


def record(database: ClickHouse, *records: Record) -> None:
    """Put *records* where the fold of the log puts them."""
    write_records(database, [(one, WARNING_RECORD.dump_json(one, by_alias=True).decode()) for one in records])


def published(broker: KafkaAddress) -> list[Answer]:
    """Return every answer in the log, in its order."""
    shape = SHAPES[Topic.WARNINGS]
    ensure_topics(broker, [TopicSpec(Topic.WARNINGS, shape.partitions, shape.config)])
    found = []
    for one in read_all(broker, Topic.WARNINGS.value):
        value = WARNING_RECORD.validate_json(one.value or b"")
        if isinstance(value, Answer):
            found.append(value)
    return found


def fields(**answers: dict[str, str]) -> dict[str, str]:
    """Return form fields: ``email_use={"answer": "accepted", "day": "2008-11-30"}`` → ``answer[lag:email-use]`` and so on."""
    sent = {}
    for name, values in answers.items():
        cause = "all" if name == "all" else f"lag:{name.replace('_', '-')}"
        for field, value in ({"opened": "1"} | values).items():
            sent[f"{field}[{cause}]"] = value
    return sent


def form_in(html: str) -> str:
    """Return the signed form of a confirmation page."""
    found = _HIDDEN.search(html)
    assert found is not None, html[:2000]
    return unescape(found[1])


def answered(board: TestClient, of: str, **answers: dict[str, str]) -> Any:
    """Choose, confirm and send; return the last response, redirects not followed."""
    page = board.post(f"/answer/{of}", data=fields(**answers))
    assert page.status_code == 200, page.text
    return board.post(f"/answer/{of}", data={"form": form_in(page.text)}, follow_redirects=False)
