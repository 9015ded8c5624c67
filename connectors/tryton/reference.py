"""Ids of companies, accounts, taxes and the like, resolved at first use and kept for a while.

Only ids and names are kept here; a fact that a gate is judged on is read afresh each time.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

from connectors.errors import Rejected
from connectors.tryton.api import Domain, TrytonApi
from connectors.tryton.settings import TrytonSettings

OPERATION = "read reference data"


class ReferenceData:
    """Names to ids of one database."""

    def __init__(self, api: TrytonApi, settings: TrytonSettings, clock: Callable[[], datetime]) -> None:
        self._api = api
        self._settings = settings
        self._clock = clock
        self._life = timedelta(seconds=settings.reference_seconds)
        self._kept: dict[tuple[str, ...], tuple[datetime, int]] = {}
        self._lock = asyncio.Lock()

    async def company(self, entity: str) -> int:
        """Id of the company of a legal entity. Each method raises `Rejected` naming what is missing."""
        code = self._settings.company_of(entity)
        return await self._one("company.company", [["party.code", "=", code]], "company", code)

    async def company_currency(self, company: int) -> str:
        """Code of the currency in which a company keeps its books."""
        rows = await self._api.rows(
            "company.company", [["id", "=", company]], ["currency.code"], operation=OPERATION
        )
        return str(rows[0]["currency."]["code"])

    async def currency(self, code: str) -> int:
        return await self._one("currency.currency", [["code", "=", code]], "currency", code)

    async def account(self, entity: str, role: str) -> int:
        """Id of the account that plays `role` in the books of `entity`."""
        code = self._settings.account_code(entity, role)
        if code is None:
            raise self._unknown("accounts", role, "name its code in accounts of the system's settings")
        company = await self.company(entity)
        domain = [["company", "=", company], ["code", "=", code]]
        return await self._one("account.account", domain, f"account of {entity} for the role {role}", code)

    async def tax(self, entity: str, code: str) -> int:
        name = self._settings.tax_name(code)
        domain = [["company", "=", await self.company(entity)], ["name", "=", name], ["parent", "=", None]]
        return await self._one("account.tax", domain, f"tax of {entity}", name)

    async def payment_method(self, entity: str) -> int:
        name = self._settings.payment_method
        domain = [["company", "=", await self.company(entity)], ["name", "=", name]]
        return await self._one("account.invoice.payment.method", domain, f"payment method of {entity}", name)

    async def terms(self, name: str) -> int:
        return await self._one("account.invoice.payment_term", [["name", "=", name]], "payment terms", name)

    async def sales_journal(self) -> int:
        return await self._one("account.journal", [["type", "=", "revenue"]], "journal of type", "revenue")

    async def general_journal(self) -> int:
        code = self._settings.journal_code
        return await self._one("account.journal", [["code", "=", code]], "journal", code)

    async def country(self, code: str) -> int:
        return await self._one("country.country", [["code", "=", code]], "country", code)

    async def status(self, name: str) -> int:
        return await self._one("project.work.status", [["name", "=", name]], "project status", name)

    async def unit(self, unit: str) -> int | None:
        """Id of a unit of measure; none for a unit that the settings do not name."""
        name = self._settings.units.get(unit.casefold())
        return await self._one("product.uom", [["name", "=", name]], "unit", name) if name else None

    async def _one(self, model: str, domain: Domain, what: str, name: str) -> int:
        key = (model, repr(domain))
        async with self._lock:
            now = self._clock()
            kept = self._kept.get(key)
            if kept is not None and now - kept[0] < self._life:
                return kept[1]
            rows = await self._api.rows(model, domain, ["id"], operation=OPERATION)
            if not rows:
                raise self._unknown(what, name, "set it up in Tryton or correct the value")
            self._kept[key] = (now, int(rows[0]["id"]))
            return int(rows[0]["id"])

    def _unknown(self, what: str, name: str, cure: str) -> Rejected:
        return Rejected(
            f"{self._api.system}: there is no {what} {name!r}; {cure}",
            system=self._api.system,
            operation=OPERATION,
            field=what,
            rule="reference.unknown",
        )
