"""Internal ids of reference data, resolved at first use and kept for a while: never configured.

Currencies by ISO code, payment terms by name, list values by label. Only ids and names are kept here; a
fact that a gate is judged on is read afresh each time.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta

from connectors.errors import Rejected
from connectors.netsuite.api import NetSuiteApi
from connectors.netsuite.settings import NetSuiteSettings

Ids = Mapping[str, str]
"""Name -> internal id."""
CURRENCIES = "SELECT id, symbol AS name FROM currency WHERE isinactive = 'F' AND id > ? ORDER BY id"
TERMS = "SELECT id, name FROM term WHERE isinactive = 'F' AND id > ? ORDER BY id"


class ReferenceData:
    """Names to ids of one account."""

    def __init__(self, api: NetSuiteApi, settings: NetSuiteSettings, clock: Callable[[], datetime]) -> None:
        self._api = api
        self._settings = settings
        self._clock = clock
        self._kept: dict[str, tuple[datetime, Ids]] = {}
        self._lock = asyncio.Lock()

    async def currency(self, code: str) -> str:
        """Internal id of a currency. Raises `Rejected` when the account has no active one of this code."""
        return _one(self._api, "currency", code, await self._currencies())

    async def currency_code(self, internal_id: str) -> str:
        """ISO code of a currency's internal id. Raises `Rejected` for an id that is not active."""
        codes = {found: code for code, found in (await self._currencies()).items()}
        return _one(self._api, "currency", internal_id, codes)

    async def terms(self, name: str) -> str:
        """Internal id of payment terms such as `Net 30`. Raises `Rejected`."""
        return _one(self._api, "payment_terms", name, await self.all_terms())

    async def all_terms(self) -> Ids:
        return await self._kept_for("terms", lambda: self._query(TERMS))

    async def project_option(self, field: str, label: str) -> str:
        """Id of a list value of the project, such as its billing type. Raises `Rejected`."""
        return _one(self._api, field, label, await self.options("job", field))

    async def schedule_type(self, label: str) -> str:
        """Id of a billing schedule type. Raises `Rejected`."""
        return _one(self._api, "scheduleType", label, await self.options("billingSchedule", "scheduleType"))

    async def options(self, record_type: str, field: str) -> Ids:
        """Labels and ids of a list field."""
        fields = ("jobBillingType", "projectExpenseType") if record_type == "job" else (field,)

        async def read() -> Ids:
            found = await self._api.options(
                record_type, fields, operation=f"read list values of {record_type}"
            )
            # One call answers for all fields of the record; labels of different lists are kept apart.
            return {f"{name}/{label}": each for name in fields for label, each in found[name].items()}

        kept = await self._kept_for(f"options of {record_type}", read)
        return {
            name.partition("/")[2]: each for name, each in kept.items() if name.partition("/")[0] == field
        }

    async def _currencies(self) -> Ids:
        return await self._kept_for("currencies", lambda: self._query(CURRENCIES))

    async def _query(self, query: str) -> Ids:
        rows = self._api.rows(query, (), operation="read reference data")
        return {str(row.get("name", "")): str(row["id"]) async for row in rows}

    async def _kept_for(self, what: str, read: Callable[[], Awaitable[Ids]]) -> Ids:
        async with self._lock:
            now = self._clock()
            kept = self._kept.get(what)
            if kept is None or now - kept[0] >= timedelta(seconds=self._settings.reference_seconds):
                kept = self._kept[what] = (now, await read())
            return kept[1]


def _one(api: NetSuiteApi, field: str, name: str, ids: Ids) -> str:
    if name in ids:
        return ids[name]
    known = ", ".join(sorted(ids)[:12]) or "none at all"
    raise Rejected(
        f"{api.http.system}: the account has no active {field} {name!r}; it has {known}."
        " Set it up in NetSuite or correct the value.",
        system=api.http.system,
        operation="read reference data",
        field=field,
        rule="reference.unknown",
    )
