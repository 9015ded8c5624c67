"""What processes that live on for one account of a system have in common: woken, they look once more."""

from temporalio import workflow

from activities.process import CloseProcess, ProcessActivities
from domain.policy import Role, Route
from workflows.shared import options
from workflows.shared.opening import open_process
from workflows.shared.process import Process


class AccountProcess(Process):
    """Works in slices, run after run. Only Temporal can cancel it, and the next wake starts it again."""

    def __init__(self, object: str) -> None:
        Process.__init__(self, object)
        self._generation = 1
        self._slices = 0

    async def _open(self, kind: str, requested_by: str) -> None:
        opened = await open_process(kind, self._object, requested_by)
        self._generation = opened.generation
        self.policies = opened.policies
        self.desk.use(opened.policies)

    async def _close(self) -> None:
        await workflow.execute_local_activity_method(
            ProcessActivities.close,
            CloseProcess(
                key=workflow.info().workflow_id,
                generation=self._generation,
                state="cancelled",
                stage="cancelled",
                summary=f"{self._object}: cancelled by temporal; the next wake starts it again",
            ),
            **options.bookkeeping("Close the process"),
        )

    def _is_full(self, slices_per_run: int) -> bool:
        """Whether this run has worked enough; a decision that was taken in is acted on first."""
        full = self._slices >= slices_per_run or workflow.info().is_continue_as_new_suggested()
        return full and self.desk.idle

    def _account(self, role: Role, system: str) -> Route:
        """The route of `system` in `role`. Raises `ValueError` naming the section to add."""
        for route in self.known_policies.routes:
            if route.role == role and route.system == system:
                return route
        raise ValueError(f"the firm's file gives {system} no role {role}; add it under [roles]")

    def _enter(self, stage: str) -> None:
        self.checklist.stage = stage
        self._refresh()
