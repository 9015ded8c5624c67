"""Every activity of an invoice: input, queue, profile and business summary."""

from collections.abc import Awaitable
from datetime import date
from typing import Any

from temporalio import workflow
from temporalio.workflow import ActivityConfig

from activities.billing_told import CrmBillingActivities, MarkStep, PsaBillingActivities, PsaDocument
from activities.erp_invoices import ErpInvoiceActivities, InvoiceInErp, InvoiceStep
from activities.invoicing import (
    ApproveIt,
    Collect,
    Collected,
    Discarded,
    InvoicingActivities,
    Posted,
    PostedAs,
    Redate,
)
from activities.prebill import PrebillActivities, Reviewed, ReviewIt
from activities.pricing import PricedSummary, PriceIt, PricingActivities
from activities.process import CloseProcess, OpenedProcess, ProcessActivities
from domain.billing_process import INVOICE, InvoiceInput, InvoiceResult
from domain.books import InvoiceFacts
from domain.commands import Record
from domain.money import Money
from domain.policy import PolicySnapshot, Role, Route
from workflows.shared import options


class InvoiceCalls:
    """The calls of one invoice, in one generation, under its policies."""

    def __init__(self, input: InvoiceInput, opened: OpenedProcess) -> None:
        self._input = input
        self.policies: PolicySnapshot = opened.policies
        self.generation = opened.generation
        self.entity: str | None = None
        self.external_id = ""
        self.revision = 1
        """Of the draft."""
        self._invoice = workflow.info().workflow_id

    def route(self, role: Role) -> Route:
        return self.policies.route(role, self.entity)

    # -- our own store ----------------------------------------------------------------------------

    def collect(self) -> Awaitable[Collected]:
        return workflow.execute_activity_method(
            InvoicingActivities.collect,
            Collect(
                invoice=self._invoice,
                project=self._input.project,
                events=self._input.events,
                service_from=self._input.service_from,
                service_to=self._input.service_to,
                rebills=self._input.rebills,
            ),
            **self._own(f"Collect what is to be billed of {self._input.project}"),
        )

    def review(self, decision: str, seconded_by: str) -> Awaitable[Reviewed]:
        return workflow.execute_activity_method(
            PrebillActivities.review,
            ReviewIt(decision=decision, seconded_by=seconded_by),
            **self._own("Change an entry of the pre-bill"),
        )

    def price(self, *, without_rate: bool) -> Awaitable[PricedSummary]:
        entity = self.policies.entity(self.entity)
        zone = entity.time_zone if entity else "UTC"
        return workflow.execute_activity_method(
            PricingActivities.price,
            PriceIt(invoice=self._invoice, without_rate=without_rate, time_zone=zone),
            **self._own("Price the invoice"),
        )

    def approve(self, decision: str, approver: str, content_hash: str) -> Awaitable[None]:
        return workflow.execute_activity_method(
            InvoicingActivities.approve,
            ApproveIt(invoice=self._invoice, decision=decision, approver=approver, content_hash=content_hash),
            **self._own("Bind the approval to the lines"),
        )

    def redate(self, dated: date) -> Awaitable[int]:
        return workflow.execute_activity_method(
            InvoicingActivities.redate,
            Redate(invoice=self._invoice, dated=dated, revision=self.revision + 1),
            **self._own(f"Date the invoice {dated}"),
        )

    def posted(self, facts: InvoiceFacts) -> Awaitable[Posted]:
        return workflow.execute_activity_method(
            InvoicingActivities.posted,
            PostedAs(invoice=self._invoice, facts=facts),
            **self._own("Keep what the ERP posted"),
        )

    def discard(self, *, empty: bool, reason: str) -> Awaitable[int]:
        return workflow.execute_activity_method(
            InvoicingActivities.discard,
            Discarded(invoice=self._invoice, empty=empty, reason=reason),
            **self._own("Free what the invoice covered"),
        )

    def close(self, result: InvoiceResult) -> Awaitable[None]:
        spoken = (
            f"posted as {result.number}" if result.state == "posted" else f"{result.state}: {result.reason}"
        )
        return workflow.execute_local_activity_method(
            ProcessActivities.close,
            CloseProcess(
                key=self._invoice,
                generation=self.generation,
                state="cancelled" if result.state == "discarded" else "done",
                stage=result.state,
                project=self._input.project,
                result_json=result.model_dump_json(),
                summary=f"{INVOICE} {spoken}",
            ),
            **options.bookkeeping("Close the process", self.policies.timing),
        )

    # -- ERP --------------------------------------------------------------------------------------

    def draft(self) -> Awaitable[Record]:
        return workflow.execute_activity_method(
            ErpInvoiceActivities.draft_invoice,
            InvoiceStep(**self._step()),
            **self._write("erp", f"Draft the invoice of {self._input.project}"),
        )

    def discard_draft(self) -> Awaitable[Record | None]:
        return workflow.execute_activity_method(
            ErpInvoiceActivities.discard_invoice,
            InvoiceStep(**self._step()),
            **self._write("erp", f"Discard the draft of {self._input.project}"),
        )

    def post(self) -> Awaitable[Record]:
        return workflow.execute_activity_method(
            ErpInvoiceActivities.post_invoice,
            InvoiceStep(**self._step(), external_id=self.external_id),
            **self._write("erp", f"Post the invoice of {self._input.project}"),
        )

    def posting_outcome(self) -> Awaitable[Record | None]:
        return workflow.execute_activity_method(
            ErpInvoiceActivities.posting_outcome,
            InvoiceStep(**self._step(), external_id=self.external_id),
            **options.read(self.route("erp"), self.policies.timing, "See whether the invoice was posted"),
        )

    def read(self) -> Awaitable[InvoiceFacts]:
        return workflow.execute_activity_method(
            ErpInvoiceActivities.read_invoice,
            InvoiceInErp(external_id=self.external_id),
            **options.read(self.route("erp"), self.policies.timing, "Read the posted invoice back"),
        )

    # -- PSA and CRM ------------------------------------------------------------------------------

    def take_document(self, psa_invoice: str) -> Awaitable[Money]:
        return workflow.execute_activity_method(
            PsaBillingActivities.take_document,
            PsaDocument(**self._step(), psa_invoice=psa_invoice),
            **options.read(self.route("psa"), self.policies.timing, f"Read invoice {psa_invoice} of the PSA"),
        )

    def record_billing(self) -> Awaitable[Record]:
        return workflow.execute_activity_method(
            PsaBillingActivities.record_billing,
            InvoiceStep(**self._step()),
            **self._write("psa", f"Mark the entries of {self._input.project} as billed"),
        )

    def mark_billing(self, invoiced: Money) -> Awaitable[Record | None]:
        return workflow.execute_activity_method(
            CrmBillingActivities.mark_billing,
            MarkStep(**self._step(), invoiced=invoiced),
            **self._write("crm", f"Tell the CRM what is billed of {self._input.project}"),
        )

    # -- inside -----------------------------------------------------------------------------------

    def _step(self) -> dict[str, Any]:
        return {
            "process": self._invoice,
            "firm": self._input.firm,
            "generation": self.generation,
            "reason": self._input.requested_by,
            "invoice": self._invoice,
            "revision": self.revision,
        }

    def _own(self, summary: str) -> ActivityConfig:
        return options.own(summary, self.policies.timing)

    def _write(self, role: Role, summary: str) -> ActivityConfig:
        return options.write(self.route(role), self.policies.timing, summary)
