"""Invoices and credit notes as Tryton holds them, by id, by key, by project."""

from decimal import Decimal

from connectors.tryton.models import Invoice, Work
from connectors.tryton.projects import MODEL as PROJECT
from connectors.tryton.records import Records
from connectors.tryton.settings import TrytonSettings
from domain.books import InvoiceFactLine, InvoiceFacts, InvoiceState
from domain.commands import Record
from domain.money import Money

MODEL = "account.invoice"


class Invoices:
    """Reading, for one database. `reference` of an invoice is the effect key it was made under."""

    def __init__(self, records: Records, settings: TrytonSettings) -> None:
        self.records = records
        self._settings = settings

    async def get(self, external_id: str, operation: str) -> Invoice | None:
        """An invoice to a customer; none when it is gone."""
        return await self.records.get(Invoice, MODEL, external_id, operation)

    async def need(self, external_id: str, operation: str) -> Invoice:
        """An invoice to a customer. Raises `NotFound`."""
        return await self.records.need(Invoice, MODEL, external_id, operation)

    async def under(self, key: str, operation: str) -> Invoice | None:
        """The one made under `key` that was not cancelled as a draft. Raises `Conflict` for two."""
        domain = [["type", "=", "out"], ["reference", "=", key]]
        found = await self.records.search(Invoice, MODEL, domain, operation)
        live = [each for each in found if each.state != "cancelled" or each.posted]
        return self.records.only(live, key, operation)

    async def facts(self, external_id: str) -> InvoiceFacts:
        """One as it stands. Raises `NotFound`."""
        operation = f"read invoice {external_id}"
        invoice = await self.need(external_id, operation)
        project = await self._project_of(invoice, operation)
        return self._facts(invoice, project, operation)

    async def of_project(self, project_external_id: str) -> tuple[InvoiceFacts, ...]:
        """All of a project: those that name its number, and those Tryton made from its tasks."""
        operation = f"read invoices of project {project_external_id}"
        project = await self.records.need(Work, PROJECT, project_external_id, operation)
        works = "lines.project_invoice_works.parent"
        named = [["description", "=", project.number]] if project.number else [["id", "=", -1]]
        native = [[works, "child_of", [project.id], "parent"]]
        domain = [["type", "=", "out"], ["OR", named, native]]
        found = await self.records.search(Invoice, MODEL, domain, operation)
        return tuple(self._facts(each, project_external_id, operation) for each in found)

    def record(self, invoice: Invoice, fields: dict[str, object]) -> Record:
        return self.records.record(MODEL, invoice.id, fields, invoice.number or "")

    def net(self, invoice: Invoice, operation: str) -> Money:
        return self.records.money(
            invoice.net, invoice.currency.code, "account.invoice.untaxed_amount", operation
        )

    async def _project_of(self, invoice: Invoice, operation: str) -> str:
        """Id of the project that the invoice names; empty when it names none."""
        if not invoice.description:
            return ""
        domain = [["type", "=", "project"], ["number", "=", invoice.description]]
        found = await self.records.search(Work, PROJECT, domain, operation)
        return str(found[0].id) if found else ""

    def _facts(self, invoice: Invoice, project: str, operation: str) -> InvoiceFacts:
        currency = invoice.currency.code or ""

        def money(name: str, amount: Decimal) -> Money:
            return self.records.money(amount, currency, f"account.invoice.{name}", operation)

        due = [line.due_on for line in invoice.to_pay if line.due_on]
        period = invoice.move.period if invoice.move and invoice.posted else None
        return InvoiceFacts(
            external_id=str(invoice.id),
            number=invoice.number or "",
            state=_state(invoice),
            entity=self._settings.entity_of(invoice.company.party.code),
            customer_external_id=str(invoice.party),
            project_external_id=project,
            currency=currency,
            net=money("untaxed_amount", invoice.net),
            tax=money("tax_amount", invoice.tax),
            gross=money("total_amount", invoice.gross),
            open_amount=money("amount_to_pay", Decimal(0) if _applied(invoice) else invoice.open_amount),
            dated=invoice.dated or invoice.made.date(),
            due_on=min(due) if due else None,
            period=period.starts_on.strftime("%Y-%m") if period else "",
            lines=tuple(
                InvoiceFactLine(
                    ref=line.note or "",
                    description=line.description or "",
                    net=money("lines.amount", line.amount),
                )
                for line in invoice.lines
                if line.type == "line"
            ),
            credits=str(invoice.credited[0]) if invoice.credited else "",
            key=invoice.reference if invoice.reference and "/" in invoice.reference else "",
            version=invoice.written.isoformat() if invoice.written else "",
        )


def _state(invoice: Invoice) -> InvoiceState:
    """A cancelled one is credited when a posted credit note cancelled it, else a draft that was rejected."""
    if invoice.state == "cancelled":
        return "credited" if invoice.posted else "rejected"
    states: dict[str, InvoiceState] = {"posted": "open", "paid": "paid"}
    return states.get(invoice.state, "draft")


def _applied(invoice: Invoice) -> bool:
    """Whether a credit note is counted as payment of the invoice it credits: then nothing of it is open."""
    return bool(invoice.credited) and any(line.invoice_payment for line in invoice.to_pay)
