"""Kantata OX REST v1, emulated: routes, authentication, and what a person does in its screens.

Base path `/kantata/api/v1/`, every path with and without `.json`. The tenant's token does not expire; the
`token_expired` fault answers one request with 401.
"""

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sandbox.core.call import Answer, Call, Refused
from sandbox.core.emulator import Context, Emulator, Route
from sandbox.core.records import Index, Record, RecordStore
from sandbox.kantata import (
    api,
    by_hand,
    invoicing,
    people,
    rates,
    references,
    seeding,
    staffing,
    submissions,
    time_order,
    work_api,
    writing,
)
from sandbox.kantata.envelope import shape
from sandbox.kantata.errors import KantataErrors
from sandbox.kantata.resources import RESOURCES
from sandbox.kantata.validation import checked
from sandbox.kantata.work import SUBMISSIONS

if TYPE_CHECKING:
    from sandbox.seed.firm import Firm

BASE = "/api/v1"
CREATED = (
    *("workspaces", "workspace_groups", "stories", "billing_milestones", "workspace_resources"),
    *("time_entries", "expenses", "workspace_allocations", "time_off_entries"),
)
UPDATED = (*CREATED, "users")
DELETED = (
    *("stories", "billing_milestones", "workspace_resources"),
    *("time_entries", "expenses", "invoices", "workspace_allocations", "time_off_entries"),
)


def build(context: Context) -> "KantataEmulator":
    """The emulator over its part of the sandbox's state."""
    return KantataEmulator(context)


class KantataEmulator(Emulator):
    """One Kantata OX account."""

    name = "kantata"
    errors = KantataErrors()
    unknown_field = "unexpected_field"
    missing_fields = ("title", "name", "role_name", "status", "service_model_ref", "event_type")
    enum_fields = ("stage", "story_type", "status", "event_type")

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._refuse_next = False
        define(self.store)

    def routes(self) -> Sequence[Route]:
        """Every resource; the fixed paths stand before the patterns they would match."""
        routes = [
            *_both("GET", "/external_references", api.list_references),
            *_both("POST", "/external_references/create_or_update", api.upsert_reference),
            *_both("GET", "/users/me", api.me),
            *_both("GET", "/subscribed_events/event_types", api.event_types),
            *_both("GET", "/subscribed_events", api.list_events),
            *_both("POST", "/resource_requests", api.create_request),
            Route("PUT", f"{BASE}/resource_requests/{{id}}", api.resolve_request),
            *_people_routes(),
            *_work_routes(),
        ]
        for collection, resource in RESOURCES.items():
            routes += _both("GET", f"/{collection}", api.lister(resource))
            routes.append(Route("GET", f"{BASE}/{collection}/{{id}}", api.shower(resource)))
            if collection in CREATED:
                routes += _both("POST", f"/{collection}", api.creator(resource))
            if collection in UPDATED:
                routes.append(Route("PUT", f"{BASE}/{collection}/{{id}}", api.updater(resource)))
            if collection in DELETED:
                routes.append(Route("DELETE", f"{BASE}/{collection}/{{id}}", api.deleter(resource)))
        return routes

    def authenticate(self, call: Call) -> None:
        """The tenant's bearer token; once refused when the `token_expired` fault has struck."""
        if self._refuse_next:
            self._refuse_next = False
            raise Refused(self.errors.expired_token())
        super().authenticate(call)

    def expire_tokens(self) -> None:
        """Tokens of this vendor do not expire: the one request that is being served is refused."""
        self._refuse_next = True

    def finish(self, call: Call, answer: Answer) -> None:
        """The id to quote to the vendor's support."""
        answer.headers["X-Request-Id"] = secrets.token_hex(16)

    def records_in(self, body: Any) -> Iterator[dict[str, Any]]:
        """The primary records of an envelope."""
        if isinstance(body, dict) and isinstance(body.get("results"), list):
            for result in body["results"]:
                yield body[result["key"]][result["id"]]

    def seed(self, plan: "Firm", store: RecordStore) -> None:
        """The firm's people, roles, skills, rate cards, project templates and custom fields."""
        self.tokens.accept(self.name, self.settings.kantata_token, subject="1")
        seeding.seed(plan, store)

    def add(self, object_name: str, fields: Mapping[str, Any]) -> Record:
        """A person creates a record. Fields as in the API."""
        resource = RESOURCES.get(object_name)
        done = by_hand.add(self.store, object_name, fields)
        if done is not None:
            return done
        if resource is None or object_name not in (*CREATED, "resource_requests"):
            raise ValueError(f"{object_name} cannot be created by hand")
        row = checked(self.store, resource, dict(fields), "create")
        if object_name == "resource_requests":
            return staffing.request(self.store, row)
        return writing.create(self.store, resource, row)

    def edit(self, object_name: str, record_id: str, fields: Mapping[str, Any]) -> Record:
        """A person edits a record, or decides a resource request.

        Submissions are decided as in by_hand.py; an invoice is cancelled by `{"status": "cancelled"}`.
        A decision is `{"request_resolution_status": "approve", "user": <id, email or full name>}` (`reject`
        and `cancel` need no user). Other fields as in the API.
        """
        record = self.store.get(object_name, record_id)
        resource = RESOURCES.get(object_name)
        if record is None or resource is None:
            raise KeyError(f"{object_name} {record_id} does not exist")
        if object_name == "resource_requests":
            return self._decide(record, dict(fields))
        if object_name in SUBMISSIONS:
            return by_hand.decide(self.store, record, dict(fields))
        if object_name == "invoices" and fields == {"status": "cancelled"}:
            return invoicing.cancel(self.store, record)
        row = checked(self.store, resource, dict(fields), "update")
        return writing.update(self.store, resource, record, row)

    def shown(self, record: Record) -> dict[str, Any]:
        """A record as its screen shows it, with the ids of what it belongs to."""
        resource = RESOURCES.get(record.object)
        own = shape(self.store, resource, record) if resource else {"id": record.id}
        return {**record.data, **own}

    def _decide(self, record: Record, fields: dict[str, Any]) -> Record:
        user = fields.pop("user", None)
        resolution = fields.pop("request_resolution_status", None)
        hard = fields.pop("allocations_state", True)
        if fields or resolution not in staffing.RESOLVED:
            raise ValueError("a decision is request_resolution_status approve, reject or cancel, and user")
        user_id = None if user is None else by_hand.user_id(self.store, str(user))
        return staffing.resolve(self.store, record, resolution, user_id=user_id, hard=bool(hard))


