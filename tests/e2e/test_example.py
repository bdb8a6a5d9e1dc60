"""The example as a user runs it: figures against the simulator's own truth, mails, a second run."""

from __future__ import annotations

import email
import re
from email.message import EmailMessage
from email.policy import default
from fractions import Fraction
from typing import Any

import pytest

from schemas.explanation import PeopleEvidence
from services.infra.clickhouse.client import open_clickhouse
from services.infra.explain.reader import Explain, explain
from tests.e2e.conftest import DAYS, PLAN, Run, example_run, standing_of

pytestmark = [pytest.mark.e2e, pytest.mark.integration, pytest.mark.timeout(900)]


def _figures(rows: list[dict[str, Any]]) -> dict[tuple[str, str], dict[str, Any]]:
    return {(row["indicator"], row["agency"]): row for row in rows}


def differences(rows: list[dict[str, Any]], truth: dict[str, dict[str, dict[str, Any]]]) -> list[str]:
    """Return where the printed standing and the truth part: numerator, denominator, ratio of means, feed state."""
    found, wrong = _figures(rows), []
    wanted = {(indicator, agency): value for indicator, by in truth.items() for agency, value in by.items()}
    for key in sorted(wanted.keys() ^ found.keys()):
        wrong.append(f"{key}: only {'expected' if key in wanted else 'printed'}")
    for key in sorted(wanted.keys() & found.keys()):
        value, row = wanted[key], found[key]
        if value.get("denominator") is None and value.get("ratio") is not None:  # a mean has a ratio alone
            same = abs(float(Fraction(value["ratio"])) - row["ratio"]) < 1e-12
        else:
            pairs = ((value.get(name), row[name]) for name in ("numerator", "denominator"))
            same = all((a is None) == (b is None) and (a is None or Fraction(a) == Fraction(str(b))) for a, b in pairs)
        if not same:
            wrong.append(f"{key}: expected {value}, printed {row}")
        if value.get("feed_state") is not None and value["feed_state"] != row["feed_state"]:
            wrong.append(f"{key}: expected feed state {value['feed_state']}, printed {row['feed_state']}")
    return wrong


@pytest.mark.parametrize("day", DAYS)
def test_every_figure_equals_the_simulators_own(embedded: Run, truth: dict[str, Any], day: str) -> None:
    """For every agency and indicator, to the last digit, also as of a day two months back."""
    with embedded.database() as stack:
        rows = standing_of(stack, day)

    assert len(rows) > 260
    assert differences(rows, truth["as_of"][day]) == []


def test_every_figure_is_explained(embedded: Run) -> None:
    """For some agencies, each indicator's evidence, counted by other code, comes to the printed figure."""
    explained = 0
    with embedded.database() as stack, open_clickhouse(stack.clickhouse) as database:
        for row in standing_of(stack, DAYS[1]):
            if row["agency"] not in (
                "so-xay-dung",
                "huyen-dinh-hoa",
                "ban-dan-toc",
                "so-tai-chinh",
                "van-phong-ubnd-tinh",
            ):
                continue
            wanted = Explain(plan=PLAN, indicator=row["indicator"], agency=row["agency"], limit=0)
            found = explain(database, wanted, zone="Asia/Ho_Chi_Minh")
            explained += 1
            assert all(part.recount.agrees for part in found.parts), row
            for part in found.parts:
                counted = part.recount.measured
                if isinstance(part.evidence, PeopleEvidence):
                    assert part.evidence.roster.people == counted.denominator
                else:
                    assert sum(one.denominator for one in part.evidence.reasons) == counted.denominator
                    assert sum(one.numerator for one in part.evidence.reasons) == counted.numerator

    assert explained > 45


@pytest.mark.kafka
@pytest.mark.parametrize("day", DAYS)
def test_apache_kafka_gives_the_same_figures(on_kafka: Run, truth: dict[str, Any], day: str) -> None:
    """The same events through a real Kafka make the same figures."""
    with on_kafka.database() as stack:
        rows = standing_of(stack, day)

    assert differences(rows, truth["as_of"][day]) == []


