"""Salesforce in the role of CRM: reads signed deals, tells what has become of them."""

import heapq
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import httpx

from connectors.errors import NotFound
from connectors.http.assertion import Signer
from connectors.http.auth import Auth, ClientCredentials, JwtBearer, utc_now
from connectors.http.shapes import read_as
from connectors.http.transport import VendorHttp
from connectors.ports import Check
from connectors.salesforce import mapping, soql
from connectors.salesforce.api import SalesforceApi, read_limit_header
from connectors.salesforce.check import inspect
from connectors.salesforce.errors import table
from connectors.salesforce.marks import Marks
from connectors.salesforce.models import LineRow, OpportunityRow, require
from connectors.salesforce.settings import SalesforceSettings
from domain.commands import Command, Record
from domain.selling import Deal, DealSummary


class SalesforceClient:
    """`CrmPort` over the Salesforce REST API. What it writes is in marks.py."""

    def __init__(self, name: str, settings: SalesforceSettings, api: SalesforceApi) -> None:
        self._name = name
        self._settings = settings
        self.api = api
        self._marks = Marks(name, settings, api)

    @property
    def system(self) -> str:
        return self._name

    # ---- deals

    async def read_deal(self, deal_id: str) -> Deal:
        """The deal with customer, contract and lines, in one call (more only for very many lines).

        Raises `NotFound` for an id that is unknown or has not the form of a record id.
        """
        operation = f"read deal {deal_id}"
        if not soql.is_id(deal_id):
            raise NotFound(
                f"{self._name}: {operation}: a record id has 15 or 18 letters and digits",
                system=self._name,
                operation=operation,
                code="MALFORMED_ID",
            )
        found = await self.api.query(soql.deal(self._settings.fields, deal_id), operation=operation)
        if not found:
            raise NotFound(
                f"{self._name}: {operation}: no opportunity has this id, or our user may not see it",
                system=self._name,
                operation=operation,
            )
        row = self._opportunity(found[0], soql.deal_columns(self._settings.fields), operation)
        return mapping.to_deal(self._name, self._settings, row, await self._lines(row, operation))

    async def signed_deals(self, since: datetime | None, limit: int = 200) -> Sequence[DealSummary]:
        """Signed deals changed at or after `since`, oldest change first, at most `limit`.

        A change of the contract or the account counts too: a contract is often signed after the deal was
        won. The whole window is read before it is cut, so that none with an older change is passed over.
        """
        # A deal that changed while we read comes twice: the later row is its newest state.
        latest = {summary.external_id: summary async for summary in self._signed(since)}
        return heapq.nsmallest(limit, latest.values(), key=lambda deal: (deal.version, deal.external_id))

    # ---- writes

    async def find(self, command: Command, key: str) -> Record | None:
        """The mark that landed under `key`, as the opportunity shows it now; None when it did not."""
        return await self._marks.find(self._marks.known(command), key)

    async def apply(self, command: Command, key: str) -> Record:
        """Write the mark with its key in one PATCH, and read both back.

        Raises `NotFound` for an unknown deal, `Ambiguous` when the read-back does not show our key.
        """
        return await self._marks.apply(self._marks.known(command), key)

    # ---- self-check

    async def check(self) -> Sequence[Check]:
        """Reach, sign in, allowance left, and every configured field and value by describe."""
        return await inspect(self.api, self._settings)

    async def aclose(self) -> None:
        await self.api.http.aclose()

    # ---- inside

    def _opportunity(
        self, row: Mapping[str, Any], columns: Mapping[str, Sequence[str]], operation: str
    ) -> OpportunityRow:
        """A deal's row, after making sure that every column asked for came back."""
        for thing, names in columns.items():
            part = row if thing == "Opportunity" else row.get(thing)
            require(part, names, thing=thing, system=self._name, operation=operation)
        return read_as(OpportunityRow, row, system=self._name, thing="Opportunity", operation=operation)

    async def _lines(self, row: OpportunityRow, operation: str) -> list[LineRow]:
        if row.lines is None:
            return []
        columns = soql.columns(self._settings.fields, "lines", soql.LINE)
        lines = []
        for line in await self.api.rest_of(row.lines, operation=operation):
            require(line, columns, thing="OpportunityLineItem", system=self._name, operation=operation)
            lines.append(
                read_as(LineRow, line, system=self._name, thing="OpportunityLineItem", operation=operation)
            )
        return lines

    async def _signed(self, since: datetime | None) -> AsyncIterator[DealSummary]:
        """Keyset paging on (SystemModstamp, Id): a row that changes while we read comes again behind us.

        The server's own cursor is left alone, so that however it cuts its pages no row is skipped.
        """
        operation, size = "list signed deals", self._settings.page_size
        columns = soql.summary_columns(self._settings.fields)
        after: tuple[datetime, str] | None = None
        while True:
            statement = soql.signed_deals(self._settings.fields, since, after, size)
            page = await self.api.first_page(statement, operation=operation)
            for data in page.records:
                row = self._opportunity(data, columns, operation)
                after = (row.changed_at, row.id)
                yield mapping.to_summary(self._settings, row)
            if not page.records or (page.done and len(page.records) < size):
                return


def build(
    name: str,
    settings: SalesforceSettings,
    transport: httpx.AsyncBaseTransport | None = None,
    clock: Callable[[], datetime] = utc_now,
) -> SalesforceClient:
    """The client of one org. Raises `ValueError` for settings that cannot work (address, key)."""
    http = VendorHttp(
        system=name,
        base_url=settings.base_url,
        auth=_auth(settings, clock),
        table=table(name),
        timeout=settings.timeout_seconds,
        transport=transport,
        # Names us in the org's change events, so that our own echoes can be told apart.
        headers={"Sforce-Call-Options": "client=Fairlead"},
        in_flight=settings.in_flight,
        request_id_headers=("sforce-request-id", "x-request-id", "x-sfdc-request-id"),
        read_gauges=read_limit_header,
        clock=clock,
    )
    return SalesforceClient(name, settings, SalesforceApi(http, settings.api_version, settings.page_size))


def _auth(settings: SalesforceSettings, clock: Callable[[], datetime]) -> Auth:
    if settings.auth == "client_credentials":
        return ClientCredentials(
            token_url=settings.token_url,
            client_id=settings.client_id,
            client_secret=settings.client_secret,
            basic=settings.basic,
            clock=clock,
        )
    return JwtBearer(
        token_url=settings.token_url,
        client_id=settings.client_id,
        username=settings.username,
        audience=settings.audience,
        signer=Signer(settings.private_key, "RS256"),
        clock=clock,
    )
