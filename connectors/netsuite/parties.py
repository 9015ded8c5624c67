"""Facts about the contracting entity and the customer: three reads, side by side, never kept."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

from connectors.errors import Rejected
from connectors.http.shapes import read_as
from connectors.netsuite.api import NetSuiteApi
from connectors.netsuite.models import CustomerRow, PeriodRow, Subsidiary
from connectors.netsuite.reference import ReferenceData
from connectors.netsuite.settings import NetSuiteSettings
from domain.books import EntityFacts, ErpCustomer, PartyFacts, PartyQuery
from domain.identity import short_key
from domain.money import Money, MoneyError

# Base periods only: years, quarters and adjustment periods take no postings of ours.
OPEN_PERIODS = (
    "SELECT id, TO_CHAR(startdate, 'YYYY-MM-DD') AS startdate FROM accountingperiod"
    " WHERE isyear = 'F' AND isquarter = 'F' AND isadjust = 'F' AND isinactive = 'F'"
    " AND closed = 'F' AND alllocked = 'F' AND arlocked = 'F' AND id > ? ORDER BY id"
)
CUSTOMERS = (
    "SELECT c.id AS id, c.entityid AS entityid, c.companyname AS companyname, c.isinactive AS isinactive,"
    " c.creditholdoverride AS creditholdoverride, c.creditlimit AS creditlimit, c.{balance} AS balance,"
    " c.{tax} AS taxid, y.symbol AS currency, t.name AS terms, s.externalid AS subsidiary,"
    " TO_CHAR(c.lastmodifieddate, 'YYYY-MM-DD HH24:MI:SS') AS modified"
    " FROM customer c LEFT JOIN currency y ON y.id = c.currency LEFT JOIN term t ON t.id = c.terms"
    " LEFT JOIN subsidiary s ON s.id = c.subsidiary"
    " WHERE (c.externalid = ? OR c.{crm} = ?{by_tax}) AND c.id > ? ORDER BY c.id"
)
NO_HOLD = ("AUTO", "OFF", "Auto", "Off")


class Parties:
    """Answers `party_facts` for one account."""

    def __init__(
        self,
        api: NetSuiteApi,
        settings: NetSuiteSettings,
        reference: ReferenceData,
        clock: Callable[[], datetime],
    ) -> None:
        self._api = api
        self._settings = settings
        self._reference = reference
        self._clock = clock

    async def facts(self, query: PartyQuery) -> PartyFacts:
        """Entity, its open periods, and every customer under our key, the CRM's id or the tax id."""
        as_of = self._clock()
        subsidiary, periods, customers = await asyncio.gather(
            self._subsidiary(query.entity), self._open_periods(), self._customers(query)
        )
        entity = None if subsidiary is None else await self._entity(query.entity, subsidiary, periods)
        return PartyFacts(entity=entity, customers=tuple(customers), as_of=as_of)

    async def probe(self) -> None:
        """Run the customer query without a match: raises `Rejected` when a configured column is unknown."""
        await self._customers_under("", "", [], "check customer columns")

    async def _subsidiary(self, code: str) -> Subsidiary | None:
        operation = f"read legal entity {code}"
        address = f"eid:{self._settings.subsidiary_of(code)}"
        answer = await self._api.get("subsidiary", address, operation=operation, missing_ok=True)
        if answer.status == 404:
            return None
        system = self._api.http.system
        return read_as(Subsidiary, answer.body, system=system, thing="subsidiary", operation=operation)

    async def _entity(self, code: str, subsidiary: Subsidiary, periods: tuple[str, ...]) -> EntityFacts:
        countries = {each.country for each in subsidiary.tax_registration.items if each.country}
        return EntityFacts(
            code=code,
            external_id=subsidiary.id,
            name=subsidiary.legal_name or subsidiary.name,
            active=not subsidiary.is_inactive and not subsidiary.is_elimination,
            currency=await self._reference.currency_code(subsidiary.currency.id),
            country=subsidiary.country.id,
            tax_registrations=tuple(sorted(countries)),
            open_periods=periods,
            version=subsidiary.last_modified,
        )

    async def _open_periods(self) -> tuple[str, ...]:
        operation, system = "read open accounting periods", self._api.http.system
        rows = [
            read_as(PeriodRow, row, system=system, thing="accountingperiod", operation=operation)
            async for row in self._api.rows(OPEN_PERIODS, (), operation=operation)
        ]
        return tuple(sorted({row.starts_on.strftime("%Y-%m") for row in rows}))

    async def _customers(self, query: PartyQuery) -> list[ErpCustomer]:
        operation = f"match customer {query.customer_name}"
        key, tax_ids = short_key(query.customer_key), spellings(query.tax_id)
        return await self._customers_under(key, query.customer_external_id, tax_ids, operation)

    async def _customers_under(
        self, external_id: str, crm_id: str, tax_ids: list[str], operation: str
    ) -> list[ErpCustomer]:
        places = ", ".join("?" * len(tax_ids))
        text = CUSTOMERS.format(
            balance=self._settings.balance_column,
            tax=self._settings.tax_column,
            crm=self._settings.customer_crm_field,
            by_tax=f" OR c.{self._settings.tax_column} IN ({places})" if tax_ids else "",
        )
        system = self._api.http.system
        found = [
            read_as(CustomerRow, row, system=system, thing="customer", operation=operation)
            async for row in self._api.rows(text, [external_id, crm_id, *tax_ids], operation=operation)
        ]
        return [self._customer(row, operation) for row in found]

    def _customer(self, row: CustomerRow, operation: str) -> ErpCustomer:
        return ErpCustomer(
            external_id=row.id,
            number=row.entity_id,
            name=row.company_name,
            tax_ids=(row.tax_id,) if row.tax_id else (),
            active=row.is_inactive != "T",
            # A value nobody has heard of is taken for a hold: the gate stays shut until a person looks.
            on_credit_hold=row.credit_hold not in NO_HOLD,
            credit_limit=self._money(row, "creditlimit", row.credit_limit, operation),
            balance=self._money(row, "balance", row.balance, operation),
            currency=row.currency,
            terms=row.terms,
            entity=self._settings.entity_of(row.subsidiary) or None,
            version=row.modified,
        )

    def _money(self, row: CustomerRow, column: str, amount: Decimal | None, operation: str) -> Money | None:
        if amount is None or row.currency is None:
            return None
        try:
            return Money.of(amount, row.currency)
        except MoneyError as problem:
            raise Rejected(
                f"{self._api.http.system}: {operation}: customer {row.id}: {column}: {problem}",
                system=self._api.http.system,
                operation=operation,
                field=f"customer.{column}",
                rule="amount.not_money",
            ) from None


def spellings(tax_id: str | None) -> list[str]:
    """A tax id as given, and without the blanks, dots and slashes that people put in."""
    given = (tax_id or "").strip()
    compact = "".join(sign for sign in given.upper() if sign.isalnum())
    return list(dict.fromkeys(each for each in (given, given.upper().replace(" ", ""), compact) if each))
