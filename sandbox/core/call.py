"""What an emulator's handler gets (`Call`) and gives back (`Answer`, or raises `Refused`).

    def create_workspace(call: Call) -> Answer:
        body = call.json()                              # Decimals; malformed -> the vendor's own error
        if "workspace" not in body:
            raise Refused(call.errors.rejected("workspace"))      # rolls back what the handler wrote
        row = call.store.create("workspaces", body["workspace"])
        return Answer(200, shown(row))                  # a returned answer commits, whatever its status

Handlers are plain functions: one runs at a time, inside one transaction.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, unquote_plus

from starlette.datastructures import Headers, QueryParams

from sandbox.core import wire

if TYPE_CHECKING:
    from sandbox.core.emulator import VendorErrors
    from sandbox.core.faults import Fault
    from sandbox.core.records import RecordStore


@dataclass(slots=True)
class Answer:
    """An HTTP answer. `body`: a JSON value, bytes or str sent as they are, or None for an empty body."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    media_type: str = "application/json;charset=UTF-8"

    def payload(self) -> bytes:
        """The body as sent."""
        if self.body is None:
            return b""
        if isinstance(self.body, bytes):
            return self.body
        return self.body.encode() if isinstance(self.body, str) else wire.encode(self.body)


class Refused(Exception):
    """Ends a handler with the vendor's error answer and undoes what it wrote."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(f"refused with {answer.status}")
        self.answer = answer


@dataclass
class Call:
    """One request to a system. `path` has no prefix and is percent-encoded; `params` are decoded."""

    system: str
    method: str
    path: str
    query_string: str
    headers: Headers
    body: bytes
    base_url: str
    """Where the system answers, e.g. `http://127.0.0.1:8500/salesforce`."""
    store: "RecordStore"
    errors: "VendorErrors"
    params: dict[str, str] = field(default_factory=dict)
    draw: Callable[[str], "Fault | None"] = lambda kind: None
    subject: str = ""
    """Who calls, set by the emulator's `authenticate`."""

    @cached_property
    def query(self) -> QueryParams:
        """The decoded query string."""
        return QueryParams(self.query_string)

    def json(self) -> Any:
        """The JSON body. Raises Refused with the vendor's error for a malformed one."""
        try:
            return wire.decode(self.body)
        except wire.BadJson as error:
            raise Refused(self.errors.malformed_body(str(error))) from None

    def json_object(self) -> dict[str, Any]:
        """The JSON body, which must be an object. Raises Refused with the vendor's error."""
        value = self.json()
        if not isinstance(value, dict):
            raise Refused(self.errors.malformed_body("the body must be a JSON object"))
        return value

    def form(self) -> Mapping[str, str]:
        """The fields of an `application/x-www-form-urlencoded` body."""
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))

    def fires(self, kind: str) -> "Fault | None":
        """Whether an armed fault of a kind that only a handler can carry out strikes this call.

        For `partial_batch` (apply some rows, refuse the rest as the vendor does) and `page_shift`.
        """
        return self.draw(kind)

    def page_offset(self, offset: int) -> int:
        """The offset to read a later page at: moved while `page_shift` strikes.

        The fault's `rows` says how many rows were inserted before the page (repeating as many) or, when
        negative, removed (skipping as many).
        """
        fault = self.draw("page_shift") if offset > 0 else None
        return offset if fault is None else max(0, offset - fault.rows)

    @cached_property
    def searchable(self) -> str:
        """Decoded URL and body in one text, for the `match` of a fault."""
        text = self.body.decode("utf-8", "replace")
        if self.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            text = unquote_plus(text)
        return f"{unquote(self.path)}?{unquote_plus(self.query_string)}\n{text}"
