"""No address and no personnel number leaves the gateway: every topic, table and log of a run is read."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from schemas.topics import Topic
from services.infra.kafka import read_all
from tests.e2e.conftest import Run
from tests.fixtures.kafka import Kafka

pytestmark = [pytest.mark.e2e, pytest.mark.kafka, pytest.mark.integration, pytest.mark.timeout(900)]

# The directory's office contacts are a listed exception; they are offices, so none of them is among the secrets.


_ADDRESS = re.compile(r"[a-z0-9._+-]+@[a-z0-9.-]*[a-z0-9]")
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]*")


class _Finder:
    """Finds any of many strings in a text, quickly."""

    def __init__(self, secrets: list[str]) -> None:
        self._addresses = {secret.lower() for secret in secrets if "@" in secret}
        self._numbers = {secret for secret in secrets if "@" not in secret}
        assert self._addresses
        assert self._numbers

    def leaks(self, text: str) -> set[str]:
        found = self._addresses & set(_ADDRESS.findall(text.lower())) if "@" in text else set()
        return found | (self._numbers & set(_WORD.findall(text)))


def test_nothing_personal_in_topics_tables_and_logs(on_kafka: Run, own_kafka: Kafka, truth: dict[str, Any]) -> None:
    """Reads all records, all rows of all tables and all log lines of a whole run."""
    finder = _Finder(truth["secrets"])
    leaks: list[str] = []

    for topic in Topic:
        records = read_all(own_kafka.address, topic.value)
        assert records or topic in (Topic.INBOX, Topic.REJECTED)
        for record in records:
            text = b"\n".join([record.key or b"", record.value or b"", *(v for _, v in record.headers)]).decode()
            leaks += [f"{topic}: {leak}" for leak in finder.leaks(text)]

    with on_kafka.tables() as database:
        names = [name for (name,) in database.rows("SELECT name FROM system.tables WHERE database = 'tiendo'")]
        assert {"events", "memberships", "mailboxes", "activity", "standing", "warnings"} <= set(names)
        for name in names:
            for row in database.rows(f"SELECT * FROM {name}"):
                leaks += [f"table {name}: {leak}" for leak in finder.leaks("\n".join(f'"{value}"' for value in row))]

    logs = [path for path in Path(on_kafka.data, "logs").rglob("*") if path.is_file()]
    assert logs
    for path in logs:
        leaks += [f"{path.name}: {leak}" for leak in finder.leaks(path.read_text(errors="replace"))]

    assert leaks == []


def test_the_search_would_find_a_leak(truth: dict[str, Any]) -> None:
    """The finder itself finds an address in mixed case and a number as a JSON string."""
    finder = _Finder(truth["secrets"])
    address = next(secret for secret in truth["secrets"] if "@" in secret)
    number = next(secret for secret in truth["secrets"] if "@" not in secret)

    assert finder.leaks(f'from=<{address.upper()}>, {{"person": "{number}"}}') == {address.lower(), number}