def _parsed(run: Run) -> list[EmailMessage]:
    return [email.message_from_bytes(mail.read_bytes(), policy=default) for mail in run.mails]  # type: ignore[misc]


def test_a_second_run_prints_the_same_and_sends_nothing(embedded: Run) -> None:
    """Everything is delivered again to the same data folder: no figure changes, no second mail."""
    before = [mail.name for mail in embedded.mails]
    with embedded.database() as stack:
        first = standing_of(stack, DAYS[-1])

    again = example_run(embedded.data)

    with again.database() as stack:
        assert standing_of(stack, DAYS[-1]) == first
    assert [mail.name for mail in again.mails] == before
    message_ids = [mail["Message-ID"] for mail in _parsed(again)]
    assert len(message_ids) == len(set(message_ids))


def test_an_agency_behind_in_several_indicators_gets_one_mail(embedded: Run) -> None:
    """Per receiver one mail, in Vietnamese, as text and as HTML, with every indicator that is behind."""
    with embedded.database() as stack:
        behind: dict[str, list[str]] = {}
        for row in standing_of(stack, DAYS[-1]):
            if row["verdict"] == "behind" and row["feed_state"] == "reporting":
                behind.setdefault(row["agency"], []).append(row["indicator"])
    agency = max(behind, key=lambda name: len(behind[name]))
    assert len(behind[agency]) >= 2

    mails = [mail for mail in _parsed(embedded) if mail.get("X-Tiendo-Agency") == agency]

    assert len(mails) == len({mail["To"] for mail in mails}) >= 1
    for mail in mails:
        assert {part.get_content_type() for part in mail.walk()} >= {"text/plain", "text/html"}
        text = mail.get_body(("plain",))
        assert text is not None
        assert "chậm" in text.get_content()
        assert len(re.findall(r"\d+ ngày", text.get_content())) >= 2


def test_money_is_told_in_millions_and_kept_to_the_dong(embedded: Run) -> None:
    """In the standing as JSON every đồng; in the mail what a reader can take in, with a pace a week."""
    with embedded.database() as stack:
        paid = [row for row in standing_of(stack, DAYS[-1]) if row["indicator"] == "project-funds-disbursed"]
    assert any(int(row["denominator"]) % 1000 for row in paid)
    (late,) = [row for row in paid if row["verdict"] == "behind"]
    mails = [mail for mail in _parsed(embedded) if mail.get("X-Tiendo-Agency") == late["agency"]]
    body = mails[0].get_body(("plain",))
    assert body is not None
    millions = round(late["denominator"] / 10**5) / 10
    told = f"{millions:,.1f}".translate(str.maketrans(",.", ".,")).removesuffix(",0")
    assert f"/{told} triệu đồng" in " ".join(body.get_content().split())
    assert re.search(r"Thêm \d+(,\d)? triệu đồng mỗi tuần", " ".join(body.get_content().split()))


def test_a_dead_feed_freezes_its_indicators_and_warns_its_owner(embedded: Run, truth: dict[str, Any]) -> None:
    """No lag warning for what the dead feed supplies, the others go on; operations get one about the feed."""
    silent = {
        agency
        for by in truth["as_of"][DAYS[-1]].values()
        for agency, value in by.items()
        if value.get("feed_state") == "silent"
    }
    assert silent
    with embedded.tables() as database:
        causes = database.rows("SELECT agency, cause FROM warnings FINAL WHERE state = 'open'")
    for agency in silent:
        assert not {cause for name, cause in causes if name == agency} & {
            "lag:documents-exchanged",
            "lag:documents-online",
        }
        assert any(cause == f"feed:{agency}.documents" for _, cause in causes)
    lagging = {name for name, cause in causes if cause.startswith("lag:")}
    assert lagging & silent, "the example wants its dead-feed agency behind in something else"
