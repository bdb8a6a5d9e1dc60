"""Leadership goes to another evaluator and comes back: nobody acts on the picture of when it led last."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar, cast

import pytest

from schemas.warnings import WARNING_RECORD, Silence
from services.alerts.adapters.day_codes import DayCodes
from services.alerts.adapters.figures import FigureReader
from services.alerts.adapters.standing_store import StandingStore
from services.alerts.adapters.stillness import Stillness
from services.alerts.adapters.warning_log import WarningLog
from services.alerts.adapters.warning_tables import write_records
from services.alerts.blocking import Blocking
from services.alerts.watch import Afresh, Watch
from services.infra.clickhouse.client import ClickHouse, ClickHouseAddress, open_clickhouse
from services.infra.clickhouse.migrate import migrate
from services.infra.kafka import Message
from tests import alerts_world as world
from tests.fixtures.chdb import ChdbServer

pytestmark = pytest.mark.integration
T = TypeVar("T")
PLAN = "tinh-2008"


class Inline(Blocking):
    """Calls at once."""

    def __init__(self) -> None:
        """Need no thread."""

    async def __call__(self, call: Callable[[], T]) -> T:
        return call()


class Nowhere:
    def publish(self, messages: Sequence[Message]) -> None:
        """Publish nothing: what counts here is in the tables."""


class Evaluators:
    """Two evaluators on one database, each asked to look when it leads."""

    def __init__(self, database: ClickHouse) -> None:
        self.database = database
        self.now = world.NOW
        self.log = WarningLog(database, Nowhere())
        self.first, self.second = self._watch(), self._watch()

    def _watch(self) -> Watch:
        reads: dict[str, Any] = {"reader": FigureReader(self.database), "afresh": Afresh(self.database)}
        return Watch(
            **reads,
            store=StandingStore(self.database),
            warnings=self.log,
            delivery=cast(Any, None),
            clock=lambda: self.now,
            zone="Asia/Ho_Chi_Minh",
            patience=timedelta(0),
            settle=timedelta(0),
            blocking=Inline(),
            stillness=Stillness(self.database),
            codes=DayCodes(self.database),
        )

    def silence(self) -> None:
        """Somebody silences everything: a reason to look at what has not changed."""
        text = WARNING_RECORD.dump_json(
            one := Silence.model_validate(
                {"id": "s", "plan": PLAN, "action": "begun", "match": {}, "author": "Văn phòng", "reason": "thử",
                 "from": self.now, "until": self.now + timedelta(days=1), "at": self.now}
            ), by_alias=True
        ).decode()  # fmt: skip
        write_records(self.database, [(one, text)])


@pytest.fixture
def evaluators(shared_chdb: ChdbServer, chdb_database: str) -> Iterator[Evaluators]:
    """Two evaluators over the small province, whose figures are there for the whole time."""
    address = ClickHouseAddress(port=shared_chdb.port, database=chdb_database)
    migrate(address)
    with open_clickhouse(address) as database:
        world.fill(database)
        yield Evaluators(database)


def test_who_leads_again_does_not_hold_an_old_picture_against_new_warnings(evaluators: Evaluators) -> None:
    """It led in June, when all was well; another has opened warnings since. A silence makes it look: nothing is caught up."""
    evaluators.now = datetime.fromisoformat("2008-06-05T08:00:00+07:00")
    asyncio.run(evaluators.first.look())
    assert not evaluators.log.states(PLAN)

    evaluators.now = world.NOW
    asyncio.run(evaluators.second.look())
    opened = evaluators.log.states(PLAN)
    assert {one.agency for one in opened.values()} == {"so-y-te", "so-xay-dung.documents"}

    evaluators.silence()
    asyncio.run(evaluators.first.look())
    assert evaluators.log.states(PLAN) == opened


def test_a_round_that_warnings_have_gone_beyond_is_dropped(evaluators: Evaluators) -> None:
    """Another evaluator has recorded what a later day brought and has not finished: the older day says nothing any more."""
    asyncio.run(evaluators.second.look())
    opened = evaluators.log.states(PLAN)
    evaluators.database.run("TRUNCATE TABLE evaluations")

    evaluators.now = datetime.fromisoformat("2008-07-02T08:00:00+07:00")
    asyncio.run(evaluators.first.look())
    assert evaluators.log.states(PLAN) == opened
    assert evaluators.database.rows("SELECT count() FROM evaluations") == [(0,)]
