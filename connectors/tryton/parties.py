"""Facts about the contracting entity and the customer: three reads, side by side, never kept."""

import asyncio
from collections.abc import Callable
from datetime import datetime

from connectors.tryton.api import Domain
from connectors.tryton.customers import CRM_PREFIX, MODEL
from connectors.tryton.models import Company, Identifier, Party, PeriodRow
from connectors.tryton.records import Records
from connectors.tryton.settings import TrytonSettings
from domain.books import EntityFacts, ErpCustomer, PartyFacts, PartyQuery
from domain.identity import short_key

EUROPEAN = {"EL": "GR", "XI": "GB"}
"""Prefixes of European tax ids that are not the country's code."""


class Parties:
    """Answers `party_facts` for one database."""

    def __init__(self, records: Records, settings: TrytonSettings, clock: Callable[[], datetime]) -> None:
        self._records = records
        self._settings = settings
        self._clock = clock

    async def facts(self, query: PartyQuery) -> PartyFacts:
        """Company, its open periods, and every party under our key, the CRM's id or the tax id."""
        as_of = self._clock()
        company = await self._company(query.entity)
        if company is None:
            return PartyFacts(entity=None, customers=tuple(await self._customers(query, None)), as_of=as_of)
        periods, customers = await asyncio.gather(
            self._open_periods(company.id), self._customers(query, company)
        )
        entity = _entity(query.entity, company, periods)
        return PartyFacts(entity=entity, customers=tuple(customers), as_of=as_of)

    async def companies(self) -> list[Company]:
        """All companies our user may see."""
        return await self._records.search(Company, "company.company", [], "read companies")

    async def _company(self, code: str) -> Company | None:
        domain = [["party.code", "=", self._settings.company_of(code)]]
        operation = f"read legal entity {code}"
        found = await self._records.search(Company, "company.company", domain, operation)
        return found[0] if found else None

    async def _open_periods(self, company: int) -> tuple[str, ...]:
        """Adjustment periods take no documents of ours."""
        domain = [["company", "=", company], ["state", "=", "open"], ["type", "=", "standard"]]
        rows = await self._records.search(
            *(PeriodRow, "account.period", domain, "read open periods"), fields=("start_date",)
        )
        return tuple(sorted({row.starts_on.strftime("%Y-%m") for row in rows}))

    async def _customers(self, query: PartyQuery, company: Company | None) -> list[ErpCustomer]:
        codes = [*spellings(query.tax_id), CRM_PREFIX + query.customer_external_id]
        ours: Domain = [["code", "=", short_key(query.customer_key)]]
        match: Domain = ["OR", ours, [["identifiers.code", "in", codes]]]
        itself = [["id", "!=", company.party.id]] if company else []
        domain = [["active", "in", [True, False]], match, *itself]
        operation = f"match customer {query.customer_name}"
        context = {"company": company.id} if company else {}
        found = await self._records.search(Party, MODEL, domain, operation, context=context)
        return [self._customer(row, company, operation) for row in found]

    def _customer(self, row: Party, company: Company | None, operation: str) -> ErpCustomer:
        """Without the module for credit limits Tryton knows no hold: inactive is all it can say."""
        balance = None
        if company and row.receivable is not None:
            money = self._records.money
            balance = money(row.receivable, company.currency.code, "party.receivable", operation)
        return ErpCustomer(
            external_id=str(row.id),
            number=row.code or "",
            name=row.name,
            tax_ids=tuple(each.code for each in row.identifiers if not each.code.startswith(CRM_PREFIX)),
            active=row.active,
            balance=balance,
            terms=row.term.name if row.term else None,
            version=row.written.isoformat() if row.written else "",
        )


def _entity(code: str, company: Company, periods: tuple[str, ...]) -> EntityFacts:
    country = next((each.country.code for each in company.party.addresses if each.country), "")
    return EntityFacts(
        code=code,
        external_id=str(company.id),
        name=company.party.name,
        active=True,  # a company of Tryton cannot be made inactive
        currency=company.currency.code or "",
        country=country,
        tax_registrations=tuple(sorted({_registered(each) for each in company.party.identifiers} - {""})),
        open_periods=periods,
        version=company.written.isoformat() if company.written else "",
    )


def _registered(identifier: Identifier) -> str:
    """Country of a tax identifier: `eu_vat` names it in the number, `us_ein` in the type."""
    if not identifier.type:
        return ""
    if identifier.type == "eu_vat":
        prefix = identifier.code[:2].upper()
        return EUROPEAN.get(prefix, prefix)
    return identifier.type.partition("_")[0].upper()


def spellings(tax_id: str | None) -> list[str]:
    """A tax id as given, and without the blanks, dots and slashes that people put in."""
    given = (tax_id or "").strip()
    compact = "".join(sign for sign in given.upper() if sign.isalnum())
    return list(dict.fromkeys(each for each in (given, given.upper().replace(" ", ""), compact) if each))
