"""Records under our key: look up, upsert with read-back, and what they say as a canonical `Record`."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from connectors.errors import ConnectorError, Rejected
from connectors.http.landed import landed
from connectors.http.shapes import Shape, read_as
from connectors.http.transport import Answer
from connectors.netsuite.api import RECORDS, NetSuiteApi
from connectors.netsuite.mapping import sublists_of
from domain.commands import Record
from domain.identity import short_key

MakeRecord = Callable[[Answer], Record]
MakeRecordLater = Callable[[Answer], Awaitable[Record]]
"""For records whose fields need a look-up of names, such as the code of a currency."""


class KeyedRecords:
    """What records of all types have in common. The external id is the key's short form."""

    def __init__(self, api: NetSuiteApi) -> None:
        self.api = api

    @property
    def system(self) -> str:
        return self.api.http.system

    async def look_up(self, record_type: str, address: str, operation: str) -> Answer | None:
        """The record at an id or `eid:<external id>`; None when there is none."""
        answer = await self.api.get(record_type, address, operation=operation, missing_ok=True)
        return None if answer.status == 404 else answer

    async def look_up_key(self, record_type: str, key: str, operation: str) -> Answer | None:
        """The record created under an effect key."""
        return await self.look_up(record_type, address_of(key), operation)

    async def put(
        self, record_type: str, key: str, body: Mapping[str, Any], operation: str, make: MakeRecord
    ) -> Record:
        """Upsert under the key, then read back: the answer to a PUT is empty."""
        await self.upsert(record_type, key, body, operation)
        with landed(f"{self.system}: {operation}"):
            return make(await self.api.get(record_type, address_of(key), operation=operation))

    async def upsert(self, record_type: str, key: str, body: Mapping[str, Any], operation: str) -> None:
        """Create or change the record under the key; its sublists are those of `body`."""
        replace = sublists_of(body)
        await self.api.upsert(record_type, short_key(key), body, operation=operation, replace=replace)

    async def transform(
        self, source: str, source_id: str, target: str, key: str, body: Mapping[str, Any], operation: str
    ) -> None:
        """Make a `target` of a record, under the key."""
        await self.api.transform(
            source,
            source_id,
            target,
            {"externalId": short_key(key), **body},
            operation=operation,
            replace=sublists_of(body),
        )

    async def read_back(
        self, record_type: str, address: str, operation: str, make: MakeRecordLater
    ) -> Record:
        """The record after an accepted write: a failure to read it is `Ambiguous`."""
        with landed(f"{self.system}: {operation}"):
            return await make(await self.api.get(record_type, address, operation=operation))

    def read(self, model: type[Shape], answer: Answer, record_type: str, operation: str) -> Shape:
        """The body as `model`. Raises `Rejected` naming a missing or changed field."""
        return read_as(
            model,
            answer.body,
            system=self.system,
            thing=record_type,
            operation=operation,
            request_id=answer.request_id,
        )

    def record(
        self, record_type: str, record_id: str, fields: dict[str, str], answer: Answer, number: str = ""
    ) -> Record:
        """The canonical record; its URL is the record's address in the API."""
        return Record(
            external_id=record_id,
            number=number,
            fields=fields,
            request_id=answer.request_id,
            url=self.api.http.url_of(f"{RECORDS}/{record_type}/{record_id}"),
        )

    def error(
        self, kind: type[ConnectorError], operation: str, words: str, *, field: str = "", rule: str = ""
    ) -> ConnectorError:
        """An error of our own finding."""
        text = f"{self.system}: {operation}: {words}"
        return kind(text, system=self.system, operation=operation, field=field, rule=rule)

    def rejected(self, operation: str, words: str, *, field: str, rule: str) -> ConnectorError:
        """A `Rejected` of our own finding."""
        return self.error(Rejected, operation, words, field=field, rule=rule)


def address_of(key: str) -> str:
    """Where the record of an effect key is found."""
    return f"eid:{short_key(key)}"
