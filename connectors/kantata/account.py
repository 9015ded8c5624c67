"""Calls to one Kantata account in its own terms: list, show, create, update; rows come back as models."""

from collections.abc import AsyncIterator, Mapping
from typing import Any, TypeVar

from connectors.errors import Ambiguous, ConnectorError, NotFound, Rejected
from connectors.http.paging import OffsetPages, PageRequest, walk
from connectors.http.shapes import read_as
from connectors.http.transport import Answer, VendorHttp
from connectors.kantata.envelope import NotAnEnvelope, rows
from connectors.kantata.models import ExternalReference, Row
from connectors.kantata.settings import KantataSettings

Model = TypeVar("Model", bound=Row)
OVERLAP = 20
"""Rows read again on each further page, so that rows removed meanwhile hide none."""


class Account:
    """The HTTP side; nothing here knows commands."""

    def __init__(self, http: VendorHttp, settings: KantataSettings) -> None:
        self.http = http
        self.settings = settings
        self.system = http.system

    async def search(
        self, model: type[Model], collection: str, params: Mapping[str, str | int], *, operation: str
    ) -> list[Model]:
        """All rows of a list, over all its pages, each once."""
        rows = self.iterate(model, collection, params, operation=operation)
        return [row async for row in rows]

    async def iterate(
        self, model: type[Model], collection: str, params: Mapping[str, str | int], *, operation: str
    ) -> AsyncIterator[Model]:
        """The rows of a list one by one; a page is only fetched when its rows are taken."""

        def items(body: Any) -> list[dict[str, Any]]:
            return self._rows(body, collection, operation, write=False)

        rows = walk(
            self.http,
            PageRequest(f"/{collection}", params),
            OffsetPages(size=self.settings.page_size, overlap=OVERLAP),
            operation=operation,
            items=items,
            identity=lambda row: row.get("id"),
        )
        async for row in rows:
            yield self._model(model, collection, row, operation)

    async def page(
        self, collection: str, params: Mapping[str, str | int], *, operation: str
    ) -> list[dict[str, Any]]:
        """One page of a list as it came, side-loads in place."""
        answer = await self.http.call(
            "GET", f"/{collection}", operation=operation, write=False, params=params
        )
        return self._rows(answer.body, collection, operation, write=False)

    def read_row(self, model: type[Model], collection: str, row: dict[str, Any], operation: str) -> Model:
        """A row of `page` as a model. Raises `Rejected` for drift."""
        return self._model(model, collection, row, operation)

    async def show(
        self, model: type[Model], collection: str, id: str, *, include: str = "", operation: str
    ) -> Model:
        """One record. Raises `NotFound`. Archived projects are shown too."""
        params: dict[str, str] = {"include": include} if include else {}
        if collection == "workspaces":
            params["include_archived"] = "true"
        path = f"/{collection}/{self.record_id(id, collection, operation)}"
        answer = await self.http.call("GET", path, operation=operation, write=False, params=params)
        found = self._models(model, collection, answer, operation, write=False)
        if not found:
            raise NotFound(
                f"{self.system}: {operation}: {collection} {id} is not in the answer",
                system=self.system,
                operation=operation,
            )
        return found[0]

    async def write(
        self,
        model: type[Model],
        method: str,
        path: str,
        body: Mapping[str, Any],
        *,
        key: str,
        include: str = "",
        operation: str,
    ) -> tuple[list[Model], str]:
        """One write; the records it answers with, and the request id.

        The effect key also travels as `X-Correlation-Id`: the vendor ignores it, proxies and logs show it.
        """
        answer = await self.http.call(
            method,
            path,
            operation=operation,
            write=True,
            params={"include": include} if include else None,
            json=body,
            headers={"X-Correlation-Id": key},
        )
        collection = path.strip("/").split("/")[0]
        found = self._models(model, collection, answer, operation, write=True)
        if not found:
            words = "the write was accepted, but the answer holds no record"
            raise self.error(Ambiguous, operation, words, field="results", rule="schema.missing_field")
        return found, answer.request_id

    def reference(
        self,
        row: Row,
        service_name: str,
        operation: str,
        unshown: type[ConnectorError] = Rejected,
    ) -> ExternalReference | None:
        """A record's reference of one service. Raises `unshown` when the answer does not show references.

        Without that a look-up would take "not shown" for "not there", and a second record would be made.
        """
        if row.external_references is None:
            words = f"the answer does not show the external references of record {row.id}"
            raise self.error(
                unshown, operation, words, field="external_reference_ids", rule="schema.missing_field"
            )
        return next((ref for ref in row.external_references if ref.service_name == service_name), None)

    def record_id(self, id: str, thing: str, operation: str) -> int:
        """A record's id as request bodies and paths need it. Raises `Rejected` for what is no number."""
        if not (id.isascii() and id.isdigit()):
            raise self.error(Rejected, operation, f"{id!r} is not a Kantata id of {thing} (a whole number)")
        return int(id)

    def error(self, kind: type[ConnectorError], operation: str, words: str, **facts: str) -> ConnectorError:
        """An error of this account that its answers do not carry themselves."""
        message = f"{self.system}: {operation}: {words}"
        return kind(
            message,
            system=self.system,
            operation=operation,
            field=facts.get("field", ""),
            rule=facts.get("rule", ""),
            request_id=facts.get("request_id", ""),
        )

    def read(self, model: type[Model], collection: str, answer: Answer, operation: str) -> list[Model]:
        """The records of a read's answer."""
        return self._models(model, collection, answer, operation, write=False)

    def _models(
        self, model: type[Model], collection: str, answer: Answer, operation: str, *, write: bool
    ) -> list[Model]:
        found = self._rows(answer.body, collection, operation, write=write)
        return [self._model(model, collection, row, operation, write, answer.request_id) for row in found]

    def _rows(self, body: Any, collection: str, operation: str, *, write: bool) -> list[dict[str, Any]]:
        try:
            return rows(body, collection)
        except NotAnEnvelope as missing:
            kind = Ambiguous if write else Rejected
            words = f"the answer is not as documented: {missing} is missing"
            raise self.error(
                kind, operation, words, field=str(missing), rule="schema.missing_field"
            ) from None

    def _model(
        self,
        model: type[Model],
        collection: str,
        row: dict[str, Any],
        operation: str,
        write: bool = False,
        request_id: str = "",
    ) -> Model:
        return read_as(
            model,
            row,
            system=self.system,
            thing=collection,
            operation=operation,
            write=write,
            request_id=request_id,
        )
