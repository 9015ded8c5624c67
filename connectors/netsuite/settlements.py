"""Credit memos and payments: made of the invoice by a transform, under our external id.

A transform is not idempotent. A lost answer is looked up by the external id; a second transform under the
same id is refused by NetSuite, since external ids are unique.
"""

from connectors.http.transport import Answer
from connectors.netsuite import billing_mapping as mapping
from connectors.netsuite.billing_mapping import LineReferences
from connectors.netsuite.invoices import line_references
from connectors.netsuite.keyed import KeyedRecords, address_of
from connectors.netsuite.mapping import total_text
from connectors.netsuite.reference import ReferenceData
from connectors.netsuite.settings import NetSuiteSettings
from connectors.netsuite.transaction_models import CreditMemo, CustomerPayment
from domain.billing_commands import CreditInvoice, ReceivePayment
from domain.commands import Record

NO_LINES = LineReferences({})


class Credits:
    """`CreditInvoice` for one account."""

    def __init__(self, posting: KeyedRecords, settings: NetSuiteSettings, reference: ReferenceData) -> None:
        self._records = posting
        self._settings = settings
        self._reference = reference

    async def find(self, command: CreditInvoice, key: str) -> Record | None:
        """The credit memo made under `key`."""
        operation = f"look up credit note {command.credit}"
        answer = await self._records.look_up_key("creditMemo", key, operation)
        return None if answer is None else await self._record(answer, operation)

    async def create(self, command: CreditInvoice, key: str) -> Record:
        """Credit the invoice, whole or by lines. It posts at once.

        Raises `PeriodClosed`, `Rejected` for more than what is left of the invoice or one not posted, and
        `NotFound` for an unknown invoice.
        """
        operation = f"credit invoice {command.invoice_external_id}"
        lines = (
            NO_LINES
            if command.full
            else await line_references(self._settings, self._reference, command.lines)
        )
        body = mapping.credit_body(self._settings, command, key, lines)
        source = ("invoice", command.invoice_external_id, "creditMemo")
        await self._records.transform(*source, key, body, operation)
        return await self._records.read_back(
            "creditMemo", address_of(key), operation, lambda answer: self._record(answer, operation)
        )

    async def _record(self, answer: Answer, operation: str) -> Record:
        memo = self._records.read(CreditMemo, answer, "creditMemo", operation)
        code = await self._reference.currency_code(memo.currency.id)
        fields = mapping.credit_fields(memo, code)
        return self._records.record("creditMemo", memo.id, fields, answer, memo.tran_id)


class Payments:
    """`ReceivePayment` for one account."""

    def __init__(self, records: KeyedRecords, settings: NetSuiteSettings, reference: ReferenceData) -> None:
        self._records = records
        self._settings = settings
        self._reference = reference

    async def find(self, command: ReceivePayment, key: str) -> Record | None:
        """The payment made under `key`."""
        operation = f"look up payment of invoice {command.invoice_external_id}"
        answer = await self._records.look_up_key("customerPayment", key, operation)
        return None if answer is None else await self._record(answer, operation)

    async def receive(self, command: ReceivePayment, key: str) -> Record:
        """Pay the invoice, into the entity's `bank` account where one is set.

        Raises `Rejected` for more than what is left to be paid, `PeriodClosed`, `NotFound`.
        """
        operation = f"receive payment of invoice {command.invoice_external_id}"
        number = self._settings.account_number(command.entity, "bank")
        account = (await self._reference.account(number))[0] if number else ""
        body = mapping.payment_body(self._settings, command, key, account)
        source = ("invoice", command.invoice_external_id, "customerPayment")
        await self._records.transform(*source, key, body, operation)
        return await self._records.read_back(
            "customerPayment", address_of(key), operation, lambda answer: self._record(answer, operation)
        )

    async def _record(self, answer: Answer, operation: str) -> Record:
        payment = self._records.read(CustomerPayment, answer, "customerPayment", operation)
        code = await self._reference.currency_code(payment.currency.id)
        fields = {"amount": total_text(payment.payment, code)}
        return self._records.record("customerPayment", payment.id, fields, answer, payment.tran_id)
