"""Plans, directories and clocks that change between a warning and its mail: it is told once, to whoever is there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from schemas.directory import Directory
from schemas.plan import Plan
from tests import alerts_world as world
from tests.alerts_place import Place, wait_for
from tests.integration.test_alerts_mail import place

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]
__all__ = ["place"]  # the fixture
SINCE = date(2008, 9, 15)


def revise(at: Place, kind: str, change: Callable[[dict[str, Any]], None], revision: int = 2) -> None:
    """Publish another revision of the *kind*, in force since the middle of September."""
    first: Plan | Directory = world.plan() if kind == "plan" else world.directory()
    content = first.model_dump(mode="json", by_alias=True, exclude_none=True) | {"in_force_from": SINCE.isoformat()}
    change(content)
    document = type(first).model_validate(content)
    names = ["kind", "id", "revision", "in_force_from", "published", "document"]
    row = (kind, content[kind], revision, SINCE, world.NOW, document.model_dump_json(by_alias=True))
    with at.database() as database:
        database.insert("plan_revisions", names, [[value] for value in row])


def receivers(at: Place) -> list[tuple[str, str]]:
    return sorted((str(one["X-Tiendo-Agency"]), str(one["To"].addresses[0].addr_spec)) for one in at.parsed())


def leaving(roles: set[str]) -> Callable[[dict[str, Any]], None]:
    def change(content: dict[str, Any]) -> None:
        (agency,) = (one for one in content["agencies"] if one["id"] == "so-y-te")
        agency["contacts"] = [one for one in agency["contacts"] if one["role"] not in roles]

    return change


@pytest.mark.parametrize(
    ("roles", "receiver"),
    [
        pytest.param({"head"}, "vp-so-y-te@example.vn", id="the head"),
        pytest.param({"head", "contact"}, "van-hanh@example.vn", id="everybody"),
    ],
)
def test_who_leaves_while_the_mail_waits_takes_no_warning_along(place: Place, roles: set[str], receiver: str) -> None:
    """The relay is down and the head leaves the directory: whoever is there instead is told, once."""
    with place.database() as database:
        world.fill(database)
    place.alerts()
    place.wait_until_judged()
    assert place.rows("SELECT uniqExact(id) FROM notices") == [(3,)]
    revise(place, "directory", leaving(roles))
    place.wait_until_judged(2)
    place.catcher()

    mails = place.wait_for_mails(3)
    settled = "SELECT id FROM notices GROUP BY id HAVING countIf(state IN ('sent', 'dead')) = 0"
    wait_for("all settled", lambda: place.rows(f"SELECT count() FROM ({settled})") == [(0,)])
    assert len(mails) == len(place.files()) == 3
    assert [to for agency, to in receivers(place) if agency == "so-y-te"] == [receiver]


def test_an_indicator_dropped_and_taken_up_again_is_told_once_each(place: Place) -> None:
    """Dropped from the plan: one mail says that it is no longer judged; back again: one says that it is behind again."""
    with place.database() as database:
        world.fill(database)
    place.catcher()
    place.alerts()
    place.wait_until_judged()

    def drop(content: dict[str, Any]) -> None:
        content["indicators"] = [one for one in content["indicators"] if one["id"] != "email-use"]

    revise(place, "plan", drop)
    place.wait_for_mails(4)
    place.wait_until_judged(2)
    revise(place, "plan", lambda _: None, 3)
    place.wait_for_mails(5)
    place.wait_until_judged(3)
    place.wait_until_all_sent()

    reasons = "SELECT reason FROM warnings FINAL WHERE cause = 'lag:email-use' ORDER BY sequence"
    assert [row[0] for row in place.rows(reasons)] == ["fell-behind", "no-longer-judged", "behind-again"]
    assert [agency for agency, _ in receivers(place)].count("so-y-te") == 3
    assert len(place.files()) == 5


def test_a_clock_set_back_and_forth_brings_no_second_mail(place: Place, tmp_path: Path) -> None:
    """Three weeks back: said in the log, nothing recorded; right again: judging goes on where it was."""
    with place.database() as database:
        world.fill(database)
    clock = tmp_path / "clock"
    clock.write_text(world.NOW.isoformat())
    place.catcher()
    worker = place.alerts(TIENDO_CLOCK=f"@{clock}")
    place.wait_for_mails(3)
    place.wait_until_judged()
    place.wait_until_all_sent()
    clock.write_text((world.NOW - timedelta(days=21)).isoformat())
    wait_for("a word of it", lambda: "is a clock wrong?" in place.log())
    assert place.rows("SELECT count() FROM warnings FINAL") == [(3,)]
    clock.write_text((world.NOW + timedelta(days=1)).isoformat())
    wait_for("the next day judged", lambda: place.rows("SELECT max(day) FROM evaluations") == [(date(2008, 10, 1),)])

    assert place.rows("SELECT count() FROM warnings FINAL") == [(3,)]
    assert len(place.files()) == 3
    assert worker.poll() is None
