"""Every activity of a project's procurement: its input, its queue, its profile and its business summary."""

from collections.abc import Awaitable, Sequence
from typing import Any, Literal

from temporalio import workflow
from temporalio.workflow import ActivityConfig, LocalActivityConfig

from activities.crm import CrmActivities, ReadDeal
from activities.process import AppliedEvent, CloseProcess, ProcessActivities
from activities.procurement import ProcurementActivities, PurchaseInput, ReadPurchases, WithdrawInput
from activities.procurement_rows import ProcurementRowActivities, PurchaseNote, RecordPurchases
from activities.steps import Step
from domain.attention import EventRef
from domain.commands import Record
from domain.policy import PolicySnapshot, Role
from domain.procurement import Purchase
from domain.procurement_process import CLOSED, ProcurementFacts, ProcurementState, PurchaseNeed, Requested
from domain.selling import Deal
from workflows.shared import options


class ProcurementCalls:
    """The calls of one project, under the policies of the run."""

    def __init__(self) -> None:
        self.policies: PolicySnapshot | None = None
        self.generation = 1

    def request(
        self, state: ProcurementState, needs: Sequence[PurchaseNeed], round: int
    ) -> Awaitable[list[Requested]]:
        return workflow.execute_activity_method(
            ProcurementActivities.request,
            PurchaseInput(
                **self._base(state, "what the contract needs"),
                project=state.project,
                entity=state.entity,
                needs=tuple(needs),
                round=round,
            ),
            **self._write(state, f"Request suppliers for {state.project}"),
        )

    def read(self, state: ProcurementState, requisitions: Sequence[str]) -> Awaitable[ProcurementFacts]:
        return workflow.execute_activity_method(
            ProcurementActivities.read,
            ReadPurchases(project=state.project, requisitions=tuple(requisitions)),
            **self._read("procurement", state, f"Read requisitions and orders of {state.project}"),
        )

    def withdraw(self, state: ProcurementState, purchase: Purchase) -> Awaitable[Record | None]:
        why = next((line.dropped for line in purchase.lines if line.dropped), "what is wanted has changed")
        return workflow.execute_activity_method(
            ProcurementActivities.withdraw,
            WithdrawInput(
                **self._base(state, why),
                project=state.project,
                entity=state.entity,
                effect=purchase.first.key,
                needs=tuple(line.need for line in purchase.lines if line.need is not None),
            ),
            **self._write(state, f"Take back requisition {purchase.first.requisition_number}"),
        )

    def read_deal(self, state: ProcurementState) -> Awaitable[Deal]:
        return workflow.execute_activity_method(
            CrmActivities.read_deal,
            ReadDeal(deal=state.deal),
            **self._read("crm", state, f"Read deal {state.deal}"),
        )

    def apply_event(self, event: EventRef) -> Awaitable[AppliedEvent]:
        return workflow.execute_local_activity_method(
            ProcessActivities.apply_event, event, **self._own(f"Apply event {event.type}")
        )

    def record(
        self, state: ProcurementState, stage: str, title: str, notes: Sequence[PurchaseNote]
    ) -> Awaitable[None]:
        return workflow.execute_local_activity_method(
            ProcurementRowActivities.record,
            RecordPurchases(
                process=workflow.info().workflow_id,
                project=state.project,
                entity=state.entity,
                stage=stage,
                title=title,
                notes=tuple(notes),
            ),
            **self._own("Record where the purchases stand"),
        )

    def close(
        self, state: ProcurementState, end: Literal["done", "cancelled"], summary: str
    ) -> Awaitable[None]:
        return workflow.execute_local_activity_method(
            ProcessActivities.close,
            CloseProcess(
                key=workflow.info().workflow_id,
                generation=self.generation,
                state=end,
                stage=CLOSED if end == "done" else end,
                project=state.project,
                summary=summary,
            ),
            **self._own("Close the process"),
        )

    # -- inside -------------------------------------------------------------------------------------

    def _base(self, state: ProcurementState, reason: str) -> dict[str, Any]:
        step = Step(
            process=workflow.info().workflow_id,
            firm=state.firm,
            generation=self.generation,
            reason=reason,
        )
        return dict(step)

    def _read(self, role: Role, state: ProcurementState, summary: str) -> ActivityConfig:
        return options.read(self._known.route(role, state.entity), self._known.timing, summary)

    def _write(self, state: ProcurementState, summary: str) -> ActivityConfig:
        return options.write(self._known.route("procurement", state.entity), self._known.timing, summary)

    def _own(self, summary: str) -> LocalActivityConfig:
        return options.bookkeeping(summary, self._known.timing)

    @property
    def _known(self) -> PolicySnapshot:
        if self.policies is None:
            raise RuntimeError("a system is asked before the run has begun")
        return self.policies
