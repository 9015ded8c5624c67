"""Subcontractor procurement: one per project, its lines in state, until all are delivered or withdrawn."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from domain.project_processes import ProcurementState


@workflow.defn(name="SubcontractorProcurement")
class SubcontractorProcurement:
    """One project. Workflow id `procurement/<firm>/<project>`; owned by finance systems."""

    @workflow.init
    def __init__(self, state: ProcurementState) -> None:
        self._state = state

    @workflow.run
    async def run(self, state: ProcurementState) -> ProcurementState:
        await workflow.wait_condition(
            lambda: self._state.closed or workflow.info().is_continue_as_new_suggested(),
            timeout_summary=f"Suppliers of project {state.project}",
        )
        if not self._state.closed:
            workflow.continue_as_new(self._state)
        return self._state

    @workflow.signal(name="close")
    def close(self) -> None:
        """Every line is delivered or withdrawn."""
        self._state = self._state.with_changes(closed=True)

    @workflow.query(name="status")
    def status(self) -> ProcurementState:
        return self._state