def define(store: RecordStore) -> None:
    """The indexes of the account."""
    references.define(store)
    store.define("stories", Index("workspace_id"))
    store.define("billing_milestones", Index("workspace_id"))
    store.define("workspace_resources", Index("workspace_id"), Index("user_id"))
    store.define("resource_requests", Index("resource_id"))
    store.define("workspace_allocations", Index("workspace_id"), Index("workspace_resource_id"))
    store.define("users", Index("email_address"))
    for name in ("account_memberships", "skill_memberships", "time_off_entries"):
        store.define(name, Index("user_id"))
    store.define("workspaces", Index("archived", lambda row: [True] if row["archived"] else []))
    store.define(
        "time_entries",
        *(Index("workspace_id"), Index("active_submission_id")),
        Index("user_day", lambda row: [(row["user_id"], row["date_performed"])]),
    )
    store.define("expenses", Index("workspace_id"), Index("active_submission_id"))
    store.define("timesheet_submissions", Index("workspace_id"))
    store.define("expense_report_submissions", Index("workspace_id"))
    store.define(rates.CARD_ROLES, Index("card_role", lambda row: [(row["rate_card_id"], row["role_id"])]))
    time_order.define(store.database)


def _people_routes() -> list[Route]:
    return [
        *_both("POST", "/account_invitations", people.invite),
        Route("PUT", f"{BASE}/account_memberships/{{id}}", people.change_membership),
        *_both("POST", "/skill_memberships", people.add_skill),
        Route("PUT", f"{BASE}/skill_memberships/{{id}}", people.change_skill),
    ]


def _work_routes() -> list[Route]:
    routes = [
        *_both("POST", "/invoices", work_api.create_invoice),
        *_both("GET", "/invoices/next_invoice_number", work_api.next_invoice_number),
        Route("PUT", f"{BASE}/invoices/{{id}}/cancel", work_api.cancel_invoice),
        Route("PUT", f"{BASE}/invoices/{{id}}", work_api.update_invoice),
        *_both("POST", "/external_payments", work_api.create_payment),
    ]
    for collection in SUBMISSIONS:
        routes += _both("POST", f"/{collection}", work_api.submitter(collection))
        for resolution in submissions.RESOLVED:
            handler = work_api.resolver(collection, resolution)
            routes.append(Route("PUT", f"{BASE}/{collection}/{{id}}/{resolution}", handler))
    return routes


def _both(method: str, path: str, handler: Callable[[Call], Answer]) -> list[Route]:
    """A fixed path with and without `.json`; patterns with an id strip it themselves."""
    return [Route(method, BASE + path, handler), Route(method, f"{BASE}{path}.json", handler)]
