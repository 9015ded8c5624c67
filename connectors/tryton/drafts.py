"""Invoice drafts: written with all lines, removed while they have no number."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from connectors.errors import Rejected
from connectors.http.landed import landed
from connectors.tryton import notes
from connectors.tryton.invoices import MODEL, Invoices
from connectors.tryton.models import Invoice, Party, Work
from connectors.tryton.projects import MODEL as PROJECT
from connectors.tryton.reference import ReferenceData
from connectors.tryton.settings import TrytonSettings
from connectors.tryton.values import Number
from domain.billing_commands import CreditInvoice, DiscardInvoice, DraftInvoice, DraftLine
from domain.commands import Record

PRICE_DECIMALS, QUANTITY_DECIMALS = 4, 2


class Drafts:
    """`DraftInvoice` and `DiscardInvoice` for one database."""

    def __init__(self, invoices: Invoices, settings: TrytonSettings, reference: ReferenceData) -> None:
        self._invoices = invoices
        self._records = invoices.records
        self._settings = settings
        self._reference = reference

    async def find(self, command: DraftInvoice, key: str) -> Record | None:
        """The invoice made under `key`, whatever became of it since."""
        operation = f"look up invoice {command.invoice}"
        invoice = await self._invoices.under(key, operation)
        return None if invoice is None else self._record(invoice, operation)

    async def create(self, command: DraftInvoice, key: str) -> Record:
        """The draft with its lines; Tryton computes the tax. Raises `Rejected` for a tax it lacks."""
        operation = f"draft invoice {command.invoice}"
        values = await self.header(command, key, operation)
        values["comment"] = _printed(command)
        values["description"] = await self._project_number(command.project_external_id, operation)
        if command.payment_terms:
            values["payment_term"] = await self._reference.terms(command.payment_terms)
        values["lines"] = [["create", await self.lines(command, command.lines)]]
        (made,) = await self._records.api.create(
            MODEL, [values], operation=operation, context={"company": values["company"]}
        )
        with landed(f"{self._records.system}: {operation}"):
            return self._record(await self._invoices.need(str(made), operation), operation)

    async def find_discard(self, command: DiscardInvoice, key: str) -> Record | None:
        """Gone or cancelled is discarded; a draft that still stands has not been."""
        operation = f"look up removal of invoice draft {command.invoice_external_id}"
        invoice = await self._invoices.get(command.invoice_external_id, operation)
        gone = invoice is None or (invoice.state == "cancelled" and not invoice.posted)
        return self._discarded(command) if gone else None

    async def discard(self, command: DiscardInvoice, key: str) -> Record:
        """Delete a draft; cancel a validated one with the reason. Raises `Rejected` once posted."""
        operation = f"remove invoice draft {command.invoice_external_id}"
        invoice = await self._invoices.get(command.invoice_external_id, operation)
        if invoice is None or (invoice.state == "cancelled" and not invoice.posted):
            return self._discarded(command)
        if invoice.posted:
            words = f"it is {invoice.state} as {invoice.number}; credit it instead"
            raise self._records.error(Rejected, operation, words, field="state", rule="record.state")
        api = self._records.api
        if invoice.state == "draft" and not invoice.number:
            await api.delete(MODEL, [invoice.id], operation=operation)
        else:
            comment = notes.noted({"Rejected": command.reason}, invoice.comment or "")
            await api.write(MODEL, [invoice.id], {"comment": comment}, operation=operation)
            await api.press(MODEL, "cancel", [invoice.id], operation=operation)
        return self._discarded(command)

    # ---- shared with credit notes

    async def header(self, command: DraftInvoice | CreditInvoice, key: str, operation: str) -> dict[str, Any]:
        """What invoices and credit notes have in common."""
        party = await self._records.need(Party, "party.party", command.customer_external_id, operation)
        if not party.addresses:
            words = f"customer {party.name} has no address in Tryton, and an invoice needs one"
            raise self._records.error(
                Rejected, operation, words, field="party.addresses", rule="address.missing"
            )
        return {
            "type": "out",
            "company": await self._reference.company(command.entity),
            "party": party.id,
            "invoice_address": party.addresses[0].id,
            "currency": await self._reference.currency(command.currency),
            "journal": await self._reference.sales_journal(),
            "account": await self._reference.account(command.entity, "receivable"),
            "invoice_date": command.dated,
            "reference": key,
        }

    async def lines(
        self, command: DraftInvoice | CreditInvoice, lines: Sequence[DraftLine], sign: int = 1
    ) -> list[dict[str, Any]]:
        """Lines as Tryton takes them; `sign` -1 for a credit note."""
        return [await self._line(command.entity, line, sign) for line in lines]

    async def _line(self, entity: str, line: DraftLine, sign: int) -> dict[str, Any]:
        tax = [await self._reference.tax(entity, line.tax_code)] if line.tax_code else []
        values = {
            "type": "line",
            "description": line.description,
            "note": line.ref,
            "account": await self._reference.account(entity, self._settings.role_of(line.kind)),
            "currency": await self._reference.currency(line.net.currency),
            "company": await self._reference.company(entity),
            "taxes": [["add", tax]],
        }
        return values | await self._priced(line, sign)

    async def _priced(self, line: DraftLine, sign: int) -> dict[str, Any]:
        """Quantity and price where they make the amount to the cent, else one piece at the amount.

        Tryton multiplies them itself and rounds half to even: our amount must not depend on that.
        """
        if _exact(line):
            unit = await self._reference.unit(line.unit)
            quantity = (line.quantity or Decimal(0)) * sign
            return {"quantity": Number(quantity), "unit": unit, "unit_price": line.unit_price}
        return {"quantity": Number(sign), "unit_price": line.net.amount}

    async def _project_number(self, external_id: str, operation: str) -> str:
        work = await self._records.need(Work, PROJECT, external_id, operation)
        return work.number or ""

    def _record(self, invoice: Invoice, operation: str) -> Record:
        lines = sum(line.type == "line" for line in invoice.lines)
        fields: dict[str, object] = {"net": self._invoices.net(invoice, operation), "line_count": lines}
        return self._invoices.record(invoice, fields)

    def _discarded(self, command: DiscardInvoice) -> Record:
        return Record(external_id=command.invoice_external_id, fields={"discarded": "true"})


def _exact(line: DraftLine) -> bool:
    """Whether Tryton's fields hold quantity and price, and their product is the amount."""
    if line.quantity is None or line.unit_price is None:
        return False
    fits = _decimals(line.quantity) <= QUANTITY_DECIMALS and _decimals(line.unit_price) <= PRICE_DECIMALS
    return fits and line.quantity * line.unit_price == line.net.amount


def _decimals(number: Decimal) -> int:
    return max(0, -int(number.normalize().as_tuple().exponent))


def _printed(command: DraftInvoice) -> str:
    """What must stand on the document beside its lines."""
    period = f"Service period: {command.service_from} to {command.service_to}"
    order = f"Your order: {command.customer_po}" if command.customer_po else ""
    return "\n".join(part for part in (command.note, order, period) if part)
