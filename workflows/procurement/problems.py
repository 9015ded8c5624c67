"""What goes wrong in procurement goes to its owner, one exception a step, and everything else goes on."""

from collections.abc import Awaitable, Collection, Sequence
from typing import TypeVar

from temporalio.exceptions import ActivityError, ApplicationError

from domain.attention import Action
from domain.policy import Role
from domain.procurement_problems import APPROVAL, REQUEST
from domain.procurement_process import ProcurementProblem
from domain.readiness import OwnerGroup
from workflows.shared.desk import Desk
from workflows.shared.routing import failure_of, is_cancelled

T = TypeVar("T")


class Failed:
    """A call that failed for good; its owner knows."""


_ACTIONS = (Action.RETRY, Action.SKIP, Action.HAND_OVER)
_OF_A_REQUEST = (Action.RETRY, Action.CORRECT, Action.SKIP, Action.HAND_OVER)


class ProcurementProblems:
    """The exceptions of one project, on its desk."""

    def __init__(self, desk: Desk, object: str) -> None:
        self._desk = desk
        self._object = object
        self.system = ""

    def stand(self, step: str) -> bool:
        """Whether `step` has an open exception: it is not tried again before somebody says so."""
        return self._desk.item(step) is not None

    def steps(self, kind: str) -> list[str]:
        """Steps of `kind` with an open exception."""
        return [item.step for item in self._desk.open_items if item.step.partition(".")[0] == kind]

    async def attempt(
        self, step: str, what: str, call: Awaitable[T], *, role: Role = "procurement"
    ) -> T | Failed:
        """The answer of `call`, which settles `step`; `Failed` when its owner knows by then."""
        try:
            answer = await call
        except (ActivityError, ApplicationError) as error:
            if is_cancelled(error):
                raise
            failure = failure_of(error)
            problem = ProcurementProblem(
                step=step,
                headline=f"{what} failed",
                detail=failure.message,
                amount=failure.facts.get("amount", ""),
                facts=failure.facts,
            )
            await self.report(problem, owner=failure.owner(role), error_class=failure.kind)
            return Failed()
        await self.heal(step)
        return answer

    async def settle(self, found: Sequence[ProcurementProblem], kinds: Collection[str]) -> None:
        """Bring all exceptions of `kinds` to how they stand: those in `found` open, the others settled."""
        steps = {problem.step for problem in found}
        for item in self._desk.open_items:
            if item.step.partition(".")[0] in kinds and item.step not in steps:
                await self._desk.resolve(item, "settled")
        for problem in found:
            await self.report(problem)

    async def report(
        self,
        problem: ProcurementProblem,
        *,
        owner: OwnerGroup = OwnerGroup.FINANCE_SYSTEMS,
        error_class: str = "Rejected",
    ) -> None:
        correctable = problem.step.partition(".")[0] in (REQUEST, APPROVAL)
        await self._desk.raise_item(
            problem.step,
            problem.headline,
            owner=owner,
            detail=problem.detail,
            object=self._object,
            amount=problem.amount,
            systems=(self.system,),
            error_class=error_class,
            actions=_OF_A_REQUEST if correctable else _ACTIONS,
            facts=problem.facts,
        )

    async def heal(self, step: str, resolution: str = "settled") -> None:
        item = self._desk.item(step)
        if item is not None:
            await self._desk.resolve(item, resolution)
