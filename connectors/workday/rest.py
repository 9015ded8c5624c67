"""Calls of Workday's REST services in their own terms: list, show, write; rows come back as models.

Pages are asked for by `limit` (100 at most) and `offset`; the answer is `{"data": [...], "total": n}`.
Whether more follows is told by `total`, since a server may give fewer rows than asked for. Rows that are
removed while one pages draw the others forward: each page begins with the last rows of the one before.

Source: Workday REST API, collections and errors.
"""

import re
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from connectors.errors import ConnectorError, Rejected
from connectors.http.paging import PageRequest, walk
from connectors.http.shapes import VendorShape, read_as
from connectors.http.transport import Answer, VendorHttp
from connectors.workday.settings import Service, WorkdaySettings

Model = TypeVar("Model", bound=VendorShape)
WORKDAY_ID = re.compile(r"[0-9a-f]{32}")
OVERLAP = 10
"""Rows read again on each further page, so that rows removed meanwhile hide none."""


@dataclass(frozen=True, slots=True)
class TotalPages:
    """Pages by offset until `total` rows have been seen."""

    size: int
    overlap: int = OVERLAP

    def first(self, request: PageRequest) -> PageRequest:
        return request.with_params(limit=self.size, offset=0)

    def following(self, request: PageRequest, body: Any, rows: Sequence[Any]) -> PageRequest | None:
        offset, total = int(request.params["offset"]), body.get("total")
        reached = offset + len(rows)
        more = reached < total if isinstance(total, int) else len(rows) >= self.size
        if not rows or not more:
            return None
        # A page shorter than the overlap must still get ahead.
        return request.with_params(offset=max(reached - self.overlap, offset + 1))


class Rest:
    """The REST services of one tenant."""

    def __init__(self, http: VendorHttp, settings: WorkdaySettings) -> None:
        self.http = http
        self.settings = settings
        self.system = http.system

    def path(self, service: Service, resource: str) -> str:
        """Path of a resource of a service in the version the settings name."""
        version, tenant = self.settings.services[service], self.settings.tenant
        return f"/ccx/api/{service}/{version}/{tenant}/{resource.strip('/')}"

    async def rows(
        self,
        service: Service,
        resource: str,
        params: Mapping[str, str | int],
        *,
        identity: Callable[[Any], Hashable],
        operation: str,
    ) -> list[dict[str, Any]]:
        """All rows of a list as they came, over all pages, once per `identity`."""

        def items(body: Any) -> Sequence[Any]:
            return self._data(body, resource, operation)

        pages = TotalPages(self.settings.page_size)
        request = PageRequest(self.path(service, resource), params)
        return [
            row
            async for row in walk(
                self.http, request, pages, operation=operation, items=items, identity=identity
            )
        ]

    async def first_rows(
        self, service: Service, resource: str, limit: int, operation: str, **params: str
    ) -> tuple[list[dict[str, Any]], int]:
        """The first rows of a list, and how many there are in all."""
        answer = await self.http.call(
            "GET",
            self.path(service, resource),
            operation=operation,
            write=False,
            params={"limit": limit, "offset": 0, **params},
        )
        rows = self._data(answer.body, resource, operation)
        total = answer.body.get("total")
        return rows, total if isinstance(total, int) else len(rows)

    def workday_id(self, id: str, thing: str, operation: str) -> str:
        """`id` as it may stand in a path. Raises `Rejected` for what is no Workday id."""
        if not WORKDAY_ID.fullmatch(id):
            words = f"{id!r} is not the Workday id of a {thing} (32 hexadecimal digits)"
            raise self.error(Rejected, operation, words, field=thing, rule="id.malformed")
        return id

    async def show(self, service: Service, resource: str, operation: str) -> Answer:
        """One record. Raises `NotFound`."""
        return await self.http.call("GET", self.path(service, resource), operation=operation, write=False)

    async def write(
        self, method: str, service: Service, resource: str, body: Mapping[str, Any], operation: str
    ) -> Answer:
        """One write. Raises `Rejected` for a 2xx answer that carries validations: nothing was kept then."""
        answer = await self.http.call(
            method, self.path(service, resource), operation=operation, write=True, json=body
        )
        problems = list(_validations(answer.body))
        if problems:
            words = f"Workday's process did not accept it: {'; '.join(problems)}"
            raise self.error(Rejected, operation, words, rule="vendor.business_process")
        return answer

    def read(self, model: type[Model], row: Any, thing: str, operation: str, *, write: bool = False) -> Model:
        """A row as a model. Raises `Rejected` for drift, `Ambiguous` after a write."""
        return read_as(model, row, system=self.system, thing=thing, operation=operation, write=write)

    def error(
        self, kind: type[ConnectorError], operation: str, words: str, field: str = "", rule: str = ""
    ) -> ConnectorError:
        """An error of this tenant that its answers do not carry themselves."""
        message = f"{self.system}: {operation}: {words}"
        return kind(message, system=self.system, operation=operation, field=field, rule=rule)

    def _data(self, body: Any, resource: str, operation: str) -> list[dict[str, Any]]:
        data = body.get("data") if isinstance(body, Mapping) else None
        if not isinstance(data, list):
            thing = resource.rpartition("/")[2]
            words = f"the answer is not as documented: {thing} has no data"
            raise self.error(Rejected, operation, words, field=f"{thing}.data", rule="schema.missing_field")
        return data


def _validations(body: Any) -> Sequence[str]:
    """What a business process objected to: `businessEventRecords[].businessEventValidation[]`."""
    records = body.get("businessEventRecords") if isinstance(body, Mapping) else None
    found = []
    for record in records if isinstance(records, list) else ():
        for problem in record.get("businessEventValidation") or ():
            found.append(str(problem.get("descriptor") or problem.get("conditionRule") or problem))
    return found
