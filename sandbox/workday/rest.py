"""What all REST services share: version and tenant in the path, paging, references, the shape of a list.

`limit` is 20 where nothing is asked for and 100 at most; a list is `{"data": [...], "total": n}`.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from sandbox.core.call import Answer, Call
from sandbox.workday.errors import bad_request, invalid, not_found
from sandbox.workday.ids import FORM

Handler = Callable[[Call], Answer]
SERVICES = {"staffing": ("v6", "v7"), "absenceManagement": ("v1", "v4"), "projects": ("v1",)}
"""Service -> the versions this tenant answers in."""
DEFAULT_LIMIT, MAX_LIMIT = 20, 100


def versioned(service: str, tenant: str, handler: Handler) -> Handler:
    """A handler behind the checks of version and tenant."""

    def handle(call: Call) -> Answer:
        if call.params["tenant"] != tenant:
            raise not_found("tenant", call.params["tenant"])
        if call.params["version"] not in SERVICES[service]:
            raise bad_request(f"version {call.params['version']} of {service} is not supported")
        return handler(call)

    return handle


def page(call: Call, rows: Sequence[dict[str, Any]], *known: str) -> Answer:
    """One page of rows. `known`: parameters besides limit and offset. Raises Refused for others."""
    parameters(call, *known)
    limit, offset = _number(call, "limit", DEFAULT_LIMIT), _number(call, "offset", 0)
    if not 1 <= limit <= MAX_LIMIT:
        raise bad_request(f"limit must lie between 1 and {MAX_LIMIT}")
    start = call.page_offset(offset)
    return Answer(200, {"total": len(rows), "data": list(rows[start : start + limit])})


def parameters(call: Call, *known: str) -> None:
    """Raises Refused for a query parameter that the resource does not know."""
    unknown = sorted(set(call.query) - {"limit", "offset", *known})
    if unknown:
        raise bad_request(f"unknown parameter {unknown[0]}")


def day_of(call: Call, name: str) -> date | None:
    """A date parameter."""
    text = call.query.get(name)
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise bad_request(f"{name} must be a date, yyyy-MM-dd") from None


def checked_reference(value: Any, field: str) -> str:
    """The id of a reference that was sent. What is read-only there may not be sent."""
    if not isinstance(value, dict) or not isinstance(value.get("id"), str):
        raise invalid(field, f"{field} must be a reference with an id.")
    if set(value) != {"id"}:
        raise invalid(field, f"{field} holds read-only fields; send the id only.")
    if not FORM.fullmatch(value["id"]):
        raise invalid(field, f"{value['id']} is not an id.", "A101")
    return str(value["id"])


def checked_day(value: Any, field: str) -> str:
    """A date that was sent."""
    try:
        return date.fromisoformat(str(value)).isoformat()
    except ValueError:
        raise invalid(field, f"Specify a valid {field} (yyyy-MM-dd).", "A552") from None


def checked_number(value: Any, field: str) -> Decimal:
    """A number that was sent, exactly."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise invalid(field, f"{field} must be a number.")
    return Decimal(value)


def only_known(body: Mapping[str, Any], *known: str) -> None:
    """Raises Refused for a field the resource does not have."""
    unknown = sorted(set(body) - set(known))
    if unknown:
        raise invalid(unknown[0], f"{unknown[0]} is not a field of this resource.", "A102")


def _number(call: Call, name: str, default: int) -> int:
    text = call.query.get(name, str(default))
    if not text.isdigit():
        raise bad_request(f"{name} must be a whole number")
    return int(text)
