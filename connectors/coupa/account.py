"""Calls to one Coupa instance in its own terms: list, show, write; rows come back as models.

Lists are read by keyset (`order_by=id`, `id[gt]`), never by a growing offset: rows leave a list while it is
read (an order is marked as exported, a status changes), and an offset would pass over those behind them.

Source: Coupa Core API, querying options (`limit` at most 50, `order_by`, `dir`, `fields`, operators).
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from pydantic import BaseModel

from connectors.coupa.mapping import Refused
from connectors.coupa.models import Fields, Placed, fields
from connectors.coupa.settings import CoupaSettings
from connectors.coupa.token import SettlingCredentials
from connectors.errors import Ambiguous, ConnectorError, Rejected, Transient, Unauthenticated
from connectors.http.shapes import read_as
from connectors.http.transport import Answer, VendorHttp

Model = TypeVar("Model", bound=BaseModel)
Params = Mapping[str, str | int]
# Both are wanted, also without a body: they must match, or the answer is XML.
_ORDER: Params = {"order_by": "id", "dir": "asc"}
_HEADERS = {"Accept": "application/json", "Content-Type": "application/json"}


class Account:
    """The HTTP side; nothing here knows commands."""

    def __init__(self, http: VendorHttp, auth: SettlingCredentials, settings: CoupaSettings) -> None:
        self.http = http
        self.settings = settings
        self.system = http.system
        self._auth = auth

    async def page(
        self, resource: str, params: Params, shape: Fields, *, operation: str
    ) -> list[dict[str, Any]]:
        """One page of a list as it came, ascending by id."""
        answer = await self._get(f"/api/{resource}", {**params, **_ORDER}, shape, operation)
        return self._rows(answer.body, resource, operation)

    async def search(
        self, model: type[Model], resource: str, params: Params, shape: Fields, *, operation: str
    ) -> list[Model]:
        """All rows of a list, over all its pages, each once."""
        found: list[Model] = []
        after = 0
        while True:
            size = self.settings.page_size
            rows = await self.page(resource, {**params, **bound(after, size)}, shape, operation=operation)
            found += [self.read(model, resource, row, operation) for row in rows]
            if len(rows) < size:
                return found
            after = self.advanced(after, rows, resource, operation)

    def advanced(self, after: int, rows: Sequence[Mapping[str, Any]], resource: str, operation: str) -> int:
        """Id of the last of `rows`, behind which the next page begins. Raises `Rejected` when it is stuck."""
        last = self.read(Placed, resource, rows[-1], operation).id
        if last <= after:
            words = f"the pages of {resource} do not advance (at id {last}); does the filter id[gt] work?"
            raise self.error(Rejected, operation, words, field="id", rule="paging.stuck")
        return last

    async def show(
        self, model: type[Model], resource: str, id: str, shape: Fields, *, operation: str
    ) -> Model:
        """One record. Raises `NotFound`."""
        path = f"/api/{resource}/{self.record_id(id, resource, operation)}"
        answer = await self._get(path, {}, shape, operation)
        return self.read(model, resource, answer.body, operation)

    async def write(
        self,
        model: type[Model],
        method: str,
        path: str,
        body: Mapping[str, Any],
        shape: Fields,
        *,
        operation: str,
    ) -> tuple[Model, str]:
        """One write; the record it answers with, and the request id."""
        answer = await self.call(
            method,
            f"/api/{path}",
            operation=operation,
            write=True,
            params={"fields": fields(shape)},
            json=body,
            headers=_HEADERS,
        )
        resource = path.split("/")[0]
        made = read_as(
            model,
            answer.body,
            system=self.system,
            thing=resource,
            operation=operation,
            write=True,
            request_id=answer.request_id,
        )
        return made, answer.request_id

    async def call(self, method: str, path: str, *, operation: str, **parts: Any) -> Answer:
        """`VendorHttp.call`, aware of tokens that are too new. Raises `Transient` for one of these."""
        try:
            answer = await self.http.call(method, path, operation=operation, **parts)
        except Unauthenticated as refused:
            left = self._auth.settles_in()
            if refused.status == 401 and left and refused.operation == operation:
                words = f"Coupa does not take its new token yet; it should in {left} s"
                raise self.error(Transient, operation, words, retry_after=left) from None
            raise
        self._auth.worked()
        return answer

    def read(self, model: type[Model], resource: str, row: Any, operation: str) -> Model:
        """A row as a model. Raises `Rejected` for drift."""
        return read_as(model, row, system=self.system, thing=resource, operation=operation)

    def link(self, path: str) -> str:
        """Address of a record's screen."""
        return f"{(self.settings.app_url or self.settings.base_url).rstrip('/')}/{path}"

    def record_id(self, id: str, thing: str, operation: str) -> int:
        """A record's id as paths need it. Raises `Rejected` for what is no number."""
        if not (id.isascii() and id.isdigit()):
            raise self.error(Rejected, operation, f"{id!r} is not a Coupa id of {thing} (a whole number)")
        return int(id)

    @contextmanager
    def taking(self, operation: str, thing: str, *, written: bool = False) -> Iterator[None]:
        """Around the mapping of a record: what it refuses becomes `Rejected`, after a write `Ambiguous`."""
        try:
            yield
        except Refused as refused:
            kind = Ambiguous if written else Rejected
            words = f"{thing} cannot be taken: {refused.problem}"
            raise self.error(kind, operation, words, field=refused.field, rule=f"{thing}.refused") from None

    def error(
        self,
        kind: type[ConnectorError],
        operation: str,
        words: str,
        *,
        field: str = "",
        rule: str = "",
        retry_after: float | None = None,
    ) -> ConnectorError:
        """An error of this instance that its answers do not carry themselves."""
        message = f"{self.system}: {operation}: {words}"
        return kind(
            message,
            system=self.system,
            operation=operation,
            field=field,
            rule=rule,
            retry_after=retry_after,
        )

    async def _get(self, path: str, params: Params, shape: Fields, operation: str) -> Answer:
        asked = {**params, "fields": fields(shape)}
        return await self.call("GET", path, operation=operation, write=False, params=asked, headers=_HEADERS)

    def _rows(self, body: Any, resource: str, operation: str) -> list[dict[str, Any]]:
        if isinstance(body, list) and all(isinstance(row, dict) for row in body):
            return body
        words = f"the answer is not as documented: {resource} is not a list of objects"
        raise self.error(Rejected, operation, words, field=resource, rule="schema.changed_field")


def bound(after: int, size: int) -> Params:
    """Parameters of the page of `size` rows behind the row `after`; 0 for the first."""
    return {"limit": size, **({"id[gt]": after} if after else {})}
