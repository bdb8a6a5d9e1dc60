"""Rates and quotas: nobody gets more than his rate on average, and whoever waits as told gets in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from services.ingest.core.quota import Allowance, Quotas

START = datetime(2008, 10, 1, 1, tzinfo=UTC)
ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
S = "/mail/thai-nguyen"


@given(
    rate=st.integers(1, 1000),
    burst=st.integers(1, 5000),
    sent=st.lists(st.tuples(st.floats(0, 30), st.integers(1, 2000)), max_size=40),
)
def test_nobody_gets_more_than_the_rate(rate: int, burst: int, sent: list[tuple[float, int]]) -> None:
    """What is let in is at most the burst, what the time gave, and the one request that may go into debt."""
    quotas, allowance, now, taken, largest = Quotas(ZONE), Allowance(rate, burst), START, 0, 0
    for pause, events in sent:
        now += timedelta(seconds=pause)
        if quotas.wait(S, allowance, now) == 0:
            quotas.spend(S, allowance, events, now)
            taken += events
            largest = max(largest, events)
    assert taken <= burst + rate * (now - START).total_seconds() + largest + 1e-6


@given(rate=st.integers(1, 1000), burst=st.integers(1, 5000), events=st.integers(1, 100_000))
def test_whoever_waits_as_told_gets_in(rate: int, burst: int, events: int) -> None:
    """However deep the debt: after waiting as often as told, the next request is let in."""
    quotas, allowance, now = Quotas(ZONE), Allowance(rate, burst), START
    quotas.spend(S, allowance, events, now)
    for _ in range(100):
        wait = quotas.wait(S, allowance, now)
        if wait == 0:
            break
        now += timedelta(seconds=wait)
    assert quotas.wait(S, allowance, now) == 0
    assert (now - START).total_seconds() <= max(0, events - burst + 1) / rate + 40 * 1


def test_a_days_quota_begins_anew_at_midnight() -> None:
    """Of the deployment's zone; until then one is told to come back within the hour."""
    quotas, allowance = Quotas(ZONE), Allowance(daily=10)
    quotas.spend(S, allowance, 10, START)
    assert quotas.wait(S, allowance, START) == 3600
    late = datetime(2008, 10, 1, 16, 59, 30, tzinfo=UTC)
    assert quotas.wait(S, allowance, late) == 30
    assert quotas.wait(S, allowance, late + timedelta(seconds=30)) == 0


def test_without_limits_nobody_waits() -> None:
    """And one source's limits are not another's."""
    quotas = Quotas(ZONE)
    quotas.spend(S, Allowance(), 10**9, START)
    assert quotas.wait(S, Allowance(), START) == 0
    quotas.spend(S, Allowance(1, 1), 100, START)
    assert quotas.wait(S, Allowance(1, 1), START) > 0
    assert quotas.wait("/other", Allowance(1, 1), START) == 0


def test_a_clock_put_back_gives_nothing_and_takes_nothing() -> None:
    """Time counts on from the latest moment that was seen."""
    quotas, allowance = Quotas(ZONE), Allowance(1, 5)
    quotas.spend(S, allowance, 5, START)
    assert quotas.wait(S, allowance, START - timedelta(hours=1)) == 1
    assert quotas.wait(S, allowance, START + timedelta(seconds=1)) == 0
