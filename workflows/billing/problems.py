"""What goes wrong in billing goes to its owner, one exception a step, and everything else goes on."""

from collections.abc import Awaitable
from typing import TypeVar

from temporalio.exceptions import ActivityError, ApplicationError

from domain.attention import Action
from domain.billing_triggers import BillingProblem
from domain.policy import Role
from workflows.shared.desk import Desk
from workflows.shared.routing import failure_of, is_cancelled

T = TypeVar("T")

_ACTIONS = (Action.RETRY, Action.SKIP, Action.HAND_OVER)


class BillingProblems:
    """The exceptions of one project, on its desk."""

    def __init__(self, desk: Desk, object: str) -> None:
        self._desk = desk
        self._object = object

    async def attempt(
        self,
        step: str,
        what: str,
        call: Awaitable[T],
        *,
        role: Role | None = None,
        facts: dict[str, str] | None = None,
    ) -> T | None:
        """The answer of `call`; None when it failed for good, which its owner knows by then."""
        try:
            answer = await call
        except (ActivityError, ApplicationError) as error:
            if is_cancelled(error):
                raise
            failure = failure_of(error)
            problem = BillingProblem(
                step=step, headline=f"{what} failed", detail=failure.message, owner=failure.owner(role)
            )
            await self.report(problem, facts={**failure.facts, **(facts or {})}, error_class=failure.kind)
            return None
        await self.heal(step)
        return answer

    async def show(
        self, step: str, problem: BillingProblem | None, facts: dict[str, str] | None = None
    ) -> None:
        """Bring the exception of `step` to how it stands: `problem`, or settled."""
        if problem is None:
            await self.heal(step)
        else:
            await self.report(problem, facts=facts)

    async def report(
        self, problem: BillingProblem, *, facts: dict[str, str] | None = None, error_class: str = "Rejected"
    ) -> None:
        await self._desk.raise_item(
            problem.step,
            problem.headline,
            owner=problem.owner,
            detail=problem.detail,
            object=self._object,
            amount=problem.amount,
            error_class=error_class,
            actions=_ACTIONS,
            facts=facts,
        )

    async def heal(self, step: str) -> None:
        item = self._desk.item(step)
        if item is not None:
            await self._desk.resolve(item, "settled")
