"""Project billing: lives as long as its project, collects what is to be billed, and can be held."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from domain.attention import EventRef
    from domain.project_processes import OPEN_FOR_BILLING, HoldRequest, ProjectBillingState
    from workflows.shared import search_attributes


@workflow.defn(name="ProjectBilling")
class ProjectBilling:
    """One project. Workflow id `billing/<firm>/<project>`; owned by finance systems."""

    @workflow.init
    def __init__(self, state: ProjectBillingState) -> None:
        self._state = state

    @workflow.run
    async def run(self, state: ProjectBillingState) -> ProjectBillingState:
        await workflow.wait_condition(
            lambda: self._state.closed or workflow.info().is_continue_as_new_suggested(),
            timeout_summary=f"Project {state.project} is being billed",
        )
        await workflow.wait_condition(workflow.all_handlers_finished)
        if not self._state.closed:
            workflow.continue_as_new(self._state)
        return self._state

    @workflow.signal(name="event_received")
    def event_received(self, event: EventRef) -> None:
        """A milestone, an approval or a contract change; each event counts once."""
        if all(known.id != event.id for known in self._state.events):
            self._change(events=(*self._state.events, event))

    @workflow.signal(name="hold")
    def hold(self, request: HoldRequest) -> None:
        """Nothing is billed until `release`."""
        self._change(on_hold=True, hold_reason=request.reason)

    @workflow.signal(name="release")
    def release(self) -> None:
        self._change(on_hold=False, hold_reason="")

    @workflow.signal(name="close")
    def close(self) -> None:
        """The project has its final account."""
        self._change(closed=True)

    @workflow.query(name="status")
    def status(self) -> ProjectBillingState:
        return self._state

    def _change(self, **changes: object) -> None:
        self._state = self._state.with_changes(**changes)
        search_attributes.upsert(stage=self._stage())

    def _stage(self) -> str:
        if self._state.closed:
            return "closed"
        return "on hold" if self._state.on_hold else OPEN_FOR_BILLING
