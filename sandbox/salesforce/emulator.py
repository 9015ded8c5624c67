"""The Salesforce platform API of one org: routes, and how this system behaves under faults.

Source: Salesforce REST API developer guide, API versions 60.0 to 68.0. Effects: the effect key of a write is
`Fairlead_Key__c` or `Fairlead_Billing_Key__c` in its body (or in the URL of an upsert by it).
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sandbox.core.call import Answer, Call, Refused
from sandbox.core.emulator import Context, Emulator, Route
from sandbox.core.records import Index, Record, RecordStore
from sandbox.core.routing import Router
from sandbox.salesforce import describe, rows, seed
from sandbox.salesforce.collections import Collections
from sandbox.salesforce.composite import Composite
from sandbox.salesforce.crud import Crud
from sandbox.salesforce.errors import SalesforceErrors, not_found
from sandbox.salesforce.login import INTEGRATION_USER_ID, Login
from sandbox.salesforce.objects import ORG
from sandbox.salesforce.query import Queries
from sandbox.salesforce.representation import whole
from sandbox.salesforce.signed import SignedDeals
from sandbox.seed.firm import Firm

VERSIONS = frozenset(f"v{n}.0" for n in range(describe.FIRST_VERSION, describe.LAST_VERSION + 1))
BASE = "/services/data/{version}"


class SalesforceEmulator(Emulator):
    """One org with one connected app and one integration user."""

    name = "salesforce"
    errors = SalesforceErrors()
    unknown_field = "Surprise__c"
    missing_fields = ("StageName", "Billing_Method__c", "Status", "Name")
    enum_fields = ("StageName", "Billing_Method__c", "Status", "Type")

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._used = 0
        self._signed = SignedDeals(self.store, self.webhooks)
        self._login = Login(self.settings, self.tokens)
        self._crud = Crud(self.store, self._signed)
        self._queries = Queries(self.store)
        self._collections = Collections(self.store, self._crud)
        self._composite = Composite(self.store, lambda: self._inner)
        for kind in ORG.objects.values():
            self.store.define(kind.name, *_indexes(kind.name))
        self._routes = self._all_routes()
        self._inner = Router(self._routes)

    def routes(self) -> list[Route]:
        """Every resource of the API."""
        return self._routes

    def writes(self, call: Call, route: Route) -> bool:
        """A composite of GETs only reads."""
        if route.pattern == f"{BASE}/composite":
            return not self._composite.only_reads(call)
        return super().writes(call, route)

    def authenticate(self, call: Call) -> None:
        """A session id as bearer token (or `OAuth`, as older clients send it), within the daily limit."""
        scheme, _, token = call.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "oauth":
            headers = call.headers.mutablecopy()
            headers["authorization"] = f"Bearer {token}"
            call.headers = headers
        super().authenticate(call)
        if self._used >= self.settings.salesforce_daily_requests:
            raise Refused(self.errors.throttle())

    def finish(self, call: Call, answer: Answer) -> None:
        """The usage gauge on every answer of the data API."""
        if call.path.startswith("/services/data/v"):
            self._used += 1
            most = self.settings.salesforce_daily_requests
            answer.headers["Sforce-Limit-Info"] = f"api-usage={self._used}/{most}"

    def records_in(self, body: Any) -> Iterator[dict[str, Any]]:
        """Records anywhere in an answer: alone, in pages, in child queries, in composite answers."""
        if isinstance(body, list):
            for part in body:
                yield from self.records_in(part)
        elif isinstance(body, dict):
            if "attributes" in body:
                yield body
            for part in body.values():
                if isinstance(part, dict | list):
                    yield from self.records_in(part)

    def seed(self, plan: Firm, store: RecordStore) -> None:
        """Accounts, contracts, opportunities and lines of the firm."""
        seed.seed(plan, store, self.settings)

    def add(self, object_name: str, fields: Mapping[str, Any]) -> Record:
        """A person creates a record."""
        return self._crud.put_new(rows.sobject(object_name), fields, INTEGRATION_USER_ID)

    def edit(self, object_name: str, record_id: str, fields: Mapping[str, Any]) -> Record:
        """A person edits a record; signing a deal this way sends the event."""
        kind = rows.sobject(object_name)
        return self._crud.change(kind, rows.existing(self.store, kind, record_id), dict(fields))

    def shown(self, record: Record) -> dict[str, Any]:
        """The record as the API shows it."""
        return whole(record, f"v{describe.LAST_VERSION}.0")

    def limits(self, call: Call) -> Answer:
        """`GET /limits`."""
        most = self.settings.salesforce_daily_requests
        daily = {"Max": most, "Remaining": max(0, most - self._used)}
        return Answer(
            200, {"DailyApiRequests": daily, "DailyBulkV2QueryJobs": {"Max": 10000, "Remaining": 10000}}
        )

    def _all_routes(self) -> list[Route]:
        crud, rows_of, queries = self._crud, self._collections, self._queries
        data = [
            ("GET", "/limits", self.limits),
            ("GET", "/query", queries.query),
            ("GET", "/queryAll", queries.query_all),
            ("GET", "/query/{cursor}", queries.more),
            ("GET", "/queryAll/{cursor}", queries.more),
            ("POST", "/composite", self._composite.run),
            ("POST", "/composite/sobjects", rows_of.create),
            ("PATCH", "/composite/sobjects", rows_of.update),
            ("DELETE", "/composite/sobjects", rows_of.delete),
            ("GET", "/composite/sobjects/{object}", rows_of.read),
            ("PATCH", "/composite/sobjects/{object}/{field}", rows_of.upsert),
            ("GET", "/sobjects", describe.all_objects),
            ("GET", "/sobjects/{object}/describe", describe.described),
            ("POST", "/sobjects/{object}", crud.create),
            ("GET", "/sobjects/{object}/{id}", crud.read),
            ("PATCH", "/sobjects/{object}/{id}", crud.update),
            ("DELETE", "/sobjects/{object}/{id}", crud.delete),
            ("GET", "/sobjects/{object}/{field}/{value}", crud.read_by_key),
            ("PATCH", "/sobjects/{object}/{field}/{value}", crud.upsert),
        ]
        return [
            # open to all: neither authentication nor faults
            Route("POST", "/services/oauth2/token", self._login.token, kind="token"),
            Route("GET", "/services/data", describe.versions, kind="token"),
            *(Route(method, BASE + path, _versioned(handler)) for method, path, handler in data),
        ]


def _versioned(handler: Callable[[Call], Answer]) -> Callable[[Call], Answer]:
    def checked(call: Call) -> Answer:
        if call.params["version"] not in VERSIONS:
            raise not_found()
        return handler(call)

    return checked


def _indexes(object_name: str) -> Iterator[Index]:
    for field in ORG.objects[object_name].fields:
        if field.type == "reference":
            yield Index(field.name)
        elif field.external_id:
            yield Index(field.name, _folded(field.name))


def _folded(name: str) -> Callable[[dict[str, Any]], tuple[str, ...]]:
    """External ids are found in any case."""
    return lambda data: (str(data[name]).lower(),) if data.get(name) else ()


def build(context: Context) -> Emulator:
    """The emulator, for sandbox/app.py."""
    return SalesforceEmulator(context)
