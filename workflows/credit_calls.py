"""Every activity of a credit note: input, queue, profile and business summary."""

from collections.abc import Awaitable
from datetime import date
from typing import Any

from temporalio import workflow
from temporalio.workflow import ActivityConfig

from activities.billing_told import CrmBillingActivities, MarkStep, PsaBillingActivities
from activities.crediting import (
    CreditingActivities,
    CreditPosted,
    CreditRef,
    CreditRequest,
    PrepareCredit,
    PreparedCredit,
    Rebill,
    RebillEvents,
    RedateCredit,
)
from activities.erp_invoices import CreditStep, ErpInvoiceActivities, InvoiceInErp
from activities.invoicing import ApproveIt, InvoicingActivities, PostedAs
from activities.process import CloseProcess, OpenedProcess, ProcessActivities
from domain.billing_process import CREDIT, CreditInput, CreditResult
from domain.books import InvoiceFacts
from domain.commands import Record
from domain.money import Money
from domain.policy import PolicySnapshot, Role, Route
from workflows.shared import options


class CreditCalls:
    """The calls of one credit note, in one generation, under its policies."""

    def __init__(self, input: CreditInput, opened: OpenedProcess) -> None:
        self._input = input
        self.policies: PolicySnapshot = opened.policies
        self.generation = opened.generation
        self.entity: str | None = None
        self.project = ""
        self.external_id = ""
        self._credit = workflow.info().workflow_id

    def route(self, role: Role) -> Route:
        return self.policies.route(role, self.entity)

    # -- our own store ----------------------------------------------------------------------------

    def look_up(self) -> Awaitable[CreditRequest]:
        return workflow.execute_activity_method(
            CreditingActivities.look_up, self._input, **self._own("Look up the invoice to credit")
        )

    def prepare(self) -> Awaitable[PreparedCredit]:
        entity = self.policies.entity(self.entity)
        return workflow.execute_activity_method(
            CreditingActivities.prepare,
            PrepareCredit(
                credit=self._credit, request=self._input, time_zone=entity.time_zone if entity else "UTC"
            ),
            **self._own("Check what may be credited"),
        )

    def approve(self, decision: str, approver: str, content_hash: str) -> Awaitable[None]:
        return workflow.execute_activity_method(
            InvoicingActivities.approve,
            ApproveIt(invoice=self._credit, decision=decision, approver=approver, content_hash=content_hash),
            **self._own("Bind the approval to the lines"),
        )

    def redate(self, dated: date) -> Awaitable[None]:
        return workflow.execute_activity_method(
            CreditingActivities.redate,
            RedateCredit(credit=self._credit, dated=dated),
            **self._own(f"Date the credit note {dated}"),
        )

    def posted(self, facts: InvoiceFacts) -> Awaitable[CreditPosted]:
        return workflow.execute_activity_method(
            CreditingActivities.posted,
            PostedAs(invoice=self._credit, facts=facts),
            **self._own("Keep what the ERP posted, and release what it names"),
        )

    def rebill(self) -> Awaitable[RebillEvents]:
        return workflow.execute_activity_method(
            CreditingActivities.rebill,
            Rebill(credit=self._credit),
            **self._own("Make what was released billable anew"),
        )

    def discard(self) -> Awaitable[bool]:
        return workflow.execute_activity_method(
            CreditingActivities.discard,
            CreditRef(credit=self._credit),
            **self._own("Let the credit note go"),
        )

    def close(self, result: CreditResult) -> Awaitable[None]:
        posted = result.state == "posted"
        spoken = f"posted as {result.number}" if posted else f"{result.state}: {result.reason}"
        return workflow.execute_local_activity_method(
            ProcessActivities.close,
            CloseProcess(
                key=self._credit,
                generation=self.generation,
                state="done" if posted else "cancelled",
                stage=result.state,
                project=self.project,
                result_json=result.model_dump_json(),
                summary=f"{CREDIT} {spoken}"[:300],
            ),
            **options.bookkeeping("Close the process", self.policies.timing),
        )

    # -- ERP --------------------------------------------------------------------------------------

    def credit(self) -> Awaitable[Record]:
        return workflow.execute_activity_method(
            ErpInvoiceActivities.credit_invoice,
            self._step(),
            **self._write("erp", f"Credit invoice {self._input.invoice}"),
        )

    def outcome(self) -> Awaitable[Record | None]:
        return workflow.execute_activity_method(
            ErpInvoiceActivities.credit_outcome,
            self._step(),
            **options.read(self.route("erp"), self.policies.timing, "See whether the credit note was posted"),
        )

    def read(self) -> Awaitable[InvoiceFacts]:
        return workflow.execute_activity_method(
            ErpInvoiceActivities.read_invoice,
            InvoiceInErp(external_id=self.external_id),
            **options.read(self.route("erp"), self.policies.timing, "Read the credit note back"),
        )

    # -- PSA and CRM ------------------------------------------------------------------------------

    def cancel_billing(self) -> Awaitable[Record | None]:
        return workflow.execute_activity_method(
            PsaBillingActivities.cancel_billing,
            self._step(),
            **self._write("psa", "Take back what shows the entries as billed"),
        )

    def record_rest(self) -> Awaitable[Record | None]:
        return workflow.execute_activity_method(
            PsaBillingActivities.record_rest,
            self._step(),
            **self._write("psa", "Record what is left of the invoice"),
        )

    def mark_billing(self, invoiced: Money) -> Awaitable[Record | None]:
        return workflow.execute_activity_method(
            CrmBillingActivities.mark_billing,
            MarkStep(**self._whose(), invoice=self._credit, invoiced=invoiced),
            **self._write("crm", f"Tell the CRM what is billed of {self.project}"),
        )

    # -- inside -----------------------------------------------------------------------------------

    def _step(self) -> CreditStep:
        return CreditStep(**self._whose(), credit=self._credit, text=self._input.reason_text)

    def _whose(self) -> dict[str, Any]:
        return {
            "process": self._credit,
            "firm": self._input.firm,
            "generation": self.generation,
            "reason": self._input.requested_by,
        }

    def _own(self, summary: str) -> ActivityConfig:
        return options.own(summary, self.policies.timing)

    def _write(self, role: Role, summary: str) -> ActivityConfig:
        return options.write(self.route(role), self.policies.timing, summary)
