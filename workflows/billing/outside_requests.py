"""Requests of outside systems, which come as signals and without a decision row.

To stop is safe, whoever asks. To go on takes an actor, and a final account takes a person's decision.
"""

from domain.billing_triggers import BillingProblem
from domain.project_processes import HoldRequest, ReleaseRequest
from domain.readiness import OwnerGroup
from workflows.billing.account import BillingAccount
from workflows.billing.problems import BillingProblems
from workflows.billing.steering import Steering
from workflows.shared.desk import Desk

NOBODY = ReleaseRequest()


class OutsideRequests:
    """Requests in the order in which they came, until the main loop acts on them."""

    def __init__(
        self, account: BillingAccount, steering: Steering, problems: BillingProblems, desk: Desk
    ) -> None:
        self._account = account
        self._steering = steering
        self._problems = problems
        self._desk = desk
        self._waiting: list[tuple[str, HoldRequest | ReleaseRequest]] = []

    @property
    def waits(self) -> bool:
        return bool(self._waiting)

    def take(self, name: str, request: HoldRequest | ReleaseRequest = NOBODY) -> None:
        self._waiting.append((name, request))
        self._desk.wake()

    async def act_all(self) -> None:
        while self._waiting:
            name, request = self._waiting.pop(0)
            state = self._account.state
            if name == "hold" and not state.on_hold:
                self._steering.hold(f"{request.reason} ({request.actor or 'an outside system, unnamed'})")
            elif name == "close":
                await self._problems.report(_undecided(state.project))
            elif name == "release" and not request.actor:
                await self._problems.report(_unnamed(state.project))
            elif name == "release" and state.on_hold:
                await self._steering.release(request.actor)


def _unnamed(project: str) -> BillingProblem:
    return BillingProblem(
        step="release.unnamed",
        headline=f"A release of project {project} named nobody",
        detail="an outside system sent the signal release without the actor it has authenticated: nothing "
        "was released; release it with `fairlead billing release`, or have the system name its actor",
        owner=OwnerGroup.PLATFORM_ENGINEERING,
    )


def _undecided(project: str) -> BillingProblem:
    return BillingProblem(
        step="close.signal",
        headline=f"A signal would close the billing of project {project}",
        detail="a final account takes a person's decision, and nothing was closed: close it with "
        f"`fairlead billing close {project}`",
        owner=OwnerGroup.PLATFORM_ENGINEERING,
    )
