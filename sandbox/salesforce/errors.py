"""Salesforce's error answers.

Source: REST API developer guide, "Status codes and error responses": an array of
`{"message", "errorCode", "fields"?}`; some external-id errors come as one object instead.
"""

from collections.abc import Sequence
from typing import Any

from sandbox.core.call import Answer, Refused


def error(status: int, code: str, message: str, fields: Sequence[str] | None = None) -> Answer:
    """The usual error body: an array with one entry."""
    entry: dict[str, Any] = {"message": message, "errorCode": code}
    if fields is not None:
        entry["fields"] = list(fields)
    return Answer(status, [entry])


def refuse(code: str, message: str, fields: Sequence[str] = (), status: int = 400) -> Refused:
    """An error for a record operation, to be raised."""
    return Refused(error(status, code, message, fields))


def not_found(message: str = "The requested resource does not exist") -> Refused:
    """404 NOT_FOUND, to be raised."""
    return Refused(error(404, "NOT_FOUND", message))


def no_external_id_field() -> Refused:
    """404 for a field that is no external id: one object, not an array."""
    message = "Provided external ID field does not exist or is not accessible"
    return Refused(Answer(404, {"message": message, "errorCode": "NOT_FOUND"}))


def row_errors(answer: Answer) -> list[dict[str, Any]]:
    """The errors of a refused record operation as rows of a collection carry them (`statusCode`)."""
    entries = answer.body if isinstance(answer.body, list) else [answer.body]
    return [
        {"statusCode": entry["errorCode"], "message": entry["message"], "fields": entry.get("fields", [])}
        for entry in entries
    ]


class SalesforceErrors:
    """The answers the core needs (`VendorErrors`)."""

    def throttle(self) -> Answer:
        return error(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")

    def concurrency(self) -> Answer:
        message = "ConcurrentRequests (Concurrent API Requests) Limit exceeded."
        return error(403, "REQUEST_LIMIT_EXCEEDED", message)

    def locked(self) -> Answer:
        message = "unable to obtain exclusive access to this record or 1 records"
        return error(400, "UNABLE_TO_LOCK_ROW", message, ())

    def period_closed(self) -> Answer:
        return error(400, "FIELD_CUSTOM_VALIDATION_EXCEPTION", "The period is closed.", ())

    def rejected(self, field: str | None) -> Answer:
        message = "A validation rule of this org refuses the record."
        return error(400, "FIELD_CUSTOM_VALIDATION_EXCEPTION", message, [field] if field else ())

    def server_error(self) -> Answer:
        message = "An unexpected error occurred. Please include this ErrorId if you contact support: 1127-1"
        return error(500, "UNKNOWN_EXCEPTION", message)

    def unavailable(self) -> Answer:
        return error(503, "SERVER_UNAVAILABLE", "The server is temporarily unable to handle the request.")

    def expired_token(self) -> Answer:
        return error(401, "INVALID_SESSION_ID", "Session expired or invalid")

    def unknown_path(self, method: str, path: str) -> Answer:
        return error(404, "NOT_FOUND", "The requested resource does not exist")

    def malformed_body(self, detail: str) -> Answer:
        return error(400, "JSON_PARSER_ERROR", f"Unexpected character or end of input: {detail}")
