"""What one emulated system supplies to the core.

    class KantataEmulator(Emulator):
        name = "kantata"
        errors = KantataErrors()                    # a VendorErrors: the vendor's error bodies
        unknown_field, missing_fields, enum_fields = "surprise", ("title",), ("status",)

        def routes(self):
            return [Route("GET", "/api/v1/workspaces", self.list_workspaces),
                    Route("POST", "/api/v1/workspaces", self.create_workspace),
                    Route("POST", "/oauth/token", self.token, kind="token")]

        def seed(self, plan, store): ...            # the firm of sandbox/seed/firm.py, in vendor shape

    def build(context: Context) -> Emulator:        # in sandbox/kantata/emulator.py
        return KantataEmulator(context)

The core matches the route, applies faults, opens the transaction, authenticates and logs. Patterns hold
`{name}` for one segment and `{name:path}` for the rest; values arrive decoded in `call.params`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

from sandbox.core.call import Answer, Call, Refused

if TYPE_CHECKING:
    from sandbox.core.records import Record, RecordStore
    from sandbox.core.tokens import Tokens
    from sandbox.core.webhooks import Webhooks
    from sandbox.seed.firm import Firm
    from sandbox.settings import SandboxSettings

Kind = Literal["read", "write", "token"]


class VendorErrors(Protocol):
    """The vendor's error answers, in its own status codes and bodies."""

    def throttle(self) -> Answer:
        """Too many requests. The core adds Retry-After where the fault asks for it."""
        ...

    def concurrency(self) -> Answer:
        """Too many requests in flight."""
        ...

    def locked(self) -> Answer:
        """The record, or its parent, is locked by another transaction."""
        ...

    def period_closed(self) -> Answer:
        """The posting date lies in a closed accounting period."""
        ...

    def rejected(self, field: str | None) -> Answer:
        """A validation error for good, naming `field` where given."""
        ...

    def server_error(self) -> Answer:
        """500."""
        ...

    def unavailable(self) -> Answer:
        """503."""
        ...

    def expired_token(self) -> Answer:
        """The access token is no longer (or never was) valid."""
        ...

    def unknown_path(self, method: str, path: str) -> Answer:
        """No such resource, or not with this method."""
        ...

    def malformed_body(self, detail: str) -> Answer:
        """The request's body is not what the content type says."""
        ...


@dataclass(frozen=True, slots=True)
class Route:
    """A method and path pattern with its handler.

    `kind` decides which faults may strike; None: GET and HEAD read, the rest write. Mark a POST that only
    reads (a query) as `read`, and every token endpoint as `token`: neither authentication nor faults there.
    `posting` marks a write that posts to the books (the `period_closed` fault).
    """

    method: str
    pattern: str
    handler: Callable[[Call], Answer]
    kind: Kind | None = None
    posting: bool = False


@dataclass(frozen=True, slots=True)
class Context:
    """What an emulator is built with."""

    settings: "SandboxSettings"
    store: "RecordStore"
    tokens: "Tokens"
    webhooks: "Webhooks"


class Emulator:
    """Base of an emulated system: override what the vendor has."""

    name: str
    errors: VendorErrors
    unknown_field: str = "unexpectedField"
    """The name that `unknown_field` adds to each record of an answer."""
    missing_fields: Sequence[str] = ()
    """Fields, in order of preference, of which `missing_field` drops the first one present."""
    enum_fields: Sequence[str] = ()
    """Fields, in order of preference, of which `new_enum` changes the first one present."""
    concurrency_limit: int | None = None
    """Requests in flight above which the core answers with `errors.concurrency()`."""

    def __init__(self, context: Context) -> None:
        self.settings = context.settings
        self.store = context.store
        self.tokens = context.tokens
        self.webhooks = context.webhooks

    def routes(self) -> Sequence[Route]:
        """Every resource of the API."""
        raise NotImplementedError

    def authenticate(self, call: Call) -> None:
        """Set `call.subject`, or raise Refused. Default: a valid bearer token of this system."""
        scheme, _, token = call.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or self.tokens.state(self.name, token.strip()) != "valid":
            raise Refused(self.errors.expired_token())
        call.subject = self.tokens.subject(token.strip())

    def writes(self, call: Call, route: Route) -> bool:
        """Whether a request counts as a write for the faults. Override where only the body tells."""
        return route.kind == "write" or (route.kind is None and call.method not in ("GET", "HEAD"))

    def expire_tokens(self) -> None:
        """Carry out `token_expired`: every token issued so far becomes invalid."""
        self.tokens.revoke_all(self.name)

    def finish(self, call: Call, answer: Answer) -> None:
        """Add what every answer carries (limit headers, a request id)."""

    def records_in(self, body: Any) -> Iterator[dict[str, Any]]:
        """The record objects inside an answer's JSON, for the content faults. Default: the body itself."""
        if isinstance(body, dict):
            yield body

    def seed(self, plan: "Firm", store: "RecordStore") -> None:
        """Fill the empty store with the firm; runs once, in one transaction, without effects."""
        raise NotImplementedError

    def add(self, object_name: str, fields: Mapping[str, Any]) -> "Record":
        """A person creates a record in the vendor's screens. Raises ValueError for bad fields."""
        return self.store.create(object_name, fields)

    def edit(self, object_name: str, record_id: str, fields: Mapping[str, Any]) -> "Record":
        """A person edits a record in the vendor's screens. Raises KeyError, ValueError."""
        return self.store.update(object_name, record_id, fields)

    def shown(self, record: "Record") -> dict[str, Any]:
        """A record as `/_control` shows it."""
        return {"id": record.id, **record.data}
