"""From the command to the effect: what `tiendo warnings` records is taken up by alerts, through the log."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests import alerts_world as world
from tests.alerts_place import Place, wait_for
from tests.fixtures.chdb import ROOT
from tests.integration.test_alerts_mail import place

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]
__all__ = ["place"]  # the fixture

LAG = ("tinh-2008", "so-y-te", "lag:email-use")


def said(at: Place, *words: str) -> str:
    """Run the command beside alerts and return what it prints."""
    env = os.environ | {
        "TIENDO_CLOCK": world.NOW.isoformat(),
        "TIENDO_KAFKA_BOOTSTRAP": at.broker.bootstrap,
        "TIENDO_CLICKHOUSE_HOST": at.address.host,
        "TIENDO_CLICKHOUSE_PORT": str(at.address.port),
        "TIENDO_CLICKHOUSE_DATABASE": at.address.database,
    }
    command = [sys.executable, "-m", "services.cli", "warnings", *words]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def life(at: Place) -> dict[str, list[dict[str, object]]]:
    found: dict[str, list[dict[str, object]]] = json.loads(said(at, "show", *LAG, "--format", "json"))
    return found


def test_what_is_said_by_hand_takes_effect(place: Place) -> None:
    """Acknowledged: the warning is, and says by which answer. Sent again: the same mail once more, by its Message-ID."""
    with place.database() as database:
        world.fill(database)
    place.catcher()
    place.alerts()
    place.wait_for_mails(3)
    place.wait_until_all_sent()

    said(place, "ack", *LAG, "--by", "Văn phòng Sở Y tế")
    wait_for("the answer taken up", lambda: [one["taken_up"] for one in life(place)["answers"]] == [2], 30)

    before = life(place)
    assert [(one["state"], one["answer"]) for one in before["transitions"]][-1] == (
        "acknowledged",
        before["answers"][0]["id"],
    )
    number = str(before["notices"][0]["id"])
    said(place, "resend", number, "--sent", "--by", "trực ban")
    place.wait_for_mails(4)

    assert [str(mail["Message-ID"])[1:33] for mail in place.parsed()].count(number) == 2
    wait_for("sent again", lambda: [one["state"] for one in life(place)["notices"]] == ["sent"], 30)
    assert [one["attempt"] for one in life(place)["notices"]] == [1]
