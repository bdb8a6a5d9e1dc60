"""Money in a plan: its stages, its unit, its minimum; and every đồng from the door to what people read."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from schemas import usage
from schemas.plan import Indicator, Unit
from schemas.progress import ProgressMeasure
from schemas.revisions import PlanRevision
from services.alerts.core.letter import LagLetter
from services.alerts.core.message import pace_of
from services.alerts.core.samples import sample_letters
from services.core.definition import definition_of
from services.core.evidence_words import measure_text
from services.core.item_evidence import Said, of_stage
from services.core.schedule.assess import assess
from services.core.schedule.standing import figure_of
from services.core.schedule.standing_words import ENGLISH, VIETNAMESE
from services.ingest.core.inbound import read_event
from services.ingest.core.normalise import normalise
from services.ingest.core.pseudonyms import Pseudonyms
from services.ingest.core.rejection import Refusal
from tests.aggregator_world import world_documents
from tests.directories import FIRST_REVISION

PLAN, _ = world_documents()
MILLIONS = Unit(vi="triệu đồng", en="million đồng", size=1_000_000)
OFFICIALS = Unit(vi="cán bộ", en="officials", en_one="official")


def indicator(measure: dict[str, Any], **more: Any) -> Indicator:
    """Return an indicator of the small world with this measure."""
    content = {"id": "i", "title": {"vi": "i"}, "unit": {"vi": "đồng"}, "shown_for": ["judged"], "measure": measure}
    return Indicator.model_validate(content | more)


def money(**more: Any) -> dict[str, Any]:
    """Return a measure of money."""
    return {"kind": "progress", "facts": "budget.recorded", **more}


@pytest.mark.parametrize(
    ("measure", "told"),
    [
        pytest.param(money(done="approved", planned="approved"), "does not come after", id="a stage of itself"),
        pytest.param(
            money(done="approved"), "'approved' does not come after 'budgeted'", id="backwards, by the usual stage"
        ),
        pytest.param(money(done="spent"), "Input should be", id="no such stage"),
        pytest.param(
            {"kind": "progress", "facts": "milestone.reached", "done": "disbursed"}, "stages of money", id="milestones"
        ),
    ],
)
def test_stages_go_one_way_and_are_of_money(measure, told):
    """What makes no sense is refused with the reason."""
    with pytest.raises(ValidationError, match=told):
        indicator(measure)


def test_a_plan_that_names_no_stages_keeps_its_definition():
    """Written out or left out, the usual stages are one definition, the one there was before; others are others."""
    old = definition_of(indicator(money()), PLAN)
    assert old is not None
    assert json.loads(old.canonical)["measure"] == {
        "kind": "progress",
        "facts": "budget.recorded",
        "start": "2008-05-28",
    }
    assert definition_of(indicator(money(done="disbursed", planned="budgeted", start="2008-05-28")), PLAN) == old
    others = [money(planned="approved"), money(start="2008-01-01"), money(done="delivered")]
    assert len({old, *(definition_of(indicator(one), PLAN) for one in others)}) == 4


def test_an_indicator_may_have_a_minimum_of_its_own():
    """Its own comes first, also where it is nothing at all; a mean has none."""
    assert PLAN.minimum_of(indicator(money())) == 10
    assert PLAN.minimum_of(indicator(money(), minimum=0)) == 0
    assert PLAN.minimum_of(indicator(money(), minimum=5_000_000)) == 5_000_000
    assert PLAN.minimum_of(indicator({"kind": "members", "also_on": "trained.it"})) == 1
    mean = {"kind": "mean", "of": [{"indicator": "a"}, {"indicator": "b"}]}
    assert PLAN.minimum_of(indicator(mean)) == 0
    with pytest.raises(ValidationError, match="no cases of its own"):
        indicator(mean, minimum=3)


@pytest.mark.parametrize(("minimum", "verdict"), [(None, "too-few"), (9, "too-few"), (8, "behind"), (0, "behind")])
def test_the_minimum_of_an_indicator_decides_its_verdict(minimum, verdict):
    """Eight points of weight are too few for the plan's ten, and enough where the indicator says so."""
    one = indicator(
        {"kind": "progress", "facts": "milestone.reached"},
        minimum=minimum,
        targets=[{"group": "judged", "target": "90 %"}],
    )
    plan = PLAN.model_copy(update={"indicators": (one,)})
    day = date(2008, 9, 30)
    definition = definition_of(one, plan)
    assert definition is not None
    revision = PlanRevision(
        id="plan", revision=1, in_force_from=plan.start, published=FIRST_REVISION.published, document=plan
    )
    figures = {(definition.hash, "a"): {day: (Decimal(1), Decimal(8), 0.0)}}  # attested, so no feed is needed
    found = assess([revision], [FIRST_REVISION], adoption=figures, feed_days=[], day=day)
    assert found.histories["i", "a"][-1].verdict == verdict


def test_the_stage_decides_what_an_amount_is():
    """Approved is done of what was proposed, and planned of what was paid; the event's own step plays no part."""
    said = [Said(source="/a", step="entered", version=1, day=date(2008, 6, 2), retracted=False)]
    assert [one.step for one in of_stage("p/approved/7/UB", said, done="approved")] == ["adopted"]
    assert [one.step for one in of_stage("p/approved/7/UB", said, done="disbursed")] == ["entered"]


