"""Internal ids of reference data, resolved at first use and kept for a while: never configured.

Currencies by ISO code, payment terms by name, list values by label. Only ids and names are kept here; a
fact that a gate is judged on is read afresh each time.
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

        async def codes(wanted: str) -> Ids:
            known = await self.currencies()
            if wanted not in known.values():
                self._kept.pop("currencies", None)
                known = await self.currencies()
            return {found: code for code, found in known.items()}

        return await self._one("currency", internal_id, codes)

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
        return {name.removeprefix(prefix): each for name, each in kept.items() if name.startswith(prefix)}

    # ---- inside

    async def _query(self, query: str) -> Ids:
        rows = self._api.rows(query, (), operation="read reference data")
        return {str(row.get("name", "")): str(row["id"]) async for row in rows}

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
