"""NetSuite's answers as classes of failure (SuiteTalk REST, error messages and status codes)."""

from collections.abc import Mapping, Sequence
from typing import Any

from connectors.errors import (
    Conflict,
    NotFound,
    PeriodClosed,
    Rejected,
    Throttled,
    Transient,
    Unauthenticated,
)
from connectors.http.resolution import Problem, Resolution, Row

LIMITS = "CONCURRENCY_LIMIT_EXCEEDED SSS_REQUEST_LIMIT_EXCEEDED WS_REQUEST_BLOCKED WS_CONCUR_SESSION_DISALLWD"
PERMISSIONS = "INSUFFICIENT_PERMISSION INSUFFICIENT_PERMISSIONS PERMISSION_VIOLATION"
# A business rule has one code for all rules, USER_ERROR: only its text tells which.
PERIOD_TEXTS = ("open accounting period", "period is closed", "closed period", "period has been closed")
TAKEN_TEXTS = ("already exists", "must enter a unique", "has already been used")
IN_USE_TEXTS = ("dependent records", "cannot be deleted")

ROWS = (
    Row(Throttled, "the account's concurrency limit is reached. {text}", status=429, rule="quota.concurrent"),
    Row(Throttled, "the account's concurrency limit is reached. {text}", code=LIMITS.split()),
    # Some gateways of the account dress the same refusal up as a failed login.
    Row(Throttled, "the account's concurrency limit is reached. {text}", text="concurrent request limit"),
    Row(
        Unauthenticated,
        "the login is refused; check the certificate mapping, the integration and its role. {text}",
        code=("INVALID_LOGIN", "INVALID_LOGIN_ATTEMPT"),
    ),
    Row(Rejected, "our role may not do this: {text}", code=PERMISSIONS.split(), rule="vendor.permission"),
    Row(Transient, "the record was changed at the same moment. {text}", code="RCRD_HAS_BEEN_CHANGED"),
    Row(Transient, "the record was changed at the same moment. {text}", text="record has been changed"),
    *(
        Row(PeriodClosed, "the period is closed: {text}", text=text, rule="period.closed")
        for text in PERIOD_TEXTS
    ),
    *(
        Row(
            Rejected,
            "NetSuite keeps the record because it is in use: {text}",
            text=text,
            rule="record.in_use",
        )
        for text in IN_USE_TEXTS
    ),
    *(
        Row(
            Conflict,
            "another record holds this number or key: {text}",
            status=400,
            text=text,
            rule="key.taken",
        )
        for text in TAKEN_TEXTS
    ),
    Row(
        Rejected,
        "NetSuite does not take the field {field}: {text}",
        code="INVALID_CONTENT",
        rule="vendor.validation",
    ),
    Row(Rejected, "a rule of the account says no: {text}", code="USER_ERROR", rule="vendor.rule"),
    Row(
        Rejected,
        "the request is not understood ({field}): {text}",
        code="INVALID_REQUEST",
        rule="vendor.request",
    ),
    Row(NotFound, "NetSuite does not know this record. {text}", code="NONEXISTENT_ID"),
    Row(
        Transient,
        "NetSuite failed; its support finds the cause by the Error ID. {text}",
        code="UNEXPECTED_ERROR",
    ),
)


def explain(status: int, body: Any) -> Sequence[Problem]:
    """Problems of an error body: the array `o:errorDetails`, or the flat shape of a record action."""
    if isinstance(body, str):
        return (Problem(text=body),)
    if not isinstance(body, Mapping):
        return ()
    details = body.get("o:errorDetails")
    entries = details if isinstance(details, list) and details else [body]
    return [_problem(entry, body) for entry in entries if isinstance(entry, Mapping)]


def _problem(entry: Mapping[str, Any], body: Mapping[str, Any]) -> Problem:
    places = (entry.get(f"o:error{kind}") for kind in ("Path", "QueryParam", "Header"))
    return Problem(
        code=str(entry.get("o:errorCode") or body.get("o:errorCode") or ""),
        text=str(entry.get("detail") or body.get("title") or ""),
        field=next((str(place) for place in places if place), ""),
    )


def table(system: str) -> Resolution:
    return Resolution(system, explain, ROWS)