def test_a_measure_is_told_in_words():
    """By the names of its stages, in both languages."""
    measure = ProgressMeasure(kind="progress", facts="budget.recorded", done="approved", planned="proposed")
    assert measure_text(measure, "en") == "amounts approved ÷ amounts proposed"
    assert measure_text(measure, "vi") == "kinh phí được phê duyệt ÷ kinh phí đề xuất"
    since = ProgressMeasure(kind="progress", facts="milestone.reached", start=date(2008, 1, 1))
    assert measure_text(since, "vi") == "mốc đã đạt ÷ mốc phải đạt, tính theo trọng số, từ ngày 01/01/2008"


def test_who_completed_a_course_is_told_by_its_name():
    """Not as one roster beside another."""
    trained = indicator({"kind": "members", "also_on": "trained.it-basics"}).measure
    assert (
        measure_text(trained, "vi")
        == "người trong danh sách cán bộ đã hoàn thành khoá it-basics ÷ số người trong danh sách"
    )
    assert measure_text(trained, "en").startswith("people on roster officials who completed course it-basics ÷")


def row(done: str, of: str, pace: Fraction | None = None) -> dict[str, Any]:
    """Return what the words need of a standing."""
    ratio = float(Fraction(done) / Fraction(of))
    return {"numerator": Decimal(done), "denominator": Decimal(of), "ratio": ratio,
            "needed_pace": None if pace is None else float(pace)}  # fmt: skip


def test_money_reads_in_millions():
    """Figures to the nearest tenth, in groups of three; counts as they are, fractions of weights included."""
    paid = row("130403819.0000", "1564845802.0000")
    assert VIETNAMESE.figure(paid, MILLIONS) == "130,4/1.564,8 triệu đồng  8,3 %"
    assert ENGLISH.figure(paid, MILLIONS) == "130.4/1,564.8 million đồng  8.3 %"
    assert ENGLISH.figure(row("3.0000", "14.0000"), OFFICIALS) == "3/14  21.4 %"
    assert VIETNAMESE.figure(row("27.5000", "100.0000")) == "27,5/100  27,5 %"
    assert ENGLISH.figure(row("0.0000", "999960000.0000"), MILLIONS) == "0/1,000 million đồng  0.0 %"


def test_a_pace_of_money_is_rounded_up_to_tenths():
    """73.43 million a week are 73.5; exactly 73.5 stay; one official is one official."""
    assert VIETNAMESE.needed(row("0", "1000000000", Fraction(7343, 700_000)), MILLIONS) == "73,5 triệu đồng/tuần"
    assert ENGLISH.needed(row("0", "1000000000", Fraction(735, 70_000)), MILLIONS) == "73.5 million đồng a week"
    assert ENGLISH.needed(row("0", "14", Fraction(1, 98)), OFFICIALS) == "1 official a week"


@given(of=st.integers(1, 10**14), share=st.fractions(0, 1, max_denominator=997), days=st.integers(1, 3650))
def test_the_pace_told_reaches_the_target_and_is_not_a_step_too_fast(of, share, days):
    """In tables and mails alike: weeks × pace is what is missing, or less than a tenth of a million a week more."""
    target = Fraction(7, 10)
    done = int(of * share * target)
    exact = (target - Fraction(done, of)) / days * of * 7
    standing = samples_standing(done, of)
    told = pace_of(standing, target, date.fromordinal(standing.judged_day.toordinal() + days), MILLIONS.size).per_week
    assert told is not None
    assert 0 <= told * MILLIONS.size - exact < MILLIONS.size // 10
    text = ENGLISH.needed(row(str(done), str(of), exact / 7 / of), MILLIONS)
    if exact > 0:
        read = Fraction(text.removesuffix(" million đồng a week").replace(",", ""))
        steps = exact / 100_000
        tie = abs(steps - round(steps)) < Fraction(1, 1000)  # the table has the pace as a float
        assert abs(read - told) <= (Fraction(1, 10) if tie else 0)


def samples_standing(done: int, of: int) -> Any:
    """Return a standing with this figure."""
    letter = next(one for one in sample_letters() if isinstance(one, LagLetter))
    figure = figure_of(Decimal(done), Decimal(of), measured_share=1.0, minimum=0)
    return replace(letter.lags[0].standing, numerator=Decimal(done), denominator=Decimal(of), ratio=figure.ratio)


@given(
    amount=st.one_of(
        st.integers(0, 10**14 - 1).map(lambda dong: (Decimal(dong), str(dong))),
        st.decimals(0, Decimal("99999999999999.9999"), places=4).map(lambda dong: (dong, f'"{dong:f}"')),
    ),
    stage=st.sampled_from(["proposed", "approved", "budgeted", "delivered", "disbursed"]),
)
def test_no_dong_is_lost_on_the_way_to_the_log(amount, stage):
    """Whole amounts as JSON numbers, any amount as a text: as sent, so read, normalised, written and read again."""
    exact, written = amount
    head = {"specversion": "1.0", "id": "1", "source": "/s", "type": "vn.tiendo.budget.recorded.v1", "agency": "a",
            "time": "2008-06-02T09:00:00+07:00"}  # fmt: skip
    data = {"agency": "a", "project": "p", "id": "12/KB", "stage": stage, "day": "2008-06-02", "amount": "AMOUNT"}
    read = read_event(json.dumps(head | {"data": data}).replace('"AMOUNT"', written).encode())
    assert not isinstance(read, Refusal)
    event = normalise(read, pseudonyms=Pseudonyms("k1", b"k" * 32), received=datetime(2008, 6, 2, 3, tzinfo=UTC))
    assert isinstance(event, usage.BudgetRecorded)
    assert usage.decode_one(usage.encode_one(event)) == event
    assert (event.data.weight, event.data.id) == (exact, f"p/{stage}/12/KB")
    assert msgspec.json.decode(usage.canonical(event))[5]["weight"] == f"{event.data.weight:f}"
