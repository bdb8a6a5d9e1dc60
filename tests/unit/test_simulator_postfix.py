"""What the Postfix connector makes of the simulated log is what the simulator knows to be true."""

from __future__ import annotations

from datetime import date

import pytest

from services.ingest.core.postfix_lines import read_line
from services.ingest.core.postfix_mail import MailFold, Senders
from tests.unit.simulated import UNTIL, log_text, province


def test_senders_of_every_day_equal_the_truth(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Nine months of filters, retries, forwards and refusals: the same addresses on the same days, none more, none less."""
    folder, world = province(tmp_path_factory)
    fold = MailFold(senders=Senders(domains=("thainguyen.gov.vn",)))
    found = set()
    for line in log_text(folder).splitlines():
        sent = fold.step(read_line(line), date.fromisoformat(line[:10]).toordinal())
        if sent is not None:
            found.add((sent.address, sent.day))

    assert found == {use for use in world.uses if use[1] <= UNTIL}
