"""Runs of a version that had no contract: they kept holds and events, and billed nothing."""

from functools import partial

from temporalio import workflow

from domain.project_processes import ProjectBillingState
from workflows.billing.account import BillingAccount


class ParkedBilling:
    """Goes on as that version did, until the next thing it meets; that takes it over into this version."""

    def __init__(self, account: BillingAccount) -> None:
        self._account = account
        self._touched = 0

    async def run(self) -> ProjectBillingState:
        """Ends by continuing in a run that reads its contract from the CRM, or closed as it was."""
        seen = 0
        while not self._is_over():
            await workflow.wait_condition(
                partial(self._goes_on, seen),
                timeout_summary=f"Project {self._account.state.project} is being billed",
            )
            seen = self._touched
            # A patch of its own each time: what a replay answers once, it answers for ever.
            if not self._is_over() and workflow.patched(f"billed-{seen}"):
                break
        await workflow.wait_condition(workflow.all_handlers_finished)
        if not self._account.state.closed:
            workflow.continue_as_new(self._account.state.with_changes(begun=True))
        return self._account.state

    def touch(self, **changes: object) -> None:
        """Keep what a signal says, in the stage that follows from it."""
        self._account.enter(**changes)
        self._touched += 1

    def wake(self) -> None:
        """Something was met that changes nothing."""
        self._touched += 1

    def _is_over(self) -> bool:
        return self._account.state.closed or workflow.info().is_continue_as_new_suggested()

    def _goes_on(self, touched: int) -> bool:
        return self._is_over() or self._touched != touched
