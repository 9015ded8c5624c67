"""Every activity of a project's billing: its input, its queue, its profile and its business summary."""

from collections.abc import Awaitable
from datetime import date
from typing import Literal

from temporalio import workflow
from temporalio.workflow import ActivityConfig, LocalActivityConfig

from activities.crm import CrmActivities, ReadDeal
from activities.erp_billing import ErpBillingActivities
from activities.process import CloseProcess, ProcessActivities
from activities.project_billing import ProjectBillingActivities
from activities.psa_released import PsaReleasedActivities
from domain.attention import EventRef
from domain.billing_steps import (
    BillingBegin,
    BillingBegun,
    BillingLook,
    BillingSeen,
    BillNow,
    BillNowResult,
    ChangeContract,
    ContractChange,
    ErpObserved,
    EventTaken,
    FinalAccount,
    FinalStand,
    ObserveErp,
    ReleasedInPsa,
    TakeEvent,
)
from domain.policy import PolicySnapshot, Role
from domain.project_processes import CLOSED, ProjectBillingState
from domain.selling import Deal
from workflows.shared import options


class BillingCalls:
    """The calls of one project, in the state it is in, under the policies of the run."""

    def __init__(self) -> None:
        self.policies: PolicySnapshot | None = None
        self.generation = 1

    # -- our own store ------------------------------------------------------------------------------

    def begin(self, state: ProjectBillingState) -> Awaitable[BillingBegun]:
        return workflow.execute_local_activity_method(
            ProjectBillingActivities.begin,
            BillingBegin(run_id=workflow.info().run_id, contract=state.contract, look=_look(state)),
            **self._own(f"Keep the contract of {state.project} and see what is due"),
        )

    def look(self, state: ProjectBillingState) -> Awaitable[BillingSeen]:
        return workflow.execute_local_activity_method(
            ProjectBillingActivities.look, _look(state), **self._own(f"See what is due of {state.project}")
        )

    def take_event(self, state: ProjectBillingState, event: EventRef) -> Awaitable[EventTaken]:
        return workflow.execute_local_activity_method(
            ProjectBillingActivities.take_event,
            TakeEvent(event=event, look=_look(state)),
            **self._own(f"Take in event {event.type}"),
        )

    def change_contract(self, state: ProjectBillingState, deal: Deal) -> Awaitable[ContractChange]:
        return workflow.execute_local_activity_method(
            ProjectBillingActivities.change_contract,
            ChangeContract(deal=deal, look=_look(state)),
            **self._own(f"Judge the change of contract by deal {deal.external_id}"),
        )

    def bill_now(self, state: ProjectBillingState, until: date | None) -> Awaitable[BillNowResult]:
        return workflow.execute_local_activity_method(
            ProjectBillingActivities.bill_now,
            BillNow(look=_look(state), until=until),
            **self._own(f"See what of {state.project} can be billed now"),
        )

    def final_account(self, state: ProjectBillingState) -> Awaitable[FinalStand]:
        return workflow.execute_local_activity_method(
            ProjectBillingActivities.final_account,
            FinalAccount(look=_look(state), refund_settled=state.refund_settled),
            **self._own(f"See how far the final account of {state.project} is"),
        )

    def close(
        self, state: ProjectBillingState, end: Literal["done", "cancelled"], summary: str
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

    # -- systems ------------------------------------------------------------------------------------

    def read_deal(self, state: ProjectBillingState, deal: str) -> Awaitable[Deal]:
        return workflow.execute_activity_method(
            CrmActivities.read_deal,
            ReadDeal(deal=deal),
            **self._read("crm", state, f"Read deal {deal}"),
        )

    def take_released(self, state: ProjectBillingState, told: EventTaken) -> Awaitable[EventTaken]:
        return workflow.execute_activity_method(
            PsaReleasedActivities.take_released,
            ReleasedInPsa(
                project=state.project, invoice=told.psa_invoice, told_at=told.told_at or workflow.now()
            ),
            **self._read("psa", state, f"Read invoice {told.psa_invoice} of the PSA"),
        )

    def observe_erp(self, state: ProjectBillingState, as_of: date) -> Awaitable[ErpObserved]:
        return workflow.execute_activity_method(
            ErpBillingActivities.observe_invoices,
            ObserveErp(firm=state.firm, project=state.project, as_of=as_of),
            **self._read("erp", state, f"Read what the ERP bills of {state.project}"),
        )

    # -- inside -------------------------------------------------------------------------------------

    def _read(self, role: Role, state: ProjectBillingState, summary: str) -> ActivityConfig:
        policies = self._known
        return options.read(policies.route(role, state.entity or None), policies.timing, summary)

    def _own(self, summary: str) -> LocalActivityConfig:
        return options.bookkeeping(summary, self.policies.timing if self.policies else None)

    @property
    def _known(self) -> PolicySnapshot:
        if self.policies is None:
            raise RuntimeError("a system is asked before the run has begun")
        return self.policies


def _look(state: ProjectBillingState) -> BillingLook:
    return BillingLook(project=state.project, entity=state.entity, through=state.through, at=workflow.now())
