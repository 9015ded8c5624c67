"""Internal ids of reference data, resolved at first use and kept for a while: never configured.

Currencies by ISO code, payment terms, items and tax codes by name, accounts by number, list values by label.
Only ids and names are kept here; a fact that a gate is judged on is read afresh each time.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from functools import partial

from connectors.errors import Rejected
from connectors.netsuite.api import NetSuiteApi
from connectors.netsuite.settings import NetSuiteSettings

Ids = Mapping[str, str]
"""Name -> internal id."""
CURRENCIES = "SELECT id, symbol AS name FROM currency WHERE isinactive = 'F' AND id > ? ORDER BY id"
OPTION_FIELDS = {"job": ("jobBillingType", "projectExpenseType"), "billingSchedule": ("scheduleType",)}
SUBSIDIARIES = "SELECT id, externalid AS name FROM subsidiary WHERE id > ? ORDER BY id"
ITEMS = "SELECT id, itemid AS name FROM item WHERE isinactive = 'F' AND id > ? ORDER BY id"
TAX_CODES = "SELECT id, itemid AS name FROM salestaxitem WHERE isinactive = 'F' AND id > ? ORDER BY id"
ACCOUNTS = (
    "SELECT id, acctnumber AS name, accttype AS kind FROM account"
    " WHERE isinactive = 'F' AND id > ? ORDER BY id"
)
PERIODS = (
    "SELECT id, TO_CHAR(startdate, 'YYYY-MM') AS name FROM accountingperiod"
    " WHERE isyear = 'F' AND isquarter = 'F' AND isadjust = 'F' AND id > ? ORDER BY id"
)
TERMS = "SELECT id, name FROM term WHERE isinactive = 'F' AND id > ? ORDER BY id"


class ReferenceData:
    """Names to ids of one account."""

    def __init__(self, api: NetSuiteApi, settings: NetSuiteSettings, clock: Callable[[], datetime]) -> None:
        self._api = api
        self._clock = clock
        self._life = timedelta(seconds=settings.reference_seconds)
        self._kept: dict[str, tuple[datetime, Ids]] = {}
        self._lock = asyncio.Lock()

    async def currency(self, code: str) -> str:
        """Internal id of a currency. Raises `Rejected` when the account has no active one of this code."""
        return await self._one("currency", code, self.currencies)

    async def currency_code(self, internal_id: str) -> str:
        """ISO code of a currency's internal id. Raises `Rejected` for an id that is not active."""

        return await self._name_of("currency", internal_id, "currencies", self.currencies)

    async def subsidiary_key(self, internal_id: str) -> str:
        """External id of a subsidiary's internal id. Raises `Rejected`."""
        return await self._name_of("subsidiary", internal_id, "subsidiaries", self.subsidiaries)

    async def period(self, internal_id: str) -> str:
        """`YYYY-MM` of an accounting period's internal id. Raises `Rejected` for a year or quarter."""
        return await self._name_of("accountingPeriod", internal_id, "periods", self.periods)

    async def item(self, name: str) -> str:
        """Internal id of an item such as `Milestone`. Raises `Rejected`."""
        return await self._one("item", name, self.items)

    async def tax_code(self, name: str) -> str:
        """Internal id of a tax code. Raises `Rejected`."""
        return await self._one("tax code", name, self.tax_codes)

    async def account(self, number: str) -> tuple[str, str]:
        """Internal id and type of the account of a number. Raises `Rejected`."""
        internal_id = await self._one("account", number, self.accounts)
        return internal_id, (await self.account_types())[internal_id]

    async def terms(self, name: str) -> str:
        """Internal id of payment terms such as `Net 30`. Raises `Rejected`."""
        return await self._one("payment_terms", name, self.all_terms)

    async def project_option(self, field: str, label: str) -> str:
        """Id of a list value of the project, such as its billing type. Raises `Rejected`."""
        return await self._one(field, label, partial(self.options, "job", field))

    async def schedule_type(self, label: str) -> str:
        """Id of a billing schedule type. Raises `Rejected`."""
        options = partial(self.options, "billingSchedule", "scheduleType")
        return await self._one("scheduleType", label, options)

    # ---- whole lists; with `wanted`, one that is kept but lacks it is read again

    async def currencies(self, wanted: str = "") -> Ids:
        """ISO code -> id of the active currencies."""
        return await self._kept_for("currencies", partial(self._query, CURRENCIES), wanted)

    async def all_terms(self, wanted: str = "") -> Ids:
        """Name -> id of the active payment terms."""
        return await self._kept_for("terms", partial(self._query, TERMS), wanted)

    async def subsidiaries(self, wanted: str = "") -> Ids:
        """External id -> id of the subsidiaries, inactive ones too."""
        return await self._kept_for("subsidiaries", partial(self._query, SUBSIDIARIES), wanted)

    async def periods(self, wanted: str = "") -> Ids:
        """`YYYY-MM` -> id of the base periods."""
        return await self._kept_for("periods", partial(self._query, PERIODS), wanted)

    async def items(self, wanted: str = "") -> Ids:
        """Name -> id of the active items."""
        return await self._kept_for("items", partial(self._query, ITEMS), wanted)

    async def tax_codes(self, wanted: str = "") -> Ids:
        """Name -> id of the active tax codes."""
        return await self._kept_for("tax codes", partial(self._query, TAX_CODES), wanted)

    async def accounts(self, wanted: str = "") -> Ids:
        """Number -> id of the active accounts."""
        kept = await self._kept_for("accounts", self._accounts, f"number/{wanted}" if wanted else "")
        return _within(kept, "number/")

    async def account_types(self) -> Ids:
        """Id -> type of the active accounts."""
        return _within(await self._kept_for("accounts", self._accounts, ""), "type/")

    async def options(self, record_type: str, field: str, wanted: str = "") -> Ids:
        """Label -> id of a list field."""
        fields = OPTION_FIELDS[record_type]

        async def read() -> Ids:
            operation = f"read list values of {record_type}"
            found = await self._api.options(record_type, fields, operation=operation)
            # One call answers for all list fields of the record; labels of different lists are kept apart.
            return {f"{name}/{label}": each for name in fields for label, each in found[name].items()}

        prefix = f"{field}/"
        kept = await self._kept_for(f"options of {record_type}", read, wanted and prefix + wanted)
        return _within(kept, prefix)

    # ---- inside

    async def _query(self, query: str) -> Ids:
        rows = self._api.rows(query, (), operation="read reference data")
        return {str(row.get("name", "")): str(row["id"]) async for row in rows}

    async def _accounts(self) -> Ids:
        """Ids by number and types by id in one: both come with one query."""
        found: dict[str, str] = {}
        async for row in self._api.rows(ACCOUNTS, (), operation="read reference data"):
            found[f"number/{row.get('name', '')}"] = str(row["id"])
            found[f"type/{row['id']}"] = str(row.get("kind", ""))
        return found

    async def _name_of(
        self, field: str, internal_id: str, what: str, read: Callable[[], Awaitable[Ids]]
    ) -> str:
        async def names(wanted: str) -> Ids:
            known = await read()
            if wanted not in known.values():
                self._kept.pop(what, None)
                known = await read()
            return {found: name for name, found in known.items()}

        return await self._one(field, internal_id, names)

    async def _kept_for(self, what: str, read: Callable[[], Awaitable[Ids]], wanted: str) -> Ids:
        async with self._lock:
            now = self._clock()
            read_at, kept = self._kept.get(what, (None, {}))
            fresh = read_at is not None and now - read_at < self._life
            if not fresh or (wanted and wanted not in kept):
                kept = await read()
                self._kept[what] = (now, kept)
            return kept

    async def _one(self, field: str, name: str, ids_with: Callable[[str], Awaitable[Ids]]) -> str:
        ids = await ids_with(name)
        if name in ids:
            return ids[name]
        system, known = self._api.http.system, ", ".join(sorted(ids)[:12]) or "none at all"
        raise Rejected(
            f"{system}: the account has no active {field} {name!r}; it has {known}."
            " Set it up in NetSuite or correct the value.",
            system=system,
            operation="read reference data",
            field=field,
            rule="reference.unknown",
        )


def _within(kept: Ids, prefix: str) -> Ids:
    return {name.removeprefix(prefix): each for name, each in kept.items() if name.startswith(prefix)}
