"""Tryton's calls (JSON-RPC of series 8.0): search, read, create, write, delete, buttons, wizards.

Vendor words in, vendor words out; what they mean for Fairlead is the client's business. One call is one
transaction of Tryton. The last parameter of each is the context, which names the company.
"""

import itertools
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from connectors.errors import Ambiguous, ConnectorError, Rejected
from connectors.http.resolution import Refusal
from connectors.http.transport import VendorHttp
from connectors.tryton.values import decoded, encoded

Domain = list[Any]
Context = Mapping[str, Any]
NOTHING: Context = {}


def path_of(database: str) -> str:
    """Where the calls of a database are sent."""
    return f"/{database}/rpc/"


class TrytonApi:
    """One database over one `VendorHttp`."""

    def __init__(self, http: VendorHttp, database: str, page_size: int = 500) -> None:
        self.http = http
        self.database = database
        self._path = path_of(database)
        self._page_size = page_size
        self._numbers = itertools.count(1)

    @property
    def system(self) -> str:
        return self.http.system

    async def call(
        self, method: str, *params: Any, operation: str, write: bool, context: Context = NOTHING
    ) -> Any:
        """The decoded result. Sent are exactly `id`, `method`, `params`: others change the answer's form."""
        given = [encoded(each) for each in (*params, {"language": "en", **context})]
        body = {"id": next(self._numbers), "method": method, "params": given}
        answer = await self.http.call("POST", self._path, operation=operation, write=write, json=body)
        said = answer.body
        if isinstance(said, Mapping) and "error" in said:
            raise self.http.error_of(Refusal(operation, answer.status, said, write, answer.headers))
        if not isinstance(said, Mapping) or "result" not in said:
            raise (Ambiguous if write else Rejected)(
                f"{self.system}: {operation}: the answer is not as documented: result is missing",
                system=self.system,
                operation=operation,
                field="result",
                rule="schema.missing_field",
            )
        return decoded(said["result"])

    # ---- records

    async def rows(
        self,
        model: str,
        domain: Domain,
        fields: Sequence[str],
        *,
        operation: str,
        context: Context = NOTHING,
    ) -> list[dict[str, Any]]:
        """All records of a domain, by id, page by page: by offset, a row that moves comes twice or never."""
        found: list[dict[str, Any]] = []
        last = 0
        while True:
            page = await self.call(
                f"model.{model}.search_read",
                [*domain, ["id", ">", last]],
                *(0, self._page_size, [["id", "ASC"]], list(fields)),
                operation=operation,
                write=False,
                context=context,
            )
            found += page
            if len(page) < self._page_size:
                return found
            last = int(page[-1]["id"])

    async def create(
        self, model: str, records: Sequence[Mapping[str, Any]], *, operation: str, context: Context = NOTHING
    ) -> list[int]:
        """Ids of new records, in order: all of them or none."""
        method = f"model.{model}.create"
        made = await self.call(method, list(records), operation=operation, write=True, context=context)
        return [int(each) for each in made]

    async def write(
        self,
        model: str,
        ids: Sequence[int],
        values: Mapping[str, Any],
        *,
        operation: str,
        context: Context = NOTHING,
    ) -> None:
        """Change fields of records."""
        method = f"model.{model}.write"
        await self.call(method, list(ids), dict(values), operation=operation, write=True, context=context)

    async def delete(self, model: str, ids: Sequence[int], *, operation: str) -> None:
        """Remove records, all or none. Raises `NotFound` when one is gone already."""
        await self.call(f"model.{model}.delete", list(ids), operation=operation, write=True)

    async def press(
        self, model: str, button: str, ids: Sequence[int], *, operation: str, context: Context = NOTHING
    ) -> None:
        """A button of a form. Pressed again it is refused: read the state before and after."""
        method = f"model.{model}.{button}"
        await self.call(method, list(ids), operation=operation, write=True, context=context)

    async def wizard(
        self, name: str, state: str, forms: Mapping[str, Any], record: tuple[str, int], *, operation: str
    ) -> Any:
        """Take a wizard to `state` with `forms` filled in, for one record; what that state answers.

        Only the step into `state` writes. A session of a wizard that is left behind is swept by Tryton.
        """
        model, record_id = record
        context = {"active_model": model, "active_id": record_id, "active_ids": [record_id]}
        method = f"wizard.{name}"
        session, *_ = await self.call(f"{method}.create", operation=operation, write=False, context=context)
        try:
            return await self.call(
                *(f"{method}.execute", session, dict(forms), state),
                operation=operation,
                write=True,
                context=context,
            )
        finally:
            with suppress(ConnectorError):
                await self.call(
                    f"{method}.delete", session, operation=operation, write=False, context=context
                )
