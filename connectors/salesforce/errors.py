"""Salesforce's answers as classes of failure (REST API guide, status codes and error responses)."""

from collections.abc import Mapping, Sequence
from typing import Any

from connectors.errors import Conflict, NotFound, Rejected, Throttled, Transient, Unauthenticated
from connectors.http.resolution import Problem, Resolution, Row

DRIFT = "INVALID_FIELD INVALID_TYPE MALFORMED_QUERY INVALID_QUERY_FILTER_OPERATOR JSON_PARSER_ERROR".split()
CONTENT = (
    "REQUIRED_FIELD_MISSING FIELD_CUSTOM_VALIDATION_EXCEPTION STRING_TOO_LONG FIELD_INTEGRITY_EXCEPTION "
    "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST INVALID_CROSS_REFERENCE_KEY NUMBER_OUTSIDE_VALID_RANGE "
    "INVALID_FIELD_FOR_INSERT_UPDATE"
).split()
ACCESS = (
    "INSUFFICIENT_ACCESS INSUFFICIENT_ACCESS_OR_READONLY INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY "
    "API_DISABLED_FOR_ORG API_CURRENTLY_DISABLED"
).split()

ROWS = (
    Row(Unauthenticated, "the session is no longer valid. {text}", code="INVALID_SESSION_ID"),
    Row(
        Throttled,
        "the org's daily allowance of API requests is used up; the calls wait until it refills. {text}",
        code="REQUEST_LIMIT_EXCEEDED",
        text="TotalRequests",
        rule="quota.daily",
    ),
    Row(
        Throttled,
        "too many long calls at once. {text}",
        code="REQUEST_LIMIT_EXCEEDED",
        rule="quota.concurrent",
    ),
    Row(Transient, "another change holds the record. {text}", code="UNABLE_TO_LOCK_ROW"),
    # A trigger wraps the lock failure in its own code: only the text tells.
    Row(Transient, "another change holds the record. {text}", text="UNABLE_TO_LOCK_ROW"),
    Row(Transient, "the query took too long. {text}", code="QUERY_TIMEOUT"),
    Row(
        Transient,
        "the query's cursor is gone; the reading starts again. {text}",
        code="INVALID_QUERY_LOCATOR",
    ),
    Row(
        Conflict,
        "the external id answers to several records: {text}",
        status=300,
        rule="external_id.ambiguous",
    ),
    Row(Conflict, "another record holds this key. {text}", code="DUPLICATE_VALUE", rule="external_id.taken"),
    Row(Conflict, "the record changed meanwhile. {text}", status=412, rule="version.changed"),
    Row(NotFound, "Salesforce does not know this record. {text}", code=("NOT_FOUND", "MALFORMED_ID")),
    Row(NotFound, "the record was deleted. {text}", code="ENTITY_IS_DELETED"),
    Row(
        Rejected,
        "the org's fields are not as the firm's file says: {text}. Compare with `fairlead systems check`.",
        code=DRIFT,
        rule="schema.drift",
    ),
    Row(Rejected, "Salesforce refuses {field}: {text}", code=CONTENT, rule="vendor.validation"),
    Row(
        Rejected,
        "a duplicate rule of the org objects: {text}",
        code="DUPLICATES_DETECTED",
        rule="vendor.duplicate",
    ),
    Row(
        Rejected,
        "automation of the org blocks the change: {text}",
        code="CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
        rule="vendor.automation",
    ),
    Row(Rejected, "our user may not do this: {text}", code=ACCESS, rule="vendor.permission"),
    Row(Transient, "Salesforce is not available. {text}", code="SERVER_UNAVAILABLE"),
    # Last among the coded rows: the consequence of another failed part, never the cause.
    Row(Rejected, "undone because another part of the request failed", code="PROCESSING_HALTED"),
)


def explain(status: int, body: Any) -> Sequence[Problem]:
    """Problems of an error body: an array, an object, or the record addresses of a 300.

    Top-level errors carry `errorCode`, rows of collections `statusCode`; `fields` may be absent.
    """
    if isinstance(body, str):
        return (Problem(text=body),)
    entries = body if isinstance(body, list) else [body]
    if status == 300:
        return (Problem(text=", ".join(str(entry) for entry in entries)),)
    return [_problem(entry) for entry in entries if isinstance(entry, Mapping)]


def _problem(entry: Mapping[str, Any]) -> Problem:
    names = entry.get("fields")
    return Problem(
        code=str(entry.get("errorCode") or entry.get("statusCode") or entry.get("error") or ""),
        text=str(entry.get("message") or entry.get("error_description") or ""),
        field=", ".join(str(name) for name in names) if isinstance(names, list) else "",
    )


def table(system: str) -> Resolution:
    return Resolution(system, explain, ROWS)
