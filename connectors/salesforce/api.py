"""Salesforce's endpoints (REST API guide): query, sObject rows, upsert, composite, describe, limits.

Vendor words in, vendor words out; what they mean for Fairlead is the client's business.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from connectors.errors import Rejected
from connectors.http.quota import Gauge
from connectors.http.resolution import Refusal
from connectors.http.shapes import read_as
from connectors.http.transport import OK, Answer, VendorHttp
from connectors.salesforce.models import (
    CompositeAnswer,
    Limit,
    ObjectDescription,
    QueryPage,
    SubAnswer,
    UpsertAnswer,
)

MAX_PARTS = 25
"""Most parts of one composite request."""
MIN_BATCH = 200
"""Smallest batch of rows a query may ask for; a smaller page is asked for by LIMIT."""


@dataclass(frozen=True, slots=True)
class Part:
    """One request inside a composite; later parts may refer to `@{reference.id}`."""

    reference: str
    method: str
    path: str
    """Below the version, such as `sobjects/Account`."""
    body: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Upserted:
    """`id` is empty where an old API version answers an update without a body."""

    id: str
    created: bool
    request_id: str = ""


class SalesforceApi:
    """One org over one `VendorHttp`."""

    def __init__(self, http: VendorHttp, version: str, page_size: int) -> None:
        self.http = http
        self.version = version
        self._root = f"/services/data/{version}"
        self._query_headers = {"Sforce-Query-Options": f"batchSize={max(page_size, MIN_BATCH)}"}

    async def query(self, soql: str, *, operation: str) -> list[dict[str, Any]]:
        """All rows of a SOQL statement, however many pages the server makes of them."""
        return await self.rest_of(await self.first_page(soql, operation=operation), operation=operation)

    async def first_page(self, soql: str, *, operation: str) -> QueryPage:
        """The first page of a SOQL statement; the server decides how many rows it holds."""
        answer = await self.http.call(
            "GET",
            f"{self._root}/query",
            operation=operation,
            write=False,
            params={"q": soql},
            headers=self._query_headers,
        )
        return self._page(answer.body, operation)

    async def rest_of(self, page: QueryPage, *, operation: str) -> list[dict[str, Any]]:
        """The rows of `page` and of all pages behind it; a child sub-select pages the same way."""
        rows = list(page.records)
        while not page.done:
            if not page.next_path:
                raise self._drift(operation, "query", "nextRecordsUrl")
            answer = await self.http.call(
                "GET", page.next_path, operation=operation, write=False, headers=self._query_headers
            )
            page = self._page(answer.body, operation)
            rows += page.records
        return rows

    async def retrieve(
        self, thing: str, record_id: str, columns: Sequence[str], *, operation: str, missing_ok: bool = False
    ) -> Answer | None:
        """One row by id. None when it is gone and `missing_ok`; otherwise `NotFound`."""
        expect = (200, 404) if missing_ok else (200,)
        answer = await self.http.call(
            "GET",
            f"{self._root}/sobjects/{thing}/{quote(record_id, safe='')}",
            operation=operation,
            write=False,
            params={"fields": ",".join(columns)},
            expect=expect,
        )
        return None if answer.status == 404 else answer

    async def update(
        self, thing: str, record_id: str, values: Mapping[str, Any], *, operation: str
    ) -> Answer:
        """Change fields of one row (PATCH, 204)."""
        path = f"{self._root}/sobjects/{thing}/{quote(record_id, safe='')}"
        return await self.http.call("PATCH", path, operation=operation, write=True, json=values)

    async def upsert(
        self, thing: str, key_field: str, key: str, values: Mapping[str, Any], *, operation: str
    ) -> Upserted:
        """Create or change the one row whose external id `key_field` is `key`.

        201 and 200 carry the id; versions before v46 answer an update with 204 and no body. Raises
        `Conflict` when several rows answer (300).
        """
        answer = await self.http.call(
            "PATCH",
            f"{self._root}/sobjects/{thing}/{key_field}/{quote(key, safe='')}",
            operation=operation,
            write=True,
            json=values,
        )
        if answer.status == 204:
            return Upserted("", False, answer.request_id)
        body = read_as(
            UpsertAnswer,
            answer.body,
            system=self.http.system,
            thing=f"{thing} upsert",
            operation=operation,
            write=True,
            request_id=answer.request_id,
        )
        return Upserted(body.id, answer.status == 201, answer.request_id)

    async def composite(
        self, parts: Sequence[Part], *, operation: str, write: bool, all_or_none: bool = True
    ) -> list[SubAnswer]:
        """Several requests in one. With `all_or_none` the first real failure is raised; without it every
        part's answer is returned and `failure` tells what is wrong with one.
        """
        if not 0 < len(parts) <= MAX_PARTS:
            raise ValueError(f"a composite request takes 1 to {MAX_PARTS} parts, not {len(parts)}")
        body = {"allOrNone": all_or_none, "compositeRequest": [self._part(part) for part in parts]}
        answer = await self.http.call(
            "POST", f"{self._root}/composite", operation=operation, write=write, json=body
        )
        shape = read_as(
            CompositeAnswer,
            answer.body,
            system=self.http.system,
            thing="composite",
            operation=operation,
            write=write,
            request_id=answer.request_id,
        )
        if all_or_none and any(part.status not in OK for part in shape.parts):
            raise self._composite_error(shape.parts, operation, write, answer.request_id)
        return shape.parts

    async def describe(self, thing: str, *, operation: str) -> ObjectDescription:
        """Fields and picklists of an object as our user sees them."""
        path = f"{self._root}/sobjects/{thing}/describe"
        answer = await self.http.call("GET", path, operation=operation, write=False)
        return read_as(
            ObjectDescription,
            answer.body,
            system=self.http.system,
            thing=f"{thing} describe",
            operation=operation,
        )

    async def versions(self, *, operation: str) -> list[str]:
        """API versions of the org, such as `v66.0`; this call does not count against the allowance."""
        answer = await self.http.call("GET", "/services/data/", operation=operation, write=False)
        entries = answer.body if isinstance(answer.body, list) else []
        return [
            f"v{entry['version']}" for entry in entries if isinstance(entry, Mapping) and "version" in entry
        ]

    async def daily_requests(self, *, operation: str) -> Gauge:
        """How much of the org's rolling 24-hour allowance is used."""
        answer = await self.http.call("GET", f"{self._root}/limits", operation=operation, write=False)
        body = answer.body if isinstance(answer.body, Mapping) else {}
        limit = read_as(
            Limit,
            body.get("DailyApiRequests"),
            system=self.http.system,
            thing="limits.DailyApiRequests",
            operation=operation,
        )
        return Gauge("api requests of 24 h", limit.maximum - limit.remaining, limit.maximum)

    def _part(self, part: Part) -> dict[str, Any]:
        request = {"method": part.method, "url": f"{self._root}/{part.path}", "referenceId": part.reference}
        return request | ({} if part.body is None else {"body": part.body})

    def _composite_error(
        self, parts: Sequence[SubAnswer], operation: str, write: bool, request_id: str
    ) -> Exception:
        """One error from all failed parts: the table's order finds the cause behind `PROCESSING_HALTED`."""
        failed = [part for part in parts if part.status not in OK]
        problems = [
            entry for part in failed for entry in (part.body if isinstance(part.body, list) else [part.body])
        ]
        causes = [part.status for part in failed if "PROCESSING_HALTED" not in str(part.body)]
        status = causes[0] if causes else failed[0].status
        return self.http.error_of(Refusal(operation, status, problems, write, request_id=request_id))

    def _page(self, body: Any, operation: str) -> QueryPage:
        return read_as(QueryPage, body, system=self.http.system, thing="query", operation=operation)

    def _drift(self, operation: str, thing: str, field: str) -> Rejected:
        return Rejected(
            f"{self.http.system}: {operation}: the answer says that more follows but names no {field}",
            system=self.http.system,
            operation=operation,
            field=f"{thing}.{field}",
            rule="schema.missing_field",
        )


def read_limit_header(headers: Mapping[str, str]) -> Sequence[Gauge]:
    """Gauges of `Sforce-Limit-Info: api-usage=18/5000; per-app-api-usage=17/250(appName=x)`."""
    gauges = []
    for entry in headers.get("sforce-limit-info", "").split(";"):
        name, _, figures = entry.strip().partition("=")
        used, _, maximum = figures.partition("(")[0].partition("/")
        if used.isdigit() and maximum.isdigit():
            gauges.append(Gauge(name, int(used), int(maximum)))
    return gauges
