"""Projects to start in 2008: their milestones, and their money from the proposal to the payment."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Final, Literal

from simulator.courses import LATE_BALANCE, LATE_MILESTONES, PROJECTS
from simulator.people import moment
from simulator.truth import Amount, Milestone, MilestoneState, Sum, World

#: Milestone → its weight, and when an agency in time reaches it.
_MILESTONES: Final = (
    ("chu-truong", Decimal(10), date(2008, 6, 20)),
    ("thiet-ke", Decimal(20), date(2008, 7, 25)),
    ("dau-thau", Decimal(30), date(2008, 9, 12)),
    ("lap-dat", Decimal("27.5"), date(2008, 11, 14)),
    ("nghiem-thu", Decimal("12.5"), date(2008, 12, 19)),
)
_ADDED: Final = (
    "so-y-te",
    "dao-tao-su-dung",
    Decimal(15),
    date(2008, 8, 18),
)  # a milestone that came into the plan late
_RETURNED: Final = (
    "van-phong-ubnd-tinh",
    "dau-thau",
    date(2008, 9, 18),
    date(2008, 9, 26),
)  # given back, reached again
#: Stage → shares of what the project asks for, with their days. Of what was asked for a tenth is not approved.
_MONEY: Final[tuple[tuple[str, float, date], ...]] = (
    ("proposed", 0.7, date(2008, 3, 10)),
    ("proposed", 0.3, date(2008, 3, 24)),
    ("approved", 0.9, date(2008, 4, 21)),
    ("budgeted", 0.45, date(2008, 6, 9)),
    ("budgeted", 0.27, date(2008, 8, 6)),
    ("budgeted", 0.18, date(2008, 11, 3)),
    ("delivered", 0.15, date(2008, 7, 4)),
    ("delivered", 0.2, date(2008, 9, 1)),
    ("delivered", 0.4, date(2008, 12, 1)),
    *(("disbursed", 0.018 if n < 8 else 0.026, date(2008, 6, 11) + timedelta(weeks=n)) for n in range(28)),
)
_TREASURY: Final = ("delivered", "disbursed")
_TWICE: Final = "so-tai-chinh"  # one paper that both registers hold, the second a day later
_TYPED_WRONG: Final = "so-thong-tin-truyen-thong"  # an amount with a nought too many, corrected after some days
_CANCELLED: Final = "tp-thai-nguyen"  # a payment that was sent back


class Projects:
    """Builds the registers of milestones and of money, with a generator of its own."""

    def __init__(self, world: World, seed: int) -> None:
        self._world = world
        self._random = Random(f"{seed}/projects")
        self._papers = 0

    def build(self) -> None:
        """Fill the world's milestones and amounts."""
        for agency, project in PROJECTS.items():
            for name, weight, due in _MILESTONES:
                self._milestone(agency, project, name, weight, date(2008, 6, 2), self._reached(agency, name, due))
            if agency == _ADDED[0]:
                self._milestone(agency, project, *_ADDED[1:], None)
            self._money(agency, project)

    def _reached(self, agency: str, name: str, due: date) -> date | None:
        if agency == LATE_MILESTONES:
            return due if name == "chu-truong" else None
        return due - timedelta(days=self._random.randint(0, 4))

    def _milestone(
        self, agency: str, project: str, name: str, weight: Decimal, planned: date, reached: date | None
    ) -> None:
        first = MilestoneState(recorded=moment(self._random, planned), weight=weight, planned=planned)
        versions = [first]
        if reached is not None:
            recorded = moment(self._random, reached + timedelta(days=self._random.choice((0, 1))))
            versions.append(MilestoneState(recorded=recorded, weight=weight, planned=planned, reached=reached))
            if (agency, name) == _RETURNED[:2]:
                back, again = _RETURNED[2:]
                for day, done in ((back, reached), (again, again)):
                    recorded = moment(self._random, day)
                    state = {"weight": weight, "planned": planned, "reached": done, "returned": back}
                    versions.append(MilestoneState(recorded=recorded, **state))
        row = f"M{len(self._world.milestones) + 1:03d}"
        self._world.milestones.append(
            Milestone(row=row, agency=agency, project=project, name=name, versions=tuple(versions))
        )

    def _money(self, agency: str, project: str) -> None:
        asked = self._random.randint(800_000_000, 6_000_000_000)
        for stage, share, day in _MONEY:
            if agency == LATE_BALANCE and stage == "budgeted":
                share /= 2.5
            if agency == LATE_MILESTONES and stage in _TREASURY and day > date(2008, 6, 30):
                continue
            if agency == LATE_BALANCE and stage in _TREASURY:
                share /= 2.5
            on = day + timedelta(days=self._random.randint(0, 3) if stage in ("proposed", "approved") else 0)
            dong = int(asked * share) + self._random.randint(1, 999)  # to the đồng
            self._amount(agency, project, stage, on, dong)
        if agency == _CANCELLED:
            gone = date(2008, 9, 22)
            paid = Sum(recorded=moment(self._random, date(2008, 9, 16)), day=date(2008, 9, 16), dong=asked // 5)
            void = Sum(recorded=moment(self._random, gone), day=paid.day, dong=paid.dong, cancelled=gone)
            self._enter("treasury", agency, project, "disbursed", self._paper("KB"), paid, void)

    def _amount(self, agency: str, project: str, stage: str, day: date, dong: int) -> None:
        register: Literal["budget", "treasury"] = "treasury" if stage in _TREASURY else "budget"
        paper = self._paper("KB" if register == "treasury" else "KHĐT")
        recorded = moment(self._random, day)
        right = Sum(recorded=recorded, day=day, dong=dong)
        if agency == _TYPED_WRONG and stage == "budgeted" and day.month == 8:
            mended = Sum(recorded=recorded + timedelta(days=9), day=day, dong=dong)
            self._enter(
                register, agency, project, stage, paper, Sum(recorded=recorded, day=day, dong=dong * 10), mended
            )
            return
        self._enter(register, agency, project, stage, paper, right)
        if agency == _TWICE and stage == "budgeted":
            late = datetime.combine(day + timedelta(days=1), recorded.time())
            second = Sum(recorded=late, day=day + timedelta(days=1), dong=dong)
            self._enter("treasury", agency, project, stage, paper, second)

    def _paper(self, office: str) -> str:
        self._papers += 1
        return f"{self._papers}/{office}"

    def _enter(
        self, register: Literal["budget", "treasury"], agency: str, project: str, stage: str, paper: str, *versions: Sum
    ) -> None:
        row = f"{'KB' if register == 'treasury' else 'NS'}{len(self._world.amounts) + 1:04d}"
        self._world.amounts.append(
            Amount(
                row=row, register=register, agency=agency, project=project, stage=stage, paper=paper, versions=versions
            )
        )
