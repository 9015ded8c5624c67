"""Coupa's answers as classes of failure: by status and text, as it has no codes.

Source: Coupa Core API, exception handling: `{"errors": {"<object>": ["<text>", ...]}}`, where the values may
be a list or one text.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from connectors.errors import Conflict, NotFound, Rejected, Throttled, Transient, Unauthenticated
from connectors.http.resolution import Problem, Resolution, Row

_CHECK = "Compare with `fairlead systems check`."

ROWS = (
    Row(Unauthenticated, "Coupa refuses the access token. {text}", status=401, rule="vendor.token"),
    Row(
        Rejected,
        "our client may not do this: {text}. Grant its scope in Coupa's OAuth2/OpenID Connect clients.",
        status=403,
        rule="vendor.permission",
    ),
    Row(NotFound, "Coupa does not know or does not show this record. {text}", status=404),
    Row(
        Rejected,
        "the instance does not answer in JSON: {text}. Check base_url: a proxy may drop our headers.",
        status=(406, 415),
        rule="vendor.format",
    ),
    Row(
        Conflict,
        "the key is on another record: {text}",
        status=(400, 422),
        text="has already been taken",
        rule="key.taken",
    ),
    Row(
        Transient,
        "another change holds the record. {text}",
        status=(400, 409, 422),
        text="stale object",
        rule="vendor.lock",
    ),
    Row(
        Rejected,
        f"the instance is not as the firm's file says: {{text}}. {_CHECK}",
        status=400,
        text="unknown attribute",
        rule="schema.drift",
    ),
    Row(Rejected, "Coupa refuses the {field}: {text}", status=(400, 422), rule="vendor.validation"),
    Row(Throttled, "Coupa asks for patience (25 calls a second). {text}", status=429),
    Row(Transient, "Coupa is not available. {text}", status=(502, 503, 504)),
)


def explain(status: int, body: Any) -> Sequence[Problem]:
    """Problems of an answer; the object an error belongs to stands in for a field."""
    if isinstance(body, str):
        return (Problem(text=body),)
    if not isinstance(body, Mapping):
        return ()
    errors = body.get("errors", body.get("error"))
    if isinstance(errors, Mapping):
        found = [Problem(text=text, field=str(name)) for name in errors for text in _texts(errors[name])]
    else:
        found = [Problem(text=text) for text in _texts(errors)]
    said = str(body.get("error_description") or body.get("message") or "")
    return found or ((Problem(text=said),) if said else ())


def _texts(value: Any) -> Iterator[str]:
    """Texts of a value that may be a text, a list, or nested by attribute."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from (f"{name} {text}" for text in _texts(inner))
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif value is not None:
        yield str(value)


def table(system: str) -> Resolution:
    """The resolution table of one instance."""
    return Resolution(system, explain, ROWS)
