"""What the acts of the demo share: the running firm, the people who decide, and how it is told."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, TypeVar

from temporalio.client import WorkflowFailureError, WorkflowHandle
from temporalio.service import RPCError

from domain.activation_process import ActivationView
from domain.attention import DecisionAction
from domain.base import Canonical
from domain.billing_process import CreditView, InvoiceView
from drill.demo_outcome import DemoFailed, Line
from drill.lane import Lane
from runtime.decisions import DecisionNotTaken, decide

PATIENCE = 90.0
OPERATOR, OPERATOR_ROLE = "tomas.lindqvist@fairlead.example", "operator"
SECOND, SECOND_ROLE = "controller@fairlead.example", "controller"
STAFFING_ROLE = "practice_lead"

Shown = ActivationView | InvoiceView | CreditView
Tell = Callable[[Line], None]
Show = Callable[[Shown], None]
V = TypeVar("V", ActivationView, InvoiceView, CreditView)
R = TypeVar("R", bound=Canonical)
S = TypeVar("S", bound="Scenes")
T = TypeVar("T")


class Scenes:
    """One act in a running lane."""

    def __init__(self, stage: Lane, tell: Tell, show: Show, began: float) -> None:
        self.stage = stage
        self._tell = tell
        self._show = show
        self._began = began

    def act(self, kind: type[S]) -> S:
        """Another act of the same story."""
        return kind(self.stage, self._tell, self._show, self._began)

    def say(self, who: str, what: str) -> None:
        self._tell(Line(self.elapsed, who, what))

    def show(self, view: Shown) -> None:
        self._show(view)

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._began

    # -- processes --------------------------------------------------------------------------------

    async def view(self, process: str, kind: type[V]) -> V:
        view: V = await self.stage.client.get_workflow_handle(process).query(
            "status", result_type=kind, rpc_timeout=timedelta(seconds=5)
        )
        return view

    async def until(self, process: str, kind: type[V], reached: Callable[[V], bool]) -> V:
        """The state of `process` once it has `reached` a point. Raises `DemoFailed`."""
        last: list[V] = []

        async def look() -> V | None:
            try:
                view = await self.view(process, kind)
            except RPCError:  # not started yet, or its worker has just been killed
                return None
            self.show(view)
            last[:] = [view]
            return view if reached(view) else None

        return await self.eventually(look, lambda: f"{process} is {_standing(last[0] if last else None)}")

    async def eventually(self, look: Callable[[], Awaitable[T | None]], standing: Callable[[], str]) -> T:
        """What `look` finds, asked again until it does. Raises `DemoFailed` with where it is `standing`."""
        try:
            async with asyncio.timeout(PATIENCE):
                while True:
                    found = await look()
                    if found is not None:
                        return found
                    await asyncio.sleep(0.2)
        except TimeoutError:
            raise DemoFailed(f"no progress for {PATIENCE:.0f} s; {standing()}") from None

    async def result(self, process: str, kind: type[R]) -> R:
        """What `process` ended with. Raises `DemoFailed`."""
        handle: WorkflowHandle[Any, R] = self.stage.client.get_workflow_handle(process, result_type=kind)
        try:
            async with asyncio.timeout(PATIENCE):
                result: R = await handle.result()
        except TimeoutError:
            raise DemoFailed(f"{process} did not end within {PATIENCE:.0f} s") from None
        except WorkflowFailureError as error:
            raise DemoFailed(f"{process} failed: {error.cause}") from None
        if self.stage.other_ends:
            raise DemoFailed(self.stage.other_ends[0])
        return result

    async def decide(
        self, process: str, action: DecisionAction, actor: str, role: str, **fields: Any
    ) -> tuple[str, str]:
        """Id of the decision, and the answer of the process. Raises `DemoFailed` where it refuses."""
        try:
            decision, answer = await decide(
                self.stage.client, self.stage.store.decisions,
                action=action, process=process, actor=actor, role=role, **fields,
            )  # fmt: skip
        except DecisionNotTaken as error:
            raise DemoFailed(f"{process} refuses to {action.replace('_', ' ')} by {actor}: {error}") from None
        return decision.id, answer

    # -- the systems, as their own people use them --------------------------------------------------

    async def records(self, place: str) -> list[dict[str, Any]]:
        """What stands under `<system>/<object>` of the sandbox."""
        found: list[dict[str, Any]] = (await self.sandbox("GET", f"/_control/{place}"))["records"]
        return found

    async def edit(self, object: str, id: str, **values: Any) -> None:
        """Somebody changes a record of the CRM."""
        await self.sandbox("POST", f"/_control/salesforce/{object}/{id}", json=values)

    async def sandbox(self, method: str, path: str, **options: Any) -> Any:
        answer = await self.stage.sandbox.request(method, path, **options)
        answer.raise_for_status()
        return answer.json()


def _standing(view: Shown | None) -> str:
    if view is None:
        return "not started"
    return "; ".join([view.stage, *(f"{item.headline}: {item.detail}" for item in view.attention)])
