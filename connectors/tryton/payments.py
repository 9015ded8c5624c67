"""Payments of customers, by Tryton's own wizard: a posted move with our key, settled against the invoice."""

from decimal import Decimal

from connectors.errors import Ambiguous, Rejected
from connectors.http.landed import landed
from connectors.tryton.invoices import MODEL as INVOICE
from connectors.tryton.invoices import Invoices
from connectors.tryton.models import Invoice
from connectors.tryton.moves import MODEL, Moves, described
from connectors.tryton.reference import ReferenceData
from domain.billing_commands import ReceivePayment
from domain.commands import Record

WIZARD = "account.invoice.pay"


class Payments:
    """`ReceivePayment` for one database."""

    def __init__(self, invoices: Invoices, moves: Moves, reference: ReferenceData) -> None:
        self._invoices = invoices
        self._records = invoices.records
        self._moves = moves
        self._reference = reference

    async def find(self, command: ReceivePayment, key: str) -> Record | None:
        """The payment's move under `key`."""
        operation = f"look up payment of invoice {command.invoice_external_id}"
        return await self._under(command, key, operation)

    async def receive(self, command: ReceivePayment, key: str) -> Record:
        """Take a payment, in part or whole. Raises `Rejected` for more than is open or another currency."""
        operation = f"receive payment of invoice {command.invoice_external_id}"
        invoice = await self._invoices.need(command.invoice_external_id, operation)
        self._check(command, invoice, operation)
        forms = {
            "start": {
                "payee": invoice.party,
                "payees": [invoice.party],
                "amount": command.amount.amount,
                "currency": invoice.currency.id,
                "company": invoice.company.id,
                "invoice_account": invoice.account,
                "payment_method": await self._reference.payment_method(command.entity),
                "date": command.received_on,
                "description": described(key, command.reference),
            },
            # "partial" writes nothing off and refuses more than is open; a full payment settles all the same.
            "ask": {"type": "partial", "invoice": invoice.id, "currency": invoice.currency.id},
        }
        await self._records.api.wizard(WIZARD, "pay", forms, (INVOICE, invoice.id), operation=operation)
        with landed(f"{self._records.system}: {operation}"):
            record = await self._under(command, key, operation)
            if record is None:
                words = "accepted, but the payment's move does not show (yet)"
                raise self._records.error(Ambiguous, operation, words)
            return record

    def _check(self, command: ReceivePayment, invoice: Invoice, operation: str) -> None:
        if invoice.state != "posted":
            words = f"invoice {invoice.number or invoice.id} is {invoice.state}; an open one takes payments"
            raise self._records.error(Rejected, operation, words, field="state", rule="record.state")
        if command.amount.currency != invoice.currency.code or command.amount.amount <= 0:
            words = f"{command.amount} cannot pay an invoice in {invoice.currency.code}"
            raise self._records.error(Rejected, operation, words, field="amount", rule="amount.currency")

    async def _under(self, command: ReceivePayment, key: str, operation: str) -> Record | None:
        found = [move for move in await self._moves.under(key, operation) if move.state == "posted"]
        move = self._records.only(found, key, operation)
        if move is None:
            return None
        paid = next((line for line in move.lines if line.credit > 0), None)
        amount = Decimal(0) if paid is None else paid.credit
        if paid is not None and paid.second_amount is not None:
            amount = abs(paid.second_amount)
        money = self._records.money(amount, command.amount.currency, "account.move.line.credit", operation)
        return self._records.record(MODEL, move.id, {"amount": money}, move.number or "")
