"""Customers: created once, never undone."""

from connectors.http.transport import Answer
from connectors.netsuite import mapping
from connectors.netsuite.keyed import KeyedRecords
from connectors.netsuite.mapping import References
from connectors.netsuite.models import Customer
from connectors.netsuite.reference import ReferenceData
from connectors.netsuite.settings import NetSuiteSettings
from domain.commands import CreateCustomer, Record


class Customers:
    """`CreateCustomer` for one account."""

    def __init__(self, records: KeyedRecords, settings: NetSuiteSettings, reference: ReferenceData) -> None:
        self._records = records
        self._settings = settings
        self._reference = reference

    async def find(self, command: CreateCustomer, key: str) -> Record | None:
        """The customer created under `key`."""
        operation = f"look up customer {command.name}"
        answer = await self._records.look_up_key("customer", key, operation)
        return None if answer is None else self._record(answer, operation)

    async def create(self, command: CreateCustomer, key: str) -> Record:
        """Create the customer. Raises `Rejected` for a currency or terms the account does not have."""
        refs = References(
            currency=await self._reference.currency(command.currency) if command.currency else "",
            terms=await self._reference.terms(command.payment_terms) if command.payment_terms else "",
        )
        body = mapping.customer_body(self._settings, command, key, refs)
        operation = f"create customer {command.name}"
        return await self._records.put(
            "customer", key, body, operation, lambda answer: self._record(answer, operation)
        )

    def _record(self, answer: Answer, operation: str) -> Record:
        customer = self._records.read(Customer, answer, "customer", operation)
        fields = mapping.customer_fields(customer)
        return self._records.record("customer", customer.id, fields, answer, customer.entity_id)
