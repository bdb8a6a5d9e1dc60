"""The measure of progress in the plan language: milestones, and money by its stages."""

from __future__ import annotations

from typing import Final, Literal, Self, get_args

from pydantic import Field, model_validator

from schemas.common import Contract, Day
from schemas.events import BudgetStage

#: The stages of money that a measure means which names none: disbursed ÷ budgeted.
USUAL_STAGES: Final[tuple[BudgetStage, BudgetStage]] = ("disbursed", "budgeted")


class ProgressMeasure(Contract):
    """Weight done ÷ weight planned, of milestones or money; of money the amounts at one stage ÷ those at an earlier one."""

    kind: Literal["progress"]
    facts: Literal["milestone.reached", "budget.recorded"]
    done: BudgetStage | None = Field(default=None, description="Stage of the amounts done; disbursed, unless told.")
    planned: BudgetStage | None = Field(
        default=None, description="Stage of the amounts planned; budgeted, unless told."
    )
    start: Day | None = Field(default=None, description="What is of an earlier day says nothing; the plan's start.")

    @property
    def stages(self) -> tuple[BudgetStage, BudgetStage] | None:
        """The stages done and planned, of money; None of milestones."""
        if self.facts != "budget.recorded":
            return None
        return self.done or USUAL_STAGES[0], self.planned or USUAL_STAGES[1]

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.stages is None:
            if self.done is not None or self.planned is not None:
                raise ValueError("`done` and `planned` are stages of money, for `facts: budget.recorded`")
            return self
        order = get_args(BudgetStage)
        if order.index(self.stages[0]) <= order.index(self.stages[1]):
            raise ValueError(
                f"{self.stages[0]!r} does not come after {self.stages[1]!r}; the order is {', '.join(order)}"
            )
        return self
