"""Customers: parties, created once, never undone. The party's code is the short form of the effect key."""

from typing import Any

from connectors.tryton.models import Party
from connectors.tryton.records import Records
from connectors.tryton.reference import ReferenceData
from connectors.tryton.settings import TrytonSettings
from domain.commands import CreateCustomer, Record
from domain.identity import short_key
from domain.selling import Address

MODEL = "party.party"
CRM_PREFIX = "CRM "
"""Before the CRM's id in an identifier without type."""


class Customers:
    """`CreateCustomer` for one database. All companies of a database share its parties."""

    def __init__(self, records: Records, settings: TrytonSettings, reference: ReferenceData) -> None:
        self._records = records
        self._settings = settings
        self._reference = reference

    async def find(self, command: CreateCustomer, key: str) -> Record | None:
        """The party created under `key`; Tryton keeps its code unique, inactive parties included."""
        return await self._under(key, f"look up customer {command.name}")

    async def create(self, command: CreateCustomer, key: str) -> Record:
        """Create the party with address and identifiers.

        Raises `Rejected` for a country, terms or a tax id that Tryton refuses, `Conflict` for a taken code.
        """
        operation = f"create customer {command.name}"
        company = await self._reference.company(command.entity)
        values = await self._values(command, key)
        context = {"company": company}
        (made,) = await self._records.api.create(MODEL, [values], operation=operation, context=context)
        return self._records.record(MODEL, made, {"name": command.name}, short_key(key))

    async def _values(self, command: CreateCustomer, key: str) -> dict[str, Any]:
        values: dict[str, Any] = {
            "name": command.name,
            "code": short_key(key),
            "addresses": [["create", [await self._address(command)]]],
            "identifiers": [["create", self._identifiers(command)]],
        }
        if command.payment_terms:
            values["customer_payment_term"] = await self._reference.terms(command.payment_terms)
        return values

    async def _address(self, command: CreateCustomer) -> dict[str, Any]:
        """An invoice needs one, so that an empty one is made where nothing is known but the name."""
        given: Address = command.address
        city = ", ".join(part for part in (given.city, given.state) if part)
        parts = {"street_name": given.street, "city": city, "postal_code": given.postal_code}
        values: dict[str, Any] = {name: text for name, text in parts.items() if text}
        values["party_name"] = command.legal_name or command.name
        if given.country:
            values["country"] = await self._reference.country(given.country)
        return values

    def _identifiers(self, command: CreateCustomer) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = [{"type": None, "code": CRM_PREFIX + command.crm_id}]
        if command.tax_id:
            kind = self._settings.tax_id_type(command.address.country or "")
            found.insert(0, {"type": kind, "code": command.tax_id})
        return found

    async def _under(self, key: str, operation: str) -> Record | None:
        domain = [["code", "=", short_key(key)], ["active", "in", [True, False]]]
        found = self._records.only(
            await self._records.search(Party, MODEL, domain, operation), key, operation
        )
        if found is None:
            return None
        return self._records.record(MODEL, found.id, {"name": found.name}, found.code or "")
