"""Fake PSA and ERP that keep invoices as the real ones do: numbers, tax, open periods, billed entries."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal

from connectors.errors import Conflict, NotFound, PeriodClosed, Rejected
from domain.billing_commands import (
    CancelBillingRecord,
    CreditInvoice,
    DiscardInvoice,
    DraftInvoice,
    DraftLine,
    PostInvoice,
    RecordBilling,
)
from domain.books import InvoiceFactLine, InvoiceFacts
from domain.commands import Command, Record
from domain.intake import PsaInvoice
from domain.money import Money, total
from tests.support.activation_firm import FakeSystem

RATES = {"DE-VAT-19": Decimal(19), "DE-REVERSE": Decimal(0), "": Decimal(0)}


class BillingSystem(FakeSystem):
    """A fake whose commands have consequences; what it refuses leaves nothing."""

    async def apply(self, command: Command, key: str) -> Record:
        for part, errors in self.failures.items():
            if part in key and errors:
                raise errors.pop(0)
        if key in self.records:
            raise AssertionError(f"{key} is written a second time")
        external_id = f"{self.system}-{len(self.records) + 1}"
        self.done(command, external_id)
        record = Record(external_id=external_id, number=command.noun, fields=command.matter())
        self.records[key] = (command, record)
        self.applied.append((key, command))
        self.after_apply(key)
        return record

    def done(self, command: Command, external_id: str) -> None:
        """What the command does here; raises what the system would."""


class Ledger(BillingSystem):
    """An ERP: draft -> open with number and tax -> credited; nothing in a closed period."""

    def __init__(self) -> None:
        super().__init__("netsuite")
        self.documents: dict[str, InvoiceFacts] = {}
        self.closed_before = date(2000, 1, 1)
        self.tax_off = Decimal(0)
        """Added to the tax of what is posted: an ERP that computes otherwise."""

    def done(self, command: Command, external_id: str) -> None:
        if isinstance(command, DraftInvoice):
            self.documents[external_id] = self._draft(command, external_id)
        elif isinstance(command, PostInvoice):
            self._post(command.invoice_external_id)
        elif isinstance(command, DiscardInvoice):
            if self.documents[command.invoice_external_id].state != "draft":
                raise Rejected("it is posted", system=self.system)
            del self.documents[command.invoice_external_id]
        elif isinstance(command, CreditInvoice):
            self._credit(command, external_id)

    async def invoice(self, external_id: str) -> InvoiceFacts:
        if external_id not in self.documents:
            raise NotFound(f"invoice {external_id}", system=self.system)
        return self.documents[external_id]

    @property
    def posted(self) -> list[InvoiceFacts]:
        """What the ledger has, in the order of posting."""
        return sorted((d for d in self.documents.values() if d.number), key=lambda d: d.number[-4:])

    @property
    def drafts(self) -> list[InvoiceFacts]:
        return [document for document in self.documents.values() if document.state == "draft"]

    def _draft(self, command: DraftInvoice, external_id: str) -> InvoiceFacts:
        net, tax = command.net, self._tax(command.lines, command.currency)
        return InvoiceFacts(
            external_id=external_id,
            state="draft",
            entity=command.entity,
            currency=command.currency,
            net=net,
            tax=tax,
            gross=net + tax,
            open_amount=net + tax,
            dated=command.dated,
            lines=tuple(
                InvoiceFactLine(ref=li.ref, description=li.description, net=li.net) for li in command.lines
            ),
        )

    def _post(self, external_id: str) -> None:
        draft = self.documents[external_id]
        if draft.state != "draft":
            raise Rejected(f"it is {draft.state}", system=self.system)
        self._require_open(draft.dated)
        tax = draft.tax + Money.of(self.tax_off, draft.currency)
        self.documents[external_id] = draft.with_changes(
            state="open",
            number=self._number("INV"),
            tax=tax,
            gross=draft.net + tax,
            period=str(draft.dated)[:7],
        )

    def _credit(self, command: CreditInvoice, external_id: str) -> None:
        self._require_open(command.dated)
        invoice = self.documents[command.invoice_external_id]
        if invoice.state not in ("open", "paid"):
            raise Rejected(f"it is {invoice.state}", system=self.system)
        net, tax = -command.net, -self._tax(command.lines, command.currency)
        self.documents[external_id] = invoice.with_changes(
            external_id=external_id,
            state="open",
            number=self._number("CRN"),
            net=net,
            tax=tax,
            gross=net + tax,
            open_amount=Money.zero(command.currency),
            dated=command.dated,
            credits=invoice.external_id,
        )
        left = total(
            [d.net for d in self.documents.values() if d.credits == invoice.external_id], command.currency
        )
        if not (invoice.net + left).amount:
            self.documents[invoice.external_id] = invoice.with_changes(state="credited")

    def _require_open(self, day: date) -> None:
        if day < self.closed_before:
            raise PeriodClosed(f"the period of {day} is closed", system=self.system, field="dated")

    def _number(self, prefix: str) -> str:
        return f"{prefix}-{len([d for d in self.documents.values() if d.number]) + 1:04}"

    def _tax(self, lines: Sequence[DraftLine], currency: str) -> Money:
        return total([line.net.times(RATES[line.tax_code] / 100) for line in lines], currency)


class Delivery(BillingSystem):
    """A PSA: an entry is on one billing record at most."""

    def __init__(self) -> None:
        super().__init__("kantata")
        self.records_of_billing: dict[str, RecordBilling] = {}
        self.released: list[PsaInvoice] = []

    def done(self, command: Command, external_id: str) -> None:
        if isinstance(command, RecordBilling):
            twice = self.billed & {*command.time_entry_ids, *command.expense_ids}
            if twice:
                raise Conflict(f"{sorted(twice)} are on an invoice already", system=self.system)
            self.records_of_billing[external_id] = command
        elif isinstance(command, CancelBillingRecord):
            del self.records_of_billing[command.record_external_id]

    @property
    def billed(self) -> set[str]:
        """Ids of the entries it shows as billed."""
        records = self.records_of_billing.values()
        return {id for record in records for id in (*record.time_entry_ids, *record.expense_ids)}

    async def released_invoices(self, since: datetime | None, limit: int = 200) -> list[PsaInvoice]:
        return [one for one in self.released if since is None or one.version >= since][:limit]
